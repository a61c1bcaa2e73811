"""Writes the scenarios of a draft as a feature file and its step functions, for pytest-bdd or behave."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from testlens.domain.cases import Draft
from testlens.domain.expressions import mark
from testlens.scaffold.case_text import Draftsman, StepFunction
from testlens.scaffold.edits import Edit, apply
from testlens.scaffold.feature_files import Scenario, add_scenarios, joinable, names_in, unused_name
from testlens.scaffold.host import Host, parse_module
from testlens.scaffold.imports import import_edits, written_imports
from testlens.scaffold.insertion import append, end_of_module, insert
from testlens.scaffold.known_steps import KnownSteps, Told
from testlens.scaffold.layout import Margins
from testlens.scaffold.marked import Fragment
from testlens.scaffold.naming import choose_names
from testlens.scaffold.parsed_draft import ParsedDraft, parse_draft
from testlens.scaffold.render import Written
from testlens.scaffold.step_split import UnsplittableError, split
from testlens.scaffold.style import Style
from testlens.scaffold.words import snake

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class FeaturePlace:
    """Where the scenarios of one module go (POSIX, relative)."""

    feature: str
    steps: str


def feature_place(source: str, style: Style) -> FeaturePlace:
    """The feature file and the step module for a source file."""
    path = PurePosixPath(source)
    name = (path.stem if path.stem != "__init__" else path.parent.name or path.stem).strip("_") or "init"
    if style.scenarios == "behave":
        folder = style.feature_folder or "features"
        return FeaturePlace(f"{folder}/{name}.feature", f"{folder}/steps/{name}_steps.py")
    return FeaturePlace(f"{style.feature_folder or style.bdd_folder}/{name}.feature", _join(style, f"{name}_steps"))


def _join(style: Style, name: str) -> str:
    return str(PurePosixPath(style.bdd_folder) / style.file_name.format(name))


def write_features(draft: Draft, source: str, style: Style, texts: Mapping[str, str]) -> Written:
    """The draft as scenarios in a feature file; `texts` also has the feature files and step modules that there are.

    UnsplittableError, which says why, where it cannot be told in steps.
    """
    if draft.helpers:
        raise UnsplittableError("it brings fixtures of its own")
    place = feature_place(source, style)
    place = replace(place, feature=joinable(place.feature, dict(texts)))
    return _Writing(parse_draft(draft, style.python), place, style, texts).written(source)


class _Writing:
    def __init__(self, draft: ParsedDraft, place: FeaturePlace, style: Style, texts: Mapping[str, str]) -> None:
        self._draft, self._place, self._style, self._texts = draft, place, style, texts
        text = texts.get(place.steps, "")
        tree = parse_module(text)
        if tree is None:
            raise UnsplittableError(f"{place.steps} cannot be parsed")
        self._host = Host(place.steps, text, tree)
        self._is_behave = style.scenarios == "behave"

    def written(self, source: str) -> Written:
        scenarios, steps = self._told()
        feature_text = self._texts.get(self._place.feature, "")
        subject = PurePosixPath(source).stem.strip("_").replace("_", " ").capitalize()
        feature = add_scenarios(self._place.feature, feature_text, subject, scenarios)
        functions, names = self._functions(steps)
        bound = [] if self._is_behave else self._tests(scenarios, names)
        edits = (feature, *self._module(functions, bound))
        files = {
            path: apply(self._texts.get(path, ""), [edit for edit in edits if edit.path == path])
            for path in (self._place.feature, self._place.steps)
        }
        tests = tuple(name for name, _ in bound)
        return Written(
            files=files,
            edits=edits,
            test_file=self._place.steps,
            node_ids=tuple(f"{self._place.steps}::{name}" for name in tests),
            names=tests,
            added={
                path: "".join(edit.text for edit in edits if edit.path == path).strip("\r\n") + "\n" for path in files
            },
        )

    def _told(self) -> tuple[list[Scenario], list[Told]]:
        """The scenarios in words, and the steps that they need, each once."""
        known = KnownSteps(text for path, text in self._texts.items() if self._is_in_reach(path))
        used = set(names_in(self._texts.get(self._place.feature, "")))
        scenarios, steps = [], []
        for parsed in self._draft.cases:
            if self._is_behave and parsed.case.fixtures:
                raise UnsplittableError("it asks for fixtures of pytest, which behave has not")
            lines = []
            for raw in split(parsed, self._draft.placeholders):
                told, is_new = known.tell(raw)
                lines.append((raw.kind, told.wording.line))
                steps += [told] if is_new else []
            name = unused_name(parsed.case.name.replace("_", " ").capitalize(), used)
            used.add(name)
            scenarios.append(Scenario(name, tuple(lines)))
        return scenarios, steps

    def _is_in_reach(self, path: str) -> bool:
        if path == self._place.steps:
            return True
        file = PurePosixPath(path)
        if self._is_behave:
            return file.parent == PurePosixPath(self._place.steps).parent
        return file.name == "conftest.py" and PurePosixPath(self._place.steps).is_relative_to(file.parent)

    def _functions(self, steps: Sequence[Told]) -> tuple[list[StepFunction], set[str]]:
        used = set(self._host.bound) | {name for told in steps for name in (*told.raw.needs, told.raw.gives)}
        functions = []
        for told in steps:
            name = _unused(f"{told.raw.kind}_{snake(told.raw.text)[:_LONGEST_NAME]}".rstrip("_"), used)
            used.add(name)
            functions.append(self._function(name, told))
        return functions, used

    def _function(self, name: str, told: Told) -> StepFunction:
        raw, values = told.raw, [value.name for value in told.wording.values]
        module = "behave" if self._is_behave else "pytest_bdd"
        decorator = mark(module, raw.kind)
        parts = raw.parts
        if self._is_behave:
            _Context({*raw.needs, raw.gives}).apply(raw.body)
            code = f"{decorator}({told.wording.pattern!r})"
            parameters = ["context", *values]
        else:
            target = f", target_fixture={raw.gives!r}" if raw.gives else ""
            sentence = repr(told.wording.pattern if values else told.wording.line)
            sentence = f"{mark(module, 'parsers')}.parse({sentence})" if values else sentence
            code = f"{decorator}({sentence}{target})"
            parameters = [*raw.needs, *values]
            if raw.gives:
                end = self._draft.placeholders.parse([f"return {raw.gives}"])
                parts = (*parts, replace(parts[0], fragment=end, body=end.body))
        fragment = self._draft.placeholders.parse([code])
        return StepFunction(name, parameters, fragment, parts, raw.records_today)

    def _tests(self, scenarios: Sequence[Scenario], used: set[str]) -> list[tuple[str, Fragment]]:
        """The tests that pytest collects: a scenario of the feature file each."""
        path = posixpath.relpath(self._place.feature, posixpath.dirname(self._place.steps))
        found = []
        for scenario in scenarios:
            name = _unused(f"test_{snake(scenario.name)}", used)
            used.add(name)
            code = f"@{mark('pytest_bdd', 'scenario')}({path!r}, {scenario.name!r})\ndef {name}():\n    pass"
            found.append((name, self._draft.placeholders.parse([code])))
        return found

    def _module(self, functions: Sequence[StepFunction], tests: Sequence[tuple[str, Fragment]]) -> tuple[Edit, ...]:
        fragments = [(part.fragment, part.body) for function in functions for part in function.parts]
        fragments += [(function.decorator, function.decorator.body) for function in functions]
        fragments += [(fragment, fragment.body) for _, fragment in tests]
        own = {name for function in functions for name in (function.name, *function.parameters)}
        own |= {
            node.id
            for _, body in fragments
            for statement in body
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        used = self._draft.used(body for _, body in fragments)
        naming = choose_names(used.values(), self._host, own | {name for name, _ in tests}, self._style)
        names = {placeholder: naming.texts[reference] for placeholder, reference in used.items()}
        draftsman = Draftsman(self._style, names, Margins(self._style.line_length, self._host.indent_unit), False)
        blocks = [draftsman.helper(fragment) for _, fragment in tests]
        blocks += [draftsman.step(function) for function in functions]
        lines = [line for block in blocks for line in (["", "", *block])][2:]
        path = self._place.steps
        if not lines:
            return ()
        if self._host.has_no_code:
            imports = written_imports(naming.needed, self._style).rstrip("\n").split("\n")
            return (append(path, self._host, [*imports, "", "", *lines]),)
        return (
            *import_edits(path, self._host, naming.needed, self._style),
            insert(path, self._host, end_of_module(self._host), lines),
        )


class _Context(ast.NodeTransformer):
    """Makes attributes of behave's context of what steps hand on to one another."""

    def __init__(self, names: set[str]) -> None:
        self._names = names - {""}

    def apply(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            self.visit(statement)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self._names:
            return node
        context = ast.copy_location(ast.Name("context", ast.Load()), node)
        return ast.copy_location(ast.Attribute(context, node.id, node.ctx), node)


def _unused(name: str, used: set[str]) -> str:
    found, number = name, 1
    while found in used:
        number += 1
        found = f"{name}_{number}"
    return found
