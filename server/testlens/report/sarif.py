"""A check as SARIF 2.1.0, for code scanning: every gap is a result, and the gates are properties of the run.

A gate that does not hold is no notification: GitHub would take that for an error of the tool.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from testlens import __version__
from testlens.workspace.checking import Check
from testlens.workspace.views import PlacedGap

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# What GitHub takes of one run.
_MOST = 5_000
_HIGH, _MEDIUM = 60.0, 35.0
_RULES = {
    "uncovered": ("Never run", "No test runs these lines."),
    "partial": ("Branch never taken", "Tests run the line, and never leave it this way."),
    "survivor": ("Surviving mutant", "Tests run the line, and none notices this change to it."),
}


def render_sarif(check: Check) -> str:
    """The whole log. With a revision or a baseline, each result says whether it is new."""
    run = {
        "tool": {"driver": _driver()},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True}],
        "results": list(_results(check)),
        "properties": {"gates": [{"passed": gate.passed, "summary": gate.summary} for gate in check.gates]},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _driver() -> dict[str, Any]:
    rules = [
        {
            "id": rule,
            "name": title.title().replace(" ", ""),
            "shortDescription": {"text": f"{title}."},
            "fullDescription": {"text": text},
            "help": {"text": "`testlens scaffold FILE:LINE` writes a test for it, `testlens kill NAME` for a mutant."},
            "properties": {"tags": ["testing"]},
        }
        for rule, (title, text) in _RULES.items()
    ]
    return {"name": "Testlens", "version": __version__, "semanticVersion": __version__, "rules": rules}


def _results(check: Check) -> Iterator[dict[str, Any]]:
    new = None if check.new_gaps is None else set(map(id, check.new_gaps))
    seen: Counter[tuple[str, str, str, str]] = Counter()
    for placed in check.gaps[:_MOST]:
        result = _result(placed, check.prefix, seen)
        if new is not None:
            result["baselineState"] = "new" if id(placed) in new else "unchanged"
        yield result


def _result(placed: PlacedGap, prefix: str, seen: Counter[tuple[str, str, str, str]]) -> dict[str, Any]:
    gap, region = placed.gap, placed.gap.region
    risk = gap.risk.score
    text = f"{placed.title}: {placed.reason}" if placed.reason else placed.title
    why = ", ".join(f"{name} {gap.risk.factors[name]:.0f}" for name in gap.risk.largest(2))
    return {
        "ruleId": region.kind,
        "ruleIndex": list(_RULES).index(region.kind),
        "level": "error" if risk >= _HIGH else "warning" if risk >= _MEDIUM else "note",
        "rank": risk,
        "message": {"text": f"{placed.subject}, {text}. Risk {risk:.0f}: {why}."},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(f"{prefix}{gap.file}"), "uriBaseId": "%SRCROOT%"},
                    "region": _region(placed),
                },
                "logicalLocations": [{"fullyQualifiedName": region.function}],
            }
        ],
        "partialFingerprints": {"testlensGap/v1": _fingerprint(placed, seen)},
    }


def _region(placed: PlacedGap) -> dict[str, int]:
    span = placed.span
    if span is None:
        return {"startLine": placed.first, "endLine": placed.last}
    columns = {"startColumn": span.first_column + 1, "endColumn": span.last_column + 1}
    return {"startLine": span.first_line, "endLine": span.last_line, **columns}


def _fingerprint(placed: PlacedGap, seen: Counter[tuple[str, str, str, str]]) -> str:
    """Stays while code around it moves: file, function and kind, and which of those it is."""
    survivor = placed.gap.survivor
    change = "" if survivor is None else f"{survivor.mutant.original}\0{survivor.mutant.replacement}"
    key = (placed.gap.file, placed.gap.region.function, placed.gap.region.kind, change)
    seen[key] += 1
    return hashlib.sha256(repr((key, seen[key])).encode()).hexdigest()[:32]
