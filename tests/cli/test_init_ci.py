"""`testlens init-ci`: a workflow is written once, and never overwritten without its difference."""

from __future__ import annotations

import pytest

from cli.projects import Project, run_testlens

WORKFLOW = ".github/workflows/testlens.yml"


def test_a_workflow_is_written_and_it_is_said_what_to_do_next(shop: Project) -> None:
    """Nothing else of the project is touched; a second time there is nothing to do."""
    before = shop.files()
    done = run_testlens("init-ci", "github", cwd=shop.root)
    assert done.returncode == 0, done.stderr
    assert f"Wrote {WORKFLOW}" in done.stdout
    assert "testlens baseline --update" in done.stdout
    assert shop.files().keys() - before.keys() == {WORKFLOW}
    assert {name: content for name, content in shop.files().items() if name in before} == before
    again = run_testlens("init-ci", "github", cwd=shop.root)
    assert again.returncode == 0
    assert f"{WORKFLOW} is up to date." in again.stdout


def test_what_somebody_wrote_is_shown_as_a_difference_and_stays(shop: Project) -> None:
    """With --yes it is replaced, and shown all the same."""
    shop.write(WORKFLOW, "name: Mine\n")
    done = run_testlens("init-ci", "github", "--also", "pre-commit", cwd=shop.root)
    assert done.returncode == 1
    assert "-name: Mine\n" in done.stdout
    assert "+name: Testlens\n" in done.stdout
    assert "Add --yes to write it" in done.stderr
    assert (shop.root / WORKFLOW).read_text() == "name: Mine\n"
    assert not (shop.root / ".pre-commit-config.yaml").exists()
    forced = run_testlens("init-ci", "github", "--yes", cwd=shop.root)
    assert forced.returncode == 0, forced.stderr
    assert "-name: Mine\n" in forced.stdout
    assert "name: Testlens\n" in (shop.root / WORKFLOW).read_text()


def test_a_hook_is_added_to_those_that_are_there(shop: Project) -> None:
    """What is there is shown with the hook first, since that changes a file of the user's."""
    hooks = "repos:\n  - repo: meta\n    hooks:\n      - id: check-hooks-apply\n"
    shop.write(".pre-commit-config.yaml", hooks)
    assert run_testlens("init-ci", "--also", "pre-commit", cwd=shop.root).returncode == 1
    done = run_testlens("init-ci", "--also", "pre-commit", "--yes", cwd=shop.root)
    assert done.returncode == 0, done.stderr
    text = (shop.root / ".pre-commit-config.yaml").read_text()
    assert text.startswith(hooks)
    assert "id: testlens-check" in text


def test_the_service_is_the_one_that_the_project_uses(shop: Project) -> None:
    """GitHub where nothing says another one."""
    shop.write(".git/config", '[remote "origin"]\n\turl = git@gitlab.com:shop/shop.git\n')
    done = run_testlens("init-ci", cwd=shop.root)
    assert done.returncode == 0, done.stderr
    assert (shop.root / ".gitlab-ci.yml").is_file()
    assert not (shop.root / WORKFLOW).exists()


def test_a_folder_inside_a_repository_is_warned_of(shop: Project) -> None:
    """No service looks for a workflow there."""
    (shop.root.parent / ".git").mkdir()
    done = run_testlens("init-ci", "github", cwd=shop.root)
    assert done.returncode == 0
    assert "not the top folder of its repository" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("circle",), "Name github or gitlab"),
        (("github", "--budget", "soon"), "`soon` is no budget"),
        (("github", "--fail-under", "120"), "less than or equal to 100"),
        (("github", "--shards", "0"), "greater than or equal to 1"),
        (("github", "--also", "tox"), "pre-commit"),
    ],
)
def test_what_cannot_be_written_is_said(shop: Project, arguments: tuple[str, ...], said: str) -> None:
    """And nothing is."""
    before = shop.files()
    done = run_testlens("init-ci", *arguments, cwd=shop.root)
    assert done.returncode == 2
    assert said in done.stderr
    assert shop.files() == before
