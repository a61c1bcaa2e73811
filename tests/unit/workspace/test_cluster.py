"""What is sent to the workers of a cluster."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from testlens.workspace.cluster import pack


def test_a_link_arrives_as_the_file_that_it_leads_to(tmp_path: Path) -> None:
    """No worker has what lies outside the project, and unpacking refuses links that lead there."""
    outside = tmp_path / "shared.json"
    outside.write_text("{}", encoding="utf-8")
    root = tmp_path / "shop"
    (root / "tests").mkdir(parents=True)
    (root / "tests" / "data.json").symlink_to(outside)
    (root / ".venv").mkdir()
    (root / ".venv" / "large.bin").write_bytes(b"0")
    archive = pack(root)
    assert isinstance(archive, bytes)
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(tmp_path / "worker", filter="data")
    there = [file for file in (tmp_path / "worker").rglob("*") if file.is_file()]
    assert [file.relative_to(tmp_path / "worker").as_posix() for file in there] == ["tests/data.json"]
    assert there[0].read_text(encoding="utf-8") == "{}"
