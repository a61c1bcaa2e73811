"""Real coverage data: a small project measured once a session, with branches and without."""

import shutil
from pathlib import Path

import pytest

from unit.sources.measuring import Measured, measure


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Measured with branches. Do not write into it."""
    return measure(tmp_path_factory.mktemp("branches") / "project", "branch")


@pytest.fixture(scope="session")
def measured_lines(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Measured without branches. Do not write into it."""
    return measure(tmp_path_factory.mktemp("lines") / "project", "lines")


@pytest.fixture
def own(measured: Measured, tmp_path: Path) -> Measured:
    """A copy of the measured project that a test may change."""
    shutil.copytree(measured.root, tmp_path / "project", symlinks=True)
    return Measured(tmp_path / "project")
