"""What was found in files the last time, and what came of it: a refresh after a small change does that part anew."""

from __future__ import annotations

from testlens.domain.history import FileHistory
from testlens.domain.snapshot import FileReport
from testlens.workspace.assess import report
from testlens.workspace.examined import Examined
from testlens.workspace.settings import Settings
from testlens.workspace.store import Origin

_Grounds = tuple[Examined, Settings, FileHistory | None, bool]


class Remembered:
    """For one workspace, and one thread at a time. A report refers to what was found, so this takes little memory."""

    def __init__(self) -> None:
        self._examined: dict[str, tuple[Origin, Examined]] = {}
        self._reports: dict[str, tuple[_Grounds, FileReport]] = {}

    def examined(self, path: str, origin: Origin) -> Examined | None:
        """What was found in a file, if it was found from this very content, trace and rules."""
        known, found = self._examined.get(path, (None, None))
        return found if known is not None and _essence(known) == _essence(origin) else None

    def keep(self, path: str, origin: Origin, found: Examined) -> None:
        """Remember what was found in a file."""
        self._examined[path] = (origin, found)

    def report(
        self, path: str, examined: Examined, settings: Settings, history: FileHistory | None, anchored: bool
    ) -> FileReport:
        """As `assess.report`."""
        grounds = (examined, settings, history, anchored)
        known, kept = self._reports.get(path, (None, None))
        if (
            kept is not None
            and known is not None
            and all(one is other for one, other in zip(known, grounds, strict=True))
        ):
            return kept
        made = report(path, examined, settings, history, anchored)
        self._reports[path] = (grounds, made)
        return made


def _essence(origin: Origin) -> tuple[str, str, str]:
    # The signature of the data says where the trace was read, which is told by its digest as well.
    return origin.content, origin.trace, origin.rules
