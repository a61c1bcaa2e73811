"""Which tests `testlens affected` selects for seeded edits of published projects, and whether it misses one.

Each edit is a mutant of one function. All tests run with it, and then the selected ones alone: the same have to fail.

    python bench/selecting.py [--itsdangerous N] [--click N] [--jinja2 N] [--seed N]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from figures import Figure, conclude

from real.edits import Compared, compare_edits
from real.published import environment

_EDITS = {"itsdangerous": 100, "click": 50, "jinja2": 50}


def main() -> None:
    """Run as a program: exits with 1 if a test was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, count in _EDITS.items():
        parser.add_argument(f"--{name}", type=int, default=count, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    arguments = vars(parser.parse_args())
    python, figures = environment(), []
    for name in _EDITS:
        if arguments[name]:
            with tempfile.TemporaryDirectory(prefix="testlens-bench-") as folder:
                found = compare_edits(name, Path(folder), python, arguments[name], arguments["seed"])
            figures.append(_figure(name, found))
    conclude(figures)


def _figure(name: str, found: Sequence[Compared]) -> Figure:
    shares = [one.share for one in found]
    missed = sum(one.all_failed != one.selected_failed for one in found)
    breaking = sum(bool(one.all_failed) for one in found)
    everything = sum(one.found.everything for one in found)
    selected = f"selected: {statistics.median(shares):.1%} (median), {statistics.mean(shares):.1%} (mean)"
    detail = f"{len(found)} edits, {breaking} break tests; {selected}, everything {everything} times"
    return Figure(f"{name}: edits with a test missed", missed, 0, "of them", detail)


if __name__ == "__main__":
    main()
