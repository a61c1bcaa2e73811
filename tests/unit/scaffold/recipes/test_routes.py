"""The routes of a web application are read from its decorators and URL patterns."""

from __future__ import annotations

import ast
from textwrap import dedent

from testlens.scaffold.recipes.routes import routes


def read(source: str) -> list[tuple[str, str, str]]:
    return [(route.method, route.path, route.body) for route in routes(ast.parse(dedent(source)))]


def test_a_router_of_fastapi_with_prefix_variables_and_a_model() -> None:
    source = """
        router = APIRouter(prefix="/orders")
        class New(BaseModel):
            name: str
            price: float
            tags: list[str]
            note: str = ""
        @router.get("/{order_id}/items/{item:path}")
        def read(order_id: int, item: str): ...
        @router.put("/{order_id}")
        async def change(order_id, new: New): ...
        """
    assert read(source) == [
        ("get", "/orders/1/items/name", ""),
        ("put", "/orders/order-1", '{"name": "name", "price": 1.0, "tags": []}'),
    ]


def test_flask_with_several_methods_and_a_body_that_is_taken_apart() -> None:
    source = """
        app = Flask(__name__)
        @app.route("/items/<int:item_id>", methods=["GET", "DELETE"])
        def item(item_id): ...
        @app.post("/items")
        def add():
            data = request.get_json()
            return data["name"], data["count"], data.get("note")
        """
    assert read(source) == [
        ("get", "/items/1", ""),
        ("delete", "/items/1", ""),
        ("post", "/items", "{'name': \"name\", 'count': 1}"),
    ]


def test_patterns_of_django_beside_their_views() -> None:
    source = """
        def order(request, id): ...
        urlpatterns = [path("orders/<int:id>/", order), path("admin/", site.urls)]
        """
    assert read(source) == [("get", "/orders/1/", "")]


def test_decorators_of_other_objects_are_no_routes() -> None:
    assert read('cache = Cache()\n@cache.get("/x")\ndef x(): ...\n') == []
