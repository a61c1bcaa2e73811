"""The project's own configuration holds, and nothing of the project's is touched."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from agent.projects import Project

PROJECT = {
    "pkg/__init__.py": "",
    "pkg/core.py": """
        def double(value):
            if value:
                return value * 2
            return 0
        """,
    "pkg/generated.py": "NUMBER = 1\n",
    "tools/script.py": "NUMBER = 1\n",
    "tests/test_core.py": """
        import pkg.generated
        from pkg.core import double

        def test_double():
            assert double(2) == 4

        def test_zero():
            assert double(0) == 0
        """,
}

CONFIGURATIONS = {
    ".coveragerc": "[run]\nsource = pkg\nomit = pkg/generated.py\n",
    "setup.cfg": "[coverage:run]\nsource = pkg\nomit = pkg/generated.py\n",
    "tox.ini": "[coverage:run]\nsource = pkg\nomit = pkg/generated.py\n",
    "pyproject.toml": '[tool.coverage.run]\nsource = ["pkg"]\nomit = ["pkg/generated.py"]\n',
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
async def test_what_to_measure_is_read_from_each_kind_of_file(project: Project, name: str) -> None:
    project.write(PROJECT | {name: CONFIGURATIONS[name]})

    run = await project.run()

    assert run.measured(project.root) == {"pkg/__init__.py", "pkg/core.py"}
    assert set(run.outcomes.values()) == {"passed"}


@pytest.mark.parametrize("how", ["--cov-config", "COVERAGE_RCFILE"])
async def test_a_configuration_file_named_elsewhere_is_read(
    project: Project, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(PROJECT | {"ci/coverage.ini": CONFIGURATIONS[".coveragerc"]})
    arguments: tuple[str, ...] = ()
    if how == "--cov-config":
        arguments = ("--cov-config=ci/coverage.ini",)
    else:
        monkeypatch.setenv("COVERAGE_RCFILE", "ci/coverage.ini")

    run = await project.run(*arguments)

    assert run.measured(project.root) == {"pkg/__init__.py", "pkg/core.py"}


async def test_an_installed_package_is_shown_at_its_source(project: Project) -> None:
    """As `[paths]` of the coverage configuration says, which pytest-cov applies as well."""
    package = {"src/lib/__init__.py": "A = 1\n", "site-packages/lib/__init__.py": "A = 1\n"}
    configuration = "[run]\nsource = lib\n[paths]\nsource =\n    src\n    */site-packages\n"
    test = "import lib\ndef test_it(): assert lib.A\n"
    ini = "[pytest]\npythonpath = site-packages\n"
    project.write(package | {".coveragerc": configuration, "tests/test_it.py": test, "pytest.ini": ini})

    run = await project.run()

    assert run.measured(project.root) == {"src/lib/__init__.py"}


async def test_the_text_that_an_installed_package_ran_is_told_and_not_that_of_its_source(project: Project) -> None:
    package = {"src/lib/__init__.py": "A = 2\n", "site-packages/lib/__init__.py": "A = 1\n"}
    configuration = "[run]\nsource = lib\n[paths]\nsource =\n    src\n    */site-packages\n"
    test = "import lib\ndef test_it(): assert lib.A\n"
    ini = "[pytest]\npythonpath = site-packages\n"
    project.write(package | {".coveragerc": configuration, "tests/test_it.py": test, "pytest.ini": ini})

    run = await project.run()

    ran = project.root / "site-packages/lib/__init__.py"
    assert run.result.sources == {str(ran): hashlib.sha256(ran.read_bytes()).hexdigest()}


@pytest.mark.parametrize(
    ("files", "measured"),
    [
        ({}, {"pkg/__init__.py", "pkg/core.py", "pkg/generated.py"}),
        ({"src/app.py": "A = 1\n"}, {"src/app.py"}),
        ({"pkg/test_inside.py": "def test_it(): pass\n"}, {"pkg/__init__.py", "pkg/core.py", "pkg/generated.py"}),
        ({"docs/__init__.py": "", "examples/__init__.py": ""}, {"pkg/__init__.py", "pkg/core.py", "pkg/generated.py"}),
    ],
)
async def test_without_any_configuration_the_product_is_measured_and_the_tests_are_not(
    project: Project, files: dict[str, str], measured: set[str]
) -> None:
    project.write(PROJECT | files)

    run = await project.run()

    assert run.measured(project.root) == measured


async def test_a_project_of_single_modules_is_measured(project: Project) -> None:
    project.write({"app.py": "def f():\n    return 1\n", "test_app.py": "import app\ndef test_f(): assert app.f()\n"})

    run = await project.run()

    assert run.measured(project.root) == {"app.py"}
    assert run.contexts(project.root / "app.py", 2) == {"test_app.py::test_f|run"}


async def test_the_users_data_and_reports_are_not_touched(project: Project) -> None:
    addopts = "--cov=pkg --cov-report=xml --cov-report=html --cov-fail-under=100 --cov-context=test"
    project.write(PROJECT | {"pytest.ini": f"[pytest]\naddopts = {addopts}\n"})
    subprocess.run([project.python, "-m", "pytest"], cwd=project.root, check=False, capture_output=True)
    before = project.snapshot()
    assert {".coverage", "coverage.xml", "htmlcov/index.html"} <= before.keys()

    run = await project.run()

    assert project.snapshot() == before
    assert run.measured(project.root) == {"pkg/__init__.py", "pkg/core.py", "pkg/generated.py"}
    assert run.contexts(project.root / "pkg/core.py", 4) == {"tests/test_core.py::test_zero|run"}
    assert run.result.exit_code == 0


async def test_the_source_given_to_pytest_cov_counts(project: Project) -> None:
    project.write(PROJECT | {"pytest.ini": "[pytest]\naddopts = --cov=tools --cov=pkg/core.py\n"})

    run = await project.run()

    assert "tools/script.py" in run.measured(project.root)
    assert "pkg/generated.py" not in run.measured(project.root)


COVERAGE_SETTINGS = {
    "parallel data files": "parallel = true",
    "relative paths": "relative_files = true",
    "contexts of its own": "dynamic_context = test_function\ncontext = nightly",
    "lines only": "branch = false",
    "a core without contexts": "core = sysmon",
    "a data file elsewhere": "data_file = ci.coverage",
}


@pytest.mark.parametrize("setting", COVERAGE_SETTINGS.values(), ids=COVERAGE_SETTINGS.keys())
async def test_the_data_is_the_same_whatever_the_project_sets_for_its_own(project: Project, setting: str) -> None:
    project.write(PROJECT | {".coveragerc": f"[run]\nsource = pkg\n{setting}\n"})
    before = project.snapshot()

    run = await project.run()

    core = project.root / "pkg/core.py"
    assert run.contexts(core, 3) == {"tests/test_core.py::test_double|run"}
    assert {(2, 3), (2, 4)} <= run.arcs(core)
    assert project.snapshot() == before
    assert not run.result.problems, run.messages


@pytest.mark.parametrize(
    ("setting", "start"),
    [
        ("patch = subprocess", "subprocess.run([sys.executable, '-c', 'from pkg.core import double; double(0)'])"),
        ("concurrency = multiprocessing", "start(multiprocessing.get_context('fork'))"),
        ("concurrency = multiprocessing", "start(multiprocessing.get_context('spawn'))"),
    ],
    ids=["subprocess", "fork", "spawn"],
)
async def test_processes_that_tests_start_are_measured_where_the_project_asks_for_it(
    project: Project, setting: str, start: str
) -> None:
    test = f"""
        import multiprocessing, subprocess, sys
        from pkg.core import double

        def start(context):
            process = context.Process(target=double, args=(0,))
            process.start()
            process.join()
            assert process.exitcode == 0

        def test_elsewhere():
            {start}
        """
    project.write(PROJECT | {".coveragerc": f"[run]\nsource = pkg\n{setting}\n", "tests/test_core.py": test})
    before = project.snapshot()

    run = await project.run()

    assert run.outcomes == {"test_elsewhere": "passed"}
    assert 4 in run.lines(project.root / "pkg/core.py")
    assert project.snapshot() == before
    assert not run.result.problems, run.messages


PYTEST_OPTIONS = {
    "distributed": "-n 2",
    "random order": "-p randomly",
    "no cache": "-p no:cacheprovider",
    "warnings are errors": "-W error",
    "without pytest-cov": "-p no:pytest_cov",
    "no capturing": "-s",
    "prepended imports": "--import-mode=prepend",
}


@pytest.mark.parametrize("addopts", PYTEST_OPTIONS.values(), ids=PYTEST_OPTIONS.keys())
async def test_pytest_options_hold_and_do_not_harm(project: Project, addopts: str) -> None:
    project.write(PROJECT | {"pytest.ini": f"[pytest]\naddopts = {addopts}\n"})

    run = await project.run()

    assert run.outcomes == {"test_double": "passed", "test_zero": "passed"}
    assert run.contexts(project.root / "pkg/core.py", 4) == {"tests/test_core.py::test_zero|run"}
    assert run.result.exit_code == 0
    assert not run.result.problems, run.messages


async def test_pytest_stops_at_the_first_failure_where_told_to(project: Project) -> None:
    project.write({"test_it.py": "def test_a(): assert 0\ndef test_b(): pass\n"})

    run = await project.run("-x", "-p", "no:randomly")

    assert run.outcomes == {"test_a": "failed"}


async def test_chosen_tests_of_a_subfolder_run_under_their_node_ids(project: Project) -> None:
    project.write({f"backend/{name}": text for name, text in PROJECT.items()} | {"pytest.ini": "[pytest]\n"})
    inner = Project(project.root / "backend", project.python)
    nodeid = "backend/tests/test_core.py::test_zero"

    run = await inner.run(tests=(nodeid,))

    assert [test.nodeid for test in run.result.results] == [nodeid]
    assert run.test("test_zero").file == "tests/test_core.py"


async def test_a_project_reached_through_a_link_is_reported_relative_to_it(project: Project) -> None:
    project.write(PROJECT | {"tests/test_bad.py": "import pkg.core\ndef test_bad(): pkg.core.double([].pop)()\n"})
    link = project.root.with_name("link")
    link.symlink_to(project.root)

    run = await Project(link, project.python).run()

    assert {test.file for test in run.result.results} == {"tests/test_core.py", "pkg/core.py"}
    assert "pkg/core.py" in run.measured(project.root)


async def test_of_a_file_that_is_edited_during_the_run_it_is_not_certain_which_text_ran(project: Project) -> None:
    edit = "import pathlib, pkg.core\ndef test_edit(): pathlib.Path(pkg.core.__file__).open('a').write('# later')\n"
    project.write(PROJECT | {"tests/test_edit.py": edit})

    run = await project.run()

    assert run.result.rewritten.keys() == {str(project.root / "pkg/core.py")}
    assert str(project.root / "pkg/core.py") not in run.result.sources
    assert str(project.root / "pkg/generated.py") in run.result.sources


async def test_parts_of_a_test_do_not_change_its_outcome_unless_they_fail(project: Project) -> None:
    parts = """
        import unittest

        class Parts(unittest.TestCase):
            def test_some_skip(self):
                with self.subTest("a"):
                    self.skipTest("not today")
                with self.subTest("b"):
                    pass

            def test_some_fail(self):
                for number in (1, 2):
                    with self.subTest(number=number):
                        self.assertEqual(number, 1)
        """
    project.write({"test_parts.py": parts})

    run = await project.run()

    assert run.outcomes == {"Parts::test_some_skip": "passed", "Parts::test_some_fail": "failed"}


async def test_the_project_sees_its_own_folder_first_and_nothing_of_ours(project: Project) -> None:
    project.write(
        {
            "test_path.py": """
                import importlib.util, os, sys

                def test_path():
                    assert os.getcwd() in sys.path
                    assert importlib.util.find_spec("testlens") is None
                    assert not [entry for entry in sys.path if entry.endswith("testlens_agent")]
                    assert sys.argv[0].endswith(os.path.join("pytest", "__main__.py"))
                    assert sys.stdin.read() == ""
                """
        }
    )

    run = await project.run("-s", "--import-mode=importlib")

    assert run.outcomes == {"test_path": "passed"}, run.result.output


async def test_a_broken_coverage_configuration_is_reported_and_the_tests_run(project: Project) -> None:
    project.write(PROJECT | {".coveragerc": "[run]\nconcurrency = telepathy\n"})

    run = await project.run()

    assert set(run.outcomes.values()) == {"passed"}
    assert run.result.data_file is None
    assert "telepathy" in run.messages
