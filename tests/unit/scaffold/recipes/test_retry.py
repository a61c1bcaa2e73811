"""Code that tries again gets tests of how often, after what, and how long it waits; they fail when that changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from unit.scaffold.recipes.writing import Bench

WEATHER = """\
import asyncio
import functools
import random
import time
from dataclasses import dataclass

import backoff
import tenacity


class BusyError(Exception):
    pass


@dataclass(frozen=True)
class Policy:
    attempts: int = 4
    pause: float = 0.5

    def delays(self):
        for number in range(self.attempts - 1):
            yield random.uniform(0, self.pause * 2**number)


def persistent(*errors, policy=None, sleep=time.sleep):
    chosen = policy or Policy()

    def decorate(function):
        @functools.wraps(function)
        def attempt(*args, **kwargs):
            for delay in chosen.delays():
                try:
                    return function(*args, **kwargs)
                except errors:
                    print("failed:", function.__qualname__)
                    sleep(delay)
            return function(*args, **kwargs)

        return attempt

    return decorate


class Station:
    def __init__(self, session, max_retries: int = 3, sleep=time.sleep) -> None:
        self._session = session
        self._max_retries = max_retries
        self._sleep = sleep

    def upload(self, data: bytes) -> int:
        last = None
        for attempt in range(self._max_retries):
            try:
                return self._session.post("upload", data)
            except OSError as error:
                last = error
                time.sleep(0.5 * 2**attempt)
        raise BusyError("gave up") from last

    def status(self, city: str) -> str:
        pause = 1
        while True:
            try:
                return self._session.status(city)
            except BusyError as error:
                if "busy" not in str(error) or pause > 9:
                    raise
                self._sleep(pause)
                pause *= 3

    async def stream(self, city: str, attempts: int = 3) -> str:
        number = 0
        while True:
            try:
                return await self._session.stream(city)
            except ConnectionError:
                number += 1
                if number >= attempts:
                    raise
                await asyncio.sleep(number)

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type(ConnectionError), stop=tenacity.stop_after_attempt(4),
        wait=tenacity.wait_exponential(max=5), reraise=True,
    )
    def forecast(self, city: str) -> str:
        return self._session.get(city).json()["forecast"]

    @backoff.on_exception(backoff.expo, (ConnectionError, TimeoutError), max_tries=5)
    def names(self) -> list:
        return self._session.get("names")

    def all(self) -> list:
        return self._patiently(lambda: self._session.all())

    def _patiently(self, call):
        for delay in (1, 2):
            try:
                return call()
            except BusyError:
                self._sleep(delay)
        return call()

    @persistent(BusyError)
    def publish(self, text: str) -> str:
        return self._session.publish(text)

    def each(self, cities: list) -> list:
        found = []
        for city in cities:
            try:
                found.append(self._session.get(city))
            except KeyError:
                continue
        return found
"""
POLICY = """\
from urllib3 import PoolManager
from urllib3.util import Retry


def pool(total: int = 3) -> PoolManager:
    retries = Retry(total=total, backoff_factor=0.5, status_forcelist=[502, 503])
    return PoolManager(retries=retries)
"""
FIVE = ("recovers", "waits", "gives up", "refuses", "at once")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("weather"), WEATHER) as bench:
        yield bench


def test_a_loop_gets_five_tests_that_pass(bench: Bench) -> None:
    written = bench.write("time.sleep(0.5 * 2**attempt)", "retry")
    assert written.cases == (
        "when_post_fails_twice_then_the_third_attempt_succeeds",
        "when_post_keeps_failing_then_each_wait_is_twice_the_last",
        "when_post_always_fails_then_raises_busy_error_after_3_attempts",
        "when_post_fails_with_value_error_then_it_is_not_tried_again",
        "when_post_works_the_first_time_then_it_never_sleeps",
    )
    assert "assert slept == [0.5, 1.0, 2.0]" in written.test(written.cases[1])
    assert bench.red(written) == set()


def test_what_a_loop_promises_is_held(bench: Bench) -> None:
    written = bench.write("time.sleep(0.5 * 2**attempt)", "retry")
    recovers, waits, gives_up, refuses, at_once = written.cases
    once_less = {"range(self._max_retries)": "range(self._max_retries - 1)"}
    assert {recovers, gives_up} <= bench.red(written, once_less)
    assert bench.red(written, {"0.5 * 2**attempt": "0.5 * 3**attempt"}) == {waits}
    assert bench.red(written, {"except OSError as error": "except Exception as error"}) == {refuses}
    always_waits = {'return self._session.post("upload", data)': 'time.sleep(1); return self._session.post("", b"")'}
    assert at_once in bench.red(written, always_waits)


def test_failures_come_from_one_fixture_in_the_conftest(bench: Bench) -> None:
    written = bench.write("time.sleep(0.5 * 2**attempt)", "retry")
    conftest = written.scaffold.written.files["conftest.py"]
    assert conftest.count("def fails(") == 1
    assert 'fails(times=2, error=OSError("boom"), then=7)' in written.text
    assert "def fails(" not in written.text


def test_an_injected_sleep_is_recorded_and_the_message_decides(bench: Bench) -> None:
    written = bench.write("self._sleep(pause)", "retry")
    assert 'monkeypatch.setattr(station, "_sleep", slept.append)' in written.text
    assert "assert slept == [1, 3, 9]" in written.text
    assert 'fails(times=2, error=weather.BusyError("busy"), then="done")' in written.text
    assert bench.red(written) == set()
    assert len(bench.red(written, {'"busy" not in str(error)': '"busy" in str(error)'})) >= 3


def test_asynchronous_code_is_awaited_and_never_waits(bench: Bench) -> None:
    written = bench.write("await asyncio.sleep(number)", "retry")
    assert len(written.cases) == len(FIVE)
    assert "await station.stream(" in written.text
    assert "assert slept == [1, 2]" in written.text
    assert bench.red(written) == set()


def test_tenacity_is_tried_without_waiting(bench: Bench) -> None:
    written = bench.write('.json()["forecast"]', "retry")
    assert len(written.cases) == len(FIVE)
    assert "assert slept == [1.0, 2.0, 4.0]" in written.text
    assert "raises_the_last_error_after_4_attempts" in written.cases[2]
    assert bench.red(written) == set()
    assert bench.red(written, {"stop_after_attempt(4)": "stop_after_attempt(3)"}) == set(written.cases[1:3])


def test_backoff_shows_its_pauses_with_jitter_at_its_longest(bench: Bench) -> None:
    written = bench.write('self._session.get("names")', "retry")
    assert "assert slept == [1, 2, 4, 8]" in written.text
    assert 'monkeypatch.setattr(random, "uniform", lambda shortest, longest: longest)' in written.text
    assert bench.red(written) == set()


def test_a_decorator_of_the_project_is_tried_on_a_function_that_fails(bench: Bench) -> None:
    written = bench.write("sleep(delay)", "retry")
    flat = " ".join(written.text.split())
    assert "decorated = weather.persistent(ConnectionError, sleep=slept.append)( function )" in flat
    assert "assert slept == [0.5, 1.0, 2.0]" in written.text
    assert bench.red(written) == set()


def test_what_sleeps_out_of_reach_is_asked_for_the_bounds_of_its_jitter(bench: Bench) -> None:
    written = bench.write("return self._session.publish(text)", "retry")
    assert "assert uniform.call_args_list == [call(0, 0.5), call(0, 1.0), call(0, 2.0)]" in written.text
    assert "raises_the_last_error_after_4_attempts" in written.cases[2]
    assert bench.red(written) == set()


def test_a_caller_of_retrying_code_is_offered_it_less_eagerly(bench: Bench) -> None:
    fitness = {offer.recipe: offer.fitness for offer in bench.offers("self._patiently(lambda")}
    assert 0 < fitness["retry"] < 60
    written = bench.write("self._patiently(lambda", "retry")
    assert "assert slept == [1, 2]" in written.text
    assert bench.red(written) == set()


def test_a_loop_over_things_is_no_retry(bench: Bench) -> None:
    assert "retry" not in {offer.recipe for offer in bench.offers("self._session.get(city))")}


def test_where_nothing_may_run_what_is_unknown_is_a_todo(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Bench(tmp_path_factory.mktemp("weather"), WEATHER, budget=0) as bench:
        written = bench.write("time.sleep(0.5 * 2**attempt)", "retry")
        recovers, at_once, left_open = written.cases
        assert "assert post.call_count == 3" in written.test(recovers)
        assert "assert post.call_count == 1" in written.test(at_once)
        assert "pytest.fail(" in written.test(left_open)
        assert "3 times, as the code reads" in " ".join(written.text.split())
        assert bench.red(written) == {left_open}


def test_a_policy_for_urllib3_is_held_to_its_attempts_pauses_and_statuses(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Bench(tmp_path_factory.mktemp("weather"), POLICY) as bench:
        assert bench.offers("Retry(total=total")[0].recipe == "retry"
        written = bench.write("Retry(total=total", "retry")
        gives_up, statuses = written.cases
        assert "it_gives_up_after_3_retries" in gives_up
        assert "assert waits == [0, 1.0, 2.0]" in written.test(gives_up)
        assert bench.red(written) == set()
        assert bench.red(written, {"total: int = 3": "total: int = 2"}) == {gives_up}
        assert bench.red(written, {"[502, 503]": "[502]"}) == {statuses}
