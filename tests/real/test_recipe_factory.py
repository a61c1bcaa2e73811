"""Tests that Testlens writes with factories: the project's own where its tests import one, else new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from real.scaffold_ground import make_project, write_tests
from real.test_example_clarity import example_python

pytestmark = pytest.mark.real

ORDERS = """
    from dataclasses import dataclass


    @dataclass(frozen=True)
    class Order:
        customer: str
        total: float
        tags: tuple = ()


    def shipping(order: Order) -> float:
        if order.total >= 50:
            return 0.0
        return 4.5
    """
FACTORIES = """
    import factory

    from orders import Order


    class OrderFactory(factory.Factory):
        class Meta:
            model = Order

        customer = "ada"
        total = 20.0
    """
OLD_TEST = """
    from factories import OrderFactory


    def test_a_factory_builds_an_order():
        assert OrderFactory().customer == "ada"
    """


def test_a_factory_is_written_for_a_data_class_and_used_on_each_side_of_a_condition(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"orders.py": ORDERS})
    written = write_tests(project, example_python(), "orders.py", "shipping", "factory")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.verdict.missing == ()
    assert "class OrderFactory(" in written.tests
    assert "model = Order" in written.tests
    assert "OrderFactory(total=50)" in written.tests
    assert not written.scaffold.draft.needs


def test_the_projects_own_factory_is_used_where_its_tests_import_one(tmp_path: Path) -> None:
    files = {"orders.py": ORDERS, "tests/factories.py": FACTORIES, "tests/test_old.py": OLD_TEST}
    project = make_project(tmp_path, files)
    written = write_tests(project, example_python(), "orders.py", "shipping", "factory")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.verdict.missing == ()
    assert "from factories import OrderFactory" in written.tests
    assert "class OrderFactory" not in written.tests
    assert any("the project's factory for `Order`" in offer.title for offer in written.offers)
