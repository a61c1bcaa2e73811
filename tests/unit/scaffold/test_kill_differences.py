"""What tells a mutant from the original becomes an assertion; what changes from run to run does not."""

from __future__ import annotations

import pytest

from testlens.domain.calls import Raised
from testlens.domain.expressions import mark
from testlens.domain.trials import Seen, Trial, TrialOutcome
from testlens.scaffold.kill.differences import Difference, Pair, difference

ERROR = mark("shop", "OutOfStockError")
MOCK = mark("unittest.mock", "MagicMock")


def returned(code: str | None, **attributes: str) -> Trial:
    return Trial("passed", local_values={"result": Seen("int", code, attributes=attributes)})


def raised(said: str = "none left", kind: str = ERROR, **attributes: str) -> Trial:
    return Trial("failed", raised=Raised(kind, said, 3, attributes))


def told(original: Trial, mutant: Trial | None) -> Difference | None:
    return difference(Pair(original, mutant))


def test_another_result_is_claimed_to_be_the_originals() -> None:
    assert told(returned("5"), returned("6")) == Difference(("assert result == 5",))


def test_another_attribute_of_the_result_is_claimed() -> None:
    assert told(returned(None, size="1"), returned(None, size="2")) == Difference(("assert result.size == 1",))


@pytest.mark.parametrize("value", ["0.1", "-1.5e-07", "[0.1, 2]", "(0.30000000000000004, None)"])
def test_floats_are_claimed_nearly(value: str) -> None:
    claim = f"assert result == {mark('pytest', 'approx')}({value})"
    assert told(returned(value), returned("7")) == Difference((claim,))


def test_what_a_stand_in_was_called_with_is_claimed() -> None:
    calls = [(f"{mark('unittest.mock', 'call')}.put({number})",) for number in (1, 2)]
    original, mutant = (Trial("passed", local_values={"store": Seen(MOCK, f"{MOCK}()", one)}) for one in calls)
    assert told(original, mutant) == Difference((f"assert store.mock_calls == [{calls[0][0]}]",))


def test_what_python_does_with_a_stand_in_is_not_claimed() -> None:
    call = mark("unittest.mock", "call")
    noise = (f"{call}.__bool__()", f"{call}.put().__getitem__('Id')", f"{call}.put().__getitem__().__str__()")
    given = [(noise[0], f"{call}.ask(1)", f"{call}.put({number})", *noise[1:]) for number in (1, 2)]
    original, mutant = (Trial("passed", local_values={"store": Seen(MOCK, f"{MOCK}()", one)}) for one in given)
    assert told(original, mutant) == Difference(("store.put.assert_called_once_with(1)",))


def test_what_was_done_to_what_a_stand_in_gave_is_claimed_where_that_tells_them_apart() -> None:
    call = mark("unittest.mock", "call")
    given = [(f"{call}.Table('a')", f"{call}.Table().put({one})", f"{call}.Table().put(3)") for one in (1, 2)]
    original, mutant = (Trial("passed", local_values={"store": Seen(MOCK, f"{MOCK}()", one)}) for one in given)
    claim = f"assert store.Table.return_value.put.call_args_list == [{call}(1), {call}(3)]"
    assert told(original, mutant) == Difference((claim,))


def test_what_was_done_before_both_raised_the_same_tells_them_apart() -> None:
    call = mark("unittest.mock", "call")
    failed = raised()
    both = [
        Trial("failed", raised=failed.raised, local_values={"store": Seen(MOCK, f"{MOCK}()", (f"{call}.undo({one})",))})
        for one in (1, 2)
    ]
    assert told(*both) == Difference((f"assert store.mock_calls == [{call}.undo(1)]",), failed.raised)


def test_what_only_one_of_them_raises_tells_them_apart() -> None:
    assert told(returned("5"), raised()) == Difference(())
    original = raised()
    assert told(original, returned("5")) == Difference((), original.raised)
    assert told(original, raised(kind="KeyError")) == Difference((), original.raised)


def test_the_words_of_a_message_and_attributes_of_an_exception_tell_them_apart() -> None:
    original = raised(left="1")
    assert told(original, raised("XXnone leftXX", left="1")) == Difference((), original.raised, is_message=True)
    assert told(original, raised(left="2")) == Difference(("assert error.value.left == 1",), original.raised)


def test_what_the_message_says_is_not_claimed_twice() -> None:
    original = raised(message="'none left'", args="('none left',)")
    mutant = raised("None", message="None", args="(None,)")
    assert told(original, mutant) == Difference((), original.raised, is_message=True)


def test_a_mutant_that_never_ends_is_told_apart_without_a_claim() -> None:
    assert told(returned("5"), Trial("timeout")) == Difference(())


@pytest.mark.parametrize("code", ["0x7f3a2b1c", "'/tmp/pytest-of-me/x'"])
def test_addresses_and_temporary_folders_are_not_claimed(code: str) -> None:
    assert told(returned(code), returned("6")) is None


@pytest.mark.parametrize("outcome", ["error", "blocked", "crashed", "timeout", "skipped"])
def test_an_original_that_came_to_no_end_tells_nothing(outcome: TrialOutcome) -> None:
    assert told(Trial(outcome), returned("6")) is None


def test_the_same_and_what_the_mutant_did_not_run_tell_nothing() -> None:
    assert told(returned("5"), returned("5")) is None
    assert told(raised(), raised()) is None
    assert told(returned("5"), None) is None
