"""By how many points the mutation score of examples/clarity rises when the fix of each survivor is accepted.

python bench/accepting.py [--file PATH]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from figures import Figure, conclude
from killing import projects

from real.accepting import accept_all, checked, run_all_tests
from testlens.workspace.mutation_targets import MutationTarget
from testlens.workspace.workspace import Workspace

_POINTS = 20.0


async def accept(folder: Path, file: str | None) -> Figure:
    """Accept all fixes in a copy of the example."""
    project = next(projects(["clarity"], folder))
    python, target = str(project.python), MutationTarget(file)
    with closing(Workspace(project.root)) as workspace:
        await run_all_tests(workspace, python)
        before = await checked(workspace, python, target)
        taken = await accept_all(workspace, python, before)
        after = await checked(workspace, python, target)
    assert before.score is not None
    assert after.score is not None
    survivors = sum(mutant.status == "survived" for mutant in before.mutants)
    detail = (
        f"{before.score:.1f} % to {after.score:.1f} % with {taken} tests, {survivors} of {len(before.mutants)} survived"
    )
    return Figure(
        "points that are short of 20", max(0.0, _POINTS - (after.score - before.score)), 0.0, "points", detail
    )


def main() -> None:
    """Run the benchmark as a program: exits with 1 if the bound was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", metavar="PATH", help="only the mutants of this file of the example")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="testlens-accepting-") as folder:
        conclude([asyncio.run(accept(Path(folder), arguments.file))])


if __name__ == "__main__":
    main()
