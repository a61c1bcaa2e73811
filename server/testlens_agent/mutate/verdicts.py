"""What an exit code says of a mutant, in mutmut's words."""

from __future__ import annotations

from typing import Any

NO_TESTS = 33
CAUGHT_BY_TYPES = 37
KILLED, SURVIVED = (1, 3), (0,)
_STATUSES = {
    **dict.fromkeys((*KILLED, CAUGHT_BY_TYPES), "killed"),
    **dict.fromkeys(SURVIVED, "survived"),
    **dict.fromkeys((5, NO_TESTS), "no tests"),
    34: "skipped",
    **dict.fromkeys((36, 24, -24, 152, 255), "timeout"),
}
WORDS_OF_LIVING = (
    "Tests passed although every mutated function raised an exception, so they do not run the mutants.",
    "Check that they import the sources that mutmut mutates.",
)
"""What happened, and what to do, where a mutant lives that must die."""


def status_of(code: int) -> str:
    """The status of a mutant whose tests ended with this exit code, negative for a signal."""
    return _STATUSES.get(code, "suspicious")


def mutant_event(task: dict[str, Any], status: str, result: dict[str, Any]) -> dict[str, Any]:
    """What is told of a mutant; its tests are those that reach it, and the one that failed."""
    failed = result["failed"]
    return {
        "name": task["mutant"],
        "status": status,
        "exit_code": result["code"],
        "tests": sorted({*task["reaching"], *([] if failed is None else [failed])}),
        "killed_by": failed,
        "seconds": round(result["seconds"], 4),
    }


def words_of_red_tests(result: dict[str, Any]) -> tuple[str, str]:
    """What happened, and what to do, where tests fail without any mutant."""
    what = f"{result['failed']} fails" if result["failed"] else f"the tests end with exit code {result['code']}"
    why = f": {result['why']}" if result.get("why") else ""
    advice = "Make the tests pass where mutmut runs them: in a copy of the sources and tests, see [tool.mutmut]."
    return f"No mutant was checked, since without any mutant {what}{why}", advice
