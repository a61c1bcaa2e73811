"""`testlens watch`: save, and read what became of the tests that the edit can affect."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from left_behind import working_in

_PATIENCE = 30.0


class Watching:
    """The command while it runs, and what it prints."""

    def __init__(self, root: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "testlens", "watch", str(root), "--python", sys.executable, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def until(self, text: str) -> str:
        """All that is printed until a line has this text."""
        seen = ""
        while text not in seen:
            try:
                seen += self._lines.get(timeout=_PATIENCE)
            except queue.Empty:
                raise AssertionError(f"{text!r} was never printed after:\n{seen}") from None
        return seen

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with two tests."""
    (tmp_path / "shop.py").write_text("def fee(amount):\n    return 1\n\n\ndef label():\n    return 'cheap'\n")
    (tmp_path / "test_shop.py").write_text(
        "import shop\n\n\ndef test_fee():\n    assert shop.fee(3) == 1\n\n\n"
        "def test_label():\n    assert shop.label() == 'cheap'\n"
    )
    return tmp_path


@pytest.fixture
def watching(shop: Path) -> Iterator[Watching]:
    """The command, after its first run."""
    watching = Watching(shop)
    yield watching
    watching.process.kill()
    watching.process.wait()


def test_each_save_says_what_became_of_the_tests_that_it_affects(shop: Path, watching: Watching) -> None:
    """And nothing runs for a comment."""
    first = watching.until("% covered")
    assert "Ctrl+C ends this" in first
    assert "2 passed" in first
    source = shop / "shop.py"
    source.write_text(source.read_text().replace("return 1", "return 2"))
    second = watching.until("% covered")
    assert "fee has changed: 1 test ran or used that" in second
    assert "FAILED test_shop.py::test_fee" in second
    assert "1 failed" in second
    source.write_text(source.read_text().replace("return 2", "return 1"))
    assert "1 passed" in watching.until("% covered")
    source.write_text(f"# a comment\n{source.read_text()}")
    assert "Nothing has changed that a test could notice." in watching.until("notice")


def test_the_end_leaves_no_process(shop: Path, watching: Watching) -> None:
    """Ctrl+C ends it, and the process that was kept for the next run."""
    watching.until("% covered")
    source = shop / "shop.py"
    source.write_text(source.read_text().replace("return 1", "return 1 + 0"))
    watching.until("% covered")
    watching.process.send_signal(signal.SIGINT)
    assert watching.process.wait(_PATIENCE) == 130
    assert working_in(shop) == set()


def test_slow_tests_are_left_to_the_user(shop: Path) -> None:
    """And it is said, each time that an edit would have run them."""
    slow = "\n\ndef test_slow():\n    import time\n    time.sleep(0.5)\n    assert shop.fee(3)\n"
    (shop / "test_shop.py").write_text((shop / "test_shop.py").read_text() + slow)
    watching = Watching(shop, "--slow-tests", "0.4")
    try:
        assert "3 passed" in watching.until("% covered")
        source = shop / "shop.py"
        source.write_text(source.read_text().replace("return 1", "return 0 + 1"))
        second = watching.until("% covered")
        assert "1 slow test is left to you, and stale until then: testlens run" in second
        assert "1 passed" in second
    finally:
        watching.process.kill()
        watching.process.wait()
