"""Writes the workflow of a CI service from a plan. Pure: what is written where is returned, not done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from testlens.domain.ci_plan import CiPlan

Service = Literal["github", "gitlab"]

SERVICES: tuple[Service, ...] = get_args(Service)
FILES: Mapping[Service, str] = {"github": ".github/workflows/testlens.yml", "gitlab": ".gitlab-ci.yml"}
"""Where each service looks for its workflow, relative to the top folder of the repository."""

_INTERPRETERS = {
    "pip": "$(command -v python)",
    "uv": ".venv/bin/python",
    "poetry": "$(poetry env info --executable)",
}
_PREFIXES = {"pip": "", "uv": "uv run --no-sync ", "poetry": "poetry run "}


def render_workflow(plan: CiPlan, service: Service) -> str:
    """The text of the workflow's file."""
    # Expressions of GitHub have the braces that Jinja has by itself.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        variable_start_string="<{",
        variable_end_string="}>",
        block_start_string="<%",
        block_end_string="%>",
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (this is YAML)
    )
    installer = plan.project.installer
    text = environment.get_template(f"{service}.yml.j2").render(
        plan=plan,
        prefix=_PREFIXES[installer],
        interpreter=_INTERPRETERS[installer],
        commands=lambda *more: _commands(plan, service, *more),
    )
    return text.lstrip("\n")


def _commands(plan: CiPlan, service: Service, *more: str) -> list[str]:
    """What installs the project and what its tests need; `more` are further packages."""
    packages = " ".join(("coverage", "pytest", *filter(None, more)))
    own = " ".join(plan.project.install)
    installer = plan.project.installer
    if installer == "pip":
        return ["python -m pip install --upgrade pip", f"python -m pip install {own} {packages}".replace("  ", " ")]
    # GitHub has steps that set these up; elsewhere they come from pip.
    first = [] if service == "github" else [f"python -m pip install {installer}"]
    if installer == "uv":
        return [*first, f"uv sync {own}".strip(), f"uv pip install {packages}"]
    return [*first, f"poetry install {own}".strip(), f"poetry run python -m pip install {packages}"]
