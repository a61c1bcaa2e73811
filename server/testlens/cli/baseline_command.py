"""`testlens baseline`: show what is held, or raise it to what the tests prove now."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from testlens.cli.failure import Failure
from testlens.cli.output_files import not_written
from testlens.cli.reading import no_data, read_folder
from testlens.cli.terminal import print_json, print_problems
from testlens.domain.baseline import Baseline, compare, follow_moves, held, raised
from testlens.domain.gates import Loss, in_percent
from testlens.domain.problems import Problem
from testlens.domain.snapshot import Snapshot
from testlens.report.baseline_json import baseline_json
from testlens.sources.baseline_file import FILE_NAME, baseline_text, read_baseline
from testlens.workspace.checking import existing
from testlens.workspace.settings import Overrides


def baseline_file(root: Path, named: str | None) -> Path:
    """The baseline that an option names, as seen from the current folder, or else the project's own."""
    return root / FILE_NAME if named is None else Path(named).expanduser().absolute()


def show(root: Path, overrides: Overrides, file: Path, as_json: bool) -> int:
    """Print what is held beside what is proved now; the exit status is 0."""
    snapshot = _measured(root, overrides)
    old = read_baseline(file)
    if isinstance(old, Problem):
        raise Failure(old)
    now = held(snapshot)
    if as_json:
        print_json(baseline_json(str(file), old.totals, old.totals, now.totals, snapshot.problems))
        return 0
    comparison = compare(old, now, existing(root, old))
    print(f"{file.name} holds {in_percent(old.totals.percent)}, now {in_percent(now.totals.percent)}.")
    if comparison.more_missing:
        print("Missing:")
    for (path, function), lost in sorted(comparison.more_missing.items()):
        loss = Loss(path, function, lost.missing, lost.missing_branches)
        print(f"  {path}  {function}: {loss.in_words} more than before")
    return 0


def update(root: Path, overrides: Overrides, file: Path, as_json: bool) -> int:
    """Raise the baseline, or begin one; the exit status is 0."""
    snapshot = _measured(root, overrides)
    old = read_baseline(file) if file.exists() else None
    if isinstance(old, Problem):
        raise Failure(old)
    now = held(snapshot)
    new = now if old is None else raised(old, now, existing(root, old))
    _write(file, baseline_text(new))
    if as_json:
        before = None if old is None else old.totals
        print_json(baseline_json(str(file), before, new.totals, now.totals, snapshot.problems))
        return 0
    words = "" if old is None else f" (before: {in_percent(old.totals.percent)})"
    print(f"{file.name} holds {in_percent(new.totals.percent)}{words}, now {in_percent(now.totals.percent)}.")
    for path in sorted(_not_lowered(old, new, now)):
        held_percent, percent = new.files[path].numbers.percent, now.files[path].numbers.percent
        print(f"  {path} stays at {in_percent(held_percent)}, though it is at {in_percent(percent)} now.")
    _print_left_out(file, now.files.keys() - new.files.keys())
    return 0


def _print_left_out(file: Path, paths: Collection[str]) -> None:
    for path in sorted(paths):
        print(f"  {path} is left out: new files would lower what is held.")
    if paths:
        print(f"Test what is new, then update again. To hold less from now on, delete {file.name} first.")


def _measured(root: Path, overrides: Overrides) -> Snapshot:
    with read_folder(root, overrides) as workspace:
        snapshot = workspace.snapshot
    if snapshot.source is None:
        raise Failure(no_data(root))
    print_problems(snapshot.problems)
    return snapshot


def _not_lowered(old: Baseline | None, new: Baseline, now: Baseline) -> list[str]:
    known = {} if old is None else follow_moves(old, now).files
    return [path for path in known.keys() & now.files.keys() if new.files[path].numbers != now.files[path].numbers]


def _write(file: Path, text: str) -> None:
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    except OSError as error:
        raise not_written(file, error) from None
