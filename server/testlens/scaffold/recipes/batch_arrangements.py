"""Ways to see the requests that code makes for its chunks: a spy on what it calls, or a stand-in for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from testlens.domain.expressions import Expression, mark
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes.answers import answers
from testlens.scaffold.recipes.batch_sites import Chunks
from testlens.scaffold.recipes.items import filled, items_for
from testlens.scaffold.recipes.retry_waits import Wait
from testlens.scaffold.recipes.stand_ins import StandIn, stand_ins
from testlens.scaffold.scene import Patch, Scene
from testlens.scaffold.search import first_scenes
from testlens.scaffold.staging import Staged, stage, uses_mocker
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target

_MOCK = mark("unittest.mock", "Mock")
_STAND_IN = "\x01unittest.mock:"
_LARGEST = 60
_SMALL = 3
_MOST_SCENES = 2
_MOST_ANSWERS = 3


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How a test sees the requests. `answer` is what the stand-in answers; a spy, which has None, asks the real thing.

    `size` is the size of a chunk in this arrangement.
    """

    stand_in: StandIn
    answer: Expression | None
    size: int | None

    @property
    def variable(self) -> str:
        """What holds the spy or the stand-in."""
        return self.stand_in.variable

    @property
    def bare_scene(self) -> Scene:
        """The scene without the stand-in."""
        return _without(self.stand_in.scene, self.stand_in.place)

    def given(self, scene: Scene, style: Style, behaviour: str | None = None) -> tuple[tuple[str, ...], Staged]:
        """The statements that set a scene up with it; `behaviour` is another stand-in, in source."""
        if self.answer is None and behaviour is None:
            staged = stage(_without(scene, self.stand_in.place), style)
            return (*staged.given, *self._spying(staged, style)), staged
        staged = stage(scene, style)
        code = behaviour
        if code is None:
            assert self.answer is not None
            code = f"{_MOCK}()" if self.answer.code == "None" else f"{_MOCK}(return_value={self.answer.code})"
        return (f"{self.variable} = {code}", *staged.given), staged

    def fixtures(self, staged: Staged, style: Style) -> tuple[str, ...]:
        """What a test of this arrangement asks pytest for."""
        patching = () if self.answer is not None else ("mocker",) if uses_mocker(style) else ("monkeypatch",)
        return tuple(dict.fromkeys((*staged.fixtures, *patching)))

    def _spying(self, staged: Staged, style: Style) -> Iterator[str]:
        place = self.stand_in.place
        assert place is not None
        subject, dot, rest = place.owner.partition(".")
        owner = f"{staged.names.get(subject, subject)}{dot}{rest}"
        if uses_mocker(style):
            yield f'{self.variable} = mocker.spy({owner}, "{place.attribute}")'
        else:
            yield f"{self.variable} = {_MOCK}(wraps={owner}.{place.attribute})"
            yield f'monkeypatch.setattr({owner}, "{place.attribute}", {self.variable})'


def arrangements(chunks: Chunks, target: Target, knowledge: Knowledge) -> tuple[Arrangement, ...]:
    """The arrangements to try, those first that leave most of the code as it is."""
    items = items_for(target, knowledge)
    found: list[Arrangement] = []
    for scene in first_scenes(target, knowledge)[:_MOST_SCENES]:
        start, size = _small(filled(scene, items), chunks, knowledge)
        for call in chunks.requests:
            for stand_in in list(stand_ins(call, start, (), target, knowledge))[:1]:
                if _can_be_spied(stand_in):
                    found.append(Arrangement(stand_in, None, size))
                found += (
                    Arrangement(stand_in, answer, size) for answer in answers(call, target.function)[:_MOST_ANSWERS]
                )
    return tuple(found)


def with_items(scene: Scene, parameter: str, code: str, fixtures: tuple[str, ...]) -> Scene:
    """The scene with this collection."""
    return scene.with_argument(parameter, Expression(code, fixtures))


def still(scene: Scene, waits: Sequence[Wait], recorder: str) -> Scene:
    """The scene in which nothing waits."""
    for wait in waits:
        scene = wait.recorded(scene, recorder)
    return scene


def _small(scene: Scene, chunks: Chunks, knowledge: Knowledge) -> tuple[Scene, int | None]:
    """The scene with chunks that a test can fill, where they are larger and can be made smaller."""
    setting = chunks.setting
    if chunks.size is None or chunks.size <= _LARGEST or setting is None:
        return scene, chunks.size
    value = Expression(str(_SMALL))
    match setting.kind:
        case "parameter":
            return scene.with_argument(setting.name, value), _SMALL
        case "global":
            patch = Patch(mark(knowledge.description.module, ""), setting.name, value)
            return scene.with_patch(patch), _SMALL
        case "attribute":
            return scene.with_setting(f"receiver.{setting.name}", value), _SMALL


def _can_be_spied(stand_in: StandIn) -> bool:
    """Whether there is something real to ask: no stand-in of the scene itself."""
    place = stand_in.place
    if place is None or place.owner.startswith("\x01"):
        return False
    receiver = stand_in.scene.receiver
    return receiver is None or _STAND_IN not in receiver.code


def _without(scene: Scene, place: Patch | None) -> Scene:
    return replace(scene, patches=tuple(patch for patch in scene.patches if patch != place))
