"""All mutants as one page: the viewer that Stryker makes for such reports, and the report, in a single file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from testlens.workspace.known_mutants import MutatedFile
from testlens.workspace.mutation_schema import mutation_schema

_VIEWER = Path(__file__).parent / "assets" / "mutation-test-elements.js"


def render_mutation_html(name: str, files: Iterable[MutatedFile]) -> str:
    """The whole page of the project called `name`. It asks no other host for anything."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )
    # Nothing in a text of the project may end the script that it stands in.
    report = json.dumps(mutation_schema(files)).replace("<", "\\u003c")
    viewer = _VIEWER.read_text(encoding="utf-8")
    return templates.get_template("mutation.html.j2").render(name=name, report=report, viewer=viewer)


def render_mutation_json(files: Iterable[MutatedFile]) -> str:
    """The report for programs."""
    return json.dumps(mutation_schema(files), indent=1) + "\n"
