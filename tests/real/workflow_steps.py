"""Runs a workflow of GitHub on this machine, job by job and step by step, each job in a clean checkout.

What an action does is done in its stead: a checkout is a clone, an artifact is a folder, an interpreter is the one that
is given. Scripts run as they stand, in bash. Expressions are understood as far as our workflows use them; others are
errors.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
_NAME = re.compile(r"\b(?:github|matrix|needs)(?:\.\w+)+")


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one step: `status` is `success`, `failure` or `skipped`."""

    name: str
    status: str
    output: str = ""


@dataclass(slots=True)
class Job:
    """What came of one job, of one entry of its matrix."""

    name: str
    matrix: Mapping[str, Any]
    steps: list[Step] = field(default_factory=list)
    result: str = "success"

    def step(self, name: str) -> Step:
        """The step of that name."""
        return next(step for step in self.steps if step.name == name)


@dataclass(slots=True)
class Machine:
    """Where jobs run: a folder for all that they leave, the repository to check out at `revision`, and the environment.

    `chooses` says which entries of a matrix can run here; the others need an interpreter that is not there.
    """

    folder: Path
    repository: Path
    revision: str
    environment: Mapping[str, str]
    event: Mapping[str, Any]
    chooses: Callable[[Mapping[str, Any]], bool]

    def run(self, workflow: Path) -> dict[str, list[Job]]:
        """All jobs in the order of the file, which is that of their needs."""
        document = YAML(typ="safe", pure=True).load(workflow.read_text(encoding="utf-8"))
        done: dict[str, list[Job]] = {}
        inside = document.get("defaults", {}).get("run", {}).get("working-directory", ".")
        for name, job in document["jobs"].items():
            results = {need: {"result": _result(done[need])} for need in _needs(job)}
            context = {"github": self.event, "needs": results, "matrix": {}}
            condition = job.get("if", "success()")
            if not _holds(condition, context, all(each["result"] == "success" for each in results.values())):
                done[name] = [Job(name, {}, result="skipped")]
                continue
            entries = [entry for entry in _entries(job) if self.chooses(entry)]
            assert entries, f"nothing of the matrix of {name} can run here"
            own = {"defaults": {"run": {"working-directory": inside}}} | job
            done[name] = [self._run_job(name, own, {**context, "matrix": entry}, entry) for entry in entries]
        return done

    def _run_job(self, name: str, job: Mapping[str, Any], context: dict[str, Any], entry: Mapping[str, Any]) -> Job:
        found = Job(name, entry)
        label = "-".join(map(str, (name, *entry.values())))
        place = self.folder / "jobs" / label
        place.mkdir(parents=True)
        inside = place / job["defaults"]["run"]["working-directory"]
        for step in job["steps"]:
            title = _filled(step.get("name", step.get("uses", "")), context)
            if not _holds(step.get("if", "success()"), context, found.result == "success", place):
                found.steps.append(Step(title, "skipped"))
                continue
            status, output = self._run_step(step, context, place, inside)
            found.steps.append(Step(title, "success" if status else "failure", output))
            if not status and not step.get("continue-on-error"):
                found.result = "failure"
        return found

    def _run_step(
        self, step: Mapping[str, Any], context: Mapping[str, Any], place: Path, inside: Path
    ) -> tuple[bool, str]:
        if "uses" in step:
            inputs = {name: _filled(value, context) for name, value in step.get("with", {}).items()}
            return self._act(step["uses"], inputs, place), ""
        own = {name: _filled(value, context) for name, value in step.get("env", {}).items()}
        summary = self.folder / "summary.md"
        environment = {**self.environment, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), **own}
        script = _filled(step["run"], context)
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        done = subprocess.run(
            command, cwd=inside, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        return done.returncode == 0, done.stdout + done.stderr

    def _act(self, action: str, inputs: Mapping[str, Any], place: Path) -> bool:
        name, _, version = action.partition("@")
        assert re.fullmatch(r"v\d+", version), f"{action} is not pinned to a major version"
        match name:
            case "actions/checkout":
                self._check_out(inputs, place)
            case "actions/setup-python":
                assert re.fullmatch(r"3\.\d+", str(inputs["python-version"]))
            case "actions/upload-artifact":
                return self._upload(inputs, place)
            case "actions/download-artifact":
                self._download(inputs, place)
            case "github/codeql-action/upload-sarif":
                assert json.loads((place / inputs["sarif_file"]).read_text(encoding="utf-8"))["version"] == "2.1.0"
            case _:
                raise AssertionError(f"{action} is unknown here")
        return True

    def _check_out(self, inputs: Mapping[str, Any], place: Path) -> None:
        # GitHub's checkout has one commit, unless it is told otherwise.
        depth = () if str(inputs.get("fetch-depth", 1)) == "0" else ("--depth", "1")
        origin = self.repository.as_uri()
        clone = ["git", "clone", "--quiet", *depth, "--branch", self.revision, origin, "."]
        subprocess.run(clone, cwd=place, check=True, capture_output=True)

    def _upload(self, inputs: Mapping[str, Any], place: Path) -> bool:
        hidden = str(inputs.get("include-hidden-files", "false")).lower() == "true"
        found = [file for file in place.glob(inputs["path"]) if hidden or not file.name.startswith(".")]
        target = self.folder / "artifacts" / inputs["name"]
        assert not target.exists(), "an artifact cannot be uploaded twice"
        target.mkdir(parents=True)
        for file in found:
            shutil.copy2(file, target)
        return bool(found) or inputs.get("if-no-files-found") != "error"

    def _download(self, inputs: Mapping[str, Any], place: Path) -> None:
        target = place / inputs["path"]
        target.mkdir(exist_ok=True)
        for artifact in sorted((self.folder / "artifacts").glob(inputs.get("name", "*"))):
            for file in artifact.iterdir():
                shutil.copy2(file, target)


def _needs(job: Mapping[str, Any]) -> list[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else list(needs)


def _result(jobs: list[Job]) -> str:
    results = {job.result for job in jobs}
    return "failure" if "failure" in results else results.pop()


def _entries(job: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    matrix = job.get("strategy", {}).get("matrix", {})
    for values in itertools.product(*matrix.values()):
        yield dict(zip(matrix, values, strict=True))


def _filled(text: Any, context: Mapping[str, Any]) -> str:
    return _EXPRESSION.sub(lambda found: str(_value(found[1].strip(), context)), str(text))


def _holds(condition: str, context: Mapping[str, Any], succeeded: bool, place: Path | None = None) -> bool:
    text = condition.strip().removeprefix("${{").removesuffix("}}").strip()
    # Without a word on what came before, a condition stands for the case that it succeeded.
    if not re.search(r"\b(always|cancelled|success|failure)\(\)", text):
        text = f"success() && ({text})"
    return bool(_value(text, context, succeeded, place))


def _value(text: str, context: Mapping[str, Any], succeeded: bool = True, place: Path | None = None) -> Any:
    functions = {
        "always": lambda: True,
        "cancelled": lambda: False,
        "success": lambda: succeeded,
        "failure": lambda: not succeeded,
        "contains": lambda values, value: value in values,
        "fromJSON": json.loads,
        "hashFiles": lambda pattern: "".join(file.name for file in place.glob(pattern)) if place else "",
    }
    code = _NAME.sub(lambda found: repr(_looked_up(found[0], context)), text)
    code = re.sub(r"!(?!=)", " not ", code.replace("&&", " and ").replace("||", " or "))
    return eval(code.strip(), {"__builtins__": {}}, functions)


def _looked_up(path: str, context: Mapping[str, Any]) -> Any:
    value: Any = context
    for name in path.split("."):
        value = value[name] if isinstance(value, Mapping) and name in value else ""
    return value
