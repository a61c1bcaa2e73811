"""Tests of code that uses AWS, with moto in its place: it works, nothing is there, requests are refused."""

from __future__ import annotations

import ast
import re

from testlens.domain.cases import Case, Draft, Helper
from testlens.scaffold.assertions import Circumstance
from testlens.scaffold.recipe import Knowledge, Offer, Search
from testlens.scaffold.recipes.aws_async import asynchronous_scenarios, is_asynchronous
from testlens.scaffold.recipes.aws_code import AwsCode
from testlens.scaffold.recipes.aws_names import OPERATIONS, THINGS
from testlens.scaffold.recipes.aws_scenarios import further, led, ordinary
from testlens.scaffold.recipes.aws_world import Stage, World, stage_at, variants, worlds
from testlens.scaffold.recipes.beyond import beyond, named_apart, remaining
from testlens.scaffold.recipes.module_map import ModuleMap, Place
from testlens.scaffold.recipes.phrases import called
from testlens.scaffold.recipes.scenarios import Shown, Trying, chosen, confirmed, reached, tried
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.words import camel, circumstance, subject_in_words

_FITS, _FITS_INDIRECTLY, _FITS_WITHOUT_MOTO = 74, 66, 35
_TELLING = frozenset(OPERATIONS) - {"query", "scan", "publish"}
_PACKAGES = frozenset({"boto3", "botocore", "aioboto3", "aiobotocore"})
_TOGETHER = 32
_MOST_ENTRIES = 2
_MOST_CASES = 6


class Aws:
    """The recipe for boto3 clients and resources."""

    name = "aws"

    def offer(self, target: Target, style: Style) -> Offer | None:
        """Offered where the function makes requests to AWS, or handles what AWS answers to others of its module."""
        services = _services(target)
        if services is None:
            return None
        things = dict.fromkeys(THINGS.get(service, service) for service in services)
        if is_asynchronous(target.tree):
            title = f"Test `{target.function.name}` with a stand-in for AWS, and with errors of AWS"
            return Offer(self.name, title, _FITS_INDIRECTLY)
        if things:
            title = f"Test `{target.function.name}` against a {' and a '.join(things)} of moto, and with errors of AWS"
        else:
            title = f"Test `{target.function.name}` with moto in the place of AWS"
        if "moto" not in style.libraries:
            return Offer(self.name, f"{title} (adds moto)", _FITS_WITHOUT_MOTO, ("moto",))
        return Offer(self.name, title, _FITS if things else _FITS_INDIRECTLY)

    def search(self, target: Target, knowledge: Knowledge) -> Search:
        """Show what the function does with AWS as moto plays it, then whatever else reaches the gap."""
        functions = ModuleMap(target.tree)
        code = AwsCode(target.tree, functions)
        done: list[tuple[Shown, Case]] = []
        helpers: tuple[Helper, ...] = ()
        for entry in _entries(target, functions, code)[:_MOST_ENTRIES]:
            stage = stage_at(target, knowledge, entry, code, functions)
            shown, helpers = yield from _shown_on(stage, target)
            picked = chosen(shown, target, _MOST_CASES)
            if any(reached(target, one.trial) for one in picked):
                done = list((yield from confirmed(picked, knowledge.style, helpers)))
                break
        cases = tuple(case for _, case in done)
        left = remaining(target, [one.trial for one, _ in done])
        if left is not None:
            more = yield from beyond(left, knowledge, _words(left), are_wanted=not cases)
            cases += more
        group = camel(target.function.name.strip("_") or target.function.name)
        return Draft(self.name, group, named_apart(cases), helpers if done else ())


_REQUEST = re.compile(r"boto3 (?:([\w-]+) )?`(\w+)`|`(\w+)`")


def _services(target: Target) -> list[str] | None:
    """The services that the function asks itself; empty where others do it for it, None where AWS is not asked."""
    if not any(_imports_aws(node) for node in target.tree.body):
        return None
    services = []
    for marker in target.markers:
        found = _REQUEST.fullmatch(marker.detail)
        if found is not None:
            services.append(found[1] or OPERATIONS.get(found[2] or found[3], ("",))[0])
    services = [service for service in services if service]
    return services if services or _has_to_do_with_errors(target) or _calls_what_asks(target) else None


def _has_to_do_with_errors(target: Target) -> bool:
    """Whether the function handles or is given what AWS refuses."""
    arguments = target.function.args
    annotations = [ast.unparse(argument.annotation) for argument in arguments.args if argument.annotation is not None]
    words = [*annotations, *(marker.detail for marker in target.markers)]
    return any("ClientError" in word or "BotoCoreError" in word for word in words)


def _calls_what_asks(target: Target) -> bool:
    """Whether the function calls methods of its own class that make requests to AWS."""
    if target.owner is None:
        return False
    called_here = {
        node.attr
        for node in ast.walk(target.function)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    methods = [node for node in target.owner.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return any(_asks(node) for node in methods if node.name in called_here)


def _asks(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr in _TELLING for node in ast.walk(function))


def _imports_aws(node: ast.stmt) -> bool:
    match node:
        case ast.Import(names=names):
            return any(alias.name.partition(".")[0] in _PACKAGES for alias in names)
        case ast.ImportFrom(module=str() as module):
            return module.partition(".")[0] in _PACKAGES or "mypy_boto3" in module
    return False


def _entries(target: Target, functions: ModuleMap, code: AwsCode) -> list[Place]:
    """The functions to call: the target's own where it is public, else those public ones that lead to it."""
    own = functions.places.get(target.name)
    if own is None:
        return []
    if own.is_public or own.node.name.startswith("__"):
        return [own]
    callers = [place for place in functions.callers(target.name) if place.is_public]
    using = [place for place in callers if code.operations(functions.reachable(place.name))]
    return [*using, *([own] if code.operations(functions.reachable(own.name)) else [])]


def _shown_on(stage: Stage, target: Target) -> Trying[tuple[list[Shown], tuple[Helper, ...]]]:
    """What the scenarios on this stage came to, in the first world in which the call works at all.

    Each attempt costs the start of moto, so what would be tried in a world goes together with the question whether
    the call works there.
    """
    if is_asynchronous(target.tree):
        return (yield from tried(asynchronous_scenarios(stage), stage.style)) or [], ()
    for likely in worlds(stage):
        world, shown = likely, (yield from _shown_in(stage, likely))
        if shown is None:
            break
        if not any(_works(stage, one) for one in shown):
            other = yield from _variant_that_works(stage, likely)
            if other is None:
                continue
            world, shown = other, (yield from _shown_in(stage, other)) or []
        if remaining(target, [one.trial for one in shown if one.is_usable]) is not None:
            more = led(stage, world, target)[:_TOGETHER]
            shown += (yield from tried(more, stage.style, world.helpers)) or []
        return shown, world.helpers
    return [], ()


def _shown_in(stage: Stage, world: World) -> Trying[list[Shown] | None]:
    scenarios = [ordinary(stage, world), *further(stage, world)]
    return (yield from tried(scenarios[:_TOGETHER], stage.style, world.helpers))


def _variant_that_works(stage: Stage, world: World) -> Trying[World | None]:
    """The first of other likely calls that comes to an end as calls should."""
    others = variants(stage, world)
    shown = yield from tried([ordinary(stage, one) for one in others], stage.style, world.helpers)
    found = zip(others, shown or (), strict=False)
    return next((other for other, one in found if _works(stage, one)), None)


def _works(stage: Stage, one: Shown) -> bool:
    return one.is_usable and bool(one.trial.lines & _lines_of(stage))


def _lines_of(stage: Stage) -> frozenset[int]:
    """The lines of the function that is called, without its head."""
    node = stage.entry.node
    return frozenset(range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1))


def _words(target: Target) -> Circumstance:
    special = circumstance(target)
    return Circumstance(f"{subject_in_words(target)}, and {special}", called(target), special)
