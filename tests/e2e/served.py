"""A VS Code of our own: served by scripts/vscode.mjs, stopped by its process id."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 20
SETTINGS = {
    "workbench.colorTheme": "Dark 2026",
    # VS Code in a browser saves by itself; the tests look at what is typed and not saved.
    "files.autoSave": "off",
    # Without a Python extension nothing says that Python can be debugged.
    "debug.allowBreakpointsEverywhere": True,
    # What is found must not depend on how busy the machine is.
    "testlens.scaffold.budget": 40,
}


@dataclass(frozen=True, slots=True)
class ServedCode:
    """One running VS Code server: several windows may be open on it, each on a folder of its own."""

    address: str
    """Scheme, host and port."""
    state: Path
    """User data and extensions."""
    pid: int

    def url(self, folder: Path) -> str:
        """The address of a window on a folder."""
        return f"{self.address}/?folder={quote(str(folder))}"

    def language_servers(self) -> set[int]:
        """Process ids of the Testlens servers that this VS Code started."""
        return {pid for pid in _descendants(self.pid) if b"testlens\0serve" in _command_line(pid)}


@contextmanager
def served_code(
    folder: Path,
    state: Path,
    settings: dict[str, Any] | None = None,
    extensions: Sequence[Path] = (),
    vsix: Path | None = None,
) -> Iterator[ServedCode]:
    """Serve a folder until the block ends, with our extension and others freshly installed, and settings on ours.

    With `vsix`, that package is installed, and finds its server by itself.
    """
    script = ROOT / "scripts" / "vscode.mjs"
    command = [
        "node",
        str(script),
        str(folder),
        "--state",
        str(state),
        "--settings",
        json.dumps(SETTINGS | (settings or {})),
        *(part for file in extensions for part in ("--extension", str(file))),
        *(("--vsix", str(vsix)) if vsix is not None else ()),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield ServedCode(_announced_address(process), state, process.pid)
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def _announced_address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "scripts/vscode.mjs ended without an address; see its messages above"
    parts = urlsplit(json.loads(line)["url"])
    return f"{parts.scheme}://{parts.netloc}"


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _descendants(pid: int) -> set[int]:
    """Children, their children and so on, from /proc."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text("utf-8", "replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        # "PID (NAME) STATE PARENT ...", where the name may hold anything
        parent = int(text.rpartition(")")[2].split()[1])
        children.setdefault(parent, []).append(int(stat.parent.name))
    found: set[int] = set()
    pending = [pid]
    while pending:
        pending += children.get(pending.pop(), [])
        found.update(pending)
    return found
