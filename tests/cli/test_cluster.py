"""`testlens mutate --executor dask://HOST`: mutants on a local cluster of real workers, one of which dies half-way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from distributed import Client

from agent.mutating import SOURCE, mutation_python, write
from cli.projects import command, command_environment, json_of, run_testlens

WORKERS = 3
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A scheduler on the loopback interface, and its workers, which are processes of their own."""

    address: str
    workers: dict[str, subprocess.Popen[bytes]]

    @property
    def executor(self) -> str:
        """What the user writes."""
        return self.address.replace("tcp://", "dask://")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Three workers without a nanny: nobody starts one again that was killed."""
    note = tmp_path / "scheduler.json"
    options = ("--host", "127.0.0.1", "--no-dashboard")
    scheduler = _start("dask_scheduler", "--port", "0", "--scheduler-file", str(note), *options)
    workers: dict[str, subprocess.Popen[bytes]] = {}
    try:
        _wait(lambda: note.exists() and note.stat().st_size > 0, "the scheduler")
        address = json.loads(note.read_text(encoding="utf-8"))["address"]
        for number in range(WORKERS):
            own = ("--no-nanny", "--nthreads", "1", "--name", f"w{number}", "--local-directory", str(tmp_path / "dask"))
            workers[f"w{number}"] = _start("dask_worker", address, *own, *options)
        with Client(address) as client:
            client.wait_for_workers(WORKERS, timeout=60)
        yield Cluster(address, workers)
    finally:
        for process in (*workers.values(), scheduler):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project."""
    folder = tmp_path_factory.mktemp("clustered")
    write(folder, SOURCE)
    return folder


def test_no_mutant_is_lost_or_counted_twice_when_a_worker_dies(root: Path, cluster: Cluster) -> None:
    """It is killed while it checks mutants; the others take over, and the result is that of a run on one machine."""
    arguments = ("mutate", "--executor", cluster.executor, "--python", str(mutation_python()))
    with (
        Client(cluster.address) as client,
        subprocess.Popen(
            command(*arguments), cwd=root, env=command_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as running,
    ):
        busy = _wait(lambda: _busy(client), "a worker that checks mutants")
        time.sleep(3)  # it has begun, and has not finished: a shard takes longer
        cluster.workers[busy].send_signal(signal.SIGKILL)
        output, errors = running.communicate(timeout=240)
        left = {worker["name"] for worker in client.scheduler_info(n_workers=-1)["workers"].values()}
    assert running.returncode == 0, errors.decode()
    assert left == cluster.workers.keys() - {busy}
    assert f"{2 * WORKERS} of {2 * WORKERS} shards are done" in errors.decode()
    report = json.loads((root / "mutation-report.json").read_text(encoding="utf-8"))
    entries = [entry for file in report["files"].values() for entry in file["mutants"]]
    assert max(Counter(entry["id"] for entry in entries).values()) == 1
    (root / "mutation-report.json").unlink()
    whole = json_of(run_testlens("mutate", "--json", "--python", mutation_python(), cwd=root))
    words = {"nocoverage": "no tests"}
    found = {entry["id"]: words.get(entry["status"].lower(), entry["status"].lower()) for entry in entries}
    assert found == {mutant["name"]: mutant["status"] for mutant in whole["mutants"]}
    assert f"mutation score {whole['score']} %" in output.decode()


@pytest.mark.parametrize(
    ("executor", "said"),
    [
        ("celery://here", "`celery://here` is no executor"),
        ("dask://", "such as dask://10.0.0.5:8786"),
        ("dask://127.0.0.1:9", "No Dask scheduler answers at tcp://127.0.0.1:9"),
    ],
)
def test_a_cluster_that_is_none_is_said(root: Path, executor: str, said: str) -> None:
    """With what to do about it."""
    done = run_testlens("mutate", "--executor", executor, cwd=root)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def _busy(client: Client) -> str | None:
    """A worker whose task has got as far as checking: its agent runs as a child of it."""
    names = {address: worker["name"] for address, worker in client.scheduler_info(n_workers=-1)["workers"].items()}
    tasks = client.processing()
    return next((names[address] for address, keys in tasks.items() if keys and address in names), None)


def _start(program: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**command_environment(), "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    argv = [sys.executable, "-P", "-m", f"distributed.cli.{program}", *arguments]
    return subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _wait(read: Callable[[], T], what: str, seconds: float = 60) -> T:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = read()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")
