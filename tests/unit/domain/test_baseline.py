"""What a baseline takes in, so that it only ever goes up."""

from __future__ import annotations

from testlens.domain.baseline import Baseline, HeldFile, raised
from testlens.domain.coverage import Numbers

OLD = {"a.py": (10, 0), "b.py": (10, 5)}


def baseline(files: dict[str, tuple[int, int]]) -> Baseline:
    """A baseline of files with so many statements, so many of which are missing."""
    return Baseline({path: HeldFile(Numbers(*counts)) for path, counts in files.items()})


def update(now: dict[str, tuple[int, int]], existing: set[str] | None = None) -> dict[str, tuple[int, int]]:
    """What the baseline of `OLD` holds after an update."""
    found = raised(baseline(OLD), baseline(now), OLD.keys() if existing is None else existing)
    return {path: (file.numbers.statements, file.numbers.missing) for path, file in found.files.items()}


def test_new_files_that_would_lower_it_are_left_out() -> None:
    assert update({**OLD, "new.py": (4, 4)}) == OLD


def test_of_several_new_files_all_are_taken_in_or_none() -> None:
    """With the good ones alone it would ask for more than there is."""
    assert update({**OLD, "bad.py": (4, 4), "good.py": (1, 0)}) == OLD
    both = {**OLD, "bad.py": (1, 1), "good.py": (9, 0)}
    assert update(both) == both


def test_what_others_gained_makes_room_for_new_files() -> None:
    now = {"a.py": (10, 0), "b.py": (10, 0), "new.py": (4, 4)}
    assert update(now) == now


def test_where_covered_code_goes_new_files_need_not_make_up_for_it() -> None:
    now = {"a.py": (1, 0), "b.py": (10, 5), "new.py": (1, 0)}
    assert update(now) == now


def test_where_no_file_is_left_of_before_it_begins_anew() -> None:
    now = {"new.py": (4, 2)}
    assert update(now, existing=set()) == now


def test_a_file_that_moved_is_no_new_one() -> None:
    assert update({"a.py": (10, 0), "folder/b.py": (10, 7)}, existing={"a.py"}) == {
        "a.py": (10, 0),
        "folder/b.py": (10, 5),
    }
