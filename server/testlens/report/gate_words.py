"""What a gate that does not hold has to say to people, line by line: the terminal and JUnit show the same."""

from __future__ import annotations

from collections.abc import Iterator

from testlens.domain.gates import Gate

MOST_LOSSES = 10
MOST_STEPS = 10


def gate_details(gate: Gate) -> Iterator[str]:
    """Which functions lost what, and the cheapest way back; nothing for a gate that holds."""
    if gate.passed:
        return
    if gate.losses:
        yield f"{gate.losses_title}:"
    for loss in gate.losses[:MOST_LOSSES]:
        yield f"  {loss.file}  {loss.function}: {loss.in_words}"
    if len(gate.losses) > MOST_LOSSES:
        yield f"  and {len(gate.losses) - MOST_LOSSES} more functions"
    yield from _way_back(gate)


def _way_back(gate: Gate) -> Iterator[str]:
    if gate.way_back is None:
        yield "No set of functions leads back: the gate asks for more than all of them give."
        return
    if not gate.way_back:
        return
    functions = "1 function" if len(gate.way_back) == 1 else f"{len(gate.way_back)} functions"
    yield f"Cheapest way back, {functions}:"
    for rank, step in enumerate(gate.way_back[:MOST_STEPS], 1):
        yield f"  {rank}. {step.file}  {step.function}  +{step.gain:.2f} -> {step.reached:.1f} %"
    if len(gate.way_back) > MOST_STEPS:
        yield f"  and {len(gate.way_back) - MOST_STEPS} more"
