"""What a tried test does stays in its folder and in its process, and the trial says what it wanted."""

from __future__ import annotations

import asyncio
import ctypes
import socket
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.exploring import exploring
from agent.projects import Project

_LANDLOCK_CREATE_RULESET = 444
WORKS = "def test_it():\n    result = sorted([2, 1])\n"

# Each with what the trial has to say of it. `home`, `outside` and `project` are folders with a file `kept.txt`.
FORBIDDEN = {
    "shutil.rmtree(home)": "deletes ",
    "shutil.rmtree(home, ignore_errors=True)": "deletes ",
    "(home / 'kept.txt').unlink()": "deletes ",
    "(home / 'kept.txt').write_text('')": "writes ",
    "(project / 'kept.txt').open('a').close()": "writes ",
    "os.truncate(project / 'kept.txt', 0)": "truncates ",
    "(home / 'kept.txt').chmod(0)": "changes the mode of ",
    "os.utime(home / 'kept.txt', (1, 1))": "changes the time of ",
    "os.chmod(os.open(home / 'kept.txt', os.O_RDONLY), 0)": "changes the mode of ",
    "(home / 'kept.txt').rename('taken')": "renames ",
    "Path('new').write_text('') and None or os.replace('new', home / 'kept.txt')": "renames ",
    "shutil.move(str(home), 'taken')": "renames ",
    "shutil.copytree(home, outside / 'copy')": "makes the folder ",
    "(outside / 'new').mkdir()": "makes the folder ",
    "(outside / 'new').touch()": "writes ",
    "os.mkfifo(outside / 'new')": "makes the pipe ",
    "os.symlink('/', outside / 'new')": "makes a link ",
    "os.link(project / 'kept.txt', outside / 'new')": "makes a link ",
    "os.link(home / 'kept.txt', 'inside') or open('inside', 'w')": "makes a link ",
    "os.symlink(home, 'way') or Path('way/kept.txt').write_text('')": "writes ",
    "os.rmdir(outside / 'empty')": "deletes the folder ",
    "os.open('kept.txt', os.O_WRONLY | os.O_TRUNC, dir_fd=os.open(home, os.O_RDONLY))": "writes ",
    "os.remove('kept.txt', dir_fd=os.open(home, os.O_RDONLY))": "deletes ",
    "os.chdir(home) or os.remove('kept.txt')": "deletes ",
    "open(b'/tmp/../' + os.fsencode(home) + b'/kept.txt', 'wb')": "writes ",
    "sqlite3.connect(outside / 'new')": "opens the database ",
    "sqlite3.connect(':memory:').execute(f'attach \"{outside}/new\" as new')": "opens the database ",
    "subprocess.run(['rm', '-r', str(home)])": "starts the program ['rm'",
    "os.system(f'rm -r {home}')": "starts the program ",
    "os.popen(f'rm -r {home}')": "starts the program ",
    "os.execv('/bin/rm', ['rm', '-r', str(home)])": "becomes the program ",
    "os.posix_spawn('/bin/rm', ['rm', '-r', str(home)], {})": "starts the program ",
    "os.fork()": "forks",
    "multiprocessing.get_context('fork').Process(target=print).start()": "forks",
    "multiprocessing.get_context('spawn').Process(target=print).start()": "starts a program",
    "ctypes.CDLL(None).system(b'true')": "calls system of a C library",
    "ctypes.CDLL('libm.so.6')": "loads the library libm.so.6",
    "os.kill(os.getppid(), signal.SIGKILL)": "sends signal 9 to process ",
    "os.kill(-1, signal.SIGKILL)": "sends signal 9 to process -1",
    "os.killpg(0, signal.SIGKILL)": "sends signal 9 to process group 0",
    "os.killpg(os.getpgid(os.getppid()), signal.SIGKILL)": "sends signal 9 to process group ",
    "socket.create_connection(('127.0.0.1', port))": "connects to 127.0.0.1:",
    "urllib.request.urlopen('http://example.com', timeout=1)": "looks up example.com",
    "socket.create_server(('127.0.0.1', 0))": "listens on 127.0.0.1:0",
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', port))": "sends to 127.0.0.1:",
    "socket.socket(socket.AF_UNIX).connect(str(outside / 'socket'))": "connects to ",
    "os.nice(0) or os._exit(os.truncate(home / 'kept.txt', 0) or 0)": "truncates ",
}
LOOK = """\
import socket
try:
    socket.socket(socket.AF_INET6).bind(("::1", 0))
except OSError:
    pass
"""
ALLOWED = {
    "(tmp_path / 'new').write_text('x')": "in the folder of the test",
    "monkeypatch.chdir(tmp_path) or Path('new').write_text('x')": "in the working folder, where that is its own",
    "shutil.copy(home / 'kept.txt', tmp_path / 'copy')": "a copy in its own folder",
    "tempfile.NamedTemporaryFile().write(b'x')": "a temporary file",
    "sqlite3.connect(tmp_path / 'new.db').execute('create table t (a)').fetchall()": "a database",
    "sqlite3.connect(':memory:').execute('create table t (a)').fetchall()": "a database in memory",
    "open(os.devnull, 'w').write('x')": "nowhere",
    "(project / 'kept.txt').read_text()": "reading",
    "asyncio.run(asyncio.sleep(0))": "an event loop",
    "[one.send(b'x') for one in socket.socketpair()]": "a pair of sockets",
    "threading.Thread(target=print).start()": "a thread",
    "concurrent.futures.ThreadPoolExecutor().submit(print).result()": "a pool of threads",
    "ctypes.util.find_library('c'), platform.processor(), uuid.getnode()": "facts that the standard library looks up",
    "socket.getaddrinfo('127.0.0.1', 80)": "an address that is one already",
    f"exec(compile({LOOK!r}, 'site-packages/http.py', 'exec'))": "an installed package's look whether there is IPv6",
}
IMPORTS = (
    "asyncio, concurrent.futures, contextlib, ctypes.util, multiprocessing, os, platform, shutil, signal,"
    " socket, sqlite3, subprocess, tempfile, threading, time, urllib.request, uuid"
)


class Outside:
    """Folders that no trial may change, and a port that somebody listens on."""

    def __init__(self, folder: Path, project: Project) -> None:
        self.home, self.other, self.project = folder / "home", folder / "outside", project.root
        for place in (self.home, self.other, self.project, self.other / "empty"):
            place.mkdir(exist_ok=True)
            (place / "kept.txt").write_text("kept")
        (self.other / "empty/kept.txt").unlink()
        self.listener = socket.create_server(("127.0.0.1", 0))

    def test(self, body: str) -> str:
        """A test file that does this with them."""
        return textwrap.dedent(f"""\
            import {IMPORTS}
            from pathlib import Path
            home, outside, project = Path({str(self.home)!r}), Path({str(self.other)!r}), Path({str(self.project)!r})
            port = {self.listener.getsockname()[1]}
            def test_it(tmp_path, monkeypatch):
                {body}
            """)

    def state(self) -> dict[str, tuple[object, ...]]:
        """All there is, with content, mode and time."""
        places = (self.home, self.other, self.project / "kept.txt", self.project / "tests")
        entries = [entry for place in places for entry in (place, *place.rglob("*"))]
        return {str(entry): _facts(entry) for entry in entries if "__pycache__" not in entry.parts}


def _facts(entry: Path) -> tuple[object, ...]:
    status = entry.lstat()
    content = entry.read_bytes() if entry.is_file() else None
    return (content, status.st_mode, status.st_mtime_ns if entry.is_file() else None)


@pytest.fixture
def outside(tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    """What has to stay as it is; HOME leads there."""
    found = Outside(tmp_path, project)
    (project.root / "tests").mkdir()
    monkeypatch.setenv("HOME", str(found.home))
    yield found
    found.listener.close()


async def test_nothing_outside_is_touched_and_the_trial_says_what_was_wanted(
    project: Project, outside: Outside
) -> None:
    before = outside.state()
    wrong = []
    async with exploring(project) as exploration:
        for body, wish in FORBIDDEN.items():
            trial = await exploration.trial(outside.test(body))
            if trial.outcome != "blocked" or wish not in (trial.blocked or ""):
                wrong.append((body, trial))
        assert (await exploration.trial(WORKS)).outcome == "passed"

    assert not wrong
    assert outside.state() == before
    outside.listener.settimeout(0)
    with pytest.raises(BlockingIOError):
        outside.listener.accept()


async def test_the_kernel_stops_what_c_code_does_without_telling_python(project: Project, outside: Outside) -> None:
    body = "ctypes.CDLL(None).mkdirat(-100, str(outside / 'new').encode(), 0o700)"
    guards = ctypes.CDLL(None).syscall(_LANDLOCK_CREATE_RULESET, None, 0, 1) > 0  # since Linux 5.13
    async with exploring(project) as exploration:
        await exploration.trial(outside.test(body))

    assert (outside.other / "new").exists() is not guards


async def test_code_that_goes_on_after_a_refusal_does_not_pass(project: Project, outside: Outside) -> None:
    body = "with contextlib.suppress(OSError): (home / 'kept.txt').unlink()"
    async with exploring(project) as exploration:
        trial = await exploration.trial(outside.test(body))

    assert trial.outcome == "blocked"
    assert trial.blocked == f"deletes {outside.home}/kept.txt"


async def test_what_would_be_left_in_the_folder_that_tests_run_in_is_told(project: Project) -> None:
    project.write({"settings.ini": "", "tests/test_it.py": ""})
    wishes = {
        "open('new.txt', 'w').close()": "writes new.txt in the working folder",
        "os.remove('settings.ini')": "deletes settings.ini in the working folder",
        "open('settings.ini', 'w')": "writes settings.ini",
        "assert open('settings.ini').read() == ''": None,
    }
    async with exploring(project) as exploration:
        for body, wish in wishes.items():
            trial = await exploration.trial(f"import os\ndef test_it(): {body}\n")
            assert (trial.outcome, trial.blocked) == ("passed" if wish is None else "blocked", wish)

    assert (project.root / "settings.ini").read_text() == ""


async def test_what_harms_nobody_is_allowed(project: Project, outside: Outside) -> None:
    wrong = []
    async with exploring(project) as exploration:
        for body in ALLOWED:
            trial = await exploration.trial(outside.test(body))
            if trial.outcome != "passed":
                wrong.append((body, trial))

    assert not wrong


async def test_the_network_can_be_allowed(project: Project, outside: Outside) -> None:
    body = "socket.create_connection(('127.0.0.1', port)).close()"
    async with exploring(project, network=True) as exploration:
        trial = await exploration.trial(outside.test(body))

    assert trial.outcome == "passed"


# What ends or holds the process, with the outcome and what the trial says.
ENDINGS = {
    "os._exit(3)": ("crashed", "exit code 3"),
    "os.abort()": ("crashed", "SIGABRT"),
    "os.kill(os.getpid(), signal.SIGSEGV)": ("crashed", "SIGSEGV"),
    "sys.exit(3)": ("failed", "SystemExit"),
    "raise KeyboardInterrupt": ("failed", "KeyboardInterrupt"),
    "pytest.exit('enough')": ("failed", "enough"),
    "while True: pass": ("timeout", "1.5 s"),
    "time.sleep(60)": ("timeout", "1.5 s"),
    "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); time.sleep(60)": ("timeout", "1.5 s"),
    "threading.Thread(target=time.sleep, args=(60,)).start()": ("passed", ""),
    "bytearray(10 ** 10)": ("failed", "MemoryError"),
    "(tmp_path / 'large').open('wb').truncate(10 ** 10)": ("failed", "File too large"),
    "input()": ("failed", "reading from stdin"),
    "def f(): f()\n    f()": ("failed", "RecursionError"),
    "os.closerange(0, 100)": ("crashed", ""),
    "print('x' * 10 ** 7)": ("passed", ""),
}


async def test_a_test_may_end_its_process_or_never_end(project: Project) -> None:
    wrong = []
    async with exploring(project, seconds=1.5, memory_mb=512) as exploration:
        for body, (outcome, message) in ENDINGS.items():
            trial = await exploration.trial(
                f"import os, pytest, signal, sys, threading, time\ndef test_it(tmp_path):\n    {body}\n"
            )
            if trial.outcome != outcome or message not in trial.message:
                wrong.append((body, trial))
        assert (await exploration.trial(WORKS)).outcome == "passed"

    assert not wrong


async def test_the_tests_after_one_that_ends_the_process_are_tried_as_well(project: Project) -> None:
    bodies = {"test_a": "pass", "test_b": "os._exit(0)", "test_c": "time.sleep(9)", "test_d": "pass"}
    text = "import os, time\n" + "".join(f"def {name}(): {body}\n" for name, body in bodies.items())
    async with exploring(project, seconds=1.0) as exploration:
        trials = await exploration.trials(text, list(bodies))

    assert [trial.outcome for trial in trials] == ["passed", "crashed", "timeout", "passed"]


async def test_nothing_is_left_when_the_explorer_is_closed(project: Project) -> None:
    async with exploring(project) as exploration:
        await exploration.trial(WORKS)
        scratch = exploration.scratch
        assert scratch.is_dir()

    assert not scratch.exists()
    assert str(scratch).encode() not in _environments()


async def test_closing_the_explorer_ends_a_trial_that_is_under_way(project: Project) -> None:
    text = "import pathlib, time\ndef test_it(tmp_path):\n    (tmp_path / 'began').touch()\n    time.sleep(60)\n"
    async with exploring(project, seconds=60.0) as exploration:
        trial = asyncio.create_task(exploration.trial(text))
        while not list(exploration.scratch.rglob("began")):
            await asyncio.sleep(0.02)
        await asyncio.wait_for(exploration.close(), 5)
        scratch = exploration.scratch

    assert (await trial).outcome == "error"
    assert str(scratch).encode() not in _environments()


async def test_describing_a_function_touches_nothing_either(project: Project, outside: Outside) -> None:
    shop = f"""
        import shutil
        class Shop:
            def __init__(self, name: str):
                shutil.rmtree({str(outside.home)!r})
            def price(self, amount: int):
                return amount
        """
    project.write({"shop.py": shop})
    before = outside.state()
    async with exploring(project) as exploration:
        description = await exploration.description("Shop.price", 5)

    assert [value.origin for value in description.receivers] == ["mock"]
    assert outside.state() == before


def _environments() -> bytes:
    found = b""
    for process in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += process.read_bytes()
        except OSError:  # it has ended, or is not ours
            continue
    return found


async def test_importing_a_module_is_guarded_as_well(project: Project, outside: Outside) -> None:
    project.write({"shop.py": f"import shutil\nshutil.rmtree({str(outside.home)!r})\ndef price():\n    return 1\n"})
    before = outside.state()
    async with exploring(project) as exploration:
        trial = await exploration.trial("import shop\ndef test_it(): shop.price()\n")
        description = await exploration.description("price", 3)

    assert (trial.outcome, trial.blocked) == ("blocked", f"deletes {outside.home}/kept.txt")
    wish = f"importing its module deletes {outside.home}/kept.txt, which the sandbox refuses"
    assert description.unreachable == wish
    assert outside.state() == before


@pytest.mark.parametrize("forks", [True, False], ids=["forked", "afresh"])
async def test_a_session_that_leaves_files_open_is_not_written_to(project: Project, forks: bool) -> None:
    """A conftest file opened a log of the project before any trial was shut in."""
    project.write({"tests/conftest.py": "import pathlib\nlog = open('session.log', 'a', buffering=1)\n"})
    async with exploring(project, forks=forks) as exploration:
        trial = await exploration.trial("import conftest\ndef test_it(): conftest.log.write('line\\n')\n")

    assert trial.outcome == "passed"
    assert (project.root / "session.log").read_text() == ""
