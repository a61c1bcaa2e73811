"""What `testlens check` writes for CI: annotations, Markdown, SARIF, JUnit, badges, all of the same check."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import fastjsonschema
import pytest
from defusedxml.ElementTree import fromstring

from cli.gating import UNTESTED, Checkout
from cli.projects import HOSTILE, json_of

# As published: the schema of SARIF 2.1.0 with its errata, from npm's @microsoft/jest-sarif 1.0.0-beta.0.
SCHEMA = Path(__file__).resolve().parents[1] / "sarif-2.1.0-rtm.5.json"
FILES = {
    "summary": "summary.md",
    "comment": "comment.md",
    "sarif": "out.sarif",
    "junit": "junit.xml",
    "badge": "coverage.svg",
    "mutation-badge": "mutation.svg",
}


@pytest.fixture
def changed(checkout: Checkout) -> Checkout:
    """The shop with a baseline, then a commit that adds a function which no test runs, and a survivor."""
    checkout.update_baseline()
    checkout.find_survivor()
    checkout.commit("the baseline")
    checkout.append("shop/orders.py", UNTESTED)
    checkout.replace("shop/orders.py", "amount -= voucher\n", "amount -= voucher  # a gift\n")
    checkout.commit()
    checkout.measure()
    return checkout


def written(checkout: Checkout, *arguments: str) -> dict[str, str]:
    """Each output of one check, by its option."""
    options = [part for kind, name in FILES.items() for part in (f"--{kind}", str(checkout.root / "out" / name))]
    checkout.check(*arguments, *options)
    return {kind: (checkout.root / "out" / name).read_text(encoding="utf-8") for kind, name in FILES.items()}


GATES = ("--no-drop", "--diff", "HEAD~1", "--fail-under-diff", "80", "--fail-under", "10")


def log_of(text: str) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(text)
    fastjsonschema.compile(json.loads(SCHEMA.read_text(encoding="utf-8")))(log)
    return log


def test_sarif_is_valid_and_places_every_gap(changed: Checkout) -> None:
    (run,) = log_of(written(changed, *GATES)["sarif"])["runs"]
    results = run["results"]
    places = {
        (result["ruleId"], location["physicalLocation"]["region"]["startLine"])
        for result in results
        for location in result["locations"]
        if location["physicalLocation"]["artifactLocation"]["uri"] == "shop/orders.py"
    }
    assert {("uncovered", 37), ("uncovered", 16), ("partial", 8)} <= places
    new = [result["message"]["text"] for result in results if result["baselineState"] == "new"]
    assert [text for text in new if text.startswith("refund, lines 37-39 never run. Risk")]
    assert [gate["summary"] for gate in run["properties"]["gates"] if not gate["passed"]] == [
        "no drop in coverage: 46.51 %, at least 51.35 % required",
        "changed lines: 20 %, at least 80 % required",
    ]


def test_sarif_of_a_survivor_is_on_its_expression(checkout: Checkout) -> None:
    checkout.find_survivor()
    (run,) = log_of(written(checkout, "--fail-under", "10")["sarif"])["runs"]
    (survivor,) = (result for result in run["results"] if result["ruleId"] == "survivor")
    region = survivor["locations"][0]["physicalLocation"]["region"]
    line = (checkout.root / "shop/orders.py").read_text(encoding="utf-8").splitlines()[region["startLine"] - 1]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == "sum(prices)"


def test_sarif_fingerprints_differ_and_stay_where_lines_move(checkout: Checkout) -> None:
    before = log_of(written(checkout, "--fail-under", "10")["sarif"])["runs"][0]["results"]
    checkout.replace("shop/orders.py", "import json\n", "import json\n\nLEVEL = 3\n")
    checkout.measure()
    after = log_of(written(checkout, "--fail-under", "10")["sarif"])["runs"][0]["results"]
    prints = [[result["partialFingerprints"]["testlensGap/v1"] for result in results] for results in (before, after)]
    assert len(set(prints[0])) == len(prints[0])
    assert sorted(prints[0]) == sorted(prints[1])


def test_names_with_odd_letters_are_escaped_in_sarif(checkout: Checkout) -> None:
    checkout.write("shop/größe 1.py", HOSTILE)
    checkout.measure()
    results = log_of(written(checkout, "--fail-under", "10")["sarif"])["runs"][0]["results"]
    uris = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results}
    assert "shop/gr%C3%B6%C3%9Fe%201.py" in uris


def test_in_junit_each_gate_is_a_test_case(changed: Checkout) -> None:
    suites: Element = fromstring(written(changed, *GATES)["junit"])
    assert (suites.get("tests"), suites.get("failures")) == ("3", "2")
    cases = {case.get("name"): case.find("failure") for case in suites.iter("testcase")}
    assert list(cases) == ["coverage", "no drop in coverage", "changed lines"]
    assert cases["coverage"] is None
    failure = cases["changed lines"]
    assert failure is not None
    assert failure.get("message") == "changed lines: 20 %, at least 80 % required"
    assert "shop/orders.py  refund: 3 statements" in str(failure.text)


def test_the_badges_say_whole_percent_rounded_down(changed: Checkout) -> None:
    found = written(changed, *GATES)
    for kind, label, value in (("badge", "coverage", "46%"), ("mutation-badge", "mutation score", "50%")):
        texts = [text.text for text in fromstring(found[kind]).iter() if text.tag.endswith("text")]
        assert set(texts) == {label, value}


def test_a_badge_without_mutants_says_unknown_and_another_run_writes_the_same(checkout: Checkout) -> None:
    first, second = (written(checkout, "--fail-under", "10") for _ in range(2))
    assert "unknown" in first["mutation-badge"]
    assert first == second


def test_the_summary_has_gates_the_delta_changed_files_new_gaps_and_survivors(changed: Checkout) -> None:
    text = written(changed, *GATES)["summary"]
    assert text.startswith("## ❌ Testlens: 2 gates do not hold\n")
    assert "Coverage **46.51 %** (-4.84 against the baseline), changed lines **20 %** (1 of 5 since `HEAD~1`)." in text
    assert "| ✅ | coverage | 46.51 % | 10 % |" in text
    assert "| 3 statements and 2 branches | `shop/orders.py` `refund` |" in text
    assert re.search(r"\| `shop/orders.py` \| [\d.]+ % \| -[\d.]+ \| 20 % \| 11, 37-39 \|", text)
    assert "`shop/orders.py:37` `refund` | lines 37-39 never run |" in text


def test_survivors_on_changed_lines_are_listed(checkout: Checkout) -> None:
    checkout.replace("shop/orders.py", "sum(prices)", "0")
    checkout.commit("before there were prices")
    checkout.git("revert", "--no-edit", "HEAD")
    checkout.find_survivor()
    checkout.measure()
    text = written(checkout, "--diff", "HEAD~1")["comment"]
    assert text.startswith("<!-- testlens check -->\n## ✅ Testlens: no gate is set\n")
    survivors = text.partition("### Survivors: changes that no test notices")[2]
    assert "`shop/orders.py:7` `total` |" in survivors
    annotations = checkout.check("--diff", "HEAD~1", "--github").stdout.splitlines()
    (notice,) = (line for line in annotations if line.startswith("::notice"))
    assert notice.startswith("::notice file=shop/orders.py,line=7,endLine=7,title=total%3A risk ")


def test_markdown_of_odd_names_keeps_its_tables(checkout: Checkout) -> None:
    checkout.write("shop/a|b`<b>.py", HOSTILE)
    checkout.commit()
    checkout.measure()
    text = written(checkout, "--fail-under", "99", "--diff", "HEAD~1")["summary"]
    rows = [line for line in text.splitlines() if "b'<b>" in line and line.startswith("| ")]
    assert rows
    for row in rows:
        assert "a\\|b" in row
        cells = len(re.findall(r"(?<!\\)\|", row))
        heads = [line for line in text.splitlines() if line.startswith("| ---")]
        assert cells in {len(re.findall(r"\|", head)) for head in heads}


def test_a_comment_is_never_longer_than_github_takes(checkout: Checkout) -> None:
    globs = "".join(f'"shop/{"*" * (number + 1)}" = 99\n' for number in range(90))
    checkout.append("pyproject.toml", f"\n[tool.testlens.thresholds]\n{globs}")
    found = written(checkout)
    assert len(found["summary"]) > 65_536 > len(found["comment"]) > 50_000
    assert found["comment"].endswith("\n\nThere is more than fits into a comment.\n")


def test_annotations_are_one_line_each_and_escaped(changed: Checkout) -> None:
    done = changed.check(*GATES, "--github")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    errors = [line for line in lines if line.startswith("::error ")]
    assert errors[1].startswith(
        "::error title=testlens check::changed lines: 20 %25, at least 80 %25 required%0AMissing: "
    )
    (warning,) = (line for line in lines if line.startswith("::warning ") and "refund" in line)
    assert re.fullmatch(
        r"::warning file=shop/orders.py,line=37,endLine=39,title=refund%3A risk \d+::lines 37-39 never run", warning
    )


def test_what_people_read_is_fenced_off_from_commands(checkout: Checkout) -> None:
    """No name of a file or text of the project can begin a workflow command."""
    checkout.write("shop/x,y:z%.py", HOSTILE)
    checkout.write("tests/test_odd.py", "import runpy\n\n\ndef test_odd():\n    runpy.run_path('shop/x,y:z%.py')\n")
    checkout.commit()
    checkout.measure()
    lines = checkout.check("--fail-under", "99", "--diff", "HEAD~1", "--github").stdout.splitlines()
    assert any("file=shop/x%2Cy%3Az%25.py,line=2," in line for line in lines)
    (start,) = (place for place, line in enumerate(lines) if line.startswith("::stop-commands::"))
    token = lines[start].removeprefix("::stop-commands::")
    assert lines[-1] == f"::{token}::"
    assert all(line.startswith("::") for line in lines[:start])


def test_on_github_the_summary_is_added_to_that_of_the_step(checkout: Checkout, tmp_path: Path) -> None:
    step = tmp_path / "step_summary_4f2a"
    step.write_text("what another command said\n", encoding="utf-8")
    env = {"GITHUB_STEP_SUMMARY": str(step)}
    checkout.check("--fail-under", "10", "--github", env=env)
    text = step.read_text(encoding="utf-8")
    assert text.startswith("what another command said\n## ✅ Testlens: every gate holds\n")
    checkout.check("--fail-under", "10", "--summary", env=env)
    checkout.check("--fail-under", "10", "--summary", step, env=env)
    assert step.read_text(encoding="utf-8").count("## ✅ Testlens") == 3


def test_two_outputs_do_not_share_a_file(checkout: Checkout) -> None:
    """One would be lost without a word."""
    file = checkout.root / "out" / "badge.svg"
    done = checkout.check("--fail-under", "1", "--badge", file, "--mutation-badge", file)
    assert done.returncode == 2
    assert "Both --badge and --mutation-badge would write it. Name a file for each." in done.stderr
    assert not file.exists()


def test_json_stays_alone_on_standard_output(changed: Checkout) -> None:
    done = changed.check(*GATES, "--github", "--json")
    assert json_of(done)["passed"] is False
    assert done.stderr.startswith("::error ")


@pytest.mark.parametrize("kind", list(FILES))
def test_an_output_never_replaces_work_and_nothing_is_written_then(checkout: Checkout, kind: str) -> None:
    before = checkout.files()
    other = ("--badge", checkout.root / "b.svg") if kind != "badge" else ("--junit", checkout.root / "j.xml")
    done = checkout.check("--fail-under", "1", *other, f"--{kind}", checkout.root / "shop/orders.py")
    assert done.returncode == 2
    assert "does not replace a file of this kind" in done.stderr
    assert checkout.files() == before
