"""A parsed source says what coverage.py says of it, on every kind of Python there is: the standard library's."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from testlens.domain.problems import Problem
from testlens.sources.coverage_config import CoverageSettings
from testlens.sources.coverage_parse import Parsed, decode, normalise, parse

RULES = CoverageSettings()
LIBRARY = Path(os.__file__).parent

# coverage.py's parser as nobody changed it, in a process of its own.
UNTOUCHED = """
import json, sys
from coverage.parser import PythonParser
for path in sys.stdin.read().splitlines():
    parser = PythonParser(filename=path, exclude=sys.argv[1])
    parser.parse_source()
    arcs = sorted(parser.arcs())
    print(json.dumps([sorted(parser.statements), sorted(parser.excluded), arcs, sorted(parser.exit_counts().items())]))
"""


def test_statements_exclusions_and_arcs_are_coverages_own_on_the_standard_library() -> None:
    paths = [path for path in sorted(LIBRARY.glob("*.py")) + sorted(LIBRARY.glob("*/*.py")) if path.stat().st_size]
    sample = [path for path in random.Random(5).sample(paths, 150) if "lib2to3" not in path.parts]
    names = "\n".join(str(path) for path in sample)
    command = [sys.executable, "-c", UNTOUCHED, RULES.exclude]
    lines = subprocess.run(command, input=names, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == len(sample) > 100
    for path, line in zip(sample, lines, strict=True):
        found = parse(decode(path.read_bytes()), str(path), RULES.exclude, RULES.no_branch)
        assert isinstance(found, Parsed), path
        source = found.source
        exits = sorted(source.exit_counts.items())
        ours = [sorted(source.statements), sorted(source.excluded), sorted(source.arcs), exits]
        assert json.loads(json.dumps(ours)) == json.loads(line), path


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def f(a):\n    if a:\n        a = 1\n", "line 2 never returned from `f`: the condition was always true"),
        ("for a in b:\n    a\nc = 1\n", "line 1 never continued to line 3: the loop never ran to its end"),
        ("for a in b:\n    a\nc = 1\n", "line 1 never continued to line 2: the loop never started"),
        ("if a:\n    b = 1\n", "line 1 never reached the end of the module: the condition was always true"),
        (
            "match a:\n    case 1:\n        b = 1\nc = 1\n",
            "line 2 never continued to line 4: the pattern always matched",
        ),
    ],
)
def test_a_branch_is_named_in_words_that_need_no_manual(text: str, sentence: str) -> None:
    found = parse(text, "a.py", RULES.exclude, RULES.no_branch)
    assert isinstance(found, Parsed)
    assert sentence in {found.describe(arc) for arc in found.source.arcs}


@pytest.mark.parametrize("text", ["def f(:\n", "x = '\n", "  x = 1\n", "\0"])
def test_what_is_no_python_is_a_problem_with_its_place(text: str) -> None:
    found = parse(normalise(text), "a.py", RULES.exclude, RULES.no_branch)
    assert isinstance(found, Problem)
    assert found.path == "a.py"


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", '"""Only words."""\n'])
def test_a_file_without_statements_is_no_problem(text: str) -> None:
    found = parse(normalise(text), "a.py", RULES.exclude, RULES.no_branch)
    assert isinstance(found, Parsed)
    assert found.source.statements == frozenset()


def test_an_unknown_encoding_does_not_hide_the_file() -> None:
    assert decode(b"# -*- coding: klingon -*-\nx = 1\n") == "# -*- coding: klingon -*-\nx = 1\n"
