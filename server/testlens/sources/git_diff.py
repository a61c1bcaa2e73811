"""Which lines differ from a revision of git: from where the branches parted (`REV...`), uncommitted edits included.

These are the lines of `git diff` with its default settings, whatever is configured, as diff-cover takes them: a file
that was moved counts where its text changed, a binary file has no lines, a file that git does not know yet is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from testlens.domain.problems import Problem
from testlens.sources.git_command import GIT, SWITCHED_OFF, CompletedText, Run

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(r"\\([0-7]{3}|.)")
_ESCAPED = {"a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_OPTIONS = (
    "--unified=0", "--inter-hunk-context=0", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames",
    "--diff-algorithm=myers", "--ignore-submodules", "--src-prefix=a/", "--dst-prefix=b/", "--relative",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs from a revision, by path (POSIX, relative to the folder that was asked about).

    `lines` has the changed and new lines (1-based) of the text on disk. `moved` leads from new paths to old ones.
    `unknown` are the Python files that git does not know yet.
    """

    lines: Mapping[str, frozenset[int]]
    moved: Mapping[str, str]
    unknown: tuple[str, ...] = ()


def changed_since(root: Path, revision: str, run: Run, option: str = "--diff") -> Diff | Problem:
    """What differs between where HEAD parted from `revision` and the disk; a Problem where git cannot tell.

    `option` is what the user named the revision with.
    """
    git = _Git(root, run, option)
    obstacle = git.obstacle(revision)
    if obstacle is not None:
        return obstacle
    base = git.fork_point(revision)
    if isinstance(base, Problem):
        return base
    # git would write its index otherwise, when files have other times than it remembers.
    settings = ("-c", "diff.autoRefreshIndex=false", "-c", "core.quotePath=false")
    patch = git.ask(*settings, "diff", *_OPTIONS, base, "--")
    if isinstance(patch, Problem):
        return _failed(f"git cannot show what changed since {revision}: {patch.message}", "Name a nearer revision.")
    if patch.status != 0:
        return _failed(
            f"git cannot compare with {revision}: {_last_line(patch)}.", "Run `git fsck`, or fetch it again."
        )
    lines, moved = parse_patch(patch.output)
    return Diff(lines, moved, git.unknown_files())


def repository_prefix(root: Path, run: Run) -> str:
    """The path of `root` within its repository, with a slash at the end; empty at the top, and where there is none."""
    shown = _Git(root, run).ask("rev-parse", "--show-prefix")
    return "" if isinstance(shown, Problem) or shown.status != 0 else shown.output.rstrip("\n")


def parse_patch(patch: str) -> tuple[Mapping[str, frozenset[int]], Mapping[str, str]]:
    """The changed lines by path, and the old path of each file that was moved, of a patch without context lines."""
    lines: dict[str, set[int]] = {}
    moved: dict[str, str] = {}
    path = old = None
    rest = iter(patch.split("\n"))
    for line in rest:
        if line.startswith("diff --git "):
            path = old = None
        elif line.startswith("rename from "):
            old = _unquoted(line.removeprefix("rename from "))
        elif line.startswith("rename to ") and old is not None:
            moved[_unquoted(line.removeprefix("rename to "))] = old
        elif line.startswith("+++ "):
            path = _new_path(line)
        elif hunk := _HUNK.match(line):
            removed, first, added = int(hunk[1] or 1), int(hunk[2]), int(hunk[3] or 1)
            if path is not None and added:
                lines.setdefault(path, set()).update(range(first, first + added))
            # The text of a hunk may look like anything, such as the head of another file.
            _skip(rest, removed + added)
    return {path: frozenset(numbers) for path, numbers in lines.items()}, moved


def _skip(lines: Iterator[str], count: int) -> None:
    while count > 0:
        # "\\ No newline at end of file" stands between them and is not counted.
        if not next(lines, "").startswith("\\"):
            count -= 1


def _new_path(line: str) -> str | None:
    # After a name with a space in it git writes a tab.
    name = _unquoted(line.removeprefix("+++ ").removesuffix("\t"))
    return name.removeprefix("b/") if name.startswith("b/") else None


def _unquoted(name: str) -> str:
    """A path as git prints it, which quotes those with a quote, a backslash or a control character in them."""
    if not (len(name) > 1 and name.startswith('"') and name.endswith('"')):
        return name
    return _ESCAPE.sub(_character, name[1:-1])


def _character(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code, 8)) if code.isdigit() else _ESCAPED.get(code, code)


@dataclass(frozen=True, slots=True)
class _Git:
    root: Path
    run: Run
    option: str = ""

    def ask(self, *arguments: str) -> CompletedText | Problem:
        switches = (part for setting in SWITCHED_OFF for part in ("-c", setting))
        return self.run([*GIT, *switches, *arguments], self.root)

    def obstacle(self, revision: str) -> Problem | None:
        """Why nothing can be compared with `revision` here, or None."""
        state = self.ask("rev-parse", "--is-inside-work-tree")
        if isinstance(state, Problem):
            return _failed(f"git is needed to find changed lines: {state.message}", state.advice)
        if state.status != 0 and "safe.directory" in state.errors:
            advice = f'If you trust it, run: git config --global --add safe.directory "{self.root}"'
            return _failed("git does not trust this folder, because someone else owns it.", advice)
        if state.output.strip() != "true":
            advice = f"Work where the repository is checked out, or leave out {self.option}."
            return _failed("This folder is not in a git repository, so no changed lines can be found.", advice)
        if ".." in revision:
            advice = (
                f"Name one revision, such as {self.option} origin/main: it is compared from where the branches parted."
            )
            return _failed(f"`{revision}` is a range of revisions.", advice)
        if not self._is_commit("HEAD"):
            return _failed("This repository has no commit yet.", "Commit something, to compare with.")
        return None if self._is_commit(revision) else self._unknown_revision(revision)

    def fork_point(self, revision: str) -> str | Problem:
        """The commit where HEAD parted from `revision`."""
        found = self.ask("merge-base", revision, "HEAD")
        if not isinstance(found, Problem) and found.status == 0 and found.output.strip():
            return found.output.strip()
        if self._is_shallow():
            return _shallow(f"This is a shallow clone without the commit where HEAD and {revision} parted.")
        advice = f"Name a revision of the same history, such as {self.option} HEAD~1."
        return _failed(f"HEAD and {revision} have no commit in common.", advice)

    def unknown_files(self) -> tuple[str, ...]:
        """The Python files that git does not know and does not ignore."""
        listed = self.ask("ls-files", "-z", "--others", "--exclude-standard")
        if isinstance(listed, Problem) or listed.status != 0:
            return ()
        return tuple(sorted(path for path in listed.output.split("\0") if path.endswith(".py")))

    def _is_commit(self, revision: str) -> bool:
        found = self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return not isinstance(found, Problem) and found.status == 0

    def _is_shallow(self) -> bool:
        state = self.ask("rev-parse", "--is-shallow-repository")
        return not isinstance(state, Problem) and state.output.strip() == "true"

    def _unknown_revision(self, revision: str) -> Problem:
        message = f"git knows no revision `{revision}` here."
        near = self._near(revision)
        if near is not None:
            return _failed(message, f"There is one that is called `{near}`: {self.option} {near}")
        if self._is_shallow():
            return _shallow(f"git knows no revision `{revision}` here, in a shallow clone.")
        return _failed(message, f"Fetch it (`git fetch origin {revision}`), or name one that `git log` knows.")

    def _near(self, revision: str) -> str | None:
        listed = self.ask("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags")
        if isinstance(listed, Problem) or listed.status != 0:
            return None
        names = listed.output.split()
        same = [name for name in names if name.rpartition("/")[2] == revision.rpartition("/")[2]]
        return next(iter((*same, *get_close_matches(revision, names, n=1, cutoff=0.75))), None)


def _shallow(message: str) -> Problem:
    advice = "Run `git fetch --unshallow`; in CI, check out with the whole history (`fetch-depth: 0`)."
    return _failed(message, advice)


def _failed(message: str, advice: str) -> Problem:
    return Problem(message, advice, severity="error")


def _last_line(done: CompletedText) -> str:
    return (done.errors.strip().splitlines() or [f"exit status {done.status}"])[-1]
