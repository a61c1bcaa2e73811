"""A mutation run from its request to its end."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import json
import os
import platform
import shutil
import sys
from typing import Any, TextIO

from testlens_agent.child import die_with
from testlens_agent.explore.lifeline import Lifeline
from testlens_agent.mutate import mutmut_parts
from testlens_agent.mutate.copying import Copy
from testlens_agent.mutate.generating import generate, generated, rules_digest
from testlens_agent.mutate.options import Lines, OptionError, caught_by_types, covered_lines
from testlens_agent.mutate.request import Request
from testlens_agent.mutate.surroundings import Surroundings
from testlens_agent.wire import EventStream, claim_stdout, close_stdin, read_request

_USAGE_ERROR = 4
_CANCELLED = 130


def mutate() -> int:
    """Do what the request on standard input says; returns an exit code.

    Events: `hello`, `generating`, `typing`, `measuring`, `ready` with the functions and their mutants, after which one
    line `{"run": [{"name", "lines", "first", "turn"}]}` is awaited; then `checking`, a `mutant` for each, `rechecking`,
    and `done`. A later `mutant` of one name takes the place of an earlier one. Closing standard input cancels the run.

    Where `done` says that the process `waits`, another request may follow. It is answered in the same way, or, if the
    project is no longer the one that was imported, with `stale` and the end.
    """
    die_with(os.getppid())
    gc.disable()  # importing the project makes much and lets go of little: a tenth of the time
    events = claim_stdout()
    try:
        request = Request(read_request())
    except (ValueError, KeyError, TypeError) as error:
        events.problem(f"The agent got no request that it understands: {error}", "Reinstall Testlens.")
        return _USAGE_ERROR
    commands = os.dup(0)
    close_stdin()
    run = _Run(request, events, commands)
    trusted = _is_possible(events) and run.execute()
    if not run.is_over:
        ended = {"cut_short": run.is_cut_short, "contradicted": run.is_contradicted}
        events.send("done", trusted=trusted, waits=False, **ended)
    return 0 if trusted else 1


def _is_possible(events: EventStream) -> bool:
    if not hasattr(os, "fork"):
        events.problem(
            "mutmut does not run on Windows: it needs processes that can be copied.",
            "Open the folder in WSL, where it does.",
            severity="error",
        )
        return False
    missing = [name for name in ("pytest", "mutmut") if importlib.util.find_spec(name) is None]
    if missing:
        events.send(
            "problem",
            kind="missing",
            missing=missing,
            message=f"{' and '.join(missing)} cannot be imported by {sys.executable}.",
            advice=f"Install with: {sys.executable} -m pip install {' '.join(missing)}",
            path=None,
            line=None,
        )
        return False
    try:
        events.send("hello", python=platform.python_version(), mutmut=mutmut_parts.installed_version())
    except mutmut_parts.TooOldError as error:
        oldest = ".".join(map(str, mutmut_parts.OLDEST))
        events.problem(
            f"mutmut {error} is too old to be driven: {oldest} or later is needed.",
            f"Install it with: {sys.executable} -m pip install --upgrade mutmut",
            severity="error",
        )
        return False
    return True


class _Run:
    """One run: the copy, its mutants, and the session that checks them.

    `is_cut_short` once the disk refused something: what was told until then stands. `is_contradicted` once a fresh
    process found another verdict. `is_over` once the end was told.
    """

    def __init__(self, request: Request, events: EventStream, commands: int) -> None:
        self._request = request
        self._events = events
        self._commands = commands
        self._kept = request.folder / "generated"
        self._lines: Lines = {}
        self._lock: TextIO | None = None
        self._trusted = False
        self.is_cut_short = False
        self.is_contradicted = False
        self.is_over = False

    def execute(self) -> bool:
        """Do it; whether the verdicts can be believed."""
        self._lifeline = Lifeline(self._commands)
        with self._lifeline:
            try:
                return self._is_alone() and self._prepare() and self._check()
            except OSError as error:
                place = error.filename or self._request.folder
                message = f"The copy of the project could not be written: {error.strerror} ({place})."
                self._events.problem(message, _SPACE, severity="error")
                self.is_cut_short = True
                return False

    def _is_alone(self) -> bool:
        """Take the copy for this run; two at a time would work on each other's."""
        import fcntl

        if self._lock is None:
            self._request.folder.mkdir(parents=True, exist_ok=True)
            # Never another one: that a file was left open fails the tests of projects that let warnings be errors.
            self._lock = (self._request.folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            advice = "Wait until it is done, or cancel it."
            self._events.problem("Mutants of this project are being checked already.", advice, severity="error")
            return False
        return True

    def _let_others(self) -> None:
        """Give the copy free while nothing is asked for."""
        import fcntl

        if self._lock is not None:
            fcntl.flock(self._lock, fcntl.LOCK_UN)  # not closed: the workers hold it open, too

    def _prepare(self) -> bool:
        shutil.rmtree(str(self._request.folder / "scratch"), ignore_errors=True)
        (self._request.folder / "scratch").mkdir(parents=True)
        try:
            self._config = mutmut_parts.load_configuration(self._request.root, self._request.tree)
        except Exception as error:  # noqa: BLE001  (whatever the user has written there)
            self._events.problem(
                f"The configuration of mutmut cannot be used: {error}", "Correct [tool.mutmut].", "pyproject.toml"
            )
            return False
        self._rules = rules_digest(self._config, mutmut_parts.installed_version())
        self._copy = Copy(self._request.root, self._request.tree, self._config)
        try:
            self._generate()
            self._caught = self._caught_by_types()
        except OptionError as error:
            message = f"An option of [tool.mutmut] could not be honoured: {str(error).strip()}."
            self._events.problem(message, "Run `mutmut run` to see more.", "pyproject.toml", severity="error")
            return False
        return True

    def _generate(self) -> None:
        again = self._update()
        if not again:
            return
        self._events.send("generating", files=len(again))
        lines = None
        if self._config.mutate_only_covered_lines:
            if not self._lines.keys() >= set(again):
                self._lines.update(covered_lines(self._request.root, self._request.tree, again))
            lines = self._lines
        broken = generate(again, self._request.tree, self._kept, self._request.workers, lines)
        for message in broken:
            self._events.problem(f"{message}.", "Run `mutmut run` to see more.", severity="error")
        if not broken:
            self._copy.has_mutants(again)

    def _update(self) -> list[str]:
        return self._copy.update(self._request.files, self._rules, bool(self._config.mutate_only_covered_lines))

    def _caught_by_types(self) -> frozenset[str]:
        """The mutants that the user's type checker catches, as it was found for just this state of the copy."""
        if not self._config.type_check_command:
            return frozenset()
        place = self._request.folder / "types.json"
        state = [self._copy.state, self._config.type_check_command]
        with contextlib.suppress(OSError, ValueError, KeyError):
            known = json.loads(place.read_text(encoding="utf-8"))
            if known["state"] == state:
                return frozenset(known["caught"])
        self._events.send("typing", files=len(self._copy.mutated))
        caught = caught_by_types(self._request.tree)
        place.write_text(json.dumps({"state": state, "caught": caught}), encoding="utf-8")
        return frozenset(caught)

    def _refer(self) -> bool:
        """Let mutmut itself play what is wanted."""
        from testlens_agent.mutate.contexts import NOTHING_MEASURED
        from testlens_agent.mutate.reference import Reference

        self._tell(NOTHING_MEASURED)
        with os.fdopen(os.dup(self._commands), "rb") as commands:
            line = commands.readline()
        names = [mutant["name"] for mutant in json.loads(line)["run"]]
        return not names or Reference(self._request, self._config, self._events).run(names)

    def _check(self) -> bool:
        if self._request.by_mutmut:
            return self._refer()
        import pytest

        from testlens_agent.mutate import checking  # noqa: F401  (before the project's code can stand in its way)
        from testlens_agent.mutate.plugin import MutationPlugin

        mutmut_parts.use_tree(self._request.root, self._request.tree)
        os.chdir(str(self._request.tree))
        os.environ["PY_IGNORE_IMPORTMISMATCH"] = "1"
        mutmut_parts.play("stats")
        self._arguments = mutmut_parts.pytest_arguments(self._config)
        code = 0
        for arguments in (self._arguments, _without_disabled(self._arguments)):
            self._arguments = arguments
            plugin = MutationPlugin(self._request.tree, self._serve)
            selection = [*arguments, *self._config.pytest_add_cli_args_test_selection]
            code = int(pytest.main(selection, plugins=[plugin]))
            if code != _USAGE_ERROR:
                break
        for problem in plugin.problems:
            self._events.send("problem", **problem)
        if not plugin.has_served and not plugin.problems:
            self._events.problem(
                f"pytest did not collect the tests in the copy of the project (exit code {code}).",
                "Add what the tests need to `also_copy` in [tool.mutmut], or run `mutmut run` to see more.",
                severity="error",
            )
        return self._trusted

    def _serve(self, session: Any) -> None:
        from testlens_agent.mutate.checking import Checking
        from testlens_agent.mutate.tasks import CancelledRunError, Ground

        self._lifeline.release()
        extra = ["-n0"] if session.config.pluginmanager.hasplugin("xdist") else []
        extra += ["--no-cov"] if session.config.pluginmanager.hasplugin("_cov") else []
        ground = Ground(self._request, self._config, self._copy, [*self._arguments, *extra], self._generate)
        ground.caught = self._caught
        checking = Checking(session, ground, self._events, self._commands)
        surroundings = Surroundings(self._request.root, self._request.tree)
        try:
            self._trusted = checking.run(self._tell)
            while self._trusted and self._request.idle_seconds:
                self._let_others()
                self._events.send("done", trusted=True, waits=True, cut_short=False, contradicted=False)
                self.is_over = True
                checking.use_idle_time()
                self._request = ground.request = Request(checking.read_command(self._request.idle_seconds))
                self.is_over = False
                if not (self._is_alone() and self._is_unchanged(surroundings)):
                    self._events.send("stale")
                    self.is_over = True
                    break
                self._trusted = checking.run(self._tell)
        except (CancelledRunError, BrokenPipeError):
            os._exit(_CANCELLED)
        finally:
            self.is_contradicted = checking.is_contradicted
            checking.close()

    def _is_unchanged(self, surroundings: Surroundings) -> bool:
        """Whether the copy and what this process has imported are those of the project as it is now."""
        before = self._copy.state
        if not surroundings.are_same or Copy(self._request.root, self._request.tree, self._config).state != before:
            return False
        try:
            os.chdir(str(self._request.root))
            again = self._update()
            os.chdir(str(self._request.tree))
        except OSError:  # the next process meets it as well, and says so
            return False
        return not again and self._copy.state == before

    def _tell(self, contexts: Any) -> None:
        files = {}
        for name in self._copy.mutated:
            if self._request.files is not None and name not in self._request.files:
                continue
            facts = generated(self._kept, name)
            functions = {}
            for mangled, function in facts["functions"].items():
                key = function["mutants"][0][0].partition("__mutmut_")[0]
                functions[mangled] = {
                    "text": function["text"],
                    "mutants": function["mutants"],
                    "tests": contexts.tests_of(key),
                }
            files[name] = {"functions": functions, "skipped": facts.get("skipped")}
        self._events.send("ready", files=files, durations=contexts.durations)


_SPACE = "Free disk space, or make .testlens/ writable."


def _without_disabled(arguments: list[str]) -> list[str]:
    """The arguments without those that switch plugins off, whose options the project's own arguments may name."""
    kept: list[str] = []
    for argument in arguments:
        if argument.startswith("no:") and kept and kept[-1] == "-p":
            kept.pop()
        else:
            kept.append(argument)
    return kept
