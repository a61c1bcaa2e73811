"""Verdicts outlive the run that found them, and a run that is cancelled while they are written."""

from __future__ import annotations

import threading
from pathlib import Path

from testlens.workspace.mutation_store import Place, Verdict, VerdictStore

VERDICT = Verdict("tests", "survived", ("tests/test_a.py::test_b",), None, 0.5)


def places(count: int) -> list[Place]:
    return [Place("a.py", "f", "digest", f"change {number}") for number in range(count)]


def test_what_was_kept_is_known_to_the_next_run(tmp_path: Path) -> None:
    store = VerdictStore(tmp_path)
    store.keep((place, VERDICT) for place in places(3))
    store.close()
    again = VerdictStore(tmp_path)
    assert again.verdicts("a.py") == dict.fromkeys(places(3), VERDICT)
    again.close()


def test_it_may_be_closed_while_a_thread_still_writes(tmp_path: Path) -> None:
    """SQLite ends the whole process where a connection is closed under a thread that uses it."""
    for _ in range(10):
        store = VerdictStore(tmp_path)
        writing = [
            threading.Thread(target=store.keep, args=([(place, VERDICT) for place in places(2000)],)) for _ in range(3)
        ]
        for thread in writing:
            thread.start()
        store.close()
        store.keep([(places(1)[0], VERDICT)])
        for thread in writing:
            thread.join()
    assert VerdictStore(tmp_path).verdicts("a.py").keys() <= set(places(2000))
