"""The packed extension has what the marketplace shows, and a server that needs an interpreter and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from distribution.packing import ROOT, pack_for_this_machine

COMPILED = {".so", ".pyd", ".dylib", ".pyc"}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in the package."""
    folder = tmp_path_factory.mktemp("vsix")
    with zipfile.ZipFile(pack_for_this_machine(tmp_path_factory)) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


@pytest.fixture(scope="module")
def manifest(unpacked: Path) -> Mapping[str, Any]:
    """The extension's manifest."""
    found: dict[str, Any] = json.loads((unpacked / "extension" / "package.json").read_text(encoding="utf-8"))
    return found


def test_the_server_answers_on_an_interpreter_without_any_package(unpacked: Path, tmp_path: Path) -> None:
    """Without pip, even: nothing is installed when the extension is."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    python = tmp_path / "bare" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    libraries = str(unpacked / "extension" / "bundled" / "libs")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": libraries, "TESTLENS_BUNDLED_LIBS": libraries}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    body = json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"processId": None, "capabilities": {}}}
    )
    message = f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    command = [str(python), "-P", "-m", "testlens", "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(message)
        server.stdin.flush()
        assert server.stdout.readline().startswith(b"Content-Length")
        server.kill()


def test_no_library_fits_one_version_of_python_only(unpacked: Path) -> None:
    """The user's interpreter may be any from 3.11 on."""
    libraries = unpacked / "extension" / "bundled" / "libs"
    files = [file for file in libraries.rglob("*") if file.is_file()]
    assert len(files) > 300
    assert [file.name for file in files if file.suffix in COMPILED] == []


def test_the_marketplace_has_what_it_shows(unpacked: Path, manifest: Mapping[str, Any]) -> None:
    """README with its pictures, changelog, licence, icon, categories and banner; the package is for one platform."""
    extension = unpacked / "extension"
    files = {file.relative_to(extension).as_posix() for file in extension.rglob("*") if file.is_file()}
    assert {"readme.md", "changelog.md", "LICENSE.txt", manifest["icon"]} <= files
    assert manifest["categories"][0] == "Testing"
    assert manifest["galleryBanner"]["color"].startswith("#")
    assert {"displayName", "description", "publisher", "license", "keywords"} <= manifest.keys()
    assert 'TargetPlatform="' in (unpacked / "extension.vsixmanifest").read_text(encoding="utf-8")


def test_the_walkthrough_leads_through_commands_and_pictures_that_exist(
    unpacked: Path, manifest: Mapping[str, Any]
) -> None:
    """A step whose picture is missing, or whose button does nothing, would be the first that a user sees."""
    contributes = manifest["contributes"]
    commands = {command["command"] for command in contributes["commands"]}
    (walkthrough,) = contributes["walkthroughs"]
    assert len(walkthrough["steps"]) == 6
    for step in walkthrough["steps"]:
        assert (unpacked / "extension" / step["media"]["image"]).is_file()
        assert step["media"]["altText"]
        linked = step["description"].split("](command:")[1].split(")")[0]
        events = {event.removeprefix("onCommand:") for event in step["completionEvents"]}
        assert {linked, *events} <= commands


def test_the_changelog_begins_with_this_version_or_what_comes_after_it(manifest: Mapping[str, Any]) -> None:
    """And every release has an entry."""
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines() if line[:3] == "## "]
    assert headings[0] == "## [Unreleased]" or manifest["version"] in headings[0]
    assert any(f"[{manifest['version']}]" in heading for heading in headings)


def test_sources_and_tests_of_ours_stay_at_home(unpacked: Path) -> None:
    """What is packed is what is used."""
    names = {PurePosixPath(file.relative_to(unpacked).as_posix()) for file in unpacked.rglob("*") if file.is_file()}
    assert not [name for name in names if name.suffix == ".ts" or "node_modules" in name.parts or "tests" in name.parts]
