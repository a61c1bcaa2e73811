"""Asynchronous code gets tests with an answer, of its cancellation and of an answer that never comes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from unit.scaffold.recipes.writing import Bench

FEED = """\
import asyncio


class Feed:
    def __init__(self, client, patience: float = 5.0) -> None:
        self._client = client
        self._patience = patience

    async def latest(self, city: str) -> str:
        try:
            answer = await asyncio.wait_for(self._client.latest(city), self._patience)
        except asyncio.TimeoutError:
            return "unknown"
        return answer.upper()

    async def watch(self, city: str) -> int:
        connection = await self._client.connect(city)
        try:
            return await connection.count()
        finally:
            await self._client.release(connection)

    async def steady(self, city: str) -> str:
        try:
            return await self._client.latest(city)
        except asyncio.CancelledError:
            return "stopped"

    async def each(self, cities: list[str]):
        for city in cities:
            yield await self._client.latest(city)

    async def nothing(self) -> int:
        return 1
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("weather"), FEED) as bench:
        yield bench


def test_an_answer_a_cancellation_and_the_code_s_own_time_limit_are_tried(bench: Bench) -> None:
    written = bench.write('return "unknown"', "async")
    assert written.cases == (
        "when_latest_answers_then_it_returns_done",
        "when_cancelled_while_latest_is_awaited_then_it_is_cancelled",
        "when_latest_takes_too_long_then_it_returns_unknown",
    )
    answered, cancelled, late = (written.test(name) for name in written.cases)
    assert 'assert result == "DONE"' in answered
    assert "task.cancel()" in cancelled
    assert "pytest.raises(asyncio.CancelledError)" in cancelled
    assert "feed._patience = 0.05" in late
    assert 'assert result == "unknown"' in late
    assert bench.red(written) == set()


def test_a_swallowed_cancellation_or_timeout_fails_a_test(bench: Bench) -> None:
    written = bench.write('return "unknown"', "async")
    _, cancelled, late = written.cases
    swallowed = {"except asyncio.TimeoutError": "except BaseException"}
    assert bench.red(written, swallowed) == {cancelled}
    assert bench.red(written, {'return "unknown"': "raise"}) == {late}


def test_silence_is_the_first_offer_where_the_gap_is_about_it(bench: Bench) -> None:
    assert bench.offers('return "unknown"')[0].recipe == "async"
    assert bench.offers("return await connection.count()")[-1].recipe != "async"


def test_what_the_code_cleans_up_is_claimed(bench: Bench) -> None:
    written = bench.write("return await connection.count()", "async")
    assert bench.red(written) == set()
    assert "release" in written.text
    assert bench.red(written, {"await self._client.release(connection)": "pass"})


def test_code_that_ends_well_when_cancelled_is_written_down_as_that(bench: Bench) -> None:
    written = bench.write('return "stopped"', "async")
    name = "when_cancelled_while_latest_is_awaited_then_it_ends_all_the_same"
    assert 'assert result == "stopped"' in written.test(name)
    assert bench.red(written) == set()


def test_a_caller_can_stop_waiting(bench: Bench) -> None:
    written = bench.write('return "stopped"', "async")
    assert not any("the_caller_can_stop_waiting" in name for name in written.cases)
    watching = bench.write("return await connection.count()", "async")
    assert any("the_caller_can_stop_waiting" in name for name in watching.cases)


def test_generators_and_code_that_waits_for_nothing_get_no_offer(bench: Bench) -> None:
    for line in ("yield await", "return 1"):
        assert "async" not in {offer.recipe for offer in bench.offers(line)}
