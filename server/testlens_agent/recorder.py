"""Records with what arguments the project's functions are called while its tests run, and what comes of it.

The record serves to write further tests. So it is bounded in every direction, leaves out what looks like a secret, and
goes to the disk after each test, as the tests may end the process at any time.
"""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from testlens_agent.constructions import Constructions, construction
from testlens_agent.exceptions_seen import describe
from testlens_agent.expressions import Expr, ExpressionWriter
from testlens_agent.fixture_values import FixtureValues
from testlens_agent.frames import Call, constructor, read_call
from testlens_agent.import_paths import is_ordinary
from testlens_agent.plain_values import is_plain
from testlens_agent.secret_values import is_secret
from testlens_agent.watched import ProjectCode, WatchedFunction

_LARGEST_RECORD_BYTES = 3_500_000
_Fields = dict[str, Any]
# Kept here because a test may replace them.
_open, _write, _close, _getpid = os.open, os.write, os.close, os.getpid
_isenabled, _disable, _enable = gc.isenabled, gc.disable, gc.enable


class RunningCall:
    """A call that has not ended. Of a constructor it has the instance (`__new__`: the class), and how to build it."""

    def __init__(self, function: WatchedFunction, fields: _Fields | None) -> None:
        self.function = function
        self.fields = fields
        self.instance: object = None
        self.expression: Expr | None = None


class _Unnoticed:
    """Lets no failure of ours reach the test, and puts off the collection of garbage.

    What finalizers run is not measured while Python keeps tracing switched off for us.
    """

    def __enter__(self) -> None:
        self._collects = _isenabled()
        _disable()

    def __exit__(self, kind: type[BaseException] | None, _error: object, _traceback: object) -> bool:
        if self._collects:
            _enable()
        return kind is not None and issubclass(kind, Exception)


class Recorder:
    """Takes calls as they begin and end, from the one thread that runs the tests, and appends them to `piece`."""

    def __init__(self, root: Path, piece: Path) -> None:
        self.fixtures = FixtureValues(str(root))
        self._piece = str(piece)
        self._owner = _getpid()
        self._code = ProjectCode(str(root))
        self._constructions = Constructions()
        self._writer = ExpressionWriter(self._known)
        self._unnoticed = _Unnoticed()
        self._lines: list[str] = []
        self._bytes = 0
        self._test = ""
        self._number = 0

    @property
    def is_full(self) -> bool:
        """Whether the record is as large as it may become."""
        return self._bytes >= _LARGEST_RECORD_BYTES

    def begin(self, test: str) -> None:
        """Credit what is called from now on to this test (a node id); empty for what belongs to none."""
        self._test = test
        self._number += 1

    def end(self) -> None:
        """Write down what the test has shown."""
        self._constructions.forget_dead()
        lines, self._lines = self._lines, []
        if not lines or _getpid() != self._owner:
            return
        try:
            descriptor = _open(self._piece, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                _write(descriptor, "".join(lines).encode("utf-8", "replace"))
            finally:
                _close(descriptor)
        except OSError:
            self._bytes = _LARGEST_RECORD_BYTES  # no room for more; the tests go on

    def watches(self, filename: str) -> bool:
        """Whether the file may have functions to watch."""
        return self._code.has(filename)

    def function(self, code: CodeType) -> WatchedFunction | None:
        """The function to watch that has this code, if it is one."""
        return self._code.function(code)

    def entered(self, function: WatchedFunction, frame: FrameType) -> RunningCall | None:
        """A watched function begins. Returns the call if its end is of interest."""
        if not (self._test or function.builds) or not function.may_look(self._number):
            return None
        running = None
        with self._unnoticed:
            given = read_call(frame, function.parameters)
            running = RunningCall(function, self._fields(function, given))
            if function.builds:
                self._note_instance(running, given)
            if function.suspends:
                self._keep(running)
                return None
        return running

    def returned(self, running: RunningCall, value: object, line: int) -> None:
        """A call ended with a result, on this line (1-based) of its file."""
        with self._unnoticed:
            if running.expression is not None:
                self._remember_instance(running, value)
            if running.fields is not None:
                running.fields["result"] = self._expression("", value)
                running.fields["left"] = line
                self._keep(running)

    def failed(self, running: RunningCall, error: BaseException) -> None:
        """A call ended with an exception."""
        fields, path = running.fields, running.function.path
        if fields is None or path is None:
            return
        with self._unnoticed:
            fields["raised"] = describe(error, path, self._writer)
            fields["left"] = fields["raised"]["line"]
            self._keep(running)

    def lost(self, running: RunningCall) -> None:
        """A call ended, and nobody knows how."""
        self._keep(running)

    def _fields(self, function: WatchedFunction, given: Call) -> _Fields | None:
        if not function.wants_calls or not self._test:
            return None
        is_method = given.owner is not None and not given.owner_is_class and not function.builds
        return {
            "arguments": {part.name: self._expression(part.name, part.value) for part in given.arguments},
            "receiver": self._expression("", given.owner) if is_method else None,
            "result": None,
            "raised": None,
            "left": None,
        }

    def _expression(self, name: str, value: object) -> _Fields | None:
        is_fit = is_ordinary(type(value)) and not is_secret(name, value)
        expression = self._writer.write(value) if is_fit else None
        return None if expression is None else {"code": expression.code, "fixtures": expression.fixtures}

    def _note_instance(self, running: RunningCall, given: Call) -> None:
        code = running.function.code
        cls: Any = given.owner if given.owner_is_class else type(given.owner)
        # A base class's constructor, which that of the object's own class calls, does not tell how to build the object.
        own = constructor(cls)
        if own is not None and own.__code__ is code:
            running.instance = given.owner
            running.expression = construction(cls, given, self._writer)

    def _remember_instance(self, running: RunningCall, value: object) -> None:
        built = running.instance
        if running.function.code.co_name == "__new__":
            if type(value) is not built:
                return
            built = value
        assert running.expression is not None
        self._constructions.remember(built, running.expression)

    def _keep(self, running: RunningCall) -> None:
        fields, function = running.fields, running.function
        if fields is None or not function.wants_calls or self.is_full:
            return
        text = json.dumps(fields)
        if text in function.seen:
            return
        function.seen.add(text)
        code = function.code
        place = {
            "path": function.path,
            "name": getattr(code, "co_qualname", None),
            "short_name": code.co_name,
            "first": code.co_firstlineno,
            "test": self._test,
        }
        self._lines.append(json.dumps({**place, **fields, "fixture_files": self._files(fields)}) + "\n")
        self._bytes += len(self._lines[-1])

    def _files(self, fields: _Fields) -> dict[str, str]:
        expressions = [*fields["arguments"].values(), fields["receiver"], fields["result"]]
        names = {name for expression in expressions if expression for name in expression["fixtures"]}
        return {name: self.fixtures.files[name] for name in sorted(names)}

    def _known(self, value: object) -> Expr | None:
        found = self.fixtures.find(value)
        return found if found is not None or is_plain(value) else self._constructions.find(value)
