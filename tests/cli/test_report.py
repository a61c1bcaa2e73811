"""`testlens report`: files that stand on their own, escape what they quote, and never replace the user's work."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cli.projects import Project, json_of, run_testlens


class _Page(HTMLParser):
    """Collects the tags of a page, and the class and text of each source line by its id."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.ids: set[str] = set()
        self.lines: dict[str, tuple[str, str]] = {}
        self._line = ""
        self.feed(page)

    def line(self, part: str) -> tuple[str, str]:
        """State and text of the one source line that contains `part`."""
        (found,) = [line for line in self.lines.values() if part in line[1]]
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.targets += [found[name] for name in ("href", "src") if name in found]
        self.ids.add(found.get("id", ""))
        if tag == "span" and "id" in found:
            self._line = found["id"]
            self.lines[self._line] = (found["class"].removeprefix("l").strip(), "")

    def handle_data(self, data: str) -> None:
        if self._line:
            state, text = self.lines[self._line]
            self.lines[self._line] = (state, text + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self._line = ""


@pytest.fixture(scope="module")
def written(measured: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all three reports of the measured shop, written by one command."""
    folder = tmp_path_factory.mktemp("reports")
    arguments: list[str | Path] = [
        "--html",
        folder / "r.html",
        "--markdown",
        folder / "r.md",
        "--json",
        folder / "r.json",
    ]
    assert run_testlens("report", measured.root, *arguments).returncode == 0
    return folder


def test_the_page_needs_nothing_beside_itself(written: Path) -> None:
    text = (written / "r.html").read_text(encoding="utf-8")
    page = _Page(text)
    assert page.tags.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert all(target.startswith("#") for target in page.targets)
    assert "url(" not in text
    assert "@import" not in text


def test_every_link_of_the_page_leads_somewhere(written: Path) -> None:
    page = _Page((written / "r.html").read_text(encoding="utf-8"))
    assert page.targets
    assert {target.removeprefix("#") for target in page.targets} <= page.ids


def test_the_page_marks_lines_with_colours_symbols_and_words(written: Path) -> None:
    page = _Page((written / "r.html").read_text(encoding="utf-8"))
    ran, branch, never = (page.line(part) for part in ("amount = sum(prices)", "if member:", "return json.load(file)"))
    assert [state for state, _ in (ran, branch, never)] == ["covered", "partial", "uncovered"]
    assert [symbol in text for symbol, (_, text) in zip("✓◐✗", (ran, branch, never), strict=True)] == [True] * 3
    assert "line 8 never continued to line 10: the condition was always true" in branch[1]


def test_the_page_shows_what_sources_say_and_runs_none_of_it(odd: Project, tmp_path: Path) -> None:
    run_testlens("report", odd.root, "--html", tmp_path / "r.html")
    page = _Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert page.tags.isdisjoint({"script", "img"})
    assert any("<script>alert(1)</script>" in text for _, text in page.lines.values())


def test_a_pipe_in_a_name_does_not_break_the_markdown_table(odd: Project, tmp_path: Path) -> None:
    run_testlens("report", odd.root, "--markdown", tmp_path / "r.md")
    text = (tmp_path / "r.md").read_text(encoding="utf-8")
    rows = [line for line in text.split("## The shortest", maxsplit=1)[0].splitlines() if line.startswith("|")]
    gap_rows = [row for row in rows if "shop/" in row]
    assert any("a\\|b.py" in row for row in gap_rows)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in gap_rows} == {6}


def test_the_markdown_starts_with_the_totals(written: Path, measured: Project) -> None:
    text = (written / "r.md").read_text(encoding="utf-8")
    percent = measured.coverage_json()["totals"]["percent_covered"]
    assert text.startswith("# Test gaps of mein Lädchen\n")
    assert f"| {percent:.1f} % | 85 % |" in text


def test_the_json_is_the_plan_and_every_file_as_coverage_counts_it(written: Path, measured: Project) -> None:
    report = json.loads((written / "r.json").read_text(encoding="utf-8"))
    files = {file["path"]: file for file in report.pop("files")}
    assert report == json_of(run_testlens("plan", measured.root, "--json"))
    for path, truth in measured.coverage_json()["files"].items():
        assert files[path]["percent"] == truth["summary"]["percent_covered"]
        functions = {name: entry for name, entry in truth["functions"].items() if name}
        mine = {entry["name"]: entry["percent"] for entry in files[path]["functions"]}
        assert mine == {name: entry["summary"]["percent_covered"] for name, entry in functions.items()}


@pytest.mark.parametrize("name", ["shop/orders.py", "pyproject.toml", ".coverage", "shop", "new.py"])
def test_a_report_never_replaces_work(moved_shop: Project, name: str) -> None:
    before = moved_shop.files()
    done = run_testlens("report", moved_shop.root, "--html", moved_shop.root / name)
    assert done.returncode == 2
    assert name in done.stderr
    assert moved_shop.files() == before


def test_an_older_report_is_replaced(moved_shop: Project, tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("old", encoding="utf-8")
    assert run_testlens("report", moved_shop.root, "--html", tmp_path / "r.html").returncode == 0
    assert (tmp_path / "r.html").read_text(encoding="utf-8") != "old"


def test_a_report_into_a_place_that_cannot_be_written_is_told(moved_shop: Project, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run_testlens("report", moved_shop.root, "--json", tmp_path / "file/r.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be written" in done.stderr


def test_a_report_wants_a_file_name(measured: Project) -> None:
    done = run_testlens("report", measured.root)
    assert done.returncode == 2
    assert "--html FILE" in done.stderr


def test_without_data_no_file_is_written(shop: Project, tmp_path: Path) -> None:
    assert run_testlens("report", shop.root, "--html", tmp_path / "r.html").returncode == 1
    assert not (tmp_path / "r.html").exists()


def test_a_file_edited_since_the_run_is_shown_with_its_marks_where_the_lines_went(
    moved_shop: Project, tmp_path: Path
) -> None:
    run_testlens("plan", moved_shop.root)  # so that the text that was measured is known
    file = moved_shop.root / "shop/stock.py"
    file.write_text("# a new first line\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    run_testlens("report", moved_shop.root, "--html", tmp_path / "r.html")
    page = _Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert page.line("a new first line")[0] == ""
    assert page.line("return wanted - there")[0] == "uncovered"
