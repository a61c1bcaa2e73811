"""The workflows that `testlens init-ci` writes are valid for the services that run them, whatever the project."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from testlens.domain.ci_plan import CiPlan, Gates, ProjectFacts
from testlens.report.check_markdown import marker
from testlens.scaffold.ci_workflow import FILES, Service, render_workflow

PIP = ProjectFacts("shop", ((3, 9), (3, 10), (3, 13)), "pip", ('-e ".[test]"', "-r requirements.txt"),
                   ("requirements.txt", "pyproject.toml", "setup.py"), "main")  # fmt: skip
PLANS = {
    "pip": CiPlan(PIP),
    "nothing to install": CiPlan(replace(PIP, install=(), locks=())),
    "uv": CiPlan(replace(PIP, installer="uv", install=("--frozen", "--group dev"), locks=("uv.lock",))),
    "poetry": CiPlan(replace(PIP, installer="poetry", install=("--with dev",), locks=("poetry.lock",))),
    "old Python": CiPlan(replace(PIP, versions=((3, 9),))),
    "all gates": CiPlan(PIP, Gates(85, 90.5, 60), 12, "90s"),
    "no gate of changed lines": CiPlan(PIP, Gates(diff=None), 1),
    "below the top": CiPlan(replace(PIP, folder="services/back end ü")),
    "below the top with uv": CiPlan(replace(PIP, installer="uv", locks=("uv.lock",), folder="services/sleep")),
    "odd branch": CiPlan(replace(PIP, branch="release/'x\"#1")),
}


def _load(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def _scripts(workflow: Any) -> Iterator[str]:
    """Of a workflow of either service."""
    for job in workflow.get("jobs", {}).values():
        yield from (step["run"] for step in job["steps"] if "run" in step)
    for job in workflow.values():
        if isinstance(job, dict) and "script" in job:
            yield "\n".join(job["script"])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workflows of all plans for both services, one folder a plan."""
    root = tmp_path_factory.mktemp("workflows")
    for name, plan in PLANS.items():
        for service, path in FILES.items():
            file = root / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(render_workflow(plan, service), encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("service", "options"),
    [
        ("github", ("--builtin-schema", "vendor.github-workflows")),
        ("gitlab", ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")),
    ],
)
def test_every_workflow_fits_the_published_schema(written: Path, service: Service, options: tuple[str, ...]) -> None:
    """check-jsonschema brings the schemas of schemastore.org and of GitLab with it."""
    files = [str(written / name / FILES[service]) for name in PLANS]
    done = _run(sys.executable, "-m", "check_jsonschema", *options, *files)
    assert done.returncode == 0, done.stdout


def test_the_schema_would_notice_a_mistake(written: Path, tmp_path: Path) -> None:
    """A check that accepts everything would prove nothing."""
    text = (written / "pip" / FILES["github"]).read_text(encoding="utf-8")
    broken = tmp_path / "broken.yml"
    broken.write_text(text.replace("fail-fast: false", "fail-fats: false"), encoding="utf-8")
    done = _run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(broken))
    assert done.returncode == 1
    assert _actionlint(broken).returncode == 1


def test_actionlint_finds_nothing_in_any_of_them(written: Path) -> None:
    """It knows expressions, contexts, permissions, and which inputs each version of an action takes."""
    done = _actionlint(*(written / name / FILES["github"] for name in PLANS))
    assert done.returncode == 0, done.stdout


def test_every_script_is_one_that_a_shell_can_read(written: Path) -> None:
    """Quotes and continued lines survive the templates."""
    for name, path in itertools.product(PLANS, FILES.values()):
        scripts = list(_scripts(_load((written / name / path).read_text(encoding="utf-8"))))
        assert len(scripts) > 1
        for script in scripts:
            done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (name, script, done.stderr)


def test_the_matrix_is_what_the_project_supports(written: Path) -> None:
    """As text: 3.10 is no number."""
    github = _load((written / "pip" / FILES["github"]).read_text(encoding="utf-8"))
    assert github["jobs"]["tests"]["strategy"]["matrix"]["python"] == ["3.9", "3.10", "3.13"]
    gitlab = _load((written / "pip" / FILES["gitlab"]).read_text(encoding="utf-8"))
    assert gitlab["tests"]["parallel"]["matrix"] == [{"PYTHON": ["3.9", "3.10", "3.13"]}]


def test_the_shards_of_the_mutants_are_all_there(written: Path) -> None:
    """Each job has one of twelve, within the budget."""
    github = (written / "all gates" / FILES["github"]).read_text(encoding="utf-8")
    assert _load(github)["jobs"]["mutation"]["strategy"]["matrix"]["part"] == list(range(1, 13))
    assert "${{ matrix.part }}/12" in github
    assert "--budget 90s" in github
    gitlab = (written / "all gates" / FILES["gitlab"]).read_text(encoding="utf-8")
    assert _load(gitlab)["mutation"]["parallel"] == 12
    assert '--shard "$CI_NODE_INDEX/$CI_NODE_TOTAL"' in gitlab


@pytest.mark.parametrize("service", list(FILES))
def test_the_gates_are_those_that_were_asked_for(written: Path, service: Service) -> None:
    """What is held never drops; mutants are judged where they were checked, on a pull request."""
    text = (written / "all gates" / FILES[service]).read_text(encoding="utf-8")
    assert text.count("testlens check --no-drop --fail-under 85") == 2
    assert text.count("--fail-under-mutation 60") == 1
    assert text.count("--fail-under-diff 90.5") == 1
    without = (written / "no gate of changed lines" / FILES[service]).read_text(encoding="utf-8")
    assert "--fail-under-diff" not in without
    assert "--diff" in without


def test_gates_run_also_where_a_job_before_has_failed(written: Path) -> None:
    """GitHub counts a required check that is skipped as passed."""
    gates = _load((written / "pip" / FILES["github"]).read_text(encoding="utf-8"))["jobs"]["gates"]
    assert gates["if"] == "${{ !cancelled() }}"
    assert gates["steps"][0]["run"] == "exit 1"
    assert "needs.tests.result != 'success'" in gates["steps"][0]["if"]


COMMENTS = [
    {"id": 1, "user": {"login": "github-actions[bot]"}, "body": "Another workflow says hello."},
    {"id": 2, "user": {"login": "ada"}, "body": f"{marker('')}\nwhich a person has copied"},
    {"id": 3, "user": {"login": "github-actions[bot]"}, "body": f"{marker('')}\n## Testlens"},
    {"id": 4, "user": {"login": "github-actions[bot]"}, "body": "Another one, later."},
]


@pytest.mark.parametrize(
    ("comments", "done"),
    [
        (COMMENTS, "api repos/o/r/issues/comments/3 --method PATCH --field body=@comment.md --silent"),
        (COMMENTS[:2], "pr comment 7 --body-file comment.md"),
        ([], "pr comment 7 --body-file comment.md"),
    ],
)
def test_a_comment_replaces_our_last_one_and_nobody_elses(
    written: Path, tmp_path: Path, comments: list[Any], done: str
) -> None:
    """All workflows comment by the same name, so that the last comment of that name may be another's."""
    gates = _load((written / "pip" / FILES["github"]).read_text(encoding="utf-8"))["jobs"]["gates"]
    (step,) = (step for step in gates["steps"] if step.get("name") == "Comment on the pull request")
    (tmp_path / "comments.json").write_text(json.dumps(comments), encoding="utf-8")
    gh = tmp_path / "gh"
    gh.write_text(
        '#!/bin/bash\nif [ "$3" = --paginate ]; then jq "$5" comments.json; else echo "$@" > done; fi\n', "utf-8"
    )
    gh.chmod(0o755)
    env = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "GITHUB_REPOSITORY": "o/r",
        "NUMBER": "7",
        "OURS": step["env"]["OURS"],
    }
    subprocess.run(["bash", "-e", "-c", step["run"]], cwd=tmp_path, env=env, check=True)
    assert (tmp_path / "done").read_text(encoding="utf-8").strip() == done


def test_projects_of_one_repository_have_comments_of_their_own(written: Path) -> None:
    text = (written / "below the top" / FILES["github"]).read_text(encoding="utf-8")
    assert f'startswith("{marker("services/back end ü/")}")' in text


def test_a_project_of_an_old_python_gets_a_newer_one_for_testlens(written: Path) -> None:
    """Testlens itself wants 3.11, and the project's tests still run on 3.9."""
    github = _load((written / "old Python" / FILES["github"]).read_text(encoding="utf-8"))
    versions = [step["with"]["python-version"] for job in ("mutation", "gates") for step in github["jobs"][job]["steps"]
                if "python-version" in step.get("with", {})]  # fmt: skip
    assert versions == ["3.9", "3.13"]
    assert "mutation" not in _load((written / "old Python" / FILES["gitlab"]).read_text(encoding="utf-8"))


def _actionlint(*files: Path) -> subprocess.CompletedProcess[str]:
    return _run(str(Path(sys.executable).parent / "actionlint"), "-shellcheck=", "-pyflakes=", *map(str, files))


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
