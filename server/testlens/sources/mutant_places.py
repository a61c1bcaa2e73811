"""Where others leave what they found out about mutants."""

from __future__ import annotations

from pathlib import Path

from testlens.sources.mutation_report import PLACES
from testlens.sources.mutmut_results import FOLDER, META, STATS, meta_files


def mutant_folders(root: Path) -> frozenset[Path]:
    """All folders, existing or not, in which results appear or change."""
    mutmut = {root / FOLDER, *(meta.parent for meta in meta_files(root))}
    return frozenset(mutmut | {(root / place).parent for place in PLACES})


def is_mutant_place(root: Path, path: Path) -> bool:
    """Whether a change of `path` may say something of mutants."""
    if path.is_relative_to(root / FOLDER):
        # A folder that comes may be one of sources that are being mutated.
        return path.name.endswith(META) or path.name == STATS or path.is_dir()
    return path.is_relative_to(root) and path.relative_to(root).as_posix() in PLACES
