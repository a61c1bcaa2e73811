"""The two servers that are compared: ours, and pygls' own with nothing in it."""

from __future__ import annotations

import sys
from pathlib import Path

OURS = (sys.executable, "-m", "testlens", "serve")
BARE = (sys.executable, str(Path(__file__).with_name("bare_server.py")))
