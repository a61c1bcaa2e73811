"""The report for people: one page that needs nothing beside itself."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from testlens import __version__
from testlens.report.mutation_summary import mutation_line
from testlens.report.view import View

_TOP = 100
_SYMBOLS = {"": " ", "covered": "✓", "partial": "◐", "uncovered": "✗", "stale": "?", "failing": "!"}


def render_html(view: View) -> str:
    """The whole page. Every text of the project is escaped by the template."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    anchors = {file.report.path: f"f{index}" for index, file in enumerate(view.files)}
    return templates.get_template("report.html.j2").render(
        view=view,
        plan=view.plan,
        top=view.plan.gaps[:_TOP],
        anchors=anchors,
        symbols=_SYMBOLS,
        mutation=mutation_line(view.snapshot),
        version=__version__,
    )
