"""Turns a source text with marked lines into what the domain makes of it: the helper behind one-line tests."""

from __future__ import annotations

from textwrap import dedent

from testlens.analysis.syntax import outline
from testlens.domain.coverage import FileCoverage, Trace, combine
from testlens.domain.gaps import Owners, Region, find_regions
from testlens.domain.outline import Outline
from testlens.sources.coverage_config import CoverageSettings
from testlens.sources.coverage_parse import Parsed, parse

_RULES = CoverageSettings()


def parsed(text: str) -> Parsed:
    """The parsed text, with coverage.py's default rules."""
    found = parse(dedent(text), "sample.py", _RULES.exclude, _RULES.no_branch)
    assert isinstance(found, Parsed), found
    return found


def outlined(text: str) -> Outline:
    """The outline of a text."""
    return outline(parsed(text).tree)


def run(text: str, calls: str = "") -> tuple[Parsed, FileCoverage]:
    """Really run `text` and then `calls` under coverage.py's own tracer, and combine what it saw with the text."""
    import tempfile
    from pathlib import Path

    import coverage

    source = dedent(text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.py"
        path.write_text(source, encoding="utf-8")
        tracer = coverage.Coverage(data_file=None, branch=True, include=[str(path)], config_file=False)
        with tracer.collect():
            space: dict[str, object] = {}
            exec(compile(source, str(path), "exec"), space)
            exec(dedent(calls), space)
        data = tracer.get_data()
        name = next(iter(data.measured_files()))
        trace = Trace(frozenset(data.lines(name) or ()), frozenset(data.arcs(name) or ()))
    found = parsed(source)
    return found, combine(found.source, trace)


def regions(text: str, calls: str = "") -> list[Region]:
    """The gaps of `text` after `calls` ran."""
    found, coverage = run(text, calls)
    shape = outline(found.tree)
    return list(find_regions(coverage, shape, Owners(shape.scopes), found.describe))
