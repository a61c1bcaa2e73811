"""Scenarios as feature files with step functions, as pytest-bdd and behave run them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from agent.interpreters import CURRENT, environment_with
from testlens.domain.cases import Case, Draft, Step
from testlens.domain.expressions import mark
from testlens.scaffold.feature_form import write_features
from testlens.scaffold.render import Written
from testlens.scaffold.step_split import UnsplittableError
from testlens.scaffold.style import Scenarios, Style

SHOP = """\
class Shop:
    def __init__(self, country):
        self.country = country

    def price(self, name, count):
        if count < 0:
            raise ValueError("no such count")
        return 2 * count
"""
RAISING = f'with {mark("pytest", "raises")}(ValueError, match="no such count"):\n    shop.price("tea", -1)'


def _case(name: str, country: str, when: str, sentence: str, *then: str) -> Case:
    given = Step("a Shop", (f"shop = {mark('shop', 'Shop')}({country!r})",))
    return Case(name, given, Step("price is called", (when,)), Step(sentence, then), records_today=True)


CASES = (
    _case("three_are_asked_for", "eu", 'result = shop.price("tea", 3)', "it returns 6", "assert result == 6"),
    _case("four_are_asked_for", "us", 'result = shop.price("milk", 4)', "it returns 8", "assert result == 8"),
    _case("the_count_is_negative", "us", RAISING, "it raises ValueError"),
)


def _written(scenarios: Scenarios, *cases: Case, texts: dict[str, str] | None = None) -> Written:
    style = Style(scenarios=scenarios, first_party=frozenset({"shop"}))
    return write_features(Draft("bdd", "Price", cases), "shop.py", style, texts or {})


def _run(folder: Path, written: Written, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "shop.py").write_text(SHOP)
    for path, text in written.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    python = environment_with(f"{CURRENT}-bdd", Path(sys.executable), ("pytest", "pytest-bdd==9.0.1", "behave==1.3.3"))
    return subprocess.run([str(python), "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_sentences_name_the_values_and_share_the_steps() -> None:
    written = _written("pytest-bdd", *CASES)
    assert written.files["tests/bdd/shop.feature"] == dedent("""\
        Feature: Shop

          Scenario: Three are asked for
            Given a Shop, made with "eu"
            When price is called with "tea" and 3
            Then it returns 6

          Scenario: Four are asked for
            Given a Shop, made with "us"
            When price is called with "milk" and 4
            Then it returns 8

          Scenario: The count is negative
            Given a Shop, made with "us"
            When price is called with "tea"
            Then it raises ValueError
        """)
    steps = written.files["tests/bdd/test_shop_steps.py"]
    assert steps.count("@given(") == 1
    assert '@given(parsers.parse(\'a Shop, made with "{value}"\'), target_fixture="shop")' in steps
    assert written.node_ids[0] == "tests/bdd/test_shop_steps.py::test_three_are_asked_for"


def test_the_same_sentence_for_other_code_is_worded_apart() -> None:
    other = replace(CASES[0], name="again", then=Step("it returns 6", ("assert result > 5",)))
    feature = _written("pytest-bdd", CASES[0], other).files["tests/bdd/shop.feature"]
    assert "Then it returns 6\n" in feature
    assert "Then it returns 6 (case 2)\n" in feature


@pytest.mark.parametrize("scenarios", ["pytest-bdd", "behave"])
def test_what_is_there_stays_as_it_is(scenarios: Scenarios) -> None:
    first = _written(scenarios, *CASES)
    second = _written(scenarios, *CASES, texts=dict(first.files))
    for path, text in first.files.items():
        assert second.files[path].startswith(text)


def test_a_feature_file_with_a_background_gets_a_file_beside_it() -> None:
    texts = {"tests/bdd/shop.feature": "Feature: Shop\n\n  Background:\n    Given a shop\n"}
    assert set(_written("pytest-bdd", CASES[0], texts=texts).files) == {
        "tests/bdd/shop_2.feature",
        "tests/bdd/test_shop_steps.py",
    }


def test_pytest_bdd_runs_the_scenarios_also_those_added_later(tmp_path: Path) -> None:
    first = _written("pytest-bdd", *CASES)
    second = _written("pytest-bdd", *CASES, texts=dict(first.files))
    ran = _run(tmp_path, second, "pytest", "-q", *first.node_ids, *second.node_ids)
    assert "6 passed" in ran.stdout, ran.stdout


def test_behave_runs_the_scenarios_also_those_added_later(tmp_path: Path) -> None:
    first = _written("behave", *CASES)
    second = _written("behave", *CASES, texts=dict(first.files))
    ran = _run(tmp_path, second, "behave", "features/shop.feature")
    assert second.node_ids == ()
    assert "6 scenarios passed, 0 failed" in ran.stdout, ran.stdout + ran.stderr


def test_what_steps_cannot_do_is_said() -> None:
    with pytest.raises(UnsplittableError, match="coroutines"):
        _written("pytest-bdd", replace(CASES[0], is_async=True))
    with pytest.raises(UnsplittableError, match="fixtures of pytest"):
        _written("behave", replace(CASES[0], fixtures=("monkeypatch",)))
