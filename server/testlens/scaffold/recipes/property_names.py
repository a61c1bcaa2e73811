"""What names promise: to undo another function, to do the same as another, to change nothing the second time."""

from __future__ import annotations

import re
from collections.abc import Iterable

_UNDOING = (
    ("encode", "decode"), ("dumps", "loads"), ("dump", "load"), ("serialize", "deserialize"),
    ("serialise", "deserialise"), ("pack", "unpack"), ("compress", "decompress"), ("encrypt", "decrypt"),
    ("escape", "unescape"), ("quote", "unquote"), ("marshal", "unmarshal"), ("format", "parse"), ("render", "parse"),
    ("to", "from"), ("flatten", "unflatten"), ("wrap", "unwrap"), ("join", "split"), ("zip", "unzip"),
    ("freeze", "unfreeze"), ("hexlify", "unhexlify"), ("print", "parse"), ("unparse", "parse"), ("write", "read"),
)  # fmt: skip
_SAME = frozenset(
    [
        "fast",
        "slow",
        "naive",
        "reference",
        "simple",
        "optimized",
        "optimised",
        "vectorized",
        "iterative",
        "recursive",
        "v1",
        "v2",
        "legacy",
        "old",
        "new",
        "cached",
        "pure",
        "native",
        "py",
    ]
)
_SETTLING = re.compile(
    r"(\A|_)(normali[sz]ed?|canonical(i[sz]ed?)?|clean(ed)?|sanitiz?s?ed?|sanitise|slugify|dedupe?|deduplicated?|uniq(ue)?"
    r"|strip(ped)?|trim(med)?|collapse|simplif(y|ied)|squeeze|clamp(ed)?|clip|dedent|sort(ed)?|titlecase|fold|tidy)(_|\Z)"
)


def undone_by(name: str, others: Iterable[str]) -> tuple[str, str] | None:
    """The pair (does, undoes) that a function makes with another one of these names; None where it makes none."""
    known = set(others)
    words = name.split("_")
    for index, word in enumerate(words):
        for does, undoes in _UNDOING:
            if word == does and (partner := _with(words, index, undoes)) in known:
                return name, partner
            if word == undoes and (partner := _with(words, index, does)) in known:
                return partner, name
    middle = re.fullmatch(r"_*(\w+?)_to_(\w+)", name)
    if middle is not None and (partner := f"{middle[2]}_to_{middle[1]}") in known:
        return name, partner
    return None


def same_as(name: str, others: Iterable[str]) -> str | None:
    """A function that is to do the same as this one, by its name."""
    words = name.strip("_").split("_")
    plain = "_".join(word for word in words if word not in _SAME)
    for other in others:
        rest = other.strip("_").split("_")
        if other != name and "_".join(word for word in rest if word not in _SAME) == plain and plain:
            return other
    return None


def settles(name: str) -> bool:
    """Whether a function is to change nothing the second time."""
    return _SETTLING.search(name) is not None


def _with(words: list[str], index: int, word: str) -> str:
    return "_".join([*words[:index], word, *words[index + 1 :]])
