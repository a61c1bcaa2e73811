"""A short animation of a window, for the README."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from PIL import Image
from playwright.sync_api import FloatRect

from e2e.workbench import IMAGES, Workbench

_LONGEST_FRAME_MS = 2_500
_LAST_FRAME_MS = 3_000
_COLOURS = 255


@dataclass
class Film:
    """Pictures of a part of a window, each with when it was taken. Playwright's `clip` says which part."""

    workbench: Workbench
    clip: FloatRect
    _frames: list[tuple[float, bytes]] = field(default_factory=list)

    def take(self) -> None:
        """Take a picture; one that shows nothing new makes the last one longer."""
        picture = self.workbench.page.screenshot(clip=self.clip, animations="disabled", caret="hide")
        if not self._frames or self._frames[-1][1] != picture:
            self._frames.append((time.monotonic(), picture))

    def take_for(self, seconds: float) -> None:
        """Take pictures for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.take()
            self.workbench.page.wait_for_timeout(60)

    def take_until(self, is_seen: Callable[[], bool], seconds: float = 60.0) -> None:
        """Take pictures until something is seen; fails where it never is."""
        until = time.monotonic() + seconds
        while not is_seen():
            assert time.monotonic() < until, "it was never seen"
            self.take()
            self.workbench.page.wait_for_timeout(40)

    def type(self, text: str) -> None:
        """Type, with a picture of each key."""
        for character in text:
            self.workbench.page.keyboard.type(character)
            self.take()
            self.workbench.page.wait_for_timeout(60)

    def write(self, name: str) -> Path:
        """Write docs/images/NAME.gif, in the time that it took, but for long pauses."""
        times = [taken for taken, _ in self._frames]
        pictures = [Image.open(io.BytesIO(picture)).convert("RGB") for _, picture in self._frames]
        # One palette for all, of all that is ever seen: colours that flicker from frame to frame look like changes.
        width, height = pictures[0].size
        whole = Image.new("RGB", (width, height * len(pictures)))
        for number, picture in enumerate(pictures):
            whole.paste(picture, (0, height * number))
        palette = whole.quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
        lasts = [min(int(1000 * (end - start)), _LONGEST_FRAME_MS) for start, end in pairwise(times)]
        file = IMAGES / f"{name}.gif"
        frames[0].save(
            file, save_all=True, append_images=frames[1:], duration=[*lasts, _LAST_FRAME_MS], loop=0, optimize=True
        )
        return file
