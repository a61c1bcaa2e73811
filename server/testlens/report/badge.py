"""Badges: the coverage and the mutation score as SVG, drawn by anybadge.

It needs nothing but `packaging`; genbadge would bring pillow and requests, pybadges requests and a release of 2023.
"""

from __future__ import annotations

import math

from anybadge.badge import Badge

# Below each percentage, the colour that shields.io gives it.
_COLOURS = {40: "#e05d44", 60: "#fe7d37", 75: "#dfb317", 90: "#97ca00", 101: "#4c1"}
_UNKNOWN = "#9f9f9f"


def render_badge(label: str, percent: float | None) -> str:
    """The SVG: whole percent, rounded down, so that 100 means all; None is shown as unknown."""
    if percent is None:
        return _svg(Badge(label, "unknown", default_color=_UNKNOWN))
    shown = math.floor(percent + 1e-9)
    colour = next(colour for limit, colour in _COLOURS.items() if shown < limit)
    return _svg(Badge(label, f"{shown}%", default_color=colour))


def _svg(badge: Badge) -> str:
    # The mask's name counts the badges of a process; on one page with others only its own may mean it.
    text: str = badge.badge_svg_text
    return text.replace(badge.mask_str, f"testlens-{badge.label.replace(' ', '-')}")
