"""The process that runs pytest, for as long as the tests let it live."""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Callable, NoReturn

from testlens_agent.libraries import loaded
from testlens_agent.wire import EventStream, claim_stdout, close_stdin, read_request

_PR_SET_PDEATHSIG = 1
_BUFFERED = frozenset({io.BufferedRandom, io.BufferedWriter, io.TextIOWrapper})


def run_child() -> NoReturn:
    """Run pytest as the request on standard input says, and end with pytest's exit code."""
    die_with(os.getppid())
    leaving = os._exit
    request = read_request()
    close_stdin()
    os.chdir(request["root"])
    code = run_as_child(request)
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as Python does before all else
    end(code, leaving)


def run_as_child(request: dict[str, Any]) -> int:
    """Run pytest in the working folder; events go to what standard output is now."""
    if hasattr(os, "fork"):
        _run_behind_shield()
    events = claim_stdout()
    code = _run_pytest(request, events)
    events.send("ended", exit_code=code)
    return code


def end(code: int, leaving: Callable[[int], NoReturn]) -> NoReturn:
    """End this process by `leaving`, which is `os._exit` as it was before the tests.

    What tests and libraries want done at the end is done. But Python would take all objects apart, one by one, which
    can take a tenth of the time of a run; of what that does only the writing of buffers matters.
    """
    try:
        atexit._run_exitfuncs()
        for thing in gc.get_objects():
            if type(thing) in _BUFFERED:
                with contextlib.suppress(Exception):
                    thing.flush()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        leaving(code)


def _run_pytest(request: dict[str, Any], events: EventStream) -> int:
    root = Path.cwd()  # the real path, which pytest reports whatever links lead there
    if not getattr(sys.flags, "safe_path", False):
        sys.path.insert(0, str(root))  # as `python -m pytest` does
    import pytest

    measurement = _measurement(request, root, events)
    from testlens_agent.plugin import AgentPlugin, Chosen, settings_of_environment
    from testlens_agent.uses import Uses

    chosen = Chosen(request["only"], request["first"], request["order"], request["without"])
    plugin = AgentPlugin(root, events, measurement, Uses(root), chosen, request["to_the_end"])
    os._exit = plugin.leave  # type: ignore[assignment]
    arguments, environment = request["arguments"], settings_of_environment()
    sys.argv[:] = [str(Path(pytest.__file__).with_name("__main__.py")), *arguments]
    try:
        return int(pytest.main(list(arguments), plugins=[plugin, *_recording(request, root), *_repeating(request)]))
    finally:
        if measurement is not None:
            measurement.finish()
        if request["list_libraries"]:
            files = measurement.files if measurement is not None else ()
            events.send("libraries", modules=loaded(root, files, plugin.environment != environment))


def _measurement(request: dict[str, Any], root: Path, events: EventStream) -> Any:
    if not request["measure"]:
        return None
    from testlens_agent.measure import Measurement

    return Measurement(root, request["piece"], events)


def _recording(request: dict[str, Any], root: Path) -> list[object]:
    if request["calls"] is None:
        return []
    from testlens_agent.recorder_plugin import RecorderPlugin

    return [RecorderPlugin(root, Path(request["calls"]))]


def _repeating(request: dict[str, Any]) -> list[object]:
    if request["times"] == 1:
        return []
    from testlens_agent.repeating import RepeatingPlugin

    return [RepeatingPlugin(request["times"])]


def _run_behind_shield() -> None:
    """Go on in a copy of this process; the process itself only waits for the copy, and ends with its exit code.

    A test that ends its parent process meets one that has no other duty, and the supervisor lives to tell.
    """
    shield = os.getpid()
    copy = os.fork()
    if copy == 0:
        die_with(shield)
        return
    _, status = os.waitpid(copy, 0)
    if os.WIFSIGNALED(status):
        # On a line of its own, since the copy may have been killed in the middle of one.
        os.write(1, b'\n{"event":"killed","signal":%d}\n' % os.WTERMSIG(status))
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)


def die_with(parent: int) -> None:
    """Let Linux end this process when its parent dies, even if that was killed."""
    dying_with()(parent)


def dying_with() -> Callable[[int], None]:
    """`die_with`, prepared for a moment in which a test may have replaced what it needs."""
    if not sys.platform.startswith("linux"):
        return _live_on
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):  # no ctypes, or a C library without prctl
        return _live_on
    kill, own, parent_of = os.kill, os.getpid, os.getppid

    def die(parent: int) -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent_of() != parent:
            kill(own(), signal.SIGKILL)

    return die


def _live_on(_parent: int) -> None:
    """Where nothing tells a process that its parent has died."""
