"""README.md and docs/risk.md say what the code does: names, weights and worked examples are held against it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from testlens.domain.history import Change
from testlens.domain.risk import CONSEQUENCE_POINTS, DEFAULT_WEIGHTS, LIKELIHOOD_POINTS, Evidence, assess, crap
from testlens.scaffold.recipes import ALL
from testlens.sources.project_config import load

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "risk.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
TIMES = "\N{MULTIPLICATION SIGN}"
BATCH_WRITE = Evidence(
    kind="uncovered",
    complexity=9,
    unproven=0.8,
    consequences=frozenset({"error handler", "data write", "batch", "retry"}),
    change=Change(age_days=20, share365=0.5, authors=3, commits=7),
)
NO_GIT = Evidence(
    kind="partial",
    complexity=4,
    unproven=0.25,
    consequences=frozenset({"critical", "network"}),
    change=None,
)


def _section(title: str) -> str:
    return PAGE.split(f"# {title}\n", 1)[1].split("\n#", 1)[0]


def _points(title: str) -> Mapping[str, float]:
    """The last column of the section's table by its first one."""
    rows = re.findall(r"^\| ([\w ]+|\*\*risk\*\*) \|.*\| \**([\d.]+)\** \|$", _section(title), re.MULTILINE)
    return {name.strip("*"): float(points) for name, points in rows}


def test_the_page_has_every_weight_as_the_code_has_it() -> None:
    rows = re.findall(r"^\| `([\w ]+)` \|.*\| (\d+) \|$", PAGE, re.MULTILINE)
    assert {name: float(weight) for name, weight in rows} == DEFAULT_WEIGHTS


def test_the_page_has_the_share_of_both_parts() -> None:
    assert f"likelihood (at most {LIKELIHOOD_POINTS:g} points)" in PAGE
    assert f"consequence (at most {CONSEQUENCE_POINTS:g} points)" in PAGE


@pytest.mark.parametrize(
    ("title", "evidence"),
    [("A batch write that nothing runs", BATCH_WRITE), ("A branch never taken, without git", NO_GIT)],
)
def test_a_worked_example_is_what_the_code_computes(title: str, evidence: Evidence) -> None:
    risk = assess(evidence)
    assert _points(title) == {**risk.factors, "risk": risk.score}


def test_the_crap_of_the_first_example_is_what_the_code_computes() -> None:
    assert f"The CRAP of this function is {crap(BATCH_WRITE.complexity, 20.0)}." in PAGE


@pytest.mark.parametrize("title", ["A batch write that nothing runs", "A branch never taken, without git"])
def test_each_step_of_a_worked_example_gives_its_points(title: str) -> None:
    steps = re.findall(rf"^\| [\w ]+ \| ([\d.{TIMES} /]+) \| ([\d.]+) \|$", _section(title), re.MULTILINE)
    assert steps
    for step, points in steps:
        factors, _, divisor = step.partition("/")
        product = 1.0
        for factor in factors.split(TIMES):
            product *= float(factor)
        assert product / float(divisor or 1) == pytest.approx(float(points), abs=0.051)


def test_the_readme_names_settings_that_the_editor_has() -> None:
    manifest = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    parts = manifest["contributes"]["configuration"]
    settings = {name for part in (parts if isinstance(parts, list) else [parts]) for name in part["properties"]}
    named = set(re.findall(r"`(testlens\.[\w.]+)`", README))
    assert named
    assert named <= settings


def test_the_readme_names_settings_that_pyproject_may_have(tmp_path: Path) -> None:
    named = re.findall(r"^\| `(\w+)` \|", README.split("## Settings", 1)[1], re.MULTILINE)
    lines = "".join(
        f"{name} = 1979-05-27\n" for name in named
    )  # no setting's, so that each known name is complained of
    (tmp_path / "pyproject.toml").write_text(f"[tool.testlens]\n{lines}", encoding="utf-8")
    _, problems = load(tmp_path)
    assert len(problems) == len(named) > 0
    assert not [problem for problem in problems if "no setting" in problem.message]


@pytest.mark.parametrize("page", ["README.md", "docs/risk.md", "docs/editors.md", "docs/architecture.md"])
def test_every_link_within_the_pages_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target.split("#")[0] for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text)]
    assert [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()] == []


def test_the_readme_has_a_row_for_every_recipe_and_no_other() -> None:
    table = README.split("| recipe | fits |", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE)) == {recipe.name for recipe in ALL}


def test_the_readme_starts_with_a_picture_and_names_the_two_commands_next() -> None:
    assert README.splitlines()[2].startswith("![")
    assert README.index("![") < README.index("npm start") < README.index("npm test") < README.index("testlens run")
