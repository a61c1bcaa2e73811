"""The hook is added to a `.pre-commit-config.yaml`, and everything else in it stays."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from testlens.domain.problems import Problem
from testlens.scaffold.pre_commit import HOOK, with_hook

RUFF = """\
# Ours.
default_stages: [pre-commit]
repos:
- repo: https://github.com/astral-sh/ruff-pre-commit
  rev: v0.14.0   # keep
  hooks:
  - id: ruff-check
"""
TEXTS = {
    "none": "",
    "one repository": RUFF,
    "indented": "repos:\n  - repo: meta\n    hooks:\n      - id: identity\n",
    "keys after it": f"{RUFF}\nci:\n  autofix_prs: false\n",
    "an empty list": "repos: []\nfail_fast: true\n",
    "no newline at the end": RUFF.rstrip("\n"),
}


@pytest.mark.parametrize("text", list(TEXTS.values()), ids=list(TEXTS))
def test_the_hook_comes_last_and_all_else_stays(text: str) -> None:
    """Read as pre-commit reads it, there is one more repository with one hook, and every line is still there."""
    changed = with_hook(text)
    assert isinstance(changed, str)
    before, after = (YAML(typ="safe", pure=True).load(each) or {} for each in (text, changed))
    assert [hook["id"] for hook in after["repos"][-1]["hooks"]] == [HOOK]
    assert after == {**before, "repos": [*before.get("repos", ()), after["repos"][-1]]}
    kept = [line for line in text.splitlines() if line.strip() and "[]" not in line]
    lines = iter(changed.splitlines())
    assert all(line in lines for line in kept)


def test_adding_it_twice_changes_nothing() -> None:
    """A second `init-ci` finds it up to date."""
    once = with_hook(RUFF)
    assert isinstance(once, str)
    assert with_hook(once) == once


def test_a_list_in_another_form_is_left_alone() -> None:
    """It is said what to write by hand."""
    problem = with_hook("repos: [{repo: meta, hooks: [{id: identity}]}]\n")
    assert isinstance(problem, Problem)
    assert "testlens check --no-drop" in problem.advice
