"""`npm start`, all the way to an open editor: the desktop's `code` where there is one, otherwise one in the browser."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from e2e.served import ROOT, STOP_SECONDS

pytestmark = pytest.mark.e2e

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\S*")
# Writes down what it is called with, and which server it would start.
FAKE_CODE = """#!/bin/sh
printf '%s\\n' "$*" >> {calls}
printf '%s\\n' "$TESTLENS_SERVER_PYTHON" >> {servers}
exit {status}
"""


@contextmanager
def started(folder: Path, code: Path) -> Iterator[subprocess.Popen[str]]:
    """`npm start` on a folder, with `code` as the first on PATH; ended as Ctrl-C ends it."""
    environment = {**os.environ, "PATH": f"{code.parent}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("DISPLAY", None)
    command = ["npm", "start", "--", str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            process.wait(STOP_SECONDS)


def fake_code(folder: Path, status: int) -> Path:
    """A `code` that does nothing but write down how it was called, and end with `status`."""
    path = folder / "bin" / "code"
    path.parent.mkdir()
    text = FAKE_CODE.format(calls=folder / "calls", servers=folder / "servers", status=status)
    path.write_text(text, "utf-8")
    path.chmod(0o755)
    return path


def small_project(folder: Path) -> Path:
    """A project with one test, run by the example's interpreter."""
    folder.mkdir()
    (folder / "shop.py").write_text(
        "def price(amount):\n    if amount < 0:\n        raise ValueError\n    return amount\n"
    )
    (folder / "test_shop.py").write_text("import shop\n\ndef test_price():\n    assert shop.price(1) == 1\n")
    (folder / ".venv").symlink_to(ROOT / "examples" / "clarity" / ".venv")
    return folder


def read_until_address(process: subprocess.Popen[str]) -> tuple[str, str]:
    """All that was printed up to the first address, and that address."""
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if found := ADDRESS.search(line):
            return printed, found[0]
    raise AssertionError(f"No address was printed:\n{printed}")


def test_where_code_is_installed_it_gets_the_extension_and_opens_the_project(tmp_path: Path) -> None:
    code, project = fake_code(tmp_path, 0), small_project(tmp_path / "project")
    with started(project, code) as process:
        printed, _ = process.communicate(timeout=240)
    assert process.returncode == 0, printed
    calls = (tmp_path / "calls").read_text("utf-8").splitlines()
    extension = ROOT / "build" / "testlens.vsix"
    assert calls == ["--version", f"--install-extension {extension} --force", str(project)]
    assert extension.is_file()
    server = (tmp_path / "servers").read_text("utf-8").splitlines()[-1]
    assert server == str(ROOT / ".venv" / "bin" / "python")
    assert "shop.py" in printed, "the plan"
    assert not ADDRESS.search(printed)


def test_where_no_code_works_the_project_opens_in_a_browser_at_a_loopback_address(tmp_path: Path) -> None:
    code, project = fake_code(tmp_path, 1), small_project(tmp_path / "project")
    with started(project, code) as process:
        printed, address = read_until_address(process)
        assert "shop.py" in printed, "the plan"
        assert address.endswith(f"/?folder={str(project).replace('/', '%2F')}")
        with urlopen(address, timeout=60) as answer:
            page = answer.read().decode("utf-8")
        assert "workbench" in page
    eventually_refused(address)


def eventually_refused(address: str) -> None:
    """Fails if somebody still listens at an address after some seconds."""
    until = time.monotonic() + STOP_SECONDS
    while time.monotonic() < until:
        try:
            urlopen(address, timeout=5).close()
        except URLError:
            return
        time.sleep(0.1)
    raise AssertionError(f"{address} is still served")
