"""Code that works in chunks gets tests of none, one, a full chunk, one more, and of a part that fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from unit.scaffold.recipes.writing import Bench

STORE = """\
from itertools import islice

SIZE = 10
LARGE = 500


class ServiceError(Exception):
    pass


class Store:
    def __init__(self, client, page: int = 4) -> None:
        self._client = client
        self._page = page

    def send_all(self, names: list[str]) -> list[str]:
        refused = []
        for start in range(0, len(names), SIZE):
            chunk = names[start : start + SIZE]
            try:
                response = self._client.send_batch(Entries=list(chunk))
            except ServiceError:
                refused.extend(chunk)
                continue
            for failure in response.get("Failed", ()):
                refused.append(chunk[int(failure["Index"])])
        return refused

    def count_all(self, numbers: list[int]) -> int:
        total = 0
        for start in range(0, len(numbers), LARGE):
            total += self._client.count(numbers[start : start + LARGE])
        return total

    def put_all(self, names):
        rest = sorted(set(names))
        while rest:
            self._client.put(rest[: self._page])
            rest = rest[self._page :]

    def bytes_of(self, text: str) -> list[str]:
        return [text[start : start + 2] for start in range(0, len(text), 2)]


def triples(items):
    found = []
    for start in range(0, len(items), 3):
        found.append(tuple(islice(items, start, start + 3)))
    return found
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("weather"), STORE) as bench:
        yield bench


def test_the_sizes_around_a_chunk_are_tried_and_what_was_not_taken(bench: Bench) -> None:
    written = bench.write("self._client.send_batch", "batch")
    assert written.cases == (
        "when_there_are_no_names_then_no_request_is_made",
        "when_there_is_one_name_then_one_request_is_made",
        "when_10_names_fill_one_chunk_then_one_request_is_made",
        "when_there_are_11_names_then_two_requests_are_made",
        "when_the_first_name_is_not_taken_then_the_result_says_so",
        "when_the_first_send_batch_fails_then_the_result_says_so",
    )
    assert 'request.kwargs["Entries"]' in written.test(written.cases[3])
    assert "== [10, 1]" in " ".join(written.test(written.cases[3]).split())
    assert "assert len(result) == 10" in written.text or 'assert result == ["name-0"' in written.text
    assert bench.red(written) == set()


def test_a_chunk_of_another_size_or_a_forgotten_rest_fails_a_test(bench: Bench) -> None:
    written = bench.write("self._client.send_batch", "batch")
    _, _, full, over, taken, fails = written.cases
    assert {over} <= bench.red(written, {"SIZE = 10": "SIZE = 11"})
    assert {full} <= bench.red(written, {"SIZE = 10": "SIZE = 9"})
    assert bench.red(written, {"refused.extend(chunk)": "pass"}) == {fails}
    assert bench.red(written, {'refused.append(chunk[int(failure["Index"])])': "pass"}) == {taken}


def test_large_chunks_are_made_small(bench: Bench) -> None:
    written = bench.write("self._client.count", "batch")
    assert 'monkeypatch.setattr(weather, "LARGE", 3)' in written.text
    assert "== [3, 1]" in " ".join(written.text.split())
    assert bench.red(written) == set()


def test_a_rest_that_is_eaten_in_chunks_is_a_batch(bench: Bench) -> None:
    written = bench.write("self._client.put(", "batch")
    assert "== [4, 1]" in " ".join(written.text.split())
    assert bench.red(written) == set()
    assert bench.red(written, {"page: int = 4": "page: int = 5"})


def test_pairs_and_triples_are_no_batches(bench: Bench) -> None:
    for line in ("found.append(tuple", "text[start : start + 2]"):
        assert "batch" not in {offer.recipe for offer in bench.offers(line)}
