"""The written report in a browser: what it shows, by mouse and by keyboard, in both themes and on paper."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from cli.projects import HOSTILE, Project, make_shop, run_testlens, write_report
from e2e.example import EXAMPLE, SERVICE, copy_example
from e2e.served import ROOT
from e2e.workbench import IMAGES
from mutmut_left import SOURCE, unpack
from real.published import PYTEST_ARGS, environment, unpacked

pytestmark = pytest.mark.e2e

AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
WIDE: ViewportSize = {"width": 1400, "height": 1050}
NARROW: ViewportSize = {"width": 420, "height": 900}
DAY = 86_400
NUMBERS = ("percent", "branch_percent", "mutation_score")
# How far the example had come, as a share of what it has reached: for the pictures.
PAST = (0.55, 0.57, 0.56, 0.63, 0.66, 0.70, 0.69, 0.76, 0.80, 0.86, 0.85, 0.91, 0.95)
OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def clarity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the example after its tests and the mutants of one function ran, with a past of some weeks."""
    root = copy_example(tmp_path_factory.mktemp("report") / "clarity")
    python = str(EXAMPLE / ".venv" / "bin" / "python")
    assert run_testlens("run", root, "--python", python).returncode == 0
    done = run_testlens("mutate", root, "--python", python, "--file", "src/clarity/retry.py")
    assert done.returncode in (0, 1), done.stderr
    _give_past(root / ".testlens" / "trend.jsonl")
    return write_report(root)


def _give_past(trend: Path) -> None:
    now = json.loads(trend.read_text().splitlines()[-1])
    days = range(3 * len(PAST), 0, -3)
    past = [
        {"time": time.time() - day * DAY, **{key: now[key] * share for key in NUMBERS}}
        for day, share in zip(days, PAST, strict=True)
    ]
    trend.write_text("".join(f"{json.dumps(point)}\n" for point in (*past, now)))


@pytest.fixture(scope="module")
def survivors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a project in which mutants survive and a test fails."""
    project = Project(unpack(tmp_path_factory.mktemp("report") / "shop"))
    project.write(
        "tests/test_wrong.py", "from shop.prices import price\n\n\ndef test_wrong():\n    assert price(1) == 2\n"
    )
    run_testlens("run", project.root, "--python", sys.executable)
    return write_report(project.root)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens a report; every script error fails the test."""
    contexts = []
    errors: list[str] = []

    def open_report(file: Path, place: str = "", **options: Any) -> Page:
        contexts.append(browser.new_context(**{"viewport": WIDE, **options}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: errors.append(dialog.message))
        page.goto(file.as_uri() + place)
        if options.get("java_script_enabled", True):
            expect(page.locator("html[data-ready]")).to_be_attached()
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert errors == []


def line(page: Page, number: int) -> Any:
    return page.locator(f'[data-line="{number}"]')


def serious(page: Page) -> list[str]:
    """What axe finds that is serious or critical, in words."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", ["", f"#/{SERVICE}"])
def test_axe_finds_nothing_serious(clarity: Path, open_page: OpenPage, scheme: str, place: str) -> None:
    page = open_page(clarity, place, color_scheme=scheme)
    assert serious(page) == []


def test_axe_finds_nothing_serious_in_a_narrow_window_or_an_open_search(clarity: Path, open_page: OpenPage) -> None:
    page = open_page(clarity, viewport=NARROW)
    page.locator("#search").fill("dynamo")
    expect(page.locator("#found [role=option]").first).to_be_visible()
    assert serious(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_survivors_and_the_tests_of_a_line(
    survivors: Path, open_page: OpenPage, scheme: str
) -> None:
    page = open_page(survivors, f"#/{SOURCE}", color_scheme=scheme)
    page.locator(".tests").first.click()
    expect(page.locator(".runs")).to_be_visible()
    expect(page.locator(".under.survivor").first).to_be_visible()
    assert serious(page) == []


def test_the_page_asks_nobody_for_anything(clarity: Path, open_page: OpenPage) -> None:
    page = open_page(clarity)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.locator("html[data-ready]")).to_be_attached()
    page.locator("#map .tile").first.click()
    expect(page.locator(".source")).to_be_visible()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_the_policy_of_the_page_refuses_every_host_and_every_script_that_is_not_its_own(
    clarity: Path, open_page: OpenPage
) -> None:
    page = open_page(clarity)
    refused = page.evaluate(
        """async () => {
            const violations = [];
            addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
            await fetch("http://127.0.0.1:9/").catch(() => undefined);
            const script = document.createElement("script");
            script.textContent = "globalThis.ran = true";
            document.body.append(script, Object.assign(new Image(), { src: "http://127.0.0.1:9/a.png" }));
            await new Promise((resolve) => setTimeout(resolve, 300));
            return [globalThis.ran ?? false, violations.sort()];
        }"""
    )
    assert refused == [False, ["connect-src", "img-src", "script-src-elem"]]


def test_without_a_script_there_are_numbers_plan_and_files(clarity: Path, open_page: OpenPage) -> None:
    page = open_page(clarity, java_script_enabled=False)
    expect(page.locator(".percent")).to_contain_text("covered")
    expect(page.locator(".gap-table").first).to_contain_text("PATService.load_model")
    expect(page.locator(".file-table")).to_contain_text(SERVICE)
    expect(page.get_by_text("need JavaScript")).to_be_visible()
    expect(page.locator("#search")).to_be_hidden()
    expect(page.locator("#map")).to_be_hidden()


def test_a_browser_that_is_too_old_for_the_sources_says_so_and_shows_the_rest(clarity: Path, browser: Browser) -> None:
    page = browser.new_page()
    try:
        page.add_init_script("delete globalThis.DecompressionStream")
        page.goto(clarity.as_uri())
        expect(page.get_by_role("alert")).to_contain_text("this browser may be too old")
        expect(page.locator(".gap-table").first).to_be_visible()
        expect(page.locator("#search")).to_be_hidden()
    finally:
        page.close()


def test_the_map_has_an_area_for_each_file_in_proportion_to_its_statements(clarity: Path, open_page: OpenPage) -> None:
    page = open_page(clarity)
    tiles = page.evaluate(
        """[...document.querySelectorAll("#map .tile")].map((tile) => {
            const { width, height } = tile.getBoundingClientRect();
            return [tile.ariaLabel, Number(/(\\d+) statements/.exec(tile.ariaLabel)[1]), (width + 2) * (height + 2)];
        })"""
    )
    assert len(tiles) == page.locator(".file-table tbody tr").count()
    large = [(area / count) for _, count, area in tiles if count > 30]
    # The heads of folders take some of their room.
    assert max(large) / min(large) < 1.25


def test_everything_can_be_done_by_keyboard(clarity: Path, open_page: OpenPage) -> None:
    page = open_page(clarity)
    page.locator("#map .tile[tabindex='0']").focus()
    first = page.evaluate("document.activeElement.title")
    page.keyboard.press("ArrowRight")
    second = page.evaluate("document.activeElement.title")
    assert second != first
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.title") == first
    page.keyboard.press("Enter")
    expect(page.locator("#file-title")).to_have_text(first.partition(" risk")[0])
    page.keyboard.press("n")
    at_first = page.locator(".l.current").get_attribute("data-line")
    page.keyboard.press("n")
    page.keyboard.press("p")
    assert page.locator(".l.current").get_attribute("data-line") == at_first
    page.keyboard.press("Escape")
    expect(page.locator("#overview")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("write_chunk")
    page.keyboard.press("Enter")
    expect(page.locator(".l.current code")).to_contain_text("def _write_chunk")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".runs").first).to_contain_text("tests/")


def test_the_browser_goes_back_to_where_it_was(clarity: Path, open_page: OpenPage) -> None:
    page = open_page(clarity)
    page.locator(".file-table a").first.click()
    expect(page.locator("#file")).to_be_visible()
    page.go_back()
    expect(page.locator("#overview")).to_be_visible()
    page.go_forward()
    expect(page.locator("#file")).to_be_visible()


def test_a_survivor_has_its_change_and_a_failing_test_comes_first(survivors: Path, open_page: OpenPage) -> None:
    page = open_page(survivors, f"#/{SOURCE}")
    expect(page.locator(".under.survivor").first).to_contain_text("3 changed to 4")
    expect(page.locator(".under.survivor code").first).to_have_text("3")
    expect(page.locator(".diff span").first).to_have_text(re.compile(r"^-def price\(amount, limit=3\):"))
    expect(page.locator(".diff").first).to_contain_text("+def price(amount, limit=4):")
    page.locator(".tests", has_text="tests").first.click()
    expect(page.locator(".runs li").first).to_have_text("✗ tests/test_wrong.py::test_wrong (failed)")


def test_a_search_that_finds_nothing_says_so(clarity: Path, open_page: OpenPage) -> None:
    page = open_page(clarity)
    page.locator("#search").fill("no such thing")
    expect(page.locator("#found")).to_contain_text("No file and no function")
    page.locator("#search").press("Enter")
    expect(page.locator("#overview")).to_be_visible()
    page.locator("#search").press("Escape")
    expect(page.locator("#found")).to_be_hidden()


def test_a_tab_of_the_browser_says_which_file_is_shown(clarity: Path, open_page: OpenPage) -> None:
    page = open_page(clarity, f"#/{SERVICE}")
    expect(page).to_have_title(f"{SERVICE} · Test gaps of clarity")
    page.keyboard.press("Escape")
    expect(page).to_have_title("Test gaps of clarity")


def test_a_project_without_branches_is_told_nothing_of_branches_and_its_harmless_gap_is_one(
    tmp_path: Path, open_page: OpenPage
) -> None:
    project = Project(tmp_path / "plain")
    project.write("pyproject.toml", '[tool.coverage.run]\nsource = ["plain"]\n')
    project.write("plain/__init__.py", "def one():\n    return 1\n\n\ndef two():\n    return 2\n")
    project.write("tests/test_plain.py", "from plain import one\n\n\ndef test_one():\n    assert one() == 1\n")
    project.measure()
    page = open_page(write_report(project.root))
    expect(page.locator(".totals")).to_have_text(re.compile(r"1\s*of 4 statements never run\s*1\s*gap\s*$"))
    expect(page.locator("#map .tile")).to_have_class(re.compile(r"\br1\b"))
    page.locator("#map .tile").click()
    expect(page.locator("#file-title")).to_be_visible()
    assert "ranch" not in page.locator("main").inner_text()


def test_names_that_are_too_long_push_nothing_out_of_sight(tmp_path: Path, open_page: OpenPage) -> None:
    project = make_shop(tmp_path / "a_project_with_a_long_name")
    project.write(f"shop/{'module_with_a_long_name_' * 8}.py", f"def {'and_a_function_' * 9}(x):\n    return x\n")
    project.measure()
    page = open_page(write_report(project.root))
    wider = "[...document.querySelectorAll('html, .scroll, .steps')].filter((one) => one.scrollWidth > one.clientWidth)"
    for place in ("overview", "file"):
        expect(page.locator(f"#{place}")).to_be_visible()
        for width in (360, 800, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(f"{wider}.map((one) => one.outerHTML.slice(0, 80))") == [], width
        page.locator(".file-table a", has_text="module_with").first.evaluate("link => link.click()")


def test_what_a_hostile_project_says_is_text(tmp_path: Path, open_page: OpenPage) -> None:
    project = make_shop(tmp_path / "<img src=x onerror=alert(1)>")
    evil = HOSTILE.replace("return 0", "return '<!--<script>' + '</script ><svg onload=alert(3)>'")
    # coverage.py passes over files with signs such as & and = in their names.
    names = ["<script>alert`4`<.py", "a\"b'c>.py", "a:7.py", "größe 𝄞.py", "__proto__.py"]
    for name in names:
        project.write(f"shop/{name}", evil)
    project.measure()
    file = write_report(project.root)
    page = open_page(file)
    expect(page.locator("h1")).to_have_text(f"Test gaps of {project.root.name}")
    for name in names:
        page.locator(".file-table a", has_text=name).click()
        expect(page.locator("#file-title")).to_have_text(f"shop/{name}")
        expect(line(page, 3).locator("code")).to_have_text(evil.split("\n")[2].strip())
        page.locator(".back a").click()
    page.locator("#search").fill("<script>")
    expect(page.locator("#found")).to_contain_text("<script>alert`4`<.py")
    assert page.locator("img, svg[onload]").count() == 0


def test_the_theme_can_be_chosen(clarity: Path, open_page: OpenPage) -> None:
    page = open_page(clarity, color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.locator("#theme").click(click_count=2)
    expect(page.locator("#theme")).to_have_text("Theme: dark")
    assert page.evaluate(background) != light


def test_on_paper_there_is_the_plan_and_nothing_to_click_on(clarity: Path, open_page: OpenPage) -> None:
    page = open_page(clarity, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator("#tools")).to_be_hidden()
    expect(page.locator(".gap-table").first).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")


def _picture(page: Page, name: str) -> None:
    page.mouse.move(5, 5)
    page.wait_for_timeout(300)
    page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_the_report_of_the_example(clarity: Path, open_page: OpenPage, scheme: str) -> None:
    page = open_page(clarity, color_scheme=scheme)
    expect(page.locator(".chart")).to_be_visible()
    page.set_viewport_size({**WIDE, "height": 1350})
    _picture(page, f"report-{scheme}")
    page.set_viewport_size(WIDE)
    page.locator("#search").fill("_write_chunk")
    page.locator("#search").press("Enter")
    line(page, 138).locator(".tests").click()
    _picture(page, f"report-source-{scheme}")


def test_a_picture_of_the_report_in_a_narrow_window(clarity: Path, open_page: OpenPage) -> None:
    page = open_page(clarity, viewport=NARROW)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # The labels of the chart, which are larger here, are not cut off.
    assert page.evaluate("Math.min(...[...document.querySelectorAll('.tick')].map((label) => label.getBBox().x))") >= 0
    page.set_viewport_size({**NARROW, "height": 1500})
    _picture(page, "report-narrow")


@pytest.fixture(scope="module")
def jinja2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of jinja2 after its own tests ran."""
    root = unpacked("jinja2", tmp_path_factory.mktemp("report"))
    done = run_testlens("run", root, "--python", str(environment()), "--", *PYTEST_ARGS)
    assert done.returncode == 0, done.stderr
    return write_report(root)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_the_report_of_jinja2(jinja2: Path, open_page: OpenPage, scheme: str) -> None:
    page = open_page(jinja2, color_scheme=scheme)
    assert serious(page) == []
    _picture(page, f"report-jinja2-{scheme}")
