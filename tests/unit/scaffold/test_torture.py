"""Drafts of every kind, written into files of every kind: what must hold whatever the file looks like."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from testlens.domain.cases import Draft
from testlens.scaffold.host import parse_module, split_lines
from testlens.scaffold.place import Place
from testlens.scaffold.render import Written, write
from testlens.scaffold.style import Style
from unit.scaffold.samples import CASES, HOSTS, STYLES, draft_number, everything, library_files

OLD_DEFAULTS = ("--select", "E4,E7,E9,F")


@dataclass(frozen=True)
class Attempt:
    """A draft that was written into a file; `old` is None where there was none."""

    name: str
    old: str | None
    style: Style
    written: Written

    @property
    def path(self) -> str:
        """The test file."""
        return self.written.test_file

    @property
    def new(self) -> str:
        """Its new text."""
        return self.written.files[self.path]

    def added_lines(self) -> set[int]:
        """The 1-based lines of the new text that the edits made."""
        found: set[int] = set()
        shift = 0
        for edit in self.written.edits:
            if edit.path != self.path:
                continue
            size = len(split_lines(edit.text))
            found |= set(range(edit.line + shift, edit.line + shift + size))
            shift += size - (edit.end - edit.line)
        return found


def attempt(name: str, old: str | None, style: Style, draft: Draft) -> Attempt:
    path = f"tests/test_{''.join(c if c.isalnum() else '_' for c in name)}.py"
    texts = {} if old is None else {path: old}
    return Attempt(name, old, style, write(draft, Place(path, "tests/conftest.py"), style, texts))


def written_into_hosts() -> list[Attempt]:
    """Every other case, and the others, into each small file, in styles that differ from file to file."""
    found = []
    for number, (name, text) in enumerate(HOSTS.items()):
        for shift, recipe in enumerate(("bdd", "error-path")):
            style = STYLES[(number + 3 * shift) % len(STYLES)]
            half = everything(recipe)
            half = replace(half, cases=half.cases[(number // 4 + shift) % 2 :: 2])
            found.append(attempt(f"{name} {recipe}", text, style, half))
    return found


def written_into_library(every: int) -> list[Attempt]:
    """A few cases, into each so many of the files of the standard library."""
    return [
        attempt(f"{name} {number}", text, STYLES[number % len(STYLES)], draft_number(number))
        for number, (name, text) in enumerate(library_files(every))
    ]


def lost_lines(attempted: Attempt) -> list[str]:
    """The lines of the old text that the new one does not have, in this order; import statements may have grown."""
    if parse_module(attempted.old or "") is None:
        return []  # It was written into a file beside it.
    grown = {
        line
        for edit in attempted.written.edits
        if edit.path == attempted.path and edit.text.startswith("from ")
        for line in range(edit.line, edit.end)
    }
    remaining = iter(split_lines(attempted.new.removeprefix("\ufeff")))
    old = split_lines((attempted.old or "").removeprefix("\ufeff"))
    kept = [line for number, line in enumerate(old, 1) if number not in grown]
    # The last line may have had no end.
    return [line for line in kept if not any(other in (line, line + "\n", line + "\r\n") for other in remaining)]


def save(folder: Path, attempts: Iterable[Attempt]) -> None:
    """Write the old and the new texts into folders of these names."""
    for attempted in attempts:
        texts = {"new": attempted.new, "old": attempted.old or ""}
        for where, text in texts.items():
            file = folder / where / attempted.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())


@dataclass(frozen=True)
class Complaint:
    """What Ruff says of lines of a file, 1-based."""

    code: str
    message: str
    first: int
    last: int


def complaints(folder: Path, *options: str) -> Mapping[str, list[Complaint]]:
    """What Ruff says of each file of a folder."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--output-format=json", *options]
    run = subprocess.run([*command, "."], cwd=folder, capture_output=True, text=True, check=False)
    found: dict[str, list[Complaint]] = {}
    for entry in json.loads(run.stdout):
        name = Path(entry["filename"]).relative_to(folder).as_posix()
        rows = entry["location"]["row"], entry["end_location"]["row"]
        found.setdefault(name, []).append(Complaint(entry["code"], entry["message"], *rows))
    return found


def new_complaints(folder: Path, attempts: Iterable[Attempt], *options: str) -> list[str]:
    """What Ruff says of the lines that were added, and did not say before."""
    before = complaints(folder / "old", *options)
    after = complaints(folder / "new", *options)
    found = []
    for attempted in attempts:
        known = {(complaint.code, complaint.message) for complaint in before.get(attempted.path, ())}
        added = attempted.added_lines()
        for complaint in after.get(attempted.path, ()):
            # That imports are not sorted is said of the first line of all of them.
            last = complaint.last if complaint.code == "I001" else complaint.first
            lines = set(range(complaint.first, last + 1))
            if added & lines and (complaint.code, complaint.message) not in known:
                found.append(f"{attempted.name}: {complaint}")
    return found


def collected(folder: Path) -> Mapping[str, set[str]]:
    """The tests that pytest collects in each file that can be imported, parameters left out."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--continue-on-collection-errors"]
    options = ["-p", "no:cacheprovider", "--assert=plain", "--import-mode=importlib", "--rootdir=.", "-c", "pytest.ini"]
    (folder / "pytest.ini").write_text("[pytest]\n")
    run = subprocess.run([*command, *options, "old", "new"], cwd=folder, capture_output=True, text=True, check=False)
    found: dict[str, set[str]] = {}
    for line in run.stdout.splitlines():
        path, separator, name = line.partition("::")
        if separator and " " not in path:
            found.setdefault(path, set()).add(name.split("[")[0])
    return found


def wrongly_collected(folder: Path, attempts: Iterable[Attempt]) -> list[str]:
    """The tests that pytest collects and should not, or should and does not."""
    tests = collected(folder)
    found = []
    for attempted in attempts:
        before, after = tests.get(f"old/{attempted.path}", set()), tests.get(f"new/{attempted.path}", set())
        if attempted.old and not before and not after:
            continue  # It could not be imported before.
        found += [f"{attempted.name}: {name}" for name in after ^ (before | set(attempted.written.names))]
    return found


def does_not_parse(attempted: Attempt) -> bool:
    try:
        ast.parse(attempted.new.removeprefix("\ufeff"), feature_version=attempted.style.python)
    except SyntaxError:
        return True
    return False


def check(folder: Path, attempts: Sequence[Attempt]) -> None:
    assert [attempted.name for attempted in attempts if does_not_parse(attempted)] == []
    assert [(attempted.name, lost_lines(attempted)) for attempted in attempts if lost_lines(attempted)] == []
    save(folder, attempts)
    assert new_complaints(folder, attempts) == []
    assert new_complaints(folder, attempts, *OLD_DEFAULTS) == []
    assert wrongly_collected(folder, attempts) == []


def test_whatever_is_written_holds_in_whatever_file(tmp_path: Path) -> None:
    check(tmp_path, written_into_hosts())


def test_files_of_the_standard_library_stay_what_they_are(tmp_path: Path) -> None:
    check(tmp_path, written_into_library(40))


def test_what_is_written_does_what_was_drafted(tmp_path: Path) -> None:
    styles = [style for style in STYLES if style.asyncio != "anyio"]
    written = [attempt(f"style {number}", None, style, everything("bdd")) for number, style in enumerate(styles)]
    for one in written:
        for path, text in one.written.files.items():
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
    options = ["-q", "-rA", "--tb=no", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "tests"]
    command = [sys.executable, "-m", "pytest", *options]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    outcomes = [line.split(" - ")[0].split(" ", 1) for line in run.stdout.splitlines() if "::" in line]
    assert {outcome for outcome, _ in outcomes} == {"PASSED", "FAILED"}
    assert {name.rpartition("::")[2] for outcome, name in outcomes if outcome == "FAILED"} == {
        "test_todo",
        "test_empty",
    }
    assert len(outcomes) == len(styles) * (len(CASES) + 3)  # one case has four rows


@pytest.mark.parametrize("style", STYLES)
def test_a_new_file_is_what_ruff_would_make_of_it(style: Style, tmp_path: Path) -> None:
    quotes = "single" if style.quotes == "'" else "double"
    written = [attempt(recipe, None, style, everything(recipe)) for recipe in ("bdd", "error-path")]
    save(tmp_path, written)
    options = [f"--line-length={style.line_length}", "--config", f"format.quote-style='{quotes}'"]
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--no-cache", "--diff", *options, "new"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.stdout == ""
