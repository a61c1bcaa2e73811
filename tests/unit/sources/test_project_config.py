"""The project's settings are those that coverage.py would use there, and mistakes in them are explained."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from coverage.config import read_coverage_config

from testlens.sources.coverage_config import CoverageSettings, report_filter
from testlens.sources.project_config import ConfigReader, ProjectConfig, load

FILES = {
    ".coveragerc": "[run]\ndata_file = one.cov\n[report]\nomit = one/*\n[paths]\nsource = a\n    b\n",
    ".coveragerc.toml": '[run]\ndata_file = "two.cov"\n[report]\nexclude_also = ["two"]\n',
    "setup.cfg": "[coverage:run]\ndata_file = three.cov\n[coverage:report]\nprecision = 3\n",
    "tox.ini": "[coverage:run]\ndata_file = four.cov\nrelative_files = true\n",
    "pyproject.toml": '[tool.coverage.run]\ndata_file = "five.cov"\n[tool.coverage.report]\npartial_also = ["five"]\n',
}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COVERAGE_RCFILE", "COVERAGE_FILE"):
        monkeypatch.delenv(name, raising=False)


def write(root: Path, **settings: str) -> Path:
    (root / "pyproject.toml").write_text("[tool.testlens]\n" + "".join(f"{k} = {v}\n" for k, v in settings.items()))
    return root


def test_a_project_without_settings_gets_the_defaults(tmp_path: Path) -> None:
    config, problems = load(tmp_path)
    assert problems == ()
    assert config.target == 85.0
    assert config.coverage.data_file == ".coverage"
    assert config.coverage.exclude == CoverageSettings().exclude


def test_who_reads_again_sees_every_change_of_any_file_and_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = ConfigReader(tmp_path)
    assert reader.load() == load(tmp_path)
    for name, text in [*reversed(FILES.items()), (".coveragerc", "[run]\ndata_file = ${DATA-six.cov}\n")]:
        (tmp_path / name).write_text(text)
        assert reader.load() == load(tmp_path)
    monkeypatch.setenv("DATA", "seven.cov")
    assert reader.load()[0].coverage.data_file == "seven.cov"
    monkeypatch.setenv("COVERAGE_FILE", "eight.cov")
    assert reader.load()[0].coverage.data_file == "eight.cov"
    monkeypatch.delenv("COVERAGE_FILE")
    monkeypatch.setenv("COVERAGE_RCFILE", "own.cfg")
    (tmp_path / "own.cfg").write_text("[run]\ndata_file = nine.cov\n")
    assert reader.load()[0].coverage.data_file == "nine.cov"
    (tmp_path / "own.cfg").unlink()
    assert reader.load() == load(tmp_path)
    assert write(tmp_path, target="90")
    assert reader.load()[0].target == 90.0


def test_all_settings_of_testlens_are_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        python='"venv/bin/python"',
        target="90",
        critical='["src/pay/**"]',
        weights="{ complexity = 2 }",
        data='["ci/coverage.xml"]',
        pytest_args='["-x"]',
        test_timeout="2.5",
        record_values="false",
        scaffold_budget="0",
        scaffold_network="true",
        scaffold_style='"plain"',
        thresholds='{ "src/pay/**" = 90 }',
    )
    config, problems = load(tmp_path)
    assert problems == ()
    assert config == ProjectConfig(
        python="venv/bin/python",
        target=90.0,
        critical=("src/pay/**",),
        weights={"complexity": 2.0},
        data=("ci/coverage.xml",),
        pytest_args=("-x",),
        test_timeout=2.5,
        record_values=False,
        scaffold_budget=0.0,
        scaffold_network=True,
        scaffold_style="plain",
        thresholds={"src/pay/**": 90.0},
        coverage=config.coverage,
    )


@pytest.mark.parametrize("first", range(len(FILES)))
def test_the_coverage_configuration_is_the_one_coverage_itself_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    for name in list(FILES)[first:]:
        (tmp_path / name).write_text(FILES[name])
    settings = load(tmp_path)[0].coverage
    monkeypatch.chdir(tmp_path)
    expected = read_coverage_config(True, warn=pytest.fail)
    assert settings.config_file == os.path.relpath(expected.config_file or "")
    assert settings.data_file == expected.data_file
    assert settings.precision == expected.precision
    assert settings.relative_files == expected.relative_files
    assert settings.paths == {name: tuple(places) for name, places in expected.paths.items()}
    assert settings.report_omit == tuple(expected.report_omit or ())


def test_the_current_folder_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "here/.coveragerc").write_text("[run]\ndata_file = wrong\n")
    monkeypatch.chdir(tmp_path / "here")
    assert load(tmp_path / "there")[0].coverage.data_file == ".coverage"


def test_coverage_rcfile_and_coverage_file_are_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.ini").write_text("[report]\nprecision = 2\n")
    monkeypatch.setenv("COVERAGE_RCFILE", "other.ini")
    monkeypatch.setenv("COVERAGE_FILE", "elsewhere/.cov")
    settings = load(tmp_path)[0].coverage
    assert (settings.precision, settings.data_file) == (2, "elsewhere/.cov")


def test_a_coverage_rcfile_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERAGE_RCFILE", "gone.ini")
    _, (problem,) = load(tmp_path)
    assert "gone.ini" in problem.message


def test_plugins_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "spy.py").write_text("raise SystemExit('loaded')")
    (tmp_path / ".coveragerc").write_text("[run]\nplugins = spy\n")
    code = "import sys, pathlib; from testlens.sources.project_config import load; print(load(pathlib.Path.cwd())[1])"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, str(tmp_path)])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "()"


def test_broken_toml_is_one_problem_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.testlens]\ntarget = 90\npython = \n")
    config, (problem,) = load(tmp_path)
    assert (problem.path, problem.line) == ("pyproject.toml", 3)
    assert config == ProjectConfig()


@pytest.mark.parametrize(
    ("key", "value", "example"),
    [
        ("target", '"90 %"', "target = 85.0"),
        ("target", "120", "target = 85.0"),
        ("target", "true", "target = 85.0"),
        ("critical", '"src/**"', "critical = ["),
        ("weights", "[1]", "weights = {"),
        ("weights", "{ complexity = -1 }", "weights = {"),
        ("pytest_args", "[1]", "pytest_args = ["),
        ("test_timeout", "0", "test_timeout = 60"),
        ("record_values", "0", "record_values = false"),
        ("test_timeout", "inf", "test_timeout = 60"),
        ("scaffold_budget", "-1", "scaffold_budget = 10"),
        ("scaffold_network", "1", "scaffold_network = true"),
        ("scaffold_style", "['bdd']", 'scaffold_style = "plain"'),
        ("python", "3.12", "python = "),
    ],
)
def test_a_setting_of_the_wrong_kind_says_what_to_write_and_the_others_hold(
    tmp_path: Path, key: str, value: str, example: str
) -> None:
    others = {"data": '["x.xml"]'} if key != "data" else {}
    config, (problem,) = load(write(tmp_path, **{key: value}, **others))
    assert (problem.path, problem.line) == ("pyproject.toml", 2)
    assert example in problem.advice
    assert getattr(config, key) == getattr(ProjectConfig(), key)
    assert config.data == ("x.xml",)


def test_a_misspelt_setting_is_answered_with_the_right_one(tmp_path: Path) -> None:
    _, (problem,) = load(write(tmp_path, traget="90"))
    assert problem.advice == "Did you mean `target`?"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".coveragerc", "[report]\nexclude_also = (unclosed\n"),
        (".coveragerc", "[run]\nbranch = perhaps\n"),
        (".coveragerc", "no section\n"),
        ("setup.cfg", "[coverage:run]\nconcurrency = magic\n"),
        ("pyproject.toml", "[tool]\ncoverage = 3\n"),
        ("pyproject.toml", "[tool.coverage.run]\nsource = 3\n"),
        ("tox.ini", "\udcff"),
    ],
)
def test_a_coverage_configuration_that_coverage_refuses_is_a_problem_and_defaults_hold(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    config, (problem,) = load(tmp_path)
    assert "coverage.py configuration" in problem.message
    assert config.coverage == CoverageSettings()


def test_a_setting_that_coverage_does_not_know_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / ".coveragerc").write_text("[run]\nbrunch = true\n")
    _, (problem,) = load(tmp_path)
    assert "brunch" in problem.message
    assert str(tmp_path) not in problem.message


def test_a_tool_testlens_that_is_no_table_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\ntestlens = 3\n")
    config, (problem,) = load(tmp_path)
    assert "table" in problem.message
    assert config == ProjectConfig()


def test_only_what_changes_parsing_changes_the_parsing_digest(tmp_path: Path) -> None:
    before = load(write(tmp_path, target="90"))[0]
    after = load(write(tmp_path, target="91"))[0]
    assert before.parsing_digest == after.parsing_digest
    assert before.reporting_digest != after.reporting_digest
    (tmp_path / ".coveragerc").write_text("[report]\npartial_also = maybe\n")
    changed = load(tmp_path)[0]
    assert changed.parsing_digest != after.parsing_digest
    assert changed.reporting_digest != after.reporting_digest


def test_files_are_reported_as_coverage_report_would() -> None:
    root = Path("/project")
    settings = CoverageSettings(report_include=("src/*",), report_omit=("*/generated/*", "src/skip.py"))
    is_reported = report_filter(settings, root)
    assert is_reported("src/a.py")
    assert not is_reported("src/skip.py")
    assert not is_reported("src/generated/a.py")
    assert not is_reported("tests/test_a.py")
    assert report_filter(CoverageSettings(), root)("anything.py")


@pytest.mark.parametrize("value", ["120", "-1", '"high"', "true", "nan"])
def test_a_threshold_that_is_no_percentage_is_named_with_its_line_and_what_to_write(tmp_path: Path, value: str) -> None:
    text = f'[tool.testlens]\ntarget = 90\n\n[tool.testlens.thresholds]\n"src/pay/**" = {value}\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    config, (problem,) = load(tmp_path)
    assert config.thresholds == {}
    assert (problem.path, problem.line) == ("pyproject.toml", 5)
    assert "`src/pay/**` in [tool.testlens.thresholds] cannot be" in problem.message
    assert '`"src/payments/**" = 90`' in problem.advice
