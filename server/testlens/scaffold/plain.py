"""Writes attempts as text that is only run, never shown: appended to the test file, importing inside each function.

What an attempt needs cannot clash with anything of the file, and no style has to be found out for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from testlens.domain.cases import Case
from testlens.domain.expressions import Reference, references, resolve
from testlens.scaffold.recipe import Attempt


def write_attempt(attempt: Attempt, existing: str, async_decorator: str) -> tuple[str, tuple[str, ...]]:
    """The whole text of the test file with the attempt's cases at its end, and their names.

    `async_decorator` is what the project's asyncio mode wants above an async test, empty for nothing.
    """
    names = tuple(f"test_testlens_attempt_{number}" for number in range(len(attempt.cases)))
    parts = [existing]
    parts += (_helper(helper.code) for helper in attempt.helpers)
    parts += (_function(name, case, async_decorator) for name, case in zip(names, attempt.cases, strict=True))
    return "\n\n".join(parts) + "\n", names


def _function(name: str, case: Case, async_decorator: str) -> str:
    statements = [*case.given.code, *case.when.code, *case.then.code] or ["pass"]
    body, imports = _with_imports("\n".join(statements))
    decorators, decorator_imports = _with_imports("\n".join(f"@{text}" for text in case.decorators))
    head = f"{'async ' if case.is_async else ''}def {name}({', '.join(case.fixtures)}):"
    above = [*decorator_imports, *([async_decorator] if case.is_async and async_decorator else []), decorators]
    return "\n".join([*filter(None, above), head, indent("\n".join([*imports, body]), "    ")])


def _helper(code: str) -> str:
    text, imports = _with_imports(code)
    return "\n".join([*imports, text])


def _with_imports(code: str) -> tuple[str, list[str]]:
    """Plain source and the imports that it needs, under names that nothing else has."""
    modules = list(dict.fromkeys(reference.module for reference in references(code)))
    aliases = {module: f"_testlens_{module.replace('.', '_')}" for module in modules}

    def write(reference: Reference) -> str:
        return ".".join(filter(None, [aliases[reference.module], reference.qualname]))

    return resolve(code, write), list(_imports(aliases))


def _imports(aliases: dict[str, str]) -> Iterator[str]:
    for module, alias in aliases.items():
        # A package may show something else under the name of a module of its own, which is what `import` would give.
        yield f"{alias} = __import__('importlib').import_module({module!r})"
