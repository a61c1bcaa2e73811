"""A check as Markdown: the summary of a step in CI, and the text of a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from testlens.domain.gates import Gate, in_percent
from testlens.report.markdown import as_code, as_text
from testlens.report.mutation_summary import mutation_line
from testlens.workspace.checking import Check
from testlens.workspace.views import PlacedGap

# GitHub takes 65,536 characters.
_LONGEST_COMMENT = 60_000
_MOST_FILES = 30
_MOST_GAPS = 15
_MOST_LOSSES = 15
_MOST_STEPS = 8


def render_summary(check: Check) -> str:
    """The summary of a step."""
    return "\n".join(_lines(check))


def marker(prefix: str) -> str:
    """Begins a comment: by it the workflow (scaffold/templates/github.yml.j2) finds the project's last one."""
    return f"<!-- {'testlens check ' + prefix.rstrip('/').replace('>', '') if prefix else 'testlens check'} -->"


def render_comment(check: Check) -> str:
    """The text of a comment, cut at the end of a line where it is longer than GitHub takes."""
    text = f"{marker(check.prefix)}\n{render_summary(check)}"
    if len(text) <= _LONGEST_COMMENT:
        return text
    return f"{text[: text.rindex(chr(10), 0, _LONGEST_COMMENT)]}\n\nThere is more than fits into a comment.\n"


def _lines(check: Check) -> Iterator[str]:
    yield f"## {'✅' if check.passed else '❌'} Testlens: {_verdict(check)}"
    yield ""
    yield f"Coverage **{in_percent(check.snapshot.totals.percent)}**{_delta(check)}{_changed_words(check)}."
    if mutation := mutation_line(check.snapshot):
        yield as_text(mutation)
    yield ""
    if check.gates:
        yield from _gate_table(check)
    for gate in check.failed:
        yield from _failure(gate)
    yield from _files(check)
    yield from _new_gaps(check)


def _verdict(check: Check) -> str:
    if not check.gates:
        return "no gate is set"
    failed = len(check.failed)
    if not failed:
        return "every gate holds"
    return "1 gate does not hold" if failed == 1 else f"{failed} gates do not hold"


def _delta(check: Check) -> str:
    if check.comparison is None:
        return ""
    change = check.comparison.now.percent - check.comparison.before.percent
    return f" ({_signed(change)} against the baseline)"


def _signed(change: float) -> str:
    return "±0" if abs(change) < 0.005 else f"{change:+.2f}"


def _changed_words(check: Check) -> str:
    if check.changed is None:
        return ""
    numbers = check.changed.numbers
    if not numbers.statements:
        return f", no measured line changed since {as_code(check.changed.revision)}"
    ran = numbers.statements - numbers.missing
    since = as_code(check.changed.revision)
    return f", changed lines **{in_percent(numbers.percent)}** ({ran} of {numbers.statements} since {since})"


def _gate_table(check: Check) -> Iterator[str]:
    yield "| | Gate | Now | Required |"
    yield "| --- | --- | ---: | ---: |"
    for gate in check.gates:
        symbol = "✅" if gate.passed else "❌"
        name = as_text(f"{gate.name} ({gate.note})" if gate.note else gate.name)
        yield f"| {symbol} | {name} | {' | '.join(gate.figures)} |"
    yield ""


def _failure(gate: Gate) -> Iterator[str]:
    yield f"### {as_text(gate.name)}"
    yield ""
    if gate.losses:
        yield f"| {gate.losses_title} | Where |"
        yield "| --- | --- |"
        for loss in gate.losses[:_MOST_LOSSES]:
            yield f"| {loss.in_words} | {as_code(loss.file)} {as_code(loss.function)} |"
        yield ""
    if len(gate.losses) > _MOST_LOSSES:
        yield f"{len(gate.losses) - _MOST_LOSSES} more functions miss less than these."
        yield ""
    yield from _way_back(gate)


def _way_back(gate: Gate) -> Iterator[str]:
    if gate.way_back is None:
        yield "No set of functions leads back: the gate asks for more than all of them give."
    elif gate.way_back:
        yield "Cheapest way back:"
        yield ""
        for rank, step in enumerate(gate.way_back[:_MOST_STEPS], 1):
            where = as_code(f"{step.file} {step.function}")
            yield f"{rank}. {where} +{step.gain:.2f}, reaches {step.reached:.1f} %"
        if len(gate.way_back) > _MOST_STEPS:
            yield f"\n{len(gate.way_back) - _MOST_STEPS} more steps follow."
    yield ""


def _files(check: Check) -> Iterator[str]:
    if check.changed is None or not check.changed.files:
        return
    before = {} if check.comparison is None else check.comparison.files_before
    yield "### Changed files"
    yield ""
    yield "| File | Coverage | Change | Changed lines | Lines that no test ran |"
    yield "| --- | ---: | ---: | ---: | --- |"
    files = sorted(check.changed.files, key=lambda file: (-len(file.missing), file.path))
    for file in files[:_MOST_FILES]:
        percent = check.snapshot.files[file.path].numbers.percent
        change = _signed(percent - before[file.path].percent) if file.path in before else ""
        moved = f" (was {as_code(file.old_path)})" if file.old_path else ""
        cells = (in_percent(percent), change, in_percent(file.numbers.percent), _ranges(sorted(file.missing)))
        yield f"| {as_code(file.path)}{moved} | {' | '.join(cells)} |"
    yield ""
    if len(files) > _MOST_FILES:
        yield f"{len(files) - _MOST_FILES} more files changed.\n"


def _ranges(lines: list[int]) -> str:
    """`3-5, 8`, twelve at most."""
    ranges: list[list[int]] = []
    for line in lines:
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:12]]
    return ", ".join([*shown, "…"] if len(ranges) > len(shown) else shown)


def _new_gaps(check: Check) -> Iterator[str]:
    new = check.new_gaps or ()
    survivors = [placed for placed in new if placed.gap.survivor is not None]
    others = [placed for placed in new if placed.gap.survivor is None]
    yield from _gap_table("Riskiest new gaps", others)
    yield from _gap_table("Survivors: changes that no test notices", survivors)


def _gap_table(title: str, gaps: list[PlacedGap]) -> Iterator[str]:
    if not gaps:
        return
    yield f"### {title}"
    yield ""
    yield "| Risk | Where | What |"
    yield "| ---: | --- | --- |"
    for placed in gaps[:_MOST_GAPS]:
        where = f"{as_code(f'{placed.gap.file}:{placed.first}')} {as_code(placed.gap.region.function)}"
        text = f"{placed.title}: {placed.reason}" if placed.reason else placed.title
        yield f"| {placed.gap.risk.score:.0f} | {where} | {as_text(text)} |"
    yield ""
    if len(gaps) > _MOST_GAPS:
        yield f"{len(gaps) - _MOST_GAPS} more are less risky than these.\n"
