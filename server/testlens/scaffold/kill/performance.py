"""One input that is tried on both: a call, what is looked at besides its result, and how a test tells what differs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from testlens.domain.calls import Raised
from testlens.domain.cases import Case, Step
from testlens.domain.expressions import mark
from testlens.domain.trials import Trial
from testlens.scaffold.assertions import Circumstance, conclude, is_unstable, stable_part, trying
from testlens.scaffold.kill.collaborators import with_named_stand_ins
from testlens.scaffold.kill.differences import Difference
from testlens.scaffold.scene import Scene
from testlens.scaffold.staging import RESULT, Staged, stage, without_result
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.words import outcome_of, test_name

OUTCOME = "outcome"
Subject = Literal["receiver", "result"]
Channel = Literal["output", "log", "warnings"]
"""What a call may leave besides its result and its state: text that it prints, records of logging, warnings."""

_FIXTURES: dict[Channel, str] = {"output": "capsys", "log": "caplog", "warnings": "recwarn"}
_LOOKS: dict[Channel, str] = {
    "output": "output, errors = capsys.readouterr()",
    "log": "logged = caplog.messages",
    "warnings": "warned = [str(each.message) for each in recwarn]",
}
_LOGGING = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})
_PRINTING = frozenset({"print", "echo", "secho", "write", "writelines", "pprint", "print_exc"})
_MOST_CLAIMS = 4
_CLOCK = re.compile(r"\d{8,}")  # most likely a time, or what was counted from one
_LONGEST_PATTERN = 100


@dataclass(frozen=True, slots=True)
class Probe:
    """A further call that shows the state which the first one left: a method of its receiver, or of its result.

    `arguments` is marked source for what stands between the parentheses, None for a property. `is_again` says that the
    call itself is made a second time.
    """

    subject: Subject
    method: str
    arguments: str | None
    fixtures: tuple[str, ...] = ()
    is_again: bool = False


AGAIN = Probe("receiver", "", None, is_again=True)


@dataclass(frozen=True, slots=True)
class Performance:
    """A scene, what is asked afterwards, and which channels are looked at.

    `constructor` has the names of the parameters of the class that a method belongs to: what stands in there for a
    collaborator is called like that. `is_seeded` where what the call does by chance has to be the same each time.
    """

    scene: Scene
    probe: Probe | None = None
    channels: frozenset[Channel] = frozenset()
    constructor: tuple[str, ...] = ()
    is_seeded: bool = False

    @property
    def key(self) -> str:
        """Equal for performances that do the same."""
        return f"{self.scene.key} {self.probe} {sorted(self.channels)}"

    @property
    def cost(self) -> int:
        """How far it is from what a person would write."""
        return self.scene.cost + (4 if self.probe is not None else 0) + (4 if self.channels else 0)

    def attempt(self, style: Style) -> Case:
        """As a case that claims nothing and leaves everything to be looked at."""
        case = trying(self.scene, style)
        staged, _ = self._staged(style)
        looks = tuple(_LOOKS[channel] for channel in sorted(self.channels))
        given = Step("", staged.given)
        return replace(case, given=given, when=Step("", staged.when), then=Step("", looks), fixtures=staged.fixtures)

    def telling(self, difference: Difference, trial: Trial, words: Circumstance, style: Style) -> Case | None:
        """The test that claims what differs; None where that cannot be claimed from run to run."""
        claims = difference.claims[:_MOST_CLAIMS]
        used = "\n".join(claims)
        staged, stand_ins = self._staged(style)
        if not any(re.search(rf"\b{name}\b", used) for name in stand_ins):
            staged = self._finished(stage(self.scene, style))
        if difference.exception is not None:
            return self._raising(staged, difference, difference.exception, words)
        if not difference.claims and self.probe is None:
            # The mutant raises where the original comes back: all that it did is the claim.
            return _complete(conclude(self.scene, trial, words, style))
        seen = trial.local_values.get(OUTCOME if self.probe is not None else RESULT)
        outcome = outcome_of(seen.code if seen is not None else None, None)
        looks = tuple(_LOOKS[channel] for channel in sorted(self.channels) if _shows(channel, used))
        is_used = self.probe is not None or re.search(rf"\b{RESULT}\b", used) is not None
        case = Case(
            name=test_name(words.special, outcome),
            given=Step(words.given, staged.given),
            when=Step(words.when, staged.when if is_used else without_result(staged.when)),
            then=Step(f"it {outcome}".replace("it it", "it"), (*looks, *claims)),
            fixtures=staged.fixtures,
            is_async=staged.is_async,
            records_today=True,
        )
        return case if claims else None

    def _staged(self, style: Style) -> tuple[Staged, frozenset[str]]:
        """With each stand-in under a name, so that the calls it got are seen; and these names."""
        staged = stage(self.scene, style)
        taken = {RESULT, OUTCOME, *staged.names.values(), *staged.fixtures}
        given, stand_ins = with_named_stand_ins(staged.given, taken, self.constructor)
        return self._finished(replace(staged, given=given)), stand_ins

    def _finished(self, staged: Staged) -> Staged:
        fixtures = [*staged.fixtures, *(_FIXTURES[channel] for channel in sorted(self.channels))]
        given, when = staged.given, staged.when
        if "log" in self.channels:
            given = (*given, 'caplog.set_level("DEBUG")')
        if self.is_seeded:
            given = (f"{mark('random', '')}.seed(1)", *given)
        if self.probe is not None and self.probe.is_again:
            when = (*without_result(when), *_called_as(OUTCOME, when))
        elif self.probe is not None:
            fixtures += self.probe.fixtures
            subject = RESULT if self.probe.subject == "result" else staged.names["receiver"]
            if self.probe.subject == "receiver":
                when = without_result(when)
            call = "" if self.probe.arguments is None else f"({self.probe.arguments})"
            when = (*when, f"{OUTCOME} = {subject}.{self.probe.method}{call}")
        return replace(staged, given=given, when=when, fixtures=tuple(dict.fromkeys(fixtures)))

    def _raising(self, staged: Staged, difference: Difference, raised: Raised, words: Circumstance) -> Case:
        is_exact = difference.is_message and not is_unstable(raised.message) and _CLOCK.search(raised.message) is None
        matching = _pattern(raised.message) if is_exact else stable_part(raised.message)
        claims = tuple(claim for claim in difference.claims if _CLOCK.search(claim) is None)[:_MOST_CLAIMS]
        if is_exact and not matching:
            claims = (f"assert str(error.value) == {raised.message!r}", *claims)
        named = " as error" if any("error.value" in claim for claim in claims) else ""
        match = f", match={matching}" if matching else ""
        when = staged.when if self.probe is not None else without_result(staged.when)
        before: tuple[str, ...] = ()
        if self.probe is not None and self.probe.is_again:
            before, when = when[:-1], tuple(line.removeprefix(f"{OUTCOME} = ") for line in when[-1:])
        body = "\n".join(f"    {line}" for line in "\n".join(when).split("\n"))
        outcome = outcome_of(None, raised.type)
        return Case(
            name=test_name(words.special, outcome),
            given=Step(words.given, (*staged.given, *before)),
            when=Step(words.when, (f"with {mark('pytest', 'raises')}({raised.type}{match}){named}:\n{body}",)),
            then=Step(f"it {outcome}", claims),
            fixtures=staged.fixtures,
            is_async=staged.is_async,
            records_today=True,
        )


def _called_as(name: str, when: tuple[str, ...]) -> tuple[str, ...]:
    """The call of a When with its result under another name."""
    return tuple(line.replace(f"{RESULT} = ", f"{name} = ", 1) for line in when)


def channels_of(statement: ast.stmt) -> frozenset[Channel]:
    """What the calls in a statement may leave that is neither a result nor a state."""
    return frozenset(_channels(statement))


def is_left_to_chance(function: ast.AST) -> bool:
    """Whether a function draws from the generator of the module `random`, as far as one can read."""
    return any(isinstance(node, ast.Name) and node.id == "random" for node in ast.walk(function))


def constructor_parameters(target: Target) -> tuple[str, ...]:
    """The names of what the class of a method is built with."""
    for node in target.owner.body if target.owner is not None else ():
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return tuple(argument.arg for argument in [*node.args.posonlyargs, *node.args.args][1:])
    return ()


def _channels(statement: ast.stmt) -> Iterator[Channel]:
    for node in ast.walk(statement):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in _LOGGING:
                yield "log"
                if name == "warn":
                    yield "warnings"
            case ast.Call(func=ast.Name(id="warn")):
                yield "warnings"
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _PRINTING:
                yield "output"


def _shows(channel: Channel, claims: str) -> bool:
    names = {"output": ("output", "errors"), "log": ("logged",), "warnings": ("warned",)}[channel]
    return any(re.search(rf"\b{name}\b", claims) for name in names)


def _complete(case: Case) -> Case | None:
    return None if case.todo is not None else case


def _pattern(message: str) -> str:
    """A pattern, in source, for exactly this message; empty where it is too long for one."""
    if "\n" in message or len(message) > _LONGEST_PATTERN:
        return ""
    pattern = re.escape(message)
    for plain in (" ", "-", "'", '"', ",", ":", "#", "&", "~", "`", "@", "!", "%", "/", "<", ">", "=", ";"):
        pattern = pattern.replace(f"\\{plain}", plain)
    text = f"^{pattern}$"
    if "\\" not in text:
        return repr(text)
    return f'r"{text}"' if '"' not in text else f"r'{text}'" if "'" not in text else repr(text)
