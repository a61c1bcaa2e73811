"""The workflow that releases is valid, and releases nothing that was not tested or has another version than it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from distribution.packing import ROOT
from testlens import __version__

FILE = ROOT / ".github" / "workflows" / "release.yml"
WORKFLOW: dict[str, Any] = YAML(typ="safe", pure=True).load(FILE.read_text(encoding="utf-8"))


def test_the_workflow_fits_the_published_schema_and_actionlint_finds_nothing() -> None:
    """As those that Testlens writes for others."""
    schema = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(FILE)]
    lint = [str(Path(sys.executable).parent / "actionlint"), "-shellcheck=", "-pyflakes=", str(FILE)]
    for command in (schema, lint):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout


def test_nothing_is_published_before_all_tests_have_passed() -> None:
    """Every job that publishes waits for the build, which waits for the tests."""
    jobs = WORKFLOW["jobs"]
    assert jobs["build"]["needs"] == "test"
    assert jobs["publish-package"]["needs"] == jobs["publish-extension"]["needs"] == "build"
    assert jobs["release"]["needs"] == ["publish-package", "publish-extension"]
    assert [step["run"] for step in jobs["test"]["steps"] if step.get("name") == "Test"] == ["npm test"]


def test_the_extension_and_the_package_have_one_version() -> None:
    """One tag releases both."""
    assert json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["version"] == __version__


def test_the_comparison_with_the_tag_accepts_this_version_and_no_other() -> None:
    """The very script that the workflow runs."""
    (script,) = [
        step["run"]
        for step in WORKFLOW["jobs"]["test"]["steps"]
        if step.get("name") == "Compare the tag with the versions"
    ]
    assert _run(script, f"v{__version__}").returncode == 0
    assert _run(script, "v999.0.0").returncode != 0


def test_the_notes_of_a_release_are_its_part_of_the_changelog(tmp_path: Path) -> None:
    """Neither what came before, nor what comes after it."""
    (step,) = [step for step in WORKFLOW["jobs"]["release"]["steps"] if step.get("name") == "Release"]
    (extract, *_) = step["run"].splitlines()
    done = _run(extract.replace("notes.md", str(tmp_path / "notes.md")), f"v{__version__}")
    assert done.returncode == 0, done.stderr
    notes = (tmp_path / "notes.md").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert notes.strip()
    assert notes.strip() in changelog.split(f"## [{__version__}]")[1]
    assert "## [" not in notes


def _run(script: str, tag: str) -> subprocess.CompletedProcess[str]:
    environment = {"TAG": tag, "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"}
    return subprocess.run(
        ["bash", "-e", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
