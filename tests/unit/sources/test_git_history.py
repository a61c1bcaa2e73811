"""Git's facts reach risk, its absence costs nothing but them, and a repository never gets to run a program."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testlens.domain.history import NOT_COMMITTED, FileHistory
from testlens.domain.problems import Problem
from testlens.runners.process import run_text
from testlens.sources.git_history import read_history

DAY = 86_400
NOW = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
FOUR_FACTORS = "recency, changed, authors and commits"


@dataclass(frozen=True, slots=True)
class Repository:
    """A real repository, written to as its authors would."""

    root: Path

    def git(self, *arguments: str, author: str = "ada", days_ago: int = 0) -> str:
        moment = f"{int(NOW) - days_ago * DAY} +0000"
        env = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": author,
            "GIT_AUTHOR_EMAIL": f"{author}@example.org",
            "GIT_COMMITTER_NAME": author,
            "GIT_COMMITTER_EMAIL": f"{author}@example.org",
            "GIT_AUTHOR_DATE": moment,
            "GIT_COMMITTER_DATE": moment,
        }
        command = ["git", *arguments]
        return subprocess.run(command, cwd=self.root, env=env, check=True, capture_output=True, text=True).stdout

    def write(self, path: str, *lines: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def commit(self, author: str = "ada", days_ago: int = 0) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change", author=author, days_ago=days_ago)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "project")
    made.root.mkdir()
    made.git("init", "-q")
    return made


@pytest.fixture
def grown(repository: Repository) -> Repository:
    """Two lines by ada 800 days ago, one by bob 100 days ago, one not committed."""
    repository.write("app/core.py", "a = 1", "b = 2")
    repository.commit("ada", days_ago=800)
    repository.write("app/core.py", "a = 1", "b = 2", "c = 3")
    repository.commit("bob", days_ago=100)
    repository.write("app/core.py", "a = 1", "b = 2", "c = 3", "d = 4")
    return repository


def history_of(root: Path, path: str) -> FileHistory:
    histories, problems = read_history(root, [path], NOW, run_text)
    assert problems == ()
    return histories[path]


def the_problem(root: Path, path: str) -> Problem:
    histories, problems = read_history(root, [path], NOW, run_text)
    assert histories == {}
    [problem] = problems
    assert problem.severity == "information"
    assert FOUR_FACTORS in problem.message
    return problem


class TestHistory:
    def test_each_line_has_the_time_of_its_commit_and_its_author(self, grown: Repository) -> None:
        history = history_of(grown.root, "app/core.py")
        assert list(history.times) == [NOW - 800 * DAY, NOW - 800 * DAY, NOW - 100 * DAY, NOW]
        ada, same, bob, nobody = history.authors
        assert ada == same != bob
        assert nobody == NOT_COMMITTED

    def test_only_commits_of_the_last_365_days_to_that_file_are_counted(self, grown: Repository) -> None:
        grown.write("app/other.py", "x = 1")
        grown.commit("eve", days_ago=10)
        histories, _ = read_history(grown.root, ["app/core.py", "app/other.py"], NOW, run_text)
        assert histories["app/core.py"].commits == 2
        assert histories["app/other.py"].commits == 1

    def test_a_workspace_below_the_top_of_the_repository_is_read_too(self, grown: Repository) -> None:
        history = history_of(grown.root / "app", "core.py")
        assert history.commits == 1
        assert len(history.times) == 4

    def test_a_line_that_was_only_indented_anew_keeps_its_author(self, repository: Repository) -> None:
        repository.write("a.py", "a = 1", "b = 2")
        repository.commit("ada", days_ago=500)
        repository.write("a.py", "if x:", "    a = 1", "    b = 2")
        repository.commit("bob", days_ago=5)
        assert list(history_of(repository.root, "a.py").times) == [NOW - 5 * DAY, NOW - 500 * DAY, NOW - 500 * DAY]

    def test_names_with_spaces_and_other_letters_and_a_leading_colon_are_files_like_others(
        self, repository: Repository
    ) -> None:
        repository.write("gr öße/:a *.py", "a = 1")
        repository.commit("ada", days_ago=3)
        assert history_of(repository.root, "gr öße/:a *.py").commits == 1

    def test_a_detached_head_is_no_obstacle(self, grown: Repository) -> None:
        grown.git("checkout", "-q", "--detach")
        assert history_of(grown.root, "app/core.py").commits == 1

    def test_an_empty_file_has_an_empty_history(self, repository: Repository) -> None:
        repository.write("__init__.py")
        repository.commit()
        assert len(history_of(repository.root, "__init__.py").times) == 0

    def test_crlf_files_keep_their_history(self, repository: Repository) -> None:
        (repository.root / "a.py").write_bytes(b"a = 1\r\nb = 2\r\n")
        repository.commit("ada", days_ago=50)
        assert list(history_of(repository.root, "a.py").times) == [NOW - 50 * DAY] * 2

    def test_a_missing_ignore_revs_file_does_not_end_the_blame(self, grown: Repository) -> None:
        grown.git("config", "blame.ignoreRevsFile", "gone")
        assert len(history_of(grown.root, "app/core.py").times) == 4


class TestWithoutHistory:
    def test_no_git(self, tmp_path: Path) -> None:
        def no_git(argv: Sequence[str], cwd: Path) -> Problem:
            return Problem(f"{argv[0]} could not be started: No such file or directory.", "Install git.")

        histories, [problem] = read_history(tmp_path, ["a.py"], NOW, no_git)
        assert histories == {}
        assert problem.severity == "information"
        assert FOUR_FACTORS in problem.message
        assert "could not be started" in problem.message
        assert problem.advice == "Install git."

    def test_not_a_repository(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_text("a = 1\n")
        assert "not in a git repository" in the_problem(tmp_path, "a.py").message

    def test_a_repository_without_commits(self, repository: Repository) -> None:
        repository.write("a.py", "a = 1")
        assert "no commit" in the_problem(repository.root, "a.py").message

    def test_a_shallow_clone_leaves_change_out_rather_than_call_all_lines_new(
        self, grown: Repository, tmp_path: Path
    ) -> None:
        clone = tmp_path / "clone"
        grown.git("clone", "-q", "--depth", "1", f"file://{grown.root}", str(clone))
        problem = the_problem(clone, "app/core.py")
        assert "shallow" in problem.message
        assert "--unshallow" in problem.advice

    def test_untracked_files_are_named_once_and_others_are_read(self, grown: Repository) -> None:
        grown.write("new.py", "x = 1")
        grown.write("newer.py", "x = 1")
        histories, problems = read_history(grown.root, ["new.py", "app/core.py", "newer.py"], NOW, run_text)
        assert list(histories) == ["app/core.py"]
        [problem] = problems
        assert problem.path == "new.py"
        assert "and 1 more" in problem.message
        assert problem.severity == "information"

    def test_files_of_a_submodule_have_no_history_here(self, grown: Repository, tmp_path: Path) -> None:
        inner = Repository(tmp_path / "inner")
        inner.root.mkdir()
        inner.git("init", "-q")
        inner.write("x.py", "x = 1")
        inner.commit()
        grown.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.root), "vendored")
        grown.commit()
        assert "vendored/x.py" in the_problem(grown.root, "vendored/x.py").message

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
    def test_a_folder_that_git_does_not_trust(self, grown: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        monkeypatch.delenv("SUDO_UID", raising=False)
        for path in (grown.root, grown.root / ".git"):
            os.chown(path, 12345, 12345)
        problem = the_problem(grown.root, "app/core.py")
        assert "does not trust" in problem.message
        assert "safe.directory" in problem.advice


class TestUntrustedRepository:
    @pytest.fixture
    def trap(self, tmp_path: Path) -> tuple[str, Path]:
        """A program that a repository would like us to run, and the file that betrays that it ran."""
        betrayal = tmp_path / "it-ran"
        program = tmp_path / "trap.sh"
        program.write_text(f"#!/bin/sh\ntouch {betrayal}\ncat\n")
        program.chmod(0o755)
        return str(program), betrayal

    @pytest.mark.parametrize(
        "setting",
        ["core.fsmonitor", "diff.bad.textconv", "filter.bad.clean", "filter.bad.process"],
    )
    def test_no_program_of_its_configuration_runs(
        self, grown: Repository, trap: tuple[str, Path], setting: str
    ) -> None:
        program, betrayal = trap
        grown.git("config", setting, program)
        (grown.root / ".git" / "info" / "attributes").write_text("*.py filter=bad diff=bad\n")
        history = history_of(grown.root, "app/core.py")
        assert len(history.times) == 4
        assert not betrayal.exists()

    def test_a_filter_that_must_run_is_not_missed(self, grown: Repository, trap: tuple[str, Path]) -> None:
        program, betrayal = trap
        grown.git("config", "filter.bad.clean", program)
        grown.git("config", "filter.bad.required", "true")
        (grown.root / ".git" / "info" / "attributes").write_text("*.py filter=bad\n")
        assert len(history_of(grown.root, "app/core.py").times) == 4
        assert not betrayal.exists()

    def test_signatures_are_not_checked(self, grown: Repository, trap: tuple[str, Path], tmp_path: Path) -> None:
        program, betrayal = trap
        signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----\n\n"
        signed = tmp_path / "signed"
        signed.write_text(grown.git("cat-file", "commit", "HEAD").replace("\n\n", f"\n{signature}", 1))
        grown.git("update-ref", "HEAD", grown.git("hash-object", "-t", "commit", "-w", str(signed)).strip())
        grown.git("config", "log.showSignature", "true")
        grown.git("config", "gpg.program", program)
        assert len(history_of(grown.root, "app/core.py").times) == 4
        assert not betrayal.exists()

    def test_a_filter_that_cannot_be_switched_off_costs_the_history(
        self, grown: Repository, trap: tuple[str, Path]
    ) -> None:
        program, betrayal = trap
        grown.git("config", "filter.a=b.clean", program)
        (grown.root / ".git" / "info" / "attributes").write_text('*.py "filter=a=b"\n')
        assert "filter" in the_problem(grown.root, "app/core.py").message
        assert not betrayal.exists()

    def test_a_partial_clone_fetches_nothing(self, grown: Repository, tmp_path: Path, trap: tuple[str, Path]) -> None:
        program, betrayal = trap
        grown.git("config", "uploadpack.allowFilter", "true")
        clone = Repository(tmp_path / "partial")
        grown.git("clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{grown.root}", str(clone.root))
        clone.git("config", "remote.origin.uploadpack", program)
        clone.git("config", "protocol.file.allow", "always")
        clone.write("app/core.py", "a = 1")
        assert "app/core.py" in the_problem(clone.root, "app/core.py").message
        assert not betrayal.exists()
