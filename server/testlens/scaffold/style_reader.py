"""Reads from a project's tests how it writes them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Literal

from testlens.domain.expressions import mark
from testlens.scaffold.style import AsyncMode, Docstrings, FixtureFacts, Style, StyleConfig
from testlens.scaffold.suite import FunctionFacts, SuiteFile
from testlens.scaffold.suite_map import BDD_FOLDERS, map_tests, source_modules

_DEFAULT = Style()
_ENOUGH = 60
"""Test files that tell a project's style well enough; more only take time to read."""
_NEARLY_ALL = 0.9
_OF_ONE_TEST = frozenset({"anyio", "asyncio", "skip", "slow", "trio", "xfail"})
_USUAL_LENGTHS = (79, 88, 100, 120)


def read_style(texts: Mapping[str, str], config: StyleConfig) -> Style:
    """How the project writes tests; `texts` are its test files and conftest files by path (POSIX, relative)."""
    patterns = (config.python_functions or _DEFAULT.function_patterns, config.python_classes or _DEFAULT.class_patterns)
    files = [SuiteFile(path, text, *patterns) for path, text in sorted(texts.items())]
    conftests = [file for file in files if PurePosixPath(file.path).name == "conftest.py"]
    all_tests = [file for file in files if file not in conftests]
    tests = all_tests[:: len(all_tests) // _ENOUGH + 1]
    modules = [*conftests, *tests]
    sources = source_modules(config.sources, config.source_roots)
    folder = _folder([test.path for test in all_tests], config)
    functions = [function for test in tests for function in test.tests]
    return Style(
        folder=folder,
        bdd_folder=_bdd_folder(folder, [*texts, *config.features]),
        quotes=config.quotes or _quotes(tests),
        line_length=config.line_length or _line_length(tests),
        classes=sum(function.in_class for function in functions) * 2 > len(functions),
        docstrings=_docstrings([function.says for function in functions]),
        annotated=sum(function.annotated for function in functions) * 2 > len(functions),
        asyncio=_asyncio(modules, config),
        whole=_whole(modules, {module.name for module in sources}),
        fixtures=_fixtures(conftests),
        libraries=config.libraries,
        factories=_factories(modules),
        test_files=map_tests(sources, all_tests),
        python=config.python or _DEFAULT.python,
        file_name=_file_name([test.path for test in all_tests]),
        file_patterns=config.python_files or _DEFAULT.file_patterns,
        class_patterns=patterns[1],
        function_patterns=patterns[0],
        first_party=frozenset(module.top for module in sources)
        | ({folder} if tests and folder.isidentifier() else set()),
        single_imports=_single_imports(tests),
        marks=_marks(functions),
        scenarios=config.scenarios,
        feature_folder=_feature_folder(config.features),
    )


def _folder(paths: Sequence[str], config: StyleConfig) -> str:
    """The folder that holds the tests; where they are spread over the sources, the one that holds most of them."""
    for wanted in config.test_paths:
        if not paths or any(PurePosixPath(path).is_relative_to(wanted) for path in paths):
            return "" if wanted == "." else wanted.strip("/")
    if not paths:
        return _DEFAULT.folder
    parents = Counter(PurePosixPath(path).parent for path in paths)
    named = Counter(top for parent, times in parents.items() for top in [_test_folder(parent)] * times if top)
    best = named.most_common(1)[0][0] if named else str(parents.most_common(1)[0][0])
    return "" if best == "." else best


def _test_folder(folder: PurePosixPath) -> str:
    """The outermost folder on the way that is called after tests, empty if none is."""
    for size, part in enumerate(folder.parts, 1):
        if part.lower().startswith("test"):
            return "/".join(folder.parts[:size])
    return ""


def _bdd_folder(folder: str, paths: Collection[str]) -> str:
    parents = Counter(PurePosixPath(path).parent for path in paths)
    for parent, _ in parents.most_common():
        for size in range(len(parent.parts), 0, -1):
            if parent.parts[size - 1].lower() in BDD_FOLDERS:
                return "/".join(parent.parts[:size])
    return str(PurePosixPath(folder) / "bdd")


def _feature_folder(features: Collection[str]) -> str:
    parents = Counter(str(PurePosixPath(path).parent) for path in features)
    return parents.most_common(1)[0][0] if parents else ""


def _quotes(tests: Sequence[SuiteFile]) -> Literal['"', "'"]:
    counts: Counter[str] = Counter()
    for test in tests:
        counts.update(test.quotes)
    return "'" if counts["'"] > counts['"'] else '"'


def _line_length(tests: Sequence[SuiteFile]) -> int:
    """The shortest usual limit that all but one line in two hundred keep."""
    lengths = sorted(len(line) for test in tests for line in test.lines if line.strip())
    if not lengths:
        return _DEFAULT.line_length
    longest = lengths[-1 - len(lengths) // 200]
    return next((limit for limit in _USUAL_LENGTHS if longest <= limit), _USUAL_LENGTHS[-1])


def _docstrings(said: Sequence[str]) -> Docstrings:
    if not said:
        return _DEFAULT.docstrings
    counts = Counter(said)
    if (counts["given-when-then"] + counts["comments"]) * 2 > len(said):
        return "given-when-then" if counts["given-when-then"] >= counts["comments"] else "comments"
    return "sentence" if (len(said) - counts["none"]) * 2 > len(said) else "none"


def _marks(functions: Sequence[FunctionFacts]) -> tuple[str, ...]:
    """The marks that a test has to have to be like the others; what says how or whether it runs is no such mark."""
    counts = Counter(mark for function in functions for mark in function.marks - _OF_ONE_TEST)
    return tuple(sorted(mark for mark, times in counts.items() if times >= _NEARLY_ALL * len(functions)))


def _asyncio(modules: Sequence[SuiteFile], config: StyleConfig) -> AsyncMode:
    marks = sum((module.marks for module in modules), Counter[str]())
    fixtures = {fixture.name for module in modules for fixture in module.fixtures}
    if marks["anyio"] > marks["asyncio"] or ("anyio_backend" in fixtures and not marks["asyncio"]):
        return "anyio"
    if "pytest_asyncio" in config.libraries or marks["asyncio"]:
        return "auto" if config.asyncio_mode == "auto" else "strict"
    return "none"


def _whole(modules: Sequence[SuiteFile], sources: Collection[str]) -> frozenset[str]:
    """The modules that more tests import whole than import names from.

    `from a import b` imports a module `a.b` whole.
    """
    whole: Counter[str] = Counter()
    for module in modules:
        votes: dict[str, bool] = {}
        for imported, name in module.imports:
            submodule = f"{imported}.{name}"
            target = submodule if name and submodule in sources else imported
            is_whole = not name or target == submodule
            votes[target] = votes.get(target, False) or is_whole
        whole.update({target: 1 if is_whole else -1 for target, is_whole in votes.items()})
    return frozenset(module for module, balance in whole.items() if balance > 0)


def _fixtures(conftests: Sequence[SuiteFile]) -> Mapping[str, FixtureFacts]:
    """The fixtures of conftest files by name; of several, the one that most tests see."""
    outermost_last = sorted(conftests, key=lambda module: -len(PurePosixPath(module.path).parts))
    return {fixture.name: fixture for module in outermost_last for fixture in module.fixtures}


def _factories(modules: Sequence[SuiteFile]) -> Mapping[str, str]:
    """The imported factories by the class that their names speak of: `UserFactory` builds a `User`."""
    found: dict[str, str] = {}
    for module in modules:
        for imported, name in module.imports:
            built = name.removesuffix("Factory")
            if built and built != name and name[:1].isupper():
                found.setdefault(built, mark(imported, name))
    return found


def _file_name(paths: Sequence[str]) -> str:
    stems = [PurePosixPath(path).stem for path in paths]
    after = sum(stem.endswith("_test") and not stem.startswith("test_") for stem in stems)
    return "{}_test.py" if after * 2 > len(stems) else _DEFAULT.file_name


def _single_imports(tests: Sequence[SuiteFile]) -> bool:
    """Whether tests give each name of a module an import statement of its own."""
    single = several = 0
    for test in tests:
        statements = [node for node in test.tree.body if isinstance(node, ast.ImportFrom)]
        modules = Counter(node.module for node in statements)
        single += sum(times - 1 for times in modules.values())
        several += sum(len(node.names) > 1 for node in statements)
    return single > several
