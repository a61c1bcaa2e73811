"""Older versions of a project, made up at random but the same way for each seed: edits, code that came, went or moved.

They need not be valid Python: nobody runs them, and git alone reads them.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from random import Random

GIT = (
    "git", "-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false",
    "-c", "core.autocrlf=false",
)  # fmt: skip
DEFINITION = re.compile(r"\s*(async )?def \w")
NEW_CODE = """

def added_{number}(value):
    if value > {number}:
        return value - {number}
    return value
"""


def git(root: Path, *arguments: str) -> str:
    """Run git in `root`, without anybody's settings."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run([*GIT, *arguments], cwd=root, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def commit_all(root: Path, message: str) -> str:
    """Commit everything that is there; returns the commit."""
    git(root, "add", "--all", ".")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(root, "rev-parse", "HEAD").strip()


def undo_at_random(root: Path, sources: list[Path], seed: int) -> None:
    """Make of `sources` an older version, so that the present one is a change to it.

    The present files stay the ones that were measured: what is committed as the base is this older version.
    """
    random = Random(seed)
    chosen = random.sample(sources, k=min(len(sources), random.randint(2, 6)))
    for file in chosen:
        _undo_in(file, random)
    if len(chosen) > 2:
        # As if it had another name before.
        moved = chosen[0].with_name(f"earlier_{seed}_{chosen[0].name}")
        chosen[0].rename(moved)
    (root / f"binary_{seed}.bin").write_bytes(b"\0" + bytes(random.randrange(256) for _ in range(300)))


def _undo_in(file: Path, random: Random) -> None:
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    heads = [place for place, line in enumerate(lines) if DEFINITION.match(line)]
    for head in random.sample(heads, k=min(len(heads), random.randint(1, 5))):
        end = next((place for place in heads if place > head), len(lines))
        for place in range(head, end):
            if random.random() < 0.3:
                lines[place] = f"{lines[place].rstrip()}  # as it was, {random.random()}\n"
        if random.random() < 0.4:
            # The line came later.
            lines[random.randrange(head, end)] = ""
        if random.random() < 0.4:
            # Others were there, and were deleted.
            lines[end - 1] += NEW_CODE.format(number=random.randrange(100))
    file.write_text("".join(lines), encoding="utf-8")
