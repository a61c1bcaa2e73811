"""docs/lsp-extensions.md names the messages, fields, settings and commands that the server has, and no others."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import attrs
import pytest

from testlens.lsp import explorer_messages, protocol
from testlens.lsp.options import Options, read_options
from testlens.workspace.settings import Overrides

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "lsp-extensions.md").read_text(encoding="utf-8")
SETTINGS = {
    "python": "python3",
    "target": 50,
    "critical": ["a/**"],
    "weights": {"complexity": 1},
    "pytestArgs": ["-x"],
    "testTimeout": 9,
    "recordValues": False,
    "slowTests": 2,
    "scaffold": {"budget": 1, "network": True, "style": "plain"},
    "mutants": {"show": "all"},
}


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def _fields(kind: Any) -> set[str]:
    names = [field.name for field in attrs.fields(kind)] if attrs.has(kind) else list(get_type_hints(kind))
    return {_camel(name) for name in names}


def _keys(text: str) -> set[str]:
    return set(re.findall(r'"(\w+)\??"\??:', text))


def _section(title: str) -> str:
    return PAGE.split(f"### `{title}`\n", 1)[1].split("\n#", 1)[0]


def test_the_page_names_every_message_and_command_and_no_other() -> None:
    values = {value for value in vars(protocol).values() if isinstance(value, str)}
    messages = {value for value in values if value.startswith("testlens/")}
    commands = {value for value in values if value.startswith("testlens.server.")}
    assert messages
    assert set(re.findall(r"^### `(testlens/\w+)`$", PAGE, re.MULTILINE)) == messages
    assert set(re.findall(r"^- `(testlens\.server\.\w+)` ", PAGE, re.MULTILINE)) == commands


@pytest.mark.parametrize(
    ("method", "kinds"),
    [
        (protocol.MARKS, [protocol.MarksParams, protocol.FailureMark]),
        (protocol.STATUS, [protocol.StatusParams]),
        (
            protocol.PLAN,
            [
                protocol.FolderParams,
                protocol.PlanResult,
                protocol.PlannedFile,
                protocol.PlannedFunction,
                protocol.PlannedGap,
            ],
        ),
        (protocol.MUTANT, [protocol.MutantParams, protocol.MutantResult]),
        (protocol.MUTATION_REPORT, [protocol.FolderParams, protocol.MutationReportResult]),
        (protocol.REPORT, [protocol.ReportParams, protocol.ReportResult]),
        (protocol.TESTS_OF_LINE, [protocol.LineParams, protocol.TestsOfLineResult, protocol.LinkedTest]),
        (protocol.LINES_OF_TEST, [protocol.LineParams, protocol.LinesOfTestResult, protocol.LinkedFile]),
        (protocol.TESTS, [explorer_messages.TestsParams, explorer_messages.PlacedTest, explorer_messages.TestReport]),
        (protocol.TEST_RUN, [explorer_messages.TestRunParams]),
        (protocol.FIND_TESTS, [protocol.FolderParams, explorer_messages.FindTestsResult]),
        (protocol.DEBUG_TARGET, [protocol.FolderParams, explorer_messages.DebugTargetResult]),
        (protocol.COVERAGE, [protocol.FolderParams, explorer_messages.CoverageResult, explorer_messages.CoveredFile]),
        (
            protocol.FILE_COVERAGE,
            [
                explorer_messages.FileCoverageParams,
                explorer_messages.FileCoverageResult,
                explorer_messages.StatementDetail,
                explorer_messages.BranchDetail,
                explorer_messages.FunctionDetail,
            ],
        ),
        (protocol.SAVE, [protocol.SaveParams, protocol.SaveResult]),
        (protocol.INTERPRETER, [protocol.FolderParams, protocol.InterpreterResult]),
    ],
)
def test_a_message_has_the_fields_that_the_page_gives_it(method: str, kinds: list[Any]) -> None:
    shape = " ".join(re.findall(r"`(\{.*?\})`", _section(method)))
    assert _keys(shape) == set().union(*map(_fields, kinds))


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (protocol.RUN_TESTS, protocol.RunTestsArguments),
        (protocol.RUN_LEFT_OUT, protocol.FolderArguments),
        (protocol.CANCEL_RUN, protocol.FolderArguments),
        (protocol.REFRESH, protocol.FolderArguments),
        (protocol.SCAFFOLD, protocol.ScaffoldArguments),
        (protocol.MUTATE, protocol.MutateArguments),
        (protocol.KILL, protocol.KillArguments),
        (protocol.INIT_CI, protocol.InitCiArguments),
    ],
)
def test_a_command_takes_the_argument_that_the_page_gives_it(command: str, kind: Any) -> None:
    found = re.search(rf"^- `{re.escape(command)}` `(\{{.*?\}})`", PAGE, re.MULTILINE)
    assert found is not None
    assert _keys(found[1]) == _fields(kind)
    optional = {_camel(field.name) for field in attrs.fields(kind) if field.default is not attrs.NOTHING}
    assert set(re.findall(r'"(\w+)"\?:', found[1])) == optional


def test_the_page_names_the_options_that_the_server_reads() -> None:
    said = re.search(r"^`initializationOptions`: `(\{.*?\})`", PAGE, re.MULTILINE)
    assert said is not None
    assert _keys(said[1]) == {_camel(field.name) for field in fields(Options)}


def test_every_setting_of_the_page_is_put_in_force() -> None:
    paragraph = PAGE.split("`Settings` (every key optional): ", 1)[1].split("\n\n", 1)[0]
    named = set(re.findall(r"(?:^|, |\n)`(\w+)` ", re.sub(r"\{[^}]*\}", "", paragraph)))
    assert named == {*SETTINGS, "diagnostics", "codeLens", "continuous"}
    overrides = read_options({"settings": SETTINGS}, Options()).overrides()
    unchanged = {field.name for field in fields(Overrides) if getattr(overrides, field.name) == field.default}
    assert unchanged <= {"data"}, "only the command line names data files"


@pytest.mark.parametrize(
    ("said", "understood"),
    [("onSave", "onSave"), ("onIdle", "onIdle"), ("off", "off"), ("always", "off"), (1, "off")],
)
def test_tests_run_by_themselves_only_where_that_was_said(said: object, understood: str) -> None:
    assert read_options({"settings": {"continuous": said}}, Options()).continuous == understood
    assert Options().continuous == "off"
