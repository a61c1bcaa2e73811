"""The collectors that a test file belongs to: made without looking at the other files of its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from _pytest.runner import collect_one_node

_PACKAGE_MARK = "__init__.py"


class Parents:
    """Makes the collectors of folders, and keeps them: fixtures of a conftest file belong to one collector."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._made: dict[Path, Any] = {}
        self._has_folders = hasattr(session.config.pluginmanager, "_loadconftestmodules")  # since pytest 8

    def of(self, folder: Path) -> Any:
        """The collector for the files of `folder`, or of the nearest folder above it that exists.

        Raises what a conftest file raises that has not been loaded before.
        """
        existing = next(place for place in (folder, *folder.parents) if place.is_dir())
        if existing not in self._made:
            self._made[existing] = self._make(existing) if self._has_folders else self._make_package(existing)
        return self._made[existing]

    def _make(self, folder: Path) -> Any:
        if folder == folder.parent or not self._may_have_conftest(folder):
            return self._session
        parent = self.of(folder.parent)
        hook = self._session.gethookproxy(folder.parent)
        found = hook.pytest_collect_directory(path=folder, parent=parent)
        if found is None:
            return parent
        # Without its files: it is enough that pytest and its plugins see the folder, and load its conftest file.
        found.collect = list
        report = collect_one_node(found)
        if report.failed:
            self._session.config.hook.pytest_collectreport(report=report)
        return found

    def _make_package(self, folder: Path) -> Any:
        hook = self._session.gethookproxy(folder)  # loads the conftest files
        mark = folder / _PACKAGE_MARK
        if not mark.is_file():
            return self._session
        package = hook.pytest_pycollect_makemodule(module_path=mark, parent=self._session)
        hook.pytest_collectstart(collector=package)
        return package

    def _may_have_conftest(self, folder: Path) -> bool:
        return bool(self._session.config.pluginmanager._is_in_confcutdir(folder))
