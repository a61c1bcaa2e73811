"""The locust user that Testlens writes has a visit for each route, and a test that makes each of them."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from real.scaffold_ground import make_project, write_tests

pytestmark = pytest.mark.real

# Enough of the frameworks for the module to be imported; none of them is needed to read its routes.
FASTAPI = """
    class APIRouter:
        def __init__(self, prefix=""):
            self.prefix = prefix

        def get(self, path, **options):
            return lambda function: function

        post = get
    """
PYDANTIC = """
    class BaseModel:
        pass
    """
ORDERS = """
    from fastapi import APIRouter
    from pydantic import BaseModel

    router = APIRouter(prefix="/orders")


    class NewOrder(BaseModel):
        name: str
        amount: int
        note: str = ""


    @router.get("/search")
    def search(q: str):
        return []


    @router.get("/{order_id}")
    async def read_order(order_id: int):
        return {"id": order_id}


    @router.post("/", status_code=201)
    def create_order(order: NewOrder):
        return {"name": order.name}
    """


def test_each_route_has_a_visit_with_what_it_wants_and_reads_come_more_often(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"orders.py": ORDERS, "fastapi.py": FASTAPI, "pydantic.py": PYDANTIC})
    written = write_tests(project, sys.executable, "orders.py", "create_order", "load")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.scaffold.written.test_file == "tests/load/test_orders_load.py"
    assert 'self.client.get("/orders/search", params={"q": "name"})' in written.tests
    assert 'self.client.get("/orders/1")' in written.tests
    assert 'self.client.post("/orders/", json={"name": "name", "amount": 1})' in written.tests
    assert "tasks = [search] * 3 + [read_order] * 3 + [create_order]" in written.tests
    assert written.scaffold.draft.needs == ("locust",)
    assert [offer.recipe for offer in written.offers][-1] == "load"
    # Locust replaces sockets and threads when it is imported, so only locust itself may cause that.
    top = [node for node in ast.parse(written.tests).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not any("locust" in ast.unparse(node) for node in top)
