"""`testlens report`: files that stand on their own, escape what they quote, and never replace the user's work."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from cli.projects import Project, json_of, run_testlens
from report_page import Page, read_page

LOADS = {"src", "srcset", "data", "action", "background", "poster", "formaction", "xlink:href"}


def _read(file: Path) -> Page:
    return read_page(file.read_text(encoding="utf-8"))


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
    page = read_page(text)
    assert set(page.tags).isdisjoint({"img", "iframe", "object", "embed", "base"})
    assert {name for name, _ in page.attributes}.isdisjoint(LOADS)
    assert all(value.startswith(("#", "data:,")) for name, value in page.attributes if name == "href")
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_lets_nothing_run_but_its_own_script(written: Path) -> None:
    page = _read(written / "r.html")
    (policy,) = [value for _, value in page.attributes if "default-src" in value]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page.tags.count("script") == 2  # the data, and what shows it
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]


def test_every_link_of_the_page_leads_somewhere(written: Path) -> None:
    page = _read(written / "r.html")
    targets = {value for name, value in page.attributes if name == "href" and value.startswith("#")}
    files = {target.removeprefix("#/").partition(":")[0] for target in targets if target.startswith("#/")}
    assert files == {"shop/__init__.py", "shop/orders.py", "shop/stock.py"}
    assert {target[1:] for target in targets if not target.startswith("#/")} <= page.ids


def test_the_page_marks_lines_and_names_their_branches(written: Path) -> None:
    orders = _read(written / "r.html").files["shop/orders.py"]
    ran, branch, never = (
        orders.state(part) for part in ("amount = sum(prices)", "if member:", "return json.load(file)")
    )
    assert (ran, branch, never) == ("c", "p", "u")
    assert orders.said_at("if member:") == ["line 8 never continued to line 10: the condition was always true"]


def test_the_page_names_the_tests_of_a_line(shop: Project, tmp_path: Path) -> None:
    assert run_testlens("run", shop.root, "--python", sys.executable).returncode == 0
    run_testlens("report", shop.root, "--html", tmp_path / "r.html")
    page = _read(tmp_path / "r.html")
    members, basket = "tests/test_orders.py::test_members_pay_less", "tests/test_orders.py::test_a_basket_counts"
    assert page.tests_of("shop/orders.py", "amount = sum(prices)") == [members]
    assert page.tests_of("shop/orders.py", "self.items.append(item)") == [basket]
    assert page.tests_of("shop/orders.py", "self.items.pop()") == []


def test_a_failing_test_comes_first_among_those_of_a_line(shop: Project, tmp_path: Path) -> None:
    shop.write(
        "tests/test_more.py", "from shop.orders import total\n\n\ndef test_wrong():\n    assert total([1]) == 2\n"
    )
    assert run_testlens("run", shop.root, "--python", sys.executable).returncode == 1
    run_testlens("report", shop.root, "--html", tmp_path / "r.html")
    tests = _read(tmp_path / "r.html").tests_of("shop/orders.py", "amount = sum(prices)")
    assert tests == ["!tests/test_more.py::test_wrong", "tests/test_orders.py::test_members_pay_less"]


def test_the_page_has_the_plan_and_the_files_without_a_script(written: Path, measured: Project) -> None:
    page = _read(written / "r.html")
    before_data = page.text
    assert "This function takes you from" in before_data or "functions take you from" in before_data
    assert "% -> 85 %: " in before_data
    for path, truth in measured.coverage_json()["files"].items():
        assert path in before_data
        assert f"{truth['summary']['percent_covered']:.1f}" in before_data


def test_the_markdown_says_how_far_the_target_is_as_the_plan_does(written: Path, measured: Project) -> None:
    outlook = json_of(run_testlens("plan", measured.root, "--json"))["outlook"]
    assert f"**{outlook}**" in (written / "r.md").read_text(encoding="utf-8")


def test_the_trend_is_that_of_the_runs(shop: Project, tmp_path: Path) -> None:
    run_testlens("run", shop.root, "--python", sys.executable)
    shop.write(
        "tests/test_stock.py",
        "from shop.stock import missing\n\n\ndef test_missing():\n    assert missing(3, 1) == 2\n",
    )
    run_testlens("run", shop.root, "--python", sys.executable)
    run_testlens("report", shop.root, "--html", tmp_path / "r.html")
    page = _read(tmp_path / "r.html")
    lines = (shop.root / ".testlens/trend.jsonl").read_text().splitlines()
    first, last = (json.loads(line)["percent"] for line in lines)
    assert first < last
    assert f"coverage {first:.1f} %" in page.text
    assert f"coverage {last:.1f} %" in page.text


def test_the_page_shows_what_sources_say_and_runs_none_of_it(odd: Project, tmp_path: Path) -> None:
    run_testlens("report", odd.root, "--html", tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    page = read_page(text)
    assert page.tags.count("script") == 2
    assert "img" not in page.tags
    assert "b" not in page.tags  # a name has it
    assert text.count("</script") == 2
    for name in ("größe.py", "a|b.py", "<b>bold.py"):
        assert "<script>alert(1)</script>" in "\n".join(page.files[f"shop/{name}"].lines)


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
    stock = _read(tmp_path / "r.html").files["shop/stock.py"]
    assert stock.state("a new first line") == " "
    assert stock.state("return wanted - there") == "u"
    assert all("line 6" not in said for said in stock.said_at("if wanted > there:"))


def test_a_file_that_was_edited_beyond_knowledge_is_shown_without_marks(moved_shop: Project, tmp_path: Path) -> None:
    moved_shop.write("shop/stock.py", "# all new\n")
    run_testlens("report", moved_shop.root, "--html", tmp_path / "r.html")
    stock = _read(tmp_path / "r.html").files["shop/stock.py"]
    assert stock.lines == ["# all new"]
    assert stock.states.strip() == ""
    assert "has changed since" in stock.note
