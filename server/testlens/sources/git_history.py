"""Reads when the lines of a file changed and who wrote them, with git and without running anything of the repository.

A repository's configuration can name programs: hooks, a file system monitor, filters, text converters, transports.
Every one that the commands below could start is switched off. Nothing is fetched: a partial clone has no history here.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from testlens.domain.history import NOT_COMMITTED, FileHistory
from testlens.domain.problems import Problem
from testlens.sources.git_command import GIT, SWITCHED_OFF, CompletedText, Run

_LEFT_OUT = "Risk leaves out recency, changed, authors and commits"
_UNCOMMITTED = "0" * 40


def read_history(
    root: Path, files: Iterable[str], now: float, run: Run
) -> tuple[Mapping[str, FileHistory], tuple[Problem, ...]]:
    """The history of `files` (POSIX paths below `root`), for those that git knows; one blame each, so from a thread.

    `now` is in seconds since the epoch. Where there is no usable history, the result is empty and a Problem of
    severity "information" says why and what risk does without.
    """
    reader = _Reader(root, run)
    reason = reader.obstacle()
    if reason is not None:
        return {}, (reason,)
    commits = reader.commits_since(datetime.fromtimestamp(now, UTC) - timedelta(days=365))
    if isinstance(commits, Problem):
        return {}, (commits,)
    histories: dict[str, FileHistory] = {}
    unknown: list[str] = []
    for path in files:
        blamed = reader.blame(path)
        if blamed is None:
            unknown.append(path)
        else:
            histories[path] = _history(blamed, commits[path], now)
    return histories, _unknown_files(unknown)


@dataclass(frozen=True, slots=True)
class _Blame:
    """The commit of each line (0-based), and the time (seconds since the epoch) and author of each commit."""

    lines: Mapping[int, str]
    times: Mapping[str, int]
    authors: Mapping[str, str]


@dataclass(slots=True)
class _Reader:
    root: Path
    run: Run
    switched_off: tuple[str, ...] = field(default=SWITCHED_OFF)

    def git(self, *arguments: str) -> CompletedText | Problem:
        switches = (part for setting in self.switched_off for part in ("-c", setting))
        return self.run([*GIT, *switches, *arguments], self.root)

    def obstacle(self) -> Problem | None:
        """Why there is no usable history here, or None. Afterwards, the repository's filters are switched off."""
        state = self.git("rev-parse", "--is-inside-work-tree", "--is-shallow-repository")
        if isinstance(state, Problem):
            return _left_out(state.message.rstrip("."), state.advice)
        if state.status != 0 and "safe.directory" in state.errors:
            advice = f'If you trust it, run: git config --global --add safe.directory "{self.root}"'
            return _left_out("git does not trust this folder, because someone else owns it", advice)
        answers = state.output.split()
        if state.status != 0 or answers[:1] != ["true"]:
            return _left_out("this folder is not in a git repository", "Run `git init` and commit, to have them.")
        if answers[1:] != ["false"]:
            advice = "Run `git fetch --unshallow`; in CI, check out with the whole history."
            return _left_out("this is a shallow clone, where lines look newer than they are", advice)
        return self._switch_filters_off()

    def _switch_filters_off(self) -> Problem | None:
        # Blame compares the working tree with what is committed, for which git would run `filter.*.clean`.
        listed = self.git("config", "--null", "--name-only", "--get-regexp", r"^filter\..*\.(clean|process|required)$")
        if isinstance(listed, Problem):
            return _left_out(listed.message.rstrip("."), listed.advice)
        names = [name for name in listed.output.split("\0") if name]
        if any("=" in name for name in names):
            advice = "Rename it in .git/config, and in .gitattributes."
            return _left_out('the repository has a filter with "=" in its name, which cannot be switched off', advice)
        filters = (f"{name}={'false' if name.endswith('.required') else ''}" for name in names)
        self.switched_off = (*SWITCHED_OFF, *filters)
        return None

    def commits_since(self, start: datetime) -> Counter[str] | Problem:
        """How many commits touched each file below the root since then."""
        listed = self.git(
            "log", f"--since={start.isoformat()}", "-z", "--name-only", "--format=", "--no-renames", "--no-ext-diff",
            "--no-textconv", "--relative", "--", ".",
        )  # fmt: skip
        if isinstance(listed, Problem):
            return _left_out(listed.message.rstrip("."), listed.advice)
        if listed.status != 0:
            return _left_out("the repository has no commit that git can read", "Commit your work, or run `git fsck`.")
        return Counter(name for name in listed.output.split("\0") if name)

    def blame(self, path: str) -> _Blame | None:
        """Who wrote which line of a file when; None for a file that git does not know or cannot read."""
        # A `blame.ignoreRevsFile` that is missing in the working tree would end every blame.
        blamed = self.git("blame", "--incremental", "-w", "--no-textconv", "--no-ignore-revs-file", "--", path)
        if isinstance(blamed, Problem) or blamed.status != 0:
            return None
        return _parsed(blamed.output.split("\n"))


def _parsed(output: Iterable[str]) -> _Blame:
    """Read `git blame --incremental`: a head for each run of lines, facts of a commit where it first appears."""
    lines: dict[int, str] = {}
    times: dict[str, int] = {}
    authors: dict[str, str] = {}
    for commit, key, value in _entries(output):
        if key == "lines":
            first, count = (int(number) for number in value.split())
            lines.update(dict.fromkeys(range(first - 1, first - 1 + count), commit))
        elif key == "committer-time":
            times[commit] = int(value)
        elif key == "author-mail":
            authors[commit] = value
    return _Blame(lines, times, authors)


def _entries(output: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """(commit, key, value) of each line; a run's head has the key "lines" and its first line and length as value."""
    commit = ""
    at_head = True
    for text in output:
        key, _, value = text.partition(" ")
        if at_head and key:
            commit = key
            yield commit, "lines", value.partition(" ")[2]
        elif key:
            yield commit, key, value
        at_head = key == "filename"


def _history(blamed: _Blame, commits: int, now: float) -> FileHistory:
    count = max(blamed.lines, default=-1) + 1
    numbers = {mail: number for number, mail in enumerate(sorted(set(blamed.authors.values())))}
    times, authors = array("q"), array("i")
    for index in range(count):
        commit = blamed.lines.get(index, _UNCOMMITTED)
        committed = not commit.startswith(_UNCOMMITTED)
        times.append(blamed.times[commit] if committed else int(now))
        authors.append(numbers[blamed.authors[commit]] if committed else NOT_COMMITTED)
    return FileHistory(now, times, authors, commits)


def _left_out(reason: str, advice: str) -> Problem:
    return Problem(f"{_LEFT_OUT}: {reason}.", advice, severity="information")


def _unknown_files(paths: Sequence[str]) -> tuple[Problem, ...]:
    if not paths:
        return ()
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    message = f"{_LEFT_OUT} for {paths[0]}{more}: git has no history of it."
    return (Problem(message, "Commit it, to have them.", paths[0], severity="information"),)
