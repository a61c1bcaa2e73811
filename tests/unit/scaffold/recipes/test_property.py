"""Pure functions with types get properties that Hypothesis tried and found to hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from unit.scaffold.recipes.writing import Bench

TEXTS = '''\
import time


class CodeError(ValueError):
    pass


def encode(text: str) -> bytes:
    return bytes(ord(letter) % 256 for letter in text) if text.isascii() else text.encode("utf-16")


def pack_words(words: list[str]) -> str:
    return "|".join(word.replace("%", "%25").replace("|", "%7C") for word in words) + "|"


def unpack_words(packed: str) -> list[str]:
    return [word.replace("%7C", "|").replace("%25", "%") for word in packed.split("|")[:-1]]


def normalise_spaces(text: str) -> str:
    return " ".join(text.split())


def strip_once(text: str) -> str:
    return text[1:] if text.startswith("x") else text


def total(numbers: list[int]) -> int:
    return sum(numbers)


def total_slow(numbers: list[int]) -> int:
    found = 0
    for number in numbers:
        found += number
    return found


def parse_age(text: str) -> int:
    """The age; raises `CodeError` for what is none."""
    if not text.isdecimal():
        raise CodeError(text)
    return int(text)


def share(part: int, whole: int) -> float:
    return part / whole


def stamp(text: str) -> str:
    return f"{time.time()} {text}"


def untyped(text):
    return text or None
'''


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    settings = "[pytest]\naddopts = -p no:pytest-lsp -p no:timeout -p no:asyncio\n"
    with Bench(tmp_path_factory.mktemp("weather"), TEXTS, {"pytest.ini": settings}) as bench:
        yield bench


def test_a_pair_of_functions_makes_a_round_trip(bench: Bench) -> None:
    written = bench.write("for word in words", "property")
    assert written.cases[0] == "unpack_words_undoes_pack_words"
    text = " ".join(written.test(written.cases[0]).split())
    assert "weather.unpack_words(weather.pack_words(words)) == words" in text
    assert "strategies.lists(strategies.text())" in " ".join(written.text.split())
    assert bench.red(written) == set()
    assert written.cases[0] in bench.red(written, {'packed.split("|")[:-1]': 'packed.split("|")'})


def test_what_a_name_promises_is_kept_where_it_holds(bench: Bench) -> None:
    written = bench.write('" ".join(text.split())', "property")
    assert "normalise_spaces_twice_is_as_once" in written.cases
    assert bench.red(written) == set()
    assert "strip_once_twice_is_as_once" not in bench.write('text.startswith("x")', "property").cases


def test_two_ways_to_the_same_result_are_compared(bench: Bench) -> None:
    written = bench.write("found += number", "property")
    assert "total_slow_does_the_same_as_total" in written.cases
    assert bench.red(written) == set()
    assert "total_slow_does_the_same_as_total" in bench.red(written, {"found += number": "found -= number"})


def test_documented_exceptions_are_answers_as_well(bench: Bench) -> None:
    written = bench.write("return int(text)", "property")
    assert "suppress(" in written.text
    assert "CodeError" in written.text
    assert "# Recorded" not in written.text
    assert bench.red(written) == set()
    assert bench.red(written, {"raise CodeError(text)": "raise RuntimeError(text)"})


def test_what_is_raised_today_and_documented_nowhere_is_marked_as_such(bench: Bench) -> None:
    written = bench.write("return part / whole", "property")
    assert bench.red(written) == set()
    assert "ZeroDivisionError" not in written.text or "# Recorded" in written.text


def test_effects_and_missing_types_get_no_offer(bench: Bench) -> None:
    for line in ("time.time()", "return text or None"):
        assert "property" not in {offer.recipe for offer in bench.offers(line)}


def test_hypothesis_is_named_where_the_project_lacks_it() -> None:
    from testlens.scaffold.recipes.properties import Property
    from testlens.scaffold.style import Style
    from unit.scaffold.recipes.targets import target_at

    offer = Property().offer(target_at(TEXTS, "return int(text)"), Style())
    assert offer is not None
    assert offer.needs == ("hypothesis",)
    assert "install" in offer.title
