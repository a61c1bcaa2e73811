"""Code that gives up at the first failure can get the failing tests first: red today, green once it retries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from unit.scaffold.recipes.writing import Bench

CLIENT = """\
import time
from urllib.request import urlopen


class Uploader:
    def __init__(self, url: str) -> None:
        self._url = url

    def upload(self, data: bytes) -> bytes:
        with urlopen(self._url, data) as answer:
            return answer.read()


def upload_patiently(url: str, data: bytes) -> bytes:
    for pause in (1, 2):
        try:
            return urlopen(url, data).read()
        except OSError:
            time.sleep(pause)
    return urlopen(url, data).read()


def double(number: int) -> int:
    return number * 2
"""
ONCE = """\
        with urlopen(self._url, data) as answer:
            return answer.read()
"""
PATIENTLY = """\
        for pause in (1, 2):
            try:
                return urlopen(self._url, data).read()
            except OSError:
                time.sleep(pause)
        return urlopen(self._url, data).read()
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("weather"), CLIENT) as bench:
        yield bench


def test_the_tests_are_red_today_and_green_once_it_retries(bench: Bench) -> None:
    written = bench.write("with urlopen(self._url, data)", "tdd-retry")
    assert written.cases == (
        "when_urlopen_fails_twice_then_the_third_attempt_succeeds",
        "when_urlopen_fails_twice_then_it_waits_longer_each_time",
        "when_urlopen_always_fails_then_it_gives_up_after_3_attempts",
    )
    assert bench.red(written) == set(written.cases)
    assert bench.red(written, {ONCE: PATIENTLY}) == set()


def test_the_message_says_what_to_build(bench: Bench) -> None:
    text = bench.write("with urlopen(self._url, data)", "tdd-retry").text
    joined = text.replace('"\n        "', "")
    assert "`Uploader.upload` does not retry yet: call `urlopen` again when it raises URLError" in joined
    assert "retry_count" in text
    assert "success" in text


def test_it_is_offered_last_and_says_that_it_will_fail(bench: Bench) -> None:
    offer = bench.offers("with urlopen(self._url, data)")[-1]
    assert offer.recipe == "tdd-retry"
    assert offer.title == "Write the failing test first: `upload` retries with exponential backoff"


def test_code_that_retries_or_stays_inside_gets_no_offer(bench: Bench) -> None:
    for line in ("time.sleep(pause)", "return number * 2"):
        assert "tdd-retry" not in {offer.recipe for offer in bench.offers(line)}
