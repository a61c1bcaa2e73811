"""Files that commands write for others to read: never over the user's work, and all of them or none."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from testlens.cli.failure import Failure
from testlens.domain.problems import Problem


def safe_target(name: str, kind: str, suffixes: Collection[str]) -> Path:
    """The file to write; a `Failure` if it is a folder, or an existing file that looks like something else."""
    file = Path(name).expanduser()
    if file.is_dir():
        raise Failure(Problem("This is a folder.", f"Name a file in it, such as {file / 'report'}.", name))
    if file.suffix in (".py", ".pyi") or (file.is_file() and file.suffix not in suffixes):
        advice = f"Name a file that ends in {next(iter(suffixes))}, or delete this one first."
        raise Failure(Problem(f"A report in {kind} does not replace a file of this kind.", advice, name))
    return file


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write each text into its file, and say so on standard error; a `Failure` where that is not possible."""
    for file, text in texts.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        except OSError as error:
            raise not_written(file, error) from None
        print(f"Wrote {file}", file=sys.stderr)


def not_written(file: Path, error: OSError) -> Failure:
    """Why a file could not be written."""
    message = f"The report cannot be written: {error.strerror}."
    return Failure(Problem(message, "Name a file in a folder that you may write to.", str(file)))
