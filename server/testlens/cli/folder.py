"""From the paths of a command line to a workspace."""

from __future__ import annotations

import os
from pathlib import Path

from testlens.cli.failure import Failure
from testlens.domain.problems import Problem


def project_folder(path: str) -> Path:
    """The folder that `path` names, absolute and without links; a `Failure` if it cannot be worked in."""
    folder = Path(path).expanduser()
    try:
        folder = folder.resolve()
        with os.scandir(folder):
            return folder
    except FileNotFoundError:
        raise _failure("There is no such folder.", "Name the folder of your project.", path) from None
    except NotADirectoryError:
        advice = f"Name the folder of your project, for example {folder.parent}."
        raise _failure("This is a file, not a folder.", advice, path) from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _failure(f"This folder cannot be read: {reason}.", "Check its name and permissions.", path) from None


def data_file(path: str) -> str:
    """The absolute path of a data file; a `Failure` if there is none."""
    file = Path(path).expanduser().absolute()
    if file.is_dir():
        raise _failure("This is a folder, not a data file.", "Name the file in it, such as .coverage.", path)
    if not file.is_file():
        raise _failure("There is no such data file.", "Name a file such as .coverage or coverage.xml.", path)
    return str(file)


def interpreter_wish(wish: str) -> str:
    """What `--python` says, as seen from the current folder; a bare command name stays one, for PATH to resolve."""
    place = Path(wish).expanduser()
    is_command = place.name == wish and not place.exists()
    return wish if is_command else str(place.absolute())


def _failure(message: str, advice: str, path: str) -> Failure:
    return Failure(Problem(message, advice, path, severity="error"))
