"""`testlens report`: write what is known into files that others can read without Testlens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from testlens.cli.failure import Failure
from testlens.cli.output_files import safe_target, write_texts
from testlens.cli.reading import no_data, read_folder
from testlens.cli.terminal import print_problems
from testlens.domain.problems import Problem
from testlens.report.view import View, make_view
from testlens.workspace.settings import Overrides
from testlens.workspace.workspace import Workspace

_SUFFIXES = {
    "html": (".html", ".htm"),
    "markdown": (".md", ".markdown", ".txt"),
    "json": (".json",),
    "mutation-json": (".json",),
    "mutation-html": (".html", ".htm"),
}
_OF_MUTANTS = frozenset({"mutation-json", "mutation-html"})


def report(root: Path, overrides: Overrides, wanted: Mapping[str, str | None]) -> int:
    """Write each report (by its option, without dashes) that has a file name; the exit status is 1 without data."""
    files = {kind: safe_target(name, kind, _SUFFIXES[kind]) for kind, name in wanted.items() if name is not None}
    if not files:
        advice = "Give one of --html FILE, --markdown FILE and --json FILE, or several."
        raise Failure(Problem("There is no file to write.", advice, severity="error"))
    with read_folder(root, overrides) as workspace:
        view = make_view(workspace)
        print_problems(view.snapshot.problems)
        missing = list(_missing(root, view, files))
        if missing:
            print_problems(missing)
            return 1
        # Everything is made before anything is written: a report that fails leaves the old files alone.
        texts = {file: _renderer(kind, workspace)(view) for kind, file in files.items()}
    write_texts(texts)
    return 0


def _missing(root: Path, view: View, files: Mapping[str, Path]) -> Iterator[Problem]:
    """What the wanted reports would be about, and is not there."""
    if view.snapshot.source is None and files.keys() - _OF_MUTANTS:
        yield no_data(root)
    if not view.mutated and files.keys() & _OF_MUTANTS:
        advice = "Run `testlens mutate` there, or `mutmut run`."
        yield Problem(f"No mutant of {root} is known.", advice, severity="error")


def _renderer(kind: str, workspace: Workspace) -> Callable[[View], str]:
    if kind == "html":
        from testlens.report.file_views import read_files
        from testlens.report.html import render_html

        return lambda view: render_html(view, read_files(workspace))
    if kind == "markdown":
        from testlens.report.markdown import render_markdown

        return render_markdown
    if kind in _OF_MUTANTS:
        from testlens.report import mutation_html

        if kind == "mutation-json":
            return lambda view: mutation_html.render_mutation_json(view.mutated)
        return lambda view: mutation_html.render_mutation_html(view.name, view.mutated)
    from testlens.report.json_report import render_json

    return render_json
