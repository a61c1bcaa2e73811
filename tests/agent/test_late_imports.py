"""What a module runs while a test imports it is told apart from what that test runs."""

from __future__ import annotations

from agent.projects import Project

_LATE = """
    def made():
        return 1

    def asked_for():
        return 2

    VALUE = made()
"""


async def test_only_what_runs_during_the_import_is_credited_to_it(project: Project) -> None:
    project.write(
        {
            "late.py": _LATE,
            "later.py": "import late\n\nVALUE = late.asked_for()\n",
            "test_late.py": """
                def test_importing():
                    import late
                    assert late.asked_for() == 2

                def test_importing_more():
                    import later
                    assert later.VALUE == 2

                def test_nothing_new():
                    import late, later
                """,
        }
    )

    run = await project.run("-p", "no:randomly")

    late, module = project.root / "late.py", "test_late.py::"
    assert run.contexts(late, 2) == {f"{module}test_importing|import"}
    assert run.contexts(late, 5) == {f"{module}test_importing|run", f"{module}test_importing_more|import"}
    assert [set(test.uses.imports) for test in run.result.results] == [{"late"}, {"later"}, set()]


async def test_a_module_that_is_made_by_hand_is_one_of_the_project(project: Project) -> None:
    project.write(
        {
            "late.py": _LATE,
            "test_late.py": """
                import pathlib, types
                from importlib.machinery import SourceFileLoader

                def test_making():
                    module = types.ModuleType("by_hand")
                    SourceFileLoader("by_hand", str(pathlib.Path("late.py").resolve())).exec_module(module)
                    assert module.VALUE == 1
                """,
        }
    )

    run = await project.run("-p", "no:randomly")

    (test,) = run.result.results
    assert test.outcome == "passed", test.message
    assert set(test.uses.imports) == {"by_hand"}


async def test_packages_of_others_in_the_folder_of_the_project_do_not_count(project: Project) -> None:
    project.write(
        {
            "venv/lib/site-packages/theirs.py": "VALUE = 1\n",
            "test_late.py": """
                import sys

                def test_importing():
                    sys.path.append("venv/lib/site-packages")
                    import theirs
                """,
        }
    )

    run = await project.run("-p", "no:randomly")

    assert [set(test.uses.imports) for test in run.result.results] == [set()]


async def test_a_failing_import_looks_as_it_does_without_testlens(project: Project) -> None:
    project.write(
        {
            "late.py": "raise RuntimeError('not today')\n",
            "test_late.py": "def test_importing():\n    import late\n",
        }
    )

    run = await project.run("-p", "no:randomly")

    (test,) = run.result.results
    assert test.outcome == "failed"
    assert test.longrepr is not None
    assert "not today" in test.longrepr
    assert "importlib" not in test.longrepr
    assert "testlens" not in test.longrepr


async def test_what_is_imported_by_other_means_counts_as_unknown(project: Project) -> None:
    project.write(
        {
            "late.py": _LATE,
            "test_late.py": """
                import runpy

                def test_running():
                    assert runpy.run_module("late")["VALUE"] == 1
                """,
        }
    )

    run = await project.run("-p", "no:randomly")

    assert [set(test.uses.imports) for test in run.result.results] == [{""}]
