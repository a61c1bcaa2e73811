"""The project's test files as far as they tell how it writes tests; read again only where they changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from testlens.domain.calls import SeenCalls
from testlens.scaffold.style import Scenarios, Style
from testlens.scaffold.style_reader import read_style
from testlens.sources.seen_calls import load_seen_calls
from testlens.sources.source_text import read_content
from testlens.workspace.style_config import load_style_config
from testlens.workspace.workspace import Workspace

CALLS = ".testlens/calls.json"
_MOST_FILES = 400
_MOST_LISTED = 20_000
_MOST_BYTES = 3_000_000
_LEFT_OUT = frozenset({"node_modules", "mutants", "build", "dist", "site-packages", "__pycache__", "venv", "env"})


class TestFiles:
    """Test files and conftests of one workspace, and the style that they share.

    `texts` are by POSIX path relative to the folder. What is there before the first `read` is empty.
    """

    __test__ = False

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.root = workspace.root
        self.texts: Mapping[str, str] = {}
        self.style = Style()
        self.seen: SeenCalls = {}
        self._seen_at: tuple[int, int] | None = None
        self._known: tuple[object, ...] = ()
        self._existing: tuple[str, ...] = ()
        self._stamps: Mapping[str, tuple[int, str]] = {}

    @property
    def existing(self) -> tuple[str, ...]:
        """All Python files of the project, within bounds: names that a new file must not take or hide."""
        return self._existing

    @property
    def conftests(self) -> tuple[str, ...]:
        """The conftest files among them."""
        return tuple(path for path in self.texts if Path(path).name == "conftest.py")

    @property
    def near(self) -> Path | None:
        """A test file that stands for the others, where there is one (absolute)."""
        tests = (path for path in self.texts if Path(path).name != "conftest.py")
        return next((self.root / path for path in tests), None)

    def read(self, python: str | None) -> Style:
        """The style of the project as its files are now; blocks for as long as reading new or changed ones takes."""
        files = list(islice(_python_files(self.root), _MOST_LISTED))
        self._existing = tuple(file.relative_to(self.root).as_posix() for file in files)
        found = dict(self._read_files(files))
        features = sorted(self._features())
        # Until a run has said what is under test, every file that is no test may be.
        sources = self.workspace.snapshot.files or [path for path in self._existing if not _is_test(Path(path).name)]
        config = load_style_config(self.root, python, sources, features)
        config = replace(config, scenarios=self._scenarios)
        self._read_calls()
        known = (tuple(self._stamps.items()), config)
        if known != self._known:
            self.texts = dict(sorted(found.items()))
            self.style = read_style(self.texts, config)
            self._known = known
        return self.style

    def _read_calls(self) -> None:
        path = self.root / CALLS
        try:
            status = path.stat()
            written = (status.st_mtime_ns, status.st_size)
        except OSError:
            written = None
        if written is None or written != self._seen_at:
            self.seen = load_seen_calls(path)[0]
            self._seen_at = written

    def feature_texts(self) -> Mapping[str, str]:
        """The feature files and the step modules of behave, as they are now; blocks while they are read."""
        steps = (path for path in self._existing if Path(path).parent.name == "steps")
        found = {path: _text(self.root / path) for path in (*self._features(), *steps)}
        return {path: text for path, text in found.items() if text is not None}

    @property
    def _scenarios(self) -> Scenarios:
        wanted = self.workspace.settings.config.scaffold_style
        return wanted if wanted in {"pytest-bdd", "behave"} else "classes"

    def _features(self) -> Iterator[str]:
        for folder in ("tests", "test", "features"):
            yield from (path.relative_to(self.root).as_posix() for path in self.root.glob(f"{folder}/**/*.feature"))

    def _read_files(self, files: Iterable[Path]) -> Iterator[tuple[str, str]]:
        stamps: dict[str, tuple[int, str]] = {}
        total = 0
        for path in islice((file for file in files if _is_test(file.name)), _MOST_FILES):
            name = path.relative_to(self.root).as_posix()
            stamp = path.stat().st_mtime_ns
            kept = self._stamps.get(name)
            text = kept[1] if kept is not None and kept[0] == stamp else _text(path)
            if text is None or total + len(text) > _MOST_BYTES:
                continue
            total += len(text)
            stamps[name] = (stamp, text)
            yield name, text
        self._stamps = stamps


def _python_files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _LEFT_OUT)
        yield from (Path(folder) / name for name in sorted(files) if name.endswith(".py"))


def _is_test(name: str) -> bool:
    return name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"


def _text(path: Path) -> str | None:
    """The text as it is on disk, line ends and a BOM included: it is written back around what is added."""
    content = read_content(path)
    if content is None:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
