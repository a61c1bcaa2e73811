"""A check as workflow commands of GitHub Actions: annotations on a run, and in the files of a pull request.

GitHub shows ten of each level a step, so that the riskiest come first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from testlens.domain.gates import Gate
from testlens.workspace.checking import Check
from testlens.workspace.views import PlacedGap

_MOST = 10
_STEPS = 3
Level = Literal["error", "warning", "notice"]


def workflow_commands(check: Check) -> str:
    """One line for each gate that does not hold, for the riskiest new gaps and for the survivors among them."""
    lines = [_command("error", {"title": "testlens check"}, _gate_text(gate)) for gate in check.failed[:_MOST]]
    new = check.new_gaps or ()
    survivors = [placed for placed in new if placed.gap.survivor is not None]
    others = [placed for placed in new if placed.gap.survivor is None]
    lines += (_gap(check, "warning", placed) for placed in others[:_MOST])
    lines += (_gap(check, "notice", placed) for placed in survivors[:_MOST])
    return "".join(f"{line}\n" for line in lines)


def _gate_text(gate: Gate) -> str:
    return "\n".join([gate.summary, *_losses(gate), *_way(gate)])


def _losses(gate: Gate) -> Iterator[str]:
    for loss in gate.losses[:_STEPS]:
        yield f"{gate.losses_title}: {loss.in_words} of {loss.function} in {loss.file}"


def _way(gate: Gate) -> Iterator[str]:
    for step in (gate.way_back or ())[:_STEPS]:
        yield f"Way back: test {step.function} in {step.file}, +{step.gain:.2f}"


def _gap(check: Check, level: Level, placed: PlacedGap) -> str:
    place = {
        "file": f"{check.prefix}{placed.gap.file}",
        "line": str(placed.first),
        "endLine": str(placed.last),
        "title": f"{placed.subject}: risk {placed.gap.risk.score:.0f}",
    }
    text = f"{placed.title}: {placed.reason}" if placed.reason else placed.title
    return _command(level, place, text)


def _command(level: Level, properties: dict[str, str], message: str) -> str:
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{_data(message)}"


def _data(text: str) -> str:
    """As @actions/core escapes a message."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """As @actions/core escapes a property."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
