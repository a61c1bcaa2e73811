"""Merges the mutation reports of many jobs: each mutant once, with what all of them found out.

The documents are those of the mutation-testing-report-schema, and stay what they are but for what is merged: whatever
engine wrote them, nothing that it says is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testlens.domain.mutants import MutantStatus, mutation_score
from testlens.domain.problems import Problem
from testlens.domain.shards import Shard, parse_shard
from testlens.sources.coverage_parse import normalise
from testlens.sources.mutation_report import LARGEST, STATUSES

Document = Mapping[str, Any]
Entry = dict[str, Any]

# What is known to be worse counts: a score must not rise because one of two jobs was luckier.
_ORDER = ("Survived", "RuntimeError", "CompileError", "Killed", "Timeout", "NoCoverage", "Ignored", "Pending")
_NOTICED = frozenset({"Killed", "Timeout"})
_CONTRARY = frozenset({"Survived", "RuntimeError", "CompileError"})


@dataclass(frozen=True, slots=True)
class ShardReport:
    """A report as it was read; `shard` is what part of a run it has, None for all of one. `file` is as named."""

    file: str
    document: Document
    shard: Shard | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A mutant of which two reports say the contrary, with each verdict by the report that has it."""

    path: str
    name: str
    verdicts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MergedMutants:
    """The merged report, the mutants that are contested, and the shards that no report has."""

    document: dict[str, Any]
    conflicts: tuple[Conflict, ...]
    missing: tuple[Shard, ...]
    statuses: tuple[MutantStatus, ...]

    @property
    def score(self) -> float | None:
        """The mutation score in percent, None where no mutant was checked."""
        return mutation_score(self.statuses)


def read_shard_report(file: Path, shown: str) -> ShardReport | Problem:
    """A report to merge; unlike a report that is only shown, one that is not whole is refused."""
    try:
        if file.stat().st_size > LARGEST:
            return _refused("The report is too large to be read.", "Report on fewer files.", shown)
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        return _refused(f"It cannot be read: {error.strerror}.", "Check its name and permissions.", shown)
    except (ValueError, RecursionError):
        return _refused("It is not valid JSON.", "Run the job that wrote it again.", shown)
    if not is_report(document):
        advice = (
            "Merge files that `testlens mutate --report FILE` or `testlens report --mutation-json FILE` has written."
        )
        return _refused("It is no mutation report.", advice, shown)
    damage = _damage(document)
    if damage is not None:
        return _refused(f"It is no whole mutation report: {damage}.", "Run the job that wrote it again.", shown)
    shard = _shard(document)
    return shard if isinstance(shard, Problem) else ShardReport(shown, document, shard)


def is_report(document: object) -> bool:
    """Whether a JSON value calls itself a mutation report."""
    return isinstance(document, dict) and isinstance(document.get("files"), dict) and "schemaVersion" in document


def merge_reports(reports: Sequence[ShardReport], path_of: Callable[[str], str | None]) -> MergedMutants | Problem:
    """All reports as one; `path_of` says which file of the project a recorded name is, None for none of it.

    A Problem where they do not belong together: other texts, other mutants of a name, other numbers of shards.
    """
    counts = sorted({report.shard.count for report in reports if report.shard is not None})
    if len(counts) > 1:
        message = f"The reports are shards of different runs: of {' and of '.join(map(str, counts))}."
        return _refused(message, "Merge the reports of one run only.", None)
    merging = _Merging()
    for report in reports:
        problem = merging.add(report, path_of)
        if problem is not None:
            return problem
    present = {report.shard.index for report in reports if report.shard is not None}
    # A report of the whole run has what the others lack.
    count = counts[0] if counts and all(report.shard for report in reports) else 0
    missing = tuple(Shard(index, count) for index in range(1, count + 1) if index not in present)
    return merging.end(reports, missing)


@dataclass(slots=True)
class _File:
    text: str
    first: str
    value: dict[str, Any]
    mutants: dict[str, Entry] = field(default_factory=dict)
    said: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Merging:
    files: dict[str, _File] = field(default_factory=dict)
    tests: dict[str, tuple[str, str]] = field(default_factory=dict)
    test_files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, report: ShardReport, path_of: Callable[[str], str | None]) -> Problem | None:
        """Add what a report says; a Problem where it contradicts the others on what there is."""
        test_ids = self._add_tests(report.document.get("testFiles"))
        for name, value in report.document["files"].items():
            path = path_of(name)
            if path is None:
                continue
            text = normalise(value["source"])
            file = self.files.setdefault(path, _File(text, report.file, value))
            if file.text != text:
                return _other_text(path, file.first, report.file)
            for entry in value["mutants"]:
                problem = _add_mutant(file, path, _with_tests(entry, test_ids), report.file)
                if problem is not None:
                    return problem
        return None

    def end(self, reports: Sequence[ShardReport], missing: tuple[Shard, ...]) -> MergedMutants:
        """The merged document."""
        files = {
            path: {**file.value, "source": file.text, "mutants": [*file.mutants.values()]}
            for path, file in sorted(self.files.items())
        }
        document = {**reports[0].document, "files": files, "testFiles": self.test_files}
        config = document.pop("config", None)
        if isinstance(config, dict) and (others := {key: item for key, item in config.items() if key != "testlens"}):
            document["config"] = others
        statuses = (STATUSES[entry["status"]] for file in self.files.values() for entry in file.mutants.values())
        conflicts = (
            Conflict(path, name, said)
            for path, file in sorted(self.files.items())
            for name, said in file.said.items()
            if not _NOTICED.isdisjoint(said.values()) and not _CONTRARY.isdisjoint(said.values())
        )
        return MergedMutants(document, tuple(conflicts), missing, tuple(statuses))

    def _add_tests(self, files: object) -> Mapping[str, str]:
        """New ids for those that mean another test in a report before; ids are the report's own affair."""
        renamed: dict[str, str] = {}
        for name, value in files.items() if isinstance(files, dict) else ():
            entries = value.get("tests") if isinstance(value, dict) else None
            for test in entries if isinstance(entries, list) else ():
                if not isinstance(test, dict) or "id" not in test:
                    continue
                own, meant = str(test["id"]), (name, str(test.get("name")))
                new = own if self.tests.get(own, meant) == meant else f"{name}::{meant[1]}"
                renamed[own] = new
                if new not in self.tests:
                    self.tests[new] = meant
                    rest = {key: item for key, item in value.items() if key != "tests"}
                    self.test_files.setdefault(name, {**rest, "tests": []})["tests"].append({**test, "id": new})
        return renamed


def _add_mutant(file: _File, path: str, entry: Entry, report: str) -> Problem | None:
    name = str(entry["id"])
    known = file.mutants.get(name)
    if known is None:
        file.mutants[name] = entry
    elif any(known.get(key) != entry.get(key) for key in ("location", "replacement")):
        message = f"The reports have different mutants under the name {name}."
        advice = f"Run all shards with the same version of the engine: {report} is of another one than {file.first}."
        return _refused(message, advice, path)
    else:
        file.mutants[name] = _together(known, entry)
    if entry["status"] in _NOTICED | _CONTRARY:
        file.said.setdefault(name, {})[report] = entry["status"]
    return None


def _together(one: Entry, other: Entry) -> Entry:
    worse, better = sorted((one, other), key=lambda entry: _ORDER.index(entry["status"]))
    merged = {**better, **worse}
    merged.pop("killedBy", None)
    names = ("coveredBy", "killedBy") if merged["status"] in _NOTICED else ("coveredBy",)
    for key in names:
        tests = list(dict.fromkeys([*worse.get(key, ()), *better.get(key, ())]))
        if tests:
            merged[key] = tests
    return merged


def _with_tests(entry: Entry, renamed: Mapping[str, str]) -> Entry:
    changed = {key: [renamed.get(str(test), str(test)) for test in entry[key]] for key in ("coveredBy", "killedBy")
               if isinstance(entry.get(key), list)}  # fmt: skip
    return {**entry, **changed}


def _damage(document: Mapping[str, Any]) -> str | None:
    """What a document lacks to be merged, in words; None where it has all."""
    for name, value in document["files"].items():
        if not isinstance(value, dict) or not isinstance(value.get("source"), str):
            return f"it has no source of {name}"
        if not isinstance(value.get("mutants"), list):
            return f"it has no list of the mutants of {name}"
        for entry in value["mutants"]:
            if not isinstance(entry, dict) or "id" not in entry or "location" not in entry:
                return f"a mutant of {name} has no name or no place"
            if entry.get("status") not in STATUSES:
                return f"a mutant of {name} has the unknown status {entry.get('status')!r}"
    return None


def _shard(document: Mapping[str, Any]) -> Shard | Problem | None:
    config = document.get("config")
    own = config.get("testlens") if isinstance(config, dict) else None
    text = own.get("shard") if isinstance(own, dict) else None
    return None if text is None else parse_shard(str(text))


def _other_text(path: str, first: str, second: str) -> Problem:
    message = f"{first} and {second} mutated different texts of this file."
    return _refused(message, "Run all shards on the same commit, without edits between.", path)


def _refused(message: str, advice: str, path: str | None) -> Problem:
    return Problem(message, advice, path, severity="error")
