"""`testlens init-ci`: write the workflow that holds in CI what was gained, and show what would be overwritten."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from difflib import unified_diff
from pathlib import Path

from testlens.cli.failure import Failure
from testlens.cli.terminal import print_problems
from testlens.domain.problems import Problem
from testlens.scaffold.ci_workflow import FILES, SERVICES, Service
from testlens.sources.ci_facts import folder_in_repository
from testlens.workspace.ci_files import CiWish, PlannedFile, is_below_top, plan_files


def service_of(name: str | None, root: Path) -> Service:
    """The CI service of that name, or the one that the project seems to use; a `Failure` if there is none."""
    if name is None:
        return "gitlab" if _is_on_gitlab(root) else "github"
    found = next((service for service in SERVICES if service == name.lower()), None)
    if found is None:
        known = " or ".join(SERVICES)
        raise Failure(Problem(f"`{name}` is no CI service that Testlens writes for.", f"Name {known}."))
    return found


def init_ci(root: Path, wish: CiWish, may_replace: bool) -> int:
    """Write the files; the exit status is 1, and nothing is written, where something else is there already."""
    files = plan_files(root, wish)
    if isinstance(files, Problem):
        raise Failure(files)
    if is_below_top(root):
        print_problems([_to_be_moved(root, wish)])
    replaced = [file for file in files if file.replaces]
    for file in replaced:
        sys.stdout.writelines(_difference(file))
    if replaced and not may_replace:
        names = " and ".join(file.path for file in replaced)
        message = f"{names} would change as shown, so nothing was written."
        print_problems([Problem(message, "Add --yes to write it.", severity="error")])
        return 1
    for file in files:
        _write(root, file)
    _say_what_is_next(root, files)
    return 0


def _to_be_moved(root: Path, wish: CiWish) -> Problem:
    message = "The project is not the top folder of its repository, and CI services look only there."
    folder = folder_in_repository(root) if wish.service == "github" else ""
    if not folder:
        return Problem(message, "Move what is written there, and let its steps run in this folder.")
    advice = f"Move {FILES['github']} there, to the same place: its steps run in {folder}."
    return Problem(message, advice)


def _difference(file: PlannedFile) -> Iterable[str]:
    old, new = (file.present or "").splitlines(keepends=True), file.wanted.splitlines(keepends=True)
    for line in unified_diff(old, new, f"a/{file.path}", f"b/{file.path}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _write(root: Path, file: PlannedFile) -> None:
    if file.is_up_to_date:
        print(f"{file.path} is up to date.")
        return
    place = root / file.path
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(file.wanted, encoding="utf-8", newline="\n")
    except OSError as error:
        problem = Problem(f"It cannot be written: {error.strerror}.", "Check its permissions.", file.path)
        raise Failure(problem) from None
    print(f"Wrote {file.path}")


def _say_what_is_next(root: Path, files: Iterable[PlannedFile]) -> None:
    if not (root / "testlens-baseline.toml").is_file():
        print("Next: testlens run && testlens baseline --update, then commit testlens-baseline.toml with the workflow.")
    elif not all(file.is_up_to_date for file in files):
        print("Next: commit it.")


def _is_on_gitlab(root: Path) -> bool:
    if (root / ".gitlab-ci.yml").is_file():
        return True
    try:
        return "gitlab" in (root / ".git" / "config").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
