"""What a test that the general search wrote looks like to the person who has to believe it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from unit.scaffold.recipes.writing import Bench

SOURCE = """
import subprocess


def announce(message):
    subprocess.Popen(["say", message])


def export(rows, target):
    with open(target, "w") as file:
        for row in rows:
            file.write(row)
    return len(rows)


def kind_of(reading, name):
    if name == "wind":
        return "wind"
    if len({reading for _ in name}) == 7:
        return "odd"
    return "plain"


def spin():
    while True:
        pass



def keep(reading):
    with open("readings.txt", "w") as file:
        file.write(reading)
    return True


def watcher(limit):
    def watch(sky):
        if sky.cloud is None:
            raise LookupError("no cloud")
        return limit

    return watch


def double(reading):
    return reading.strip() * 2
"""

KNOWN = """
from types import SimpleNamespace

import weather


def test_kinds():
    assert weather.kind_of("hot", "wind") == "wind"
    assert weather.kind_of("hot", "sun") == "plain"


def test_a_watch():
    assert weather.watcher(1)(SimpleNamespace(cloud="small")) == 1
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    files = {"test_weather.py": KNOWN}
    with Bench(tmp_path_factory.mktemp("weather"), SOURCE, files, budget=5.0) as made:
        yield made


def test_what_only_its_collaborator_shows_is_claimed_of_the_collaborator(bench: Bench) -> None:
    written = bench.write("subprocess.Popen", "bdd")

    assert written.cases == ("when_announce_is_called_then_calls_popen",)
    assert "assert popen.mock_calls == [" in written.text
    assert bench.red(written) == set()
    assert bench.red(written, {'["say", message]': '["say"]'}) == set(written.cases)


def test_a_file_is_written_in_a_folder_of_the_test_s_own(bench: Bench) -> None:
    written = bench.write("for row in rows", "bdd")

    assert 'tmp_path / "name"' in written.text
    before = set(bench.root.iterdir())
    assert bench.red(written) == set()
    assert set(bench.root.iterdir()) - before <= {bench.root / "__pycache__", bench.root / ".pytest_cache"}


def test_code_that_writes_where_it_stands_is_tested_somewhere_else(bench: Bench) -> None:
    written = bench.write("file.write(reading)", "bdd")

    assert "monkeypatch.chdir(tmp_path)" in written.text
    assert bench.red(written) == set()
    assert not (bench.root / "readings.txt").exists()


def test_a_table_of_boundaries_that_leads_past_the_gap_is_not_written(bench: Bench) -> None:
    written = bench.write('return "odd"', "parametrize")

    assert written.scaffold.todo is not None
    assert "parametrize" not in written.text


def test_a_call_that_never_ends_does_not_stand_before_what_is_left_to_do(bench: Bench) -> None:
    written = bench.write("        pass", "bdd")

    assert written.scaffold.todo is not None
    assert "did not end" in written.scaffold.todo
    assert "weather.spin(" not in written.text
    assert bench.red(written) == set(written.cases)


def test_a_wrong_use_is_not_shown_where_a_right_one_is(bench: Bench) -> None:
    written = bench.write("reading.strip() * 2", "bdd")

    assert "AttributeError" not in written.text
    assert bench.red(written) == set()


def test_an_inner_function_is_given_what_leads_to_the_gap(bench: Bench) -> None:
    written = bench.write('raise LookupError("no cloud")', "error-path")

    assert "cloud=None" in written.text
    assert bench.red(written) == set()
