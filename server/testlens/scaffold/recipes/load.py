"""A locust user for the routes of a module, and one test that makes each of its visits once."""

from __future__ import annotations

from collections.abc import Sequence

from testlens.domain.cases import Case, Draft, Helper, Step
from testlens.domain.expressions import mark
from testlens.domain.trials import Trial
from testlens.scaffold.assertions import Circumstance
from testlens.scaffold.recipe import Attempt, Knowledge, Offer, Search
from testlens.scaffold.recipes.beyond import beyond, named_apart
from testlens.scaffold.recipes.phrases import called
from testlens.scaffold.recipes.routes import Route, is_endpoint, routes
from testlens.scaffold.recipes.scenarios import Trying, reached
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.words import camel, circumstance, subject_in_words, test_name

_FITS = 20
_READS, _WRITES = 3, 1
_STATUSES = "statuses"


class Load:
    """The recipe for HTTP endpoints."""

    name = "load"

    def offer(self, target: Target, style: Style) -> Offer | None:
        """Offered where the function answers a route."""
        if target.owner is not None or not is_endpoint(target.function, target.tree):
            return None
        title = f"Write a locust user for the {len(routes(target.tree))} routes beside `{target.function.name}`"
        if "locust" not in style.libraries:
            return Offer(self.name, f"{title} (adds locust)", _FITS, ("locust",))
        return Offer(self.name, title, _FITS)

    def search(self, target: Target, knowledge: Knowledge) -> Search:
        """Make each visit once, with the framework's own client where there is one."""
        found = routes(target.tree)
        name = camel(target.module.rpartition(".")[2])
        helpers = (_visits(name, found), _user(name))
        case, trial = yield from _tried(name, found, knowledge.description.module, helpers)
        cases: tuple[Case, ...] = (case,)
        if trial is not None and not reached(target, trial):
            special = circumstance(target)
            words = Circumstance(f"{subject_in_words(target)}, and {special}", called(target), special)
            cases += yield from beyond(target, knowledge, words, are_wanted=False)
        needs = () if "locust" in knowledge.style.libraries else ("locust",)
        return Draft(self.name, f"{name}Load", named_apart(cases), helpers, needs)


def _visits(name: str, found: Sequence[Route]) -> Helper:
    """A class with one method a route. It knows nothing of locust, so that a test can use it with any client."""
    lines = [
        f"class {name}Visits:",
        '    """What a user of the service asks for; `tasks` holds each visit as often as its weight says."""',
        "",
    ]
    names = _names(found)
    for route, method in zip(found, names, strict=True):
        arguments = [f'"{route.path}"']
        arguments += [f"{key}={value}" for key, value in (("params", route.query), ("json", route.body)) if value]
        lines += [
            f"    def {method}(self):",
            f"        return self.client.{route.method}({', '.join(arguments)})",
            "",
        ]
    parts = [f"[{method}] * {weight}" if (weight := _weight(route)) > 1 else f"[{method}]"
             for route, method in zip(found, names, strict=True)]  # fmt: skip
    lines.append(f"    tasks = {' + '.join(parts)}")
    return Helper(f"{name}Visits", "\n".join(lines), "module")


def _names(found: Sequence[Route]) -> list[str]:
    """A method's name for each route: the function's, with the verb where one function answers several."""
    functions = [route.function for route in found]
    return [
        route.function if functions.count(route.function) == 1 else f"{route.method}_{route.function}"
        for route in found
    ]


def _weight(route: Route) -> int:
    return _READS if route.method in ("get", "head", "options") else _WRITES


def _user(name: str) -> Helper:
    """The user, for locust alone: importing locust replaces sockets and threads under everybody's feet."""
    code = f"""if "locust" in {mark("sys", "modules")}:  # run it with: locust -f THIS_FILE
    from locust import HttpUser, between

    class {name}User({name}Visits, HttpUser):
        wait_time = between(1, 3)"""
    return Helper(f"{name}User", code, "module")


def _tried(
    name: str, found: Sequence[Route], module: str, helpers: tuple[Helper, ...]
) -> Trying[tuple[Case, Trial | None]]:
    """The test with a client of the framework, else with one that only takes down what it is asked."""
    recorded = _recorded(name, found)
    client = _client(found, module)
    if client is None:
        trials = yield Attempt((recorded,), helpers)
        return recorded, trials[0] if trials is not None else None
    case = _answered(name, client, "")
    trials = yield Attempt((case, recorded), helpers)
    if trials is None:
        return recorded, None
    seen = trials[0].local_values.get(_STATUSES)
    if trials[0].outcome != "passed" or seen is None or seen.code is None:
        return recorded, trials[1]
    answered = _answered(name, client, f"assert {_STATUSES} == {seen.code}")
    again = yield Attempt((answered,), helpers)
    if again is not None and again[0].outcome != "passed":
        return recorded, trials[1]
    return answered, trials[0]


def _client(found: Sequence[Route], module: str) -> tuple[str, ...] | None:
    """Statements that make `client`, with which the application is asked without a server."""
    application = found[0].application
    own = mark(module, application.name)
    if application.framework == "fastapi":
        made = f"client = {mark('fastapi.testclient', 'TestClient')}({{}}, raise_server_exceptions=False)"
        if application.is_whole:
            return (made.format(own),)
        return (f"app = {mark('fastapi', 'FastAPI')}()", f"app.include_router({own})", made.format("app"))
    if application.framework == "flask":
        if application.is_whole:
            return (f"client = {own}.test_client()",)
        return (
            f"app = {mark('flask', 'Flask')}(__name__)",
            f"app.register_blueprint({own})",
            "client = app.test_client()",
        )
    return None


def _answered(name: str, client: tuple[str, ...], check: str) -> Case:
    visited = f"{_STATUSES} = {{visit.__name__: visit(visits).status_code for visit in visits.tasks}}"
    return Case(
        name=test_name("each visit is made", "every route answers"),
        given=Step(
            "the application, and a user of it", (*client, f"visits = {name}Visits()", "visits.client = client")
        ),
        when=Step("each visit is made", (visited,)),
        then=Step("every route answers", (check,) if check else ()),
        records_today=bool(check),
    )


def _recorded(name: str, found: Sequence[Route]) -> Case:
    """Every route is asked once a visit: known from the routes themselves."""
    asked = ", ".join(f'("{route.method}", "{route.path}")' for route in found)
    calls = "asked = {(call[0], call[1][0]) for call in visits.client.mock_calls}"
    return Case(
        name=test_name("each visit is made", "every route is asked"),
        given=Step(
            "a user whose client takes down what it is asked",
            (f"visits = {name}Visits()", f"visits.client = {mark('unittest.mock', 'MagicMock')}()"),
        ),
        when=Step("each visit is made", ("for visit in visits.tasks:\n    visit(visits)",)),
        then=Step("every route is asked", (calls, f"assert asked == {{{asked}}}")),
    )
