"""The report for people: one page that needs nothing beside itself."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from testlens import __version__
from testlens.domain.coverage import percent_text
from testlens.report import client_files
from testlens.report.file_views import FileView
from testlens.report.mutation_summary import mutation_line
from testlens.report.page_data import make_page_data
from testlens.report.trend_chart import HEIGHT, LEFT, WIDTH, day, make_chart
from testlens.report.view import View

_TOP, _SHOWN = 100, 25
_LISTED = 100
"""Files that are in the table; the others are a list, since a table of thousands takes a browser seconds."""
_STEPS = 40


def render_html(view: View, files: Iterable[FileView]) -> str:
    """The page as a file. Its policy lets run what it was written with, and lets nothing be asked of any host."""
    script, style = client_files.script(), client_files.style()
    return _render(view, files, "", f"script-src {_hash_of(script)}; style-src {_hash_of(style)}")


def render_panel(view: View, files: Iterable[FileView], nonce: str) -> str:
    """The same page for a panel of an editor, under a policy that lets run and style it what bears `nonce`."""
    return _render(view, files, nonce, f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'")


def _render(view: View, files: Iterable[FileView], nonce: str, policy: str) -> str:
    """Every text of the project is escaped by the template."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    data = make_page_data(view.snapshot, view.plan, files)
    values: dict[str, Any] = {
        "view": view,
        "plan": view.plan,
        "top": view.plan.gaps[:_TOP],
        "shown": _SHOWN,
        "listed": _LISTED,
        "steps": (view.plan.shortest or ())[:_STEPS],
        "data": data,
        "chart": make_chart(view.trend, view.plan.target),
        "chart_size": (WIDTH, HEIGHT, LEFT),
        "day": day,
        "link": link,
        "breakable": breakable,
        "prose": prose,
        "percent": percent_text,
        "written": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(view.time)),
        "mutation": mutation_line(view.snapshot),
        "policy": f"default-src 'none'; {policy}; img-src data:; base-uri 'none'; form-action 'none'",
        "nonce": nonce,
        "script": client_files.script(),
        "style": client_files.style(),
        "version": __version__,
    }
    return templates.get_template("report.html.j2").render(values)


def link(path: str, line: int | None = None) -> str:
    """Where the page shows a line (1-based) of a file."""
    place = "" if line is None else f":{line}"
    return f"#/{quote(path, errors='backslashreplace')}{place}"


def breakable(path: str) -> Markup:
    """A path that may be broken after its slashes, and nowhere else."""
    return Markup("/<wbr>").join(path.split("/"))


def prose(text: str) -> Markup:
    """A sentence with what stands between backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(part) if number % 2 else part for number, part in enumerate(parts))


def _hash_of(text: str) -> str:
    """What a content security policy calls a script or a style sheet by."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
