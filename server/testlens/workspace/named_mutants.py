"""From the name of a mutant to the mutant as it lies in the present text, and back to what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from testlens.domain.mutants import FileMutants, Mutant, MutationResults, Span
from testlens.domain.problems import Problem
from testlens.workspace.views import text_on_disk
from testlens.workspace.workspace import Workspace


def mutant_named(workspace: Workspace, name: str) -> Mutant | Problem:
    """The survivor with mutmut's name, its span in the text that is on disk; a Problem says why there is none."""
    files = workspace.snapshot.mutants.files.values()
    found = next((mutant for file in files for mutant in file.mutants if mutant.name == name), None)
    if found is None:
        advice = "Run `testlens mutate` to learn the mutants of the code as it is, then name one of its survivors."
        return Problem(f"No mutant is known by the name {name}.", advice)
    if found.status in ("killed", "timeout"):
        by = f" by {found.killed_by}" if found.killed_by else ""
        return Problem(f"{name} needs no test: it is killed already{by}.", "Name one that survived.", found.file)
    return placed(workspace, found)


def placed(workspace: Workspace, mutant: Mutant) -> Mutant | Problem:
    """The mutant in lines of the text that is on disk; a Problem where that text was edited there."""
    text = text_on_disk(workspace.root / mutant.file)
    anchors = workspace.mutant_anchors(mutant.file, text) if text is not None else None
    span = mutant.span
    lines = [anchors.current(line) for line in range(span.first_line, span.last_line + 1)] if anchors else [None]
    first, last = lines[0], lines[-1]
    if first is None or last is None or last - first != span.last_line - span.first_line or None in lines:
        advice = "Run the mutants of the function again."
        return Problem(f"The code of {mutant.name} was edited since it was made.", advice, mutant.file)
    return replace(mutant, span=Span(first, span.first_column, last, span.last_column))


def other_survivors(workspace: Workspace, mutant: Mutant) -> tuple[Mutant, ...]:
    """The other survivors of the mutant's function, in lines of the text that is on disk."""
    file = workspace.snapshot.mutants.files.get(mutant.file)
    others = [
        placed(workspace, other)
        for other in (file.mutants if file is not None else ())
        if other.function == mutant.function and other.status == "survived" and other.name != mutant.name
    ]
    return tuple(other for other in others if not isinstance(other, Problem))


def take_kills(workspace: Workspace, path: str, killed_by: Mapping[str, str]) -> None:
    """Make it known that mutants of a file, by name, were killed by tests, by node id; survivors' marks go with it."""
    file = workspace.snapshot.mutants.files.get(path)
    if file is None:
        return
    mutants = tuple(_killed(mutant, killed_by.get(mutant.name)) for mutant in file.mutants)
    taken = FileMutants(file.path, file.text_digest, mutants, file.not_mutated)
    workspace.take_mutants(MutationResults(MappingProxyType({path: taken}), workspace.snapshot.mutants.source))


def _killed(mutant: Mutant, test: str | None) -> Mutant:
    if test is None:
        return mutant
    tests = mutant.tests if test in mutant.tests else (*mutant.tests, test)
    return replace(mutant, status="killed", killed_by=test, tests=tests)
