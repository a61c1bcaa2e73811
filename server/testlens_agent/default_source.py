"""What to measure where neither the coverage configuration nor `--cov` says so."""

import os
from pathlib import Path

_NOT_PRODUCT = {"test", "tests", "testing", "doc", "docs", "example", "examples", "bench", "benchmark", "benchmarks"}

OMIT = (
    "tests/*",
    "test/*",
    "test_*.py",
    "*_test.py",
    "conftest.py",
    "setup.py",
    "noxfile.py",
    "**/site-packages/*",
)


def default_source(root: Path) -> list[str]:
    """Absolute folders to measure: `src`, else the top-level packages that are no tests or docs, else the root."""
    src = root / "src"
    if _has_python(src):
        return [str(src)]
    packages = [
        str(entry)
        for entry in sorted(root.iterdir())
        if entry.name.lower() not in _NOT_PRODUCT and (entry / "__init__.py").is_file()
    ]
    return packages or [str(root)]


def _has_python(folder: Path) -> bool:
    return any(name.endswith(".py") for _, _, names in os.walk(str(folder)) for name in names)
