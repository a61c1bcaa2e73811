"""A file is not read again unless it may have been written since, and a write is never missed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from testlens.sources.digests import Digests


class Reading:
    """Digests that say how often a file was read."""

    def __init__(self) -> None:
        self.count = 0
        self.digests = Digests(self._digest)

    def _digest(self, content: bytes) -> str:
        self.count += 1
        return content.decode()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file that was written three seconds ago: nobody can have it written then by calling it so."""
    file = tmp_path / "old.py"
    file.write_text("one")
    time.sleep(3)
    return file


def test_what_was_not_written_for_a_while_is_read_once(old: Path) -> None:
    reading = Reading()
    assert [reading.digests.of(old) for _ in range(3)] == ["one", "one", "one"]
    assert reading.count == 1


def test_a_write_that_hides_its_time_is_noticed(old: Path) -> None:
    """As by a tool that restores the times of files; the text has the same length."""
    reading = Reading()
    reading.digests.of(old)
    before = old.stat()
    old.write_text("two")
    os.utime(old, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert reading.digests.of(old) == "two"


def test_a_file_in_the_place_of_another_is_noticed(old: Path) -> None:
    """As editors save: a new file is moved there, with the times of the old one."""
    reading = Reading()
    reading.digests.of(old)
    other = old.with_name("new.py")
    other.write_text("two")
    os.utime(other, ns=(old.stat().st_atime_ns, old.stat().st_mtime_ns))
    other.replace(old)
    assert reading.digests.of(old) == "two"


def test_a_file_that_was_just_written_is_read_each_time(tmp_path: Path) -> None:
    """It may be written again within what a file system takes for one moment."""
    file, reading = tmp_path / "new.py", Reading()
    file.write_text("one")
    assert [reading.digests.of(file) for _ in range(2)] == ["one", "one"]
    assert reading.count == 2


def test_what_is_not_there_has_none_until_it_is(old: Path) -> None:
    """Nor has a folder, and what is gone is forgotten."""
    reading = Reading()
    assert reading.digests.of(old) == "one"
    old.unlink()
    assert reading.digests.of(old) is None
    assert reading.digests.of(old.parent) is None
    old.write_text("again")
    assert reading.digests.of(old) == "again"
