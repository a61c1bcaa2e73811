"""Tests that kill mutants as JSON values, for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from testlens.domain.mutants import Mutant
from testlens.domain.problems import Problem
from testlens.report.mutants_json import mutant_json
from testlens.report.plan_json import VERSION, problems_json
from testlens.scaffold.kill.search import NotKilled
from testlens.workspace.killing import Killing


def kill_json(
    killing: Killing, title: str, message: str, also_killed: Sequence[Mutant], problems: Iterable[Problem]
) -> dict[str, Any]:
    """A test that kills a mutant, and what came of running it on the original and on the mutant."""
    written = killing.written
    return {
        **no_kill_json(message, problems, killing.mutant),
        "title": title,
        "way": killing.way,
        "test_file": written.test_file,
        "node_id": next(iter(written.node_ids), None),
        "node_ids": list(written.node_ids),
        "verified": killing.is_verified,
        "verdicts": {
            "original": [trial.outcome for trial in killing.original],
            "mutant": [trial.outcome for trial in killing.mutated],
        },
        "inputs": killing.tried,
        "also_killed": [mutant.name for mutant in also_killed],
        "text": written.added.get(written.test_file, ""),
        "files": dict(written.files),
    }


def not_killed_json(found: NotKilled, mutant: Mutant, message: str, problems: Iterable[Problem]) -> dict[str, Any]:
    """The same where no test was found."""
    return {**no_kill_json(message, problems, mutant), "inputs": found.tried, "reached": found.reached}


def no_kill_json(message: str, problems: Iterable[Problem], mutant: Mutant | None = None) -> dict[str, Any]:
    """The same where nothing was looked for; `message` says why."""
    return {
        "version": VERSION,
        "recipe": "kill",
        "title": None,
        "way": None,
        "mutant": None if mutant is None else mutant_json(mutant),
        "test_file": None,
        "node_id": None,
        "node_ids": [],
        "verified": False,
        "verdicts": {"original": [], "mutant": []},
        "inputs": 0,
        "reached": 0,
        "also_killed": [],
        "text": "",
        "files": {},
        "message": message,
        "problems": problems_json(problems),
    }
