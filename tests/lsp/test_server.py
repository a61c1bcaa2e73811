"""The server as a process: quick to start, quiet, gone with its client, and as its documentation says."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from lsp.conftest import OpenEditor
from lsp.editor import COMMAND, SERVER
from lsp.project import Project

PAGE = (Path(__file__).parents[2] / "docs" / "lsp-extensions.md").read_text(encoding="utf-8")
HEAVY = ("coverage", "watchdog", "typer", "rich", "jinja2", "sqlite3", "testlens.workspace", "testlens.sources")


def test_nothing_heavy_is_loaded_before_the_client_is_answered() -> None:
    code = (
        "import sys; from testlens.lsp.server import create_server; create_server(); "
        f"print([name for name in {HEAVY!r} if any(m == name or m.startswith(name + '.') for m in sys.modules)])"
    )
    environment = {"PYTHONPATH": str(SERVER)}
    loaded = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    assert loaded.stdout.decode().strip() == "[]"


async def test_the_server_ends_when_its_client_is_gone(measured: Project) -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=-1, stdout=-1, stderr=-1, env={"PYTHONPATH": str(SERVER)}
    )
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_a_request_for_what_does_not_exist_is_answered(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root)
    assert await editor.plan(measured.root / "nowhere")
    assert await editor.hover((measured.root / "nowhere.py").as_uri(), 1) == ""


async def test_a_command_with_an_argument_it_does_not_know_is_refused_in_words(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root)
    with pytest.raises(Exception, match="Not an argument"):
        await editor.command("runTests", tests=3)
    with pytest.raises(Exception, match="no open folder"):
        await editor.command("refresh", folder="file:///nowhere")


def _documented(method: str) -> tuple[dict[str, str], dict[str, str]]:
    """The documented fields of a message and of its answer: name to type."""
    section = PAGE.split(f"### `{method}`")[1].split("\n#")[0]
    first, *rest = [_fields(text) for text in re.findall(r"`(\{.*?\})`(?:,|\s|\.|:|$)", section)]
    return first, rest[0] if rest else {}


def _fields(text: str) -> dict[str, str]:
    """The outermost fields of `{"a": string, "b": [{...}]}`."""
    fields, depth, name, start = {}, 0, "", 0
    for match in re.finditer(r'"(\w+)"\??: |[\[{]|[\]}]|,', text):
        token = match[0]
        if token in "[{":
            depth += 1
        elif token in "]}":
            depth -= 1
        if match[1] and depth == 1:
            name, start = match[1], match.end()
        if name and ((token == "," and depth == 1) or (token == "}" and depth == 0)):
            fields[name] = text[start : match.start()].strip()
            name = ""
    return fields


_TYPES = {"string": str, "number": (int, float), "uri": str, "flat": list}


def _matches(value: Any, documented: str) -> bool:
    if documented.startswith("["):
        return isinstance(value, list)
    names = documented.replace('"', "").split("|")
    return any(
        value is None if name == "null" else isinstance(value, _TYPES[name]) if name in _TYPES else value == name
        for name in names
    )


@pytest.mark.parametrize("method", ["testlens/marks", "testlens/status"])
async def test_notifications_have_the_fields_and_types_of_the_documentation(
    method: str, measured: Project, open_editor: OpenEditor
) -> None:
    fields, _ = _documented(method)
    assert len(fields) > 5
    editor = await open_editor(measured.root)
    await editor.marks(editor.open(measured.file()))
    await editor.ready(measured.root)
    for message in editor.said[method]:
        sent = message._asdict()
        assert sent.keys() == fields.keys()
        for name, value in sent.items():
            assert _matches(value, fields[name]), f"{name}: {value!r} is no {fields[name]}"


async def test_the_plan_has_the_fields_of_the_documentation(measured: Project, open_editor: OpenEditor) -> None:
    parameters, answer = _documented("testlens/plan")
    assert parameters.keys() == {"folder"}
    editor = await open_editor(measured.root)
    await editor.ready(measured.root)
    level, documented = await editor.plan(measured.root), answer
    for child in ("files", "functions", "gaps", None):
        assert level._asdict().keys() == documented.keys()
        if child is not None:
            documented = _fields(documented[child].strip("[]"))
            level = getattr(level, child)[0]


def test_the_documentation_names_every_method_and_command_and_no_other() -> None:
    from testlens.lsp import protocol
    from testlens.lsp.server import create_server

    features = create_server().protocol.fm
    served = {name for name in (*features.features, *features.commands) if name.startswith("testlens")}
    sent = {protocol.MARKS, protocol.STATUS, protocol.INTERPRETER, protocol.SAVE, protocol.TESTS, protocol.TEST_RUN}
    documented = set(re.findall(r"`(testlens[./][\w./]+)`", PAGE))
    assert documented == served | sent


@pytest.mark.parametrize(
    ("command", "arguments"),
    [("runTests", "RunTestsArguments"), ("cancelRun", "FolderArguments"), ("refresh", "FolderArguments")],
)
def test_commands_take_the_argument_of_the_documentation(command: str, arguments: str) -> None:
    from testlens.lsp import protocol

    documented = re.search(rf"`testlens\.server\.{command}` `(\{{.*?\}})`", PAGE)
    assert documented is not None
    taken = {field.name for field in attrs.fields(getattr(protocol, arguments))}
    assert taken == _fields(documented[1]).keys()
