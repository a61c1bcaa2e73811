"""A measured project and an editor that shows it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from lsp.editor import Editor
from lsp.project import Project

OpenEditor = Callable[..., Awaitable[Editor]]


@pytest.fixture(scope="session")
def measured_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of the shop with a `.coverage` of its tests; not to be changed."""
    project = Project.shop(tmp_path_factory.mktemp("measured") / "shop")
    project.measure()
    assert project.file(".coverage").exists()
    return project.root


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """The shop, not measured."""
    return Project.shop(tmp_path / "shop")


@pytest.fixture
def measured(tmp_path: Path, measured_shop: Path) -> Project:
    """The shop with a `.coverage` of its tests."""
    # Copied with its times: data has to be younger than its sources.
    return Project(Path(shutil.copytree(measured_shop, tmp_path / "shop")))


@pytest_asyncio.fixture
async def open_editor() -> AsyncIterator[OpenEditor]:
    """Starts editors, and stops them after the test."""
    editors: list[Editor] = []

    async def start(*roots: Path, **settings: Any) -> Editor:
        editors.append(await Editor.start(*roots, **settings))
        return editors[-1]

    yield start
    for editor in editors:
        await editor.stop()
