"""Published projects on the versions of Python in which the agent measures by sys.monitoring."""

from __future__ import annotations

from pathlib import Path

from agent.interpreters import environment_with, found, in_order

PROJECTS = ("itsdangerous", "click", "jinja2")
# What the projects' suites need; the projects themselves, whose metadata they ask for, are run from their archives.
_PACKAGES = (
    "pytest==9.2.0",
    "coverage==7.17.3",
    "pytest-cov",
    "trio",
    "freezegun",
    "itsdangerous==2.2.0",
    "click==8.5.1",
    "jinja2==3.1.6",
)


def versions() -> list[str]:
    """The versions that are on this machine, oldest first."""
    return [version for version in in_order(found()) if version in ("3.12", "3.13")]


def environment_of(version: str) -> Path:
    """The interpreter of an environment for the suites, made once and kept."""
    return environment_with(f"monitored-{version}", found()[version], _PACKAGES)
