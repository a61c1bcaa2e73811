"""Wheels of our own environment, from which pytest and coverage can be installed without any network."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement


def install_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every pip that is started from now on find pytest and coverage in `folder`, and look nowhere else."""
    write_wheels(folder, "pytest", "coverage")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


def write_wheels(folder: Path, *names: str) -> None:
    """Put wheels of distributions, and of all that they require, into a new folder."""
    folder.mkdir()
    for found in _with_requirements(*names):
        _write_wheel(found, folder)


def _with_requirements(*names: str) -> Iterator[Distribution]:
    seen: set[str] = set()
    pending = list(names)
    while pending:
        found = distribution(pending.pop())
        if found.name in seen:
            continue
        seen.add(found.name)
        yield found
        wanted = [Requirement(text) for text in found.requires or ()]
        pending += [r.name for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]


def _write_wheel(found: Distribution, folder: Path) -> None:
    """Pack an installed distribution again; scripts, which pip makes anew, and bytecode are left out."""
    wheel = found.read_text("WHEEL")
    assert wheel is not None
    tags = [line.removeprefix("Tag: ") for line in wheel.splitlines() if line.startswith("Tag: ")]
    # Some are for Python 2 as well, and name that first.
    tag = next((tag for tag in tags if not tag.startswith("py2-")), tags[0])
    name = found.name.replace("-", "_")
    with zipfile.ZipFile(folder / f"{name}-{found.version}-{tag}.whl", "w") as archive:
        for file in found.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                archive.write(Path(str(file.locate())), str(file))
