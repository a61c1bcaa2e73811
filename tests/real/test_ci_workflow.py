"""The example's own workflow, run step by step on clean checkouts: it refuses a commit that lowers coverage."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.projects import SERVER, run_testlens
from real.workflow_steps import Job, Machine

pytestmark = pytest.mark.real

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "clarity"
WORKFLOW = ".github/workflows/testlens.yml"
OWN_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
GIT = ("git", "-c", "user.name=Dev", "-c", "user.email=dev@example.invalid")

UNTESTED = '''

def steps_to_metres(steps: int, stride: float) -> float:
    """How far that many steps lead."""
    if steps < 0:
        raise ValueError(steps)
    return steps * stride
'''
TESTED = """

def test_steps_lead_somewhere():
    from clarity.models import steps_to_metres

    assert steps_to_metres(10, 0.5) == 5.0
    with pytest.raises(ValueError):
        steps_to_metres(-1, 0.5)
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The example as a repository of its own, with all that is committed of it, on `main`."""
    root = tmp_path / "origin"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=EXAMPLE, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(EXAMPLE / name, root / name)
    _git(root, "init", "--quiet", "--initial-branch=main")
    _commit(root, "Begin")
    return root


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """A machine with the example's packages and Testlens, on which nothing is left for pip to download."""
    folder = tmp_path_factory.mktemp("machine")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    sources = (EXAMPLE / ".venv", Path(sys.prefix))
    # The build backend that pip finds without a network: what comes with an environment is too old.
    (ours,) = Path(sys.prefix).glob("lib/python*/site-packages")
    for old in (*packages.glob("*setuptools*"), *packages.glob("*distutils*"), *packages.glob("pkg_resources")):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    for new in (*ours.glob("*setuptools*"), *ours.glob("*distutils*")):
        (packages / new.name).symlink_to(new)
    (packages / "others.pth").write_text(
        "".join(f"{place}\n" for source in sources for place in source.glob("lib/python*/site-packages")), "utf-8"
    )
    tools = folder / "tools"
    tools.mkdir()
    _tool(tools / "testlens", f'PYTHONPATH="{SERVER}" exec "{sys.executable}" -m testlens "$@"')
    _tool(tools / "pipx", 'test "$*" = "install testlens"')
    # Nobody has commented yet.
    _tool(
        tools / "gh",
        'test "$1" = api || { test "$1 $2" = "pr comment" && cat "${@: -1}" > "$(dirname "$0")/comment.md"; }',
    )
    kept = {name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "TMPDIR")}
    kept["PIP_CONFIG_FILE"] = os.devnull
    path = f"{folder}/venv/bin:{tools}:{os.environ['PATH']}"
    return {
        **kept,
        "PATH": path,
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def test_the_examples_workflow_is_what_init_ci_writes(repository: Path) -> None:
    """Written again, there is nothing to change."""
    done = run_testlens("init-ci", "github", cwd=repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{WORKFLOW} is up to date." in done.stdout


def test_a_commit_that_lowers_coverage_fails(repository: Path, environment: Mapping[str, str], tmp_path: Path) -> None:
    """At the gates and nowhere before, with what was lost; the report is there all the same."""
    _branch(repository, "src/clarity/models.py", UNTESTED)
    jobs = _run(tmp_path, repository, environment, _pull_request())
    (gates,) = jobs["gates"]
    assert gates.result == "failure"
    assert all(job.result == "success" for name in ("tests", "mutation") for job in jobs[name]), _outputs(jobs)
    check = gates.step("Check the pull request")
    assert check.status == "failure"
    assert "steps_to_metres" in check.output
    assert gates.step("github/codeql-action/upload-sarif@v4").status == "success"
    assert gates.step("Comment on the pull request").status == "success"
    assert (tmp_path / "run" / "summary.md").read_text(encoding="utf-8").strip()


def test_a_commit_that_keeps_coverage_passes(repository: Path, environment: Mapping[str, str], tmp_path: Path) -> None:
    """Every job, and the mutants of the changed lines were shared out among the parts."""
    _branch(repository, "src/clarity/models.py", UNTESTED, "tests/test_models.py", TESTED)
    jobs = _run(tmp_path, repository, environment, _pull_request())
    assert [job.result for name in ("tests", "mutation", "gates") for job in jobs[name]] == ["success"] * 6, _outputs(
        jobs
    )
    assert jobs["badge"][0].result == "skipped"
    merged = jobs["gates"][0].step("Merge what the jobs found").output
    assert "4 mutation reports" in merged
    assert "mutation score" in merged


def test_a_push_to_main_passes_and_makes_a_badge(
    repository: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    """Which goes onto a branch of its own; there are no mutants without a pull request."""
    event = {"event_name": "push", "ref": "refs/heads/main"}
    jobs = _run(tmp_path, repository, environment, event, revision="main")
    assert [(name, job.result) for name in jobs for job in jobs[name]] == [
        ("tests", "success"), ("mutation", "skipped"), ("gates", "success"), ("badge", "success"),
    ], _outputs(jobs)  # fmt: skip
    badge = _git(repository, "show", "badges:coverage.svg")
    assert "<svg" in badge
    assert "64" in badge


def test_a_project_below_the_top_of_its_repository_is_measured_and_judged_there(
    repository: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    """Once its workflow was moved to where GitHub looks for it."""
    project = repository / "services" / "sleep"
    project.mkdir(parents=True)
    for file in sorted(repository.iterdir()):
        if file.name not in (".git", "services"):
            file.rename(project / file.name)
    (project / WORKFLOW).unlink()
    done = run_testlens("init-ci", "github", cwd=project)
    assert "its steps run in services/sleep" in done.stderr
    (project / ".github").rename(repository / ".github")
    _commit(repository, "Move down")
    event = {"event_name": "push", "ref": "refs/heads/main"}
    jobs = _run(tmp_path, repository, environment, event, revision="main")
    assert [(name, job.result) for name in jobs for job in jobs[name]] == [
        ("tests", "success"), ("mutation", "skipped"), ("gates", "success"), ("badge", "success"),
    ], _outputs(jobs)  # fmt: skip
    assert jobs["gates"][0].step("github/codeql-action/upload-sarif@v4").status == "success"
    assert "<svg" in _git(repository, "show", "badges:coverage.svg")


def test_a_test_that_fails_stops_it_at_the_gates(
    repository: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    """The gates are not skipped, which would count as passed."""
    _branch(repository, "tests/test_models.py", "\n\ndef test_broken():\n    assert False\n")
    # One part of the mutants is enough: the gates stop before they would miss the others.
    jobs = _run(tmp_path, repository, environment, _pull_request(), parts=(1,))
    assert jobs["tests"][0].result == "failure"
    assert jobs["gates"][0].result == "failure"
    assert jobs["gates"][0].step("Stop where a job before has failed").status == "failure"


def _pull_request() -> dict[str, Any]:
    number = {"pull_request": {"number": 7}}
    return {"event_name": "pull_request", "base_ref": "main", "ref": "refs/pull/7/merge", "token": "t", "event": number}


def _run(
    folder: Path,
    repository: Path,
    environment: Mapping[str, str],
    event: Mapping[str, Any],
    revision: str = "change",
    parts: Collection[int] = range(1, 5),
) -> dict[str, list[Job]]:
    def is_here(entry: Mapping[str, Any]) -> bool:
        return entry.get("python", OWN_VERSION) == OWN_VERSION and entry.get("part", min(parts)) in parts

    machine = Machine(folder / "run", repository, revision, environment, event, is_here)
    return machine.run(repository / WORKFLOW)


def _outputs(jobs: Mapping[str, list[Job]]) -> str:
    steps = ((job, step) for entries in jobs.values() for job in entries for step in job.steps)
    return "\n".join(
        f"{job.name} {job.matrix}: {step.name}\n{step.output}" for job, step in steps if step.status == "failure"
    )


def _branch(root: Path, *changes: str) -> None:
    _git(root, "switch", "--quiet", "--create", "change")
    for name, text in zip(changes[::2], changes[1::2], strict=True):
        with (root / name).open("a", encoding="utf-8") as file:
            file.write(text)
    _commit(root, "Change")


def _commit(root: Path, message: str) -> None:
    _git(root, "add", "--all")
    _git(root, "commit", "--quiet", "--message", message)


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run([*GIT, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout


def _tool(file: Path, script: str) -> None:
    file.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
    file.chmod(0o755)
