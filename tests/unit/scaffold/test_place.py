"""Tests of a gap go to the file that tests its module, or to a new one beside the others."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from testlens.scaffold.place import Place, choose_place
from testlens.scaffold.style import Style


def place(
    source: str, *existing: str, tests: Mapping[str, str] | None = None, recipe: str = "async", **style: str
) -> str:
    """The test file for a gap in `source`."""
    return choose_place(source, recipe, Style(test_files=tests or {}, **style), existing).test_file  # type: ignore[arg-type]


def test_the_file_that_tests_a_module_gets_its_tests() -> None:
    assert place("src/shop/cart.py", tests={"src/shop/cart.py": "tests/test_basket.py"}) == "tests/test_basket.py"


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ("src/shop/cart.py", "tests/test_cart.py"),
        ("src/shop/_private.py", "tests/test_private.py"),
        ("src/shop/__init__.py", "tests/test_shop.py"),
        ("src/shop/__main__.py", "tests/test_main.py"),
        ("setup.py", "tests/test_setup.py"),
    ],
)
def test_a_new_file_is_named_after_the_module(source: str, file: str) -> None:
    assert place(source) == file


def test_a_new_file_is_named_as_the_others_are() -> None:
    assert place("shop/cart.py", file_name="{}_test.py") == "tests/cart_test.py"
    style = Style(file_patterns=("check_*.py",))
    assert choose_place("shop/cart.py", "async", style, ()).test_file == "tests/check_cart.py"


@pytest.mark.parametrize(
    ("source", "known", "file"),
    [
        ("src/shop/web/views.py", {"src/shop/web/urls.py": "tests/web/test_urls.py"}, "tests/web/test_views.py"),
        ("src/shop/db/row.py", {"src/shop/web/urls.py": "tests/unit/web/test_urls.py"}, "tests/unit/db/test_row.py"),
        ("src/shop/web/api/v1.py", {"src/shop/web/urls.py": "tests/web/test_urls.py"}, "tests/web/api/test_v1.py"),
        ("src/shop/db/row.py", {"src/shop/web/urls.py": "tests/test_urls.py"}, "tests/test_row.py"),
        ("pkg/a/x.py", {"pkg/a/y.py": "pkg/a/tests/test_y.py"}, "pkg/a/tests/test_x.py"),
    ],
)
def test_a_new_file_lies_to_the_module_as_the_others_do(source: str, known: Mapping[str, str], file: str) -> None:
    assert place(source, tests=known) == file


def test_a_folder_of_the_modules_own_is_used() -> None:
    assert place("src/shop/cart.py", "tests/test_cart/test_total.py") == "tests/test_cart/test_cart.py"


def test_a_file_that_tests_another_module_is_left_alone() -> None:
    assert (
        place("src/shop/web/models.py", tests={"src/shop/db/models.py": "tests/test_models.py"})
        == "tests/test_web_models.py"
    )


def test_two_files_of_one_name_are_not_made_where_pytest_would_mix_them_up() -> None:
    tests = {"src/shop/web/urls.py": "tests/web/test_urls.py"}
    assert place("src/shop/web/models.py", "tests/test_models.py", tests=tests) == "tests/web/test_web_models.py"
    packages = ("tests/test_models.py", "tests/__init__.py", "tests/web/__init__.py")
    assert place("src/shop/web/models.py", *packages, tests=tests) == "tests/web/test_models.py"


def test_scenarios_have_a_folder_of_their_own() -> None:
    tests = {"src/shop/cart.py": "tests/test_cart.py"}
    assert place("src/shop/cart.py", tests=tests, recipe="bdd") == "tests/bdd/test_cart_scenarios.py"
    assert place("src/shop/cart.py", recipe="bdd", bdd_folder="features") == "features/test_cart_scenarios.py"


def test_shared_helpers_go_where_all_tests_see_them() -> None:
    assert choose_place("shop/cart.py", "bdd", Style(), ()).conftest == "tests/conftest.py"
    assert choose_place("shop/cart.py", "async", Style(folder=""), ()).conftest == "conftest.py"
    known = Style(test_files={"shop/cart.py": "other/test_cart.py"})
    assert choose_place("shop/cart.py", "async", known, ()).conftest == "other/conftest.py"


def test_new_folders_are_packages_where_the_tests_are_one() -> None:
    existing = ("tests/__init__.py", "tests/test_a.py")
    assert choose_place("shop/cart.py", "bdd", Style(), existing).packages == ("tests/bdd/__init__.py",)
    assert choose_place("shop/cart.py", "bdd", Style(), ("tests/test_a.py",)).packages == ()
    assert choose_place("shop/cart.py", "async", Style(), existing) == Place("tests/test_cart.py", "tests/conftest.py")
