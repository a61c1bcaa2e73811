"""Written tests as JSON values, for scripts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from testlens.domain.problems import Problem
from testlens.report.plan_json import VERSION, problems_json
from testlens.scaffold.recipe import Offer
from testlens.workspace.scaffolding import Scaffold, Verdict


def scaffold_json(
    title: str, scaffold: Scaffold, verdict: Verdict | None, message: str, problems: Iterable[Problem]
) -> dict[str, Any]:
    """Tests for one gap, and what came of running them where they were run."""
    written = scaffold.written
    return {
        **no_scaffold_json(message, problems),
        "recipe": scaffold.recipe,
        "title": title,
        "test_file": written.test_file,
        "node_id": next(iter(written.node_ids), None),
        "node_ids": list(written.node_ids),
        "outcome": None if verdict is None else verdict.outcome,
        "covered": [] if verdict is None else list(verdict.covered),
        "missing": [] if verdict is None else list(verdict.missing),
        "text": written.added.get(written.test_file, ""),
        "files": dict(written.files),
    }


def no_scaffold_json(message: str, problems: Iterable[Problem]) -> dict[str, Any]:
    """The same where nothing was written; `message` says why."""
    return {
        "version": VERSION,
        "recipe": None,
        "title": None,
        "test_file": None,
        "node_id": None,
        "node_ids": [],
        "outcome": None,
        "covered": [],
        "missing": [],
        "text": "",
        "files": {},
        "message": message,
        "problems": problems_json(problems),
    }


def offers_json(offers: Iterable[Offer], message: str) -> dict[str, Any]:
    """The recipes that fit a gap, the most fitting first."""
    return {
        "version": VERSION,
        "recipes": [
            {"recipe": offer.recipe, "title": offer.title, "fitness": offer.fitness, "needs": list(offer.needs)}
            for offer in offers
        ],
        "message": message,
        "problems": [],
    }
