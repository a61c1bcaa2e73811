"""In what two trials of one test differ, of which the second ran on the mutant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from testlens.domain.calls import Raised
from testlens.domain.trials import Seen, Trial
from testlens.scaffold.assertions import calls_of, equal, is_unstable
from testlens.scaffold.staging import RESULT

_OWN = "_testlens_"  # what an attempt imports
_STAND_IN = "\x01unittest.mock:"
_ENDED = ("passed", "failed")

DifferenceKind = Literal["outcome", "exception", "message", "value"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One test tried on the original and on the mutant; `mutant` is None where the original did not run the change."""

    original: Trial
    mutant: Trial | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What tells the two apart: `claims` are assertions, in marked source, that hold for the original alone.

    `exception` is what the original raised, None where it came back; the claims then may be about `error.value`, too.
    `is_message` says that the words of its message differ.
    """

    claims: tuple[str, ...]
    exception: Raised | None = None
    is_message: bool = False


def difference(pair: Pair) -> Difference | None:
    """What a test can claim that holds for the original and not for the mutant; None where nothing was seen."""
    original, mutant = pair.original, pair.mutant
    if mutant is None or not _is_told(original):
        return None
    if mutant.outcome in ("timeout", "crashed"):
        return Difference((), original.raised)
    if not _is_told(mutant):
        return None
    if original.raised is not None:
        return _of_errors(original.raised, mutant.raised) or _of_traces(original, mutant)
    if mutant.raised is not None:
        return Difference(())
    claims = tuple(_claims(original.local_values, mutant.local_values))
    return Difference(claims) if claims else None


def _is_told(trial: Trial) -> bool:
    """Whether the trial came to an end of its own: it passed, or an exception of the code left it."""
    return trial.outcome in _ENDED and (trial.outcome == "passed" or trial.raised is not None)


def _of_traces(original: Trial, mutant: Trial) -> Difference | None:
    """Of two that raised the same exception: what they did before, to the collaborators and to the state."""
    claims = tuple(_claims(original.local_values, mutant.local_values))
    return Difference(claims, original.raised) if claims else None


def _of_errors(original: Raised, mutant: Raised | None) -> Difference | None:
    if mutant is None or mutant.type != original.type:
        return Difference((), original)
    is_message = original.message != mutant.message
    # What the message says already need not be claimed again.
    said = {repr(original.message), repr((original.message,))} if is_message else set()
    claims = tuple(
        claim
        for name, code in original.attributes.items()
        if mutant.attributes.get(name) != code and code not in said
        for claim in _equal(f"error.value.{name}", code)
    )
    return Difference(claims, original, is_message) if claims or is_message else None


def _claims(original: Mapping[str, Seen], mutant: Mapping[str, Seen]) -> Iterator[str]:
    """Assertions about each variable that differs, the result first."""
    for name in sorted(original, key=lambda name: (name != RESULT, name)):
        if name in mutant and not name.startswith(_OWN):
            yield from claims_about(name, original[name], mutant[name])


def claims_about(name: str, original: Seen, mutant: Seen) -> Iterator[str]:
    """Assertions that hold for what the original left in a variable, and not for what the mutant did."""
    if original.type != mutant.type:
        yield from _of_types(name, original)
    elif original.type.startswith(_STAND_IN):
        yield from calls_of(name, original, mutant) if original.calls != mutant.calls else ()
    elif original.code is not None:
        whole = list(_equal(name, original.code)) if original.code != mutant.code else []
        yield from whole
        if whole:
            return  # its parts are claimed with it
    elif original.iterable is not None and original.iterable != mutant.iterable:
        yield from _equal(f"list({name})", f"[{', '.join(original.iterable)}]")
    for attribute, code in original.attributes.items():
        if mutant.attributes.get(attribute) != code:
            yield from _equal(f"{name}.{attribute}", code)


def _of_types(name: str, original: Seen) -> Iterator[str]:
    if original.code is not None and not is_unstable(original.code):
        yield from _equal(name, original.code)
    elif original.iterable is not None:
        yield from _equal(f"list({name})", f"[{', '.join(original.iterable)}]")
    elif original.type == "NoneType":
        yield f"assert {name} is None"
    elif not original.type.startswith(_STAND_IN):
        yield f"assert isinstance({name}, {original.type})"


def _equal(subject: str, code: str) -> Iterator[str]:
    if not is_unstable(code) and _STAND_IN not in code:
        yield from equal(subject, code)
