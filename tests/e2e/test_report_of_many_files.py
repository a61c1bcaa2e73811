"""The report of a project with 1,000 files in a browser: small, complete, and soon there."""

import importlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from cli.projects import write_report
from e2e.served import ROOT

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a project with 1,000 files."""
    root = tmp_path_factory.mktemp("report") / "large"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "bench")
        synthetic = importlib.import_module("synthetic")
        synthetic.make_project(root, 1000, 300, 5000, synthetic.DENSE)
    return write_report(root)


def test_the_report_of_a_thousand_files_is_small_and_lists_them_all(large: Path) -> None:
    assert large.stat().st_size < 15_000_000
    listed = re.findall(r'<a href="#/(src/package_\d+/module_\d+\.py)"', large.read_text(encoding="utf-8"))
    assert len(set(listed)) == 1000


@pytest.mark.alone
def test_the_report_of_a_thousand_files_can_be_used_within_two_seconds(
    large: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As bench/report.py measures it; the best of three, since other programs only add to what the page takes."""
    monkeypatch.syspath_prepend(ROOT / "bench")
    bench = importlib.import_module("report")
    taken: list[float] = []
    while len(taken) < 3 and min(taken, default=2) >= 2:
        taken.append(bench.seconds_to_use(browser, large)[1])
    assert min(taken) < 2, taken
