"""One draft on its way into the files of a project: which tests, under which names, at which place."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import PurePosixPath

from testlens.scaffold.case_function import CaseFunction, FunctionMaker
from testlens.scaffold.case_text import Draftsman
from testlens.scaffold.collected_names import class_name, function_name, unused
from testlens.scaffold.edits import Edit, keep_mark
from testlens.scaffold.host import Host, parse_module
from testlens.scaffold.imports import import_edits, written_imports
from testlens.scaffold.insertion import Spot, append, end_of_class, end_of_module, insert
from testlens.scaffold.layout import Margins
from testlens.scaffold.naming import Naming, choose_names
from testlens.scaffold.parsed_draft import ParsedDraft, ParsedHelper
from testlens.scaffold.place import Place
from testlens.scaffold.style import Style
from testlens.scaffold.tidy import bound_names


class Writing:
    """Decides and writes; everything is computed from the draft and the texts once."""

    def __init__(self, draft: ParsedDraft, place: Place, style: Style, texts: Mapping[str, str]) -> None:
        self._draft = draft
        self._style = style
        self._texts = texts
        self.test_file = _writable_path(place.test_file, texts)
        self._conftest = place.conftest
        self._host = _host(self.test_file, texts) or Host(self.test_file, "", ast.Module([], []))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The tests as their file calls them."""
        prefix = f"{self._class_name}::" if self._class_name else ""
        return tuple(prefix + name for name in self._function_names)

    def edits(self) -> tuple[Edit, ...]:
        """All edits, file by file, in the order of their lines."""
        return (*self._shared_edits(), *self._test_edits())

    @cached_property
    def _is_scenario(self) -> bool:
        return self._draft.recipe == "bdd"

    @cached_property
    def _class_name(self) -> str:
        """The class that the tests go into, empty where they are functions."""
        if not self._is_scenario and not self._style.classes:
            return ""
        wanted = class_name(self._draft.group, self._is_scenario, self._style)
        name, number = wanted, 1
        while name in self._host.bound and self._spot_in(name) is None:
            number += 1
            name = f"{wanted}{number}"
        return name

    def _spot_in(self, class_name: str) -> Spot | None:
        node = self._host.class_named(class_name)
        return end_of_class(self._host, node, self._style.marks) if node else None

    @cached_property
    def _function_names(self) -> tuple[str, ...]:
        node = self._host.class_named(self._class_name) if self._class_name else None
        used = set(bound_names(node.body)) if node else set()
        used |= set() if self._class_name else set(self._host.bound)
        found = []
        for case in self._draft.cases:
            name = unused(function_name(case.case.name, self._style), used)
            used.add(name)
            found.append(name)
        return tuple(found)

    def _test_edits(self) -> tuple[Edit, ...]:
        helpers = [helper for helper in self._missing_helpers if not self._is_shared(helper)]
        maker = FunctionMaker(self._draft.placeholders, self._style, self._texts, self._host, bool(self._class_name))
        functions = [maker.function(*pair) for pair in zip(self._function_names, self._draft.cases, strict=True)]
        suites = [suite for function in functions for suite in function.statements()]
        suites += [helper.fragment.body for helper in helpers]
        local_names = {self._class_name, *self._function_names}
        local_names |= {name for function in functions for name in function.local_names}
        local_names |= {name for helper in helpers for name in bound_names(helper.fragment.body)}
        naming, by_placeholder = self._naming(suites, local_names, self._host)
        draftsman = self._draftsman(by_placeholder)
        return self._module_edits(self.test_file, self._host, naming, self._blocks(draftsman, helpers, functions))

    def _naming(
        self, suites: Iterable[Sequence[ast.stmt]], local_names: Collection[str], host: Host
    ) -> tuple[Naming, Mapping[str, str]]:
        used = self._draft.used(suites)
        naming = choose_names(used.values(), host, local_names, self._style)
        return naming, {name: naming.texts[reference] for name, reference in used.items()}

    def _draftsman(self, names: Mapping[str, str]) -> Draftsman:
        return Draftsman(
            self._style, names, Margins(self._style.line_length, self._host.indent_unit), self._is_scenario
        )

    def _blocks(
        self, draftsman: Draftsman, helpers: Sequence[ParsedHelper], functions: Sequence[CaseFunction]
    ) -> list[tuple[Spot, list[str]]]:
        """The text of each place in the test file."""
        module = end_of_module(self._host)
        inside = self._spot_in(self._class_name) if self._class_name else None
        blocks = [draftsman.helper(helper.fragment) for helper in helpers]
        if not self._class_name:
            blocks += [draftsman.function(function, "") for function in functions]
            return [(module, _parted(blocks, 2))]
        indent = inside.indent if inside else self._host.indent_unit
        methods = _parted([draftsman.function(function, indent) for function in functions], 1)
        if inside:
            found = [(inside, methods)]
            return [*found, (module, _parted(blocks, 2))] if blocks else found
        return [(module, _parted([*blocks, [f"class {self._class_name}:", *methods]], 2))]

    def _module_edits(
        self, path: str, host: Host, naming: Naming, blocks: Sequence[tuple[Spot, list[str]]]
    ) -> tuple[Edit, ...]:
        if host.has_no_code:
            imports = written_imports(naming.needed, self._style).split("\n") if naming.needed else []
            lines = [line for _, block in blocks for line in block]
            found = [append(path, host, [*imports, "", *lines] if imports else lines)]
        else:
            placed = sorted(blocks, key=lambda block: block[0].line)
            found = [*import_edits(path, host, naming.needed, self._style)]
            found += [insert(path, host, spot, lines) for spot, lines in placed]
        return tuple(keep_mark(replace(edit, text=_encodable(edit.text, host)), host.text) for edit in found)

    def _is_shared(self, helper: ParsedHelper) -> bool:
        """Whether the helper goes to the conftest file; not if that cannot be read."""
        return helper.helper.place == "conftest" and _host(self._conftest, self._texts) is not None

    @cached_property
    def _missing_helpers(self) -> list[ParsedHelper]:
        found: dict[str, ParsedHelper] = {}
        for helper in self._draft.helpers:
            if helper.helper.name not in self._names_in_reach:
                found.setdefault(helper.helper.name, helper)
        return list(found.values())

    @cached_property
    def _names_in_reach(self) -> set[str]:
        """The functions and fixtures that the test file has, and the conftest files around it."""
        names = set(self._host.bound)
        names |= {name for name, fixture in self._style.fixtures.items() if _reaches(fixture.file, self.test_file)}
        for path, text in self._texts.items():
            tree = parse_module(text) if _reaches(path, self.test_file) else None
            if tree is not None:
                names |= set(Host(path, text, tree).bound)
        return names

    def _shared_edits(self) -> tuple[Edit, ...]:
        helpers = [helper for helper in self._missing_helpers if self._is_shared(helper)]
        host = _host(self._conftest, self._texts)
        if not helpers or host is None:
            return ()
        suites = [helper.fragment.body for helper in helpers]
        local_names = {name for helper in helpers for name in bound_names(helper.fragment.body)}
        naming, by_placeholder = self._naming(suites, local_names, host)
        draftsman = self._draftsman(by_placeholder)
        lines = _parted([draftsman.helper(helper.fragment) for helper in helpers], 2)
        return self._module_edits(self._conftest, host, naming, [(end_of_module(host), lines)])


def _encodable(text: str, host: Host) -> str:
    """The text, with escapes for what the encoding that the file declares may not have."""
    codec = "utf-8" if host.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else "ascii"
    return text.encode(codec, "backslashreplace").decode(codec)


def _host(path: str, texts: Mapping[str, str]) -> Host | None:
    """The module at that path, empty where there is none; None where it cannot be parsed."""
    text = texts.get(path, "")
    tree = parse_module(text)
    return Host(path, text, tree) if tree is not None else None


def _writable_path(path: str, texts: Mapping[str, str]) -> str:
    """The path, or one beside it where the file there cannot be parsed."""
    number, found = 1, path
    while _host(found, texts) is None:
        number += 1
        stem = PurePosixPath(path).stem
        named = f"{stem[: -len('_test')]}_{number}_test" if stem.endswith("_test") else f"{stem}_{number}"
        found = str(PurePosixPath(path).with_name(f"{named}.py"))
    return found


def _reaches(conftest: str, test_file: str) -> bool:
    path = PurePosixPath(conftest)
    return path.name == "conftest.py" and PurePosixPath(test_file).is_relative_to(path.parent)


def _parted(blocks: Sequence[list[str]], blank_lines: int) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        lines += [*[""] * (blank_lines if lines else 0), *block]
    return lines
