"""docs/settings.md has every setting of the extension as package.json declares it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
MANIFEST = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
SETTINGS = MANIFEST["contributes"]["configuration"]["properties"]


def test_the_page_is_what_package_json_says() -> None:
    """Whoever adds a setting writes the page again."""
    done = subprocess.run(
        ["node", "scripts/settings.mjs", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_is_documented_with_its_default() -> None:
    """Each has words of its own."""
    for name, setting in SETTINGS.items():
        (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
        assert f"`{json.dumps(setting['default'], ensure_ascii=False, separators=(',', ':'))}`" in row
        assert len(setting.get("markdownDescription", "")) > 20
        described = setting.get("markdownEnumDescriptions", setting.get("enumDescriptions", []))
        assert len(described) == len(setting.get("enum", [])), name


def test_the_settings_have_an_order_of_their_own() -> None:
    """Two with one place would be sorted by their names."""
    places = [setting["order"] for setting in SETTINGS.values()]
    assert len(set(places)) == len(places)


def test_the_readme_leads_to_the_page() -> None:
    """The shared settings are there, and the editor's here."""
    assert "(docs/settings.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
