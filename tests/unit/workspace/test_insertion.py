"""A scaffold goes into its files whole, or not at all: never over somebody else's work."""

from __future__ import annotations

from pathlib import Path

import pytest

from testlens.scaffold.edits import Edit, apply
from testlens.scaffold.render import Written
from testlens.workspace.insertion import insert

OLD = "import shop\n\n\ndef test_old():\n    assert shop\n"
ADDED = "\n\ndef test_new():\n    assert shop.price(1) == 1\n"


def scaffold(old: str = OLD, added: str = ADDED, **new: str) -> Written:
    """A test for the end of `tests/test_shop.py`, whose text is `old`; and files that do not exist yet."""
    end = len(old.splitlines()) + 1
    edits = (Edit("tests/test_shop.py", end, end, added), *(Edit(path, 1, 1, text) for path, text in new.items()))
    files = {"tests/test_shop.py": apply(old, edits[:1]), **new}
    return Written(files, edits, "tests/test_shop.py", ("tests/test_shop.py::test_new",), ("test_new",), {})


@pytest.fixture
def test_file(tmp_path: Path) -> Path:
    file = tmp_path / "tests" / "test_shop.py"
    file.parent.mkdir()
    file.write_bytes(OLD.encode())
    return file


def test_the_test_is_added_to_its_file_and_new_files_are_created(tmp_path: Path, test_file: Path) -> None:
    written = scaffold(**{"tests/bdd/conftest.py": "import pytest\n"})
    assert insert(tmp_path, written) is None
    assert test_file.read_text() == OLD + ADDED
    assert (tmp_path / "tests/bdd/conftest.py").read_text() == "import pytest\n"


def test_windows_line_ends_and_a_byte_order_mark_stay(tmp_path: Path, test_file: Path) -> None:
    old = "\ufeff" + OLD.replace("\n", "\r\n")
    test_file.write_bytes(old.encode())
    assert insert(tmp_path, scaffold(old, ADDED.replace("\n", "\r\n"))) is None
    assert test_file.read_bytes() == (old + ADDED.replace("\n", "\r\n")).encode()


def test_a_file_that_changed_meanwhile_is_left_alone_and_so_are_the_others(tmp_path: Path, test_file: Path) -> None:
    edited = OLD.replace("test_old", "test_older")
    test_file.write_text(edited)
    problem = insert(tmp_path, scaffold(**{"tests/conftest.py": "import pytest\n"}))
    assert problem is not None
    assert problem.path == "tests/test_shop.py"
    assert test_file.read_text() == edited
    assert not (tmp_path / "tests/conftest.py").exists()


def test_a_file_that_appeared_meanwhile_is_left_alone(tmp_path: Path, test_file: Path) -> None:
    (tmp_path / "tests/conftest.py").write_text("# mine\n")
    assert insert(tmp_path, scaffold(**{"tests/conftest.py": "import pytest\n"})) is not None
    assert (tmp_path / "tests/conftest.py").read_text() == "# mine\n"
    assert test_file.read_text() == OLD


def test_a_file_that_went_away_meanwhile_does_not_come_back_in_part(tmp_path: Path, test_file: Path) -> None:
    test_file.unlink()
    assert insert(tmp_path, scaffold()) is not None
    assert not test_file.exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, test_file: Path) -> None:
    (tmp_path / "blocked").write_text("a file where a folder should be")
    problem = insert(tmp_path, scaffold(**{"blocked/conftest.py": "import pytest\n"}))
    assert problem is not None
    assert problem.path == "blocked/conftest.py"


def test_permissions_and_links_stay_and_nothing_else_is_left_behind(tmp_path: Path, test_file: Path) -> None:
    test_file.chmod(0o640)
    real = test_file.rename(tmp_path / "elsewhere.py")
    test_file.symlink_to(real)
    assert insert(tmp_path, scaffold()) is None
    assert test_file.is_symlink()
    assert real.read_text() == OLD + ADDED
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in test_file.parent.iterdir()) == ["test_shop.py"]
