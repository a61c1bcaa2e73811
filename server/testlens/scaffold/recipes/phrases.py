"""Sentences for tests that speak of what a function is for: `send_many(requests)` is "many requests are sent"."""

from __future__ import annotations

import re

from testlens.scaffold.target import FunctionNode, Target
from testlens.scaffold.words import is_plural, snake, word_set

_PARTICIPLES = {
    "send": "sent", "get": "read", "read": "read", "find": "found", "put": "put", "write": "written", "make": "made",
    "build": "built", "set": "set", "take": "taken", "give": "given", "run": "run", "begin": "begun", "do": "done",
    "withdraw": "withdrawn", "pay": "paid", "sell": "sold", "buy": "bought", "upsert": "upserted", "list": "listed",
    "lookup": "looked up", "query": "queried", "submit": "submitted", "drop": "dropped", "emit": "emitted", "split":
    "split", "ship": "shipped", "stop": "stopped", "plan": "planned", "scan": "scanned", "map": "mapped", "log":
    "logged", "fetch": "fetched", "publish": "published", "push": "pushed", "hold": "held", "keep": "kept",
    "forget": "forgotten", "transfer": "transferred", "cancel": "cancelled", "label": "labelled", "show": "shown",
    "apply": "applied", "copy": "copied", "notify": "notified", "classify": "classified", "verify": "verified",
    "modify": "modified", "reply": "replied", "retry": "tried again", "undo": "undone", "bulk": "written in bulk",
}  # fmt: skip
_VERBS = word_set(
    "add acknowledge alert analyze analyse archive assign call change check clean clear close complete compute "
    "consume convert count create decode delete detect dispatch download embed encode enqueue ensure estimate "
    "evaluate execute export extract filter format generate handle import increase infer ingest insert invoke "
    "load mark merge move open order parse patch place poll predict prepare process produce purge queue receive "
    "record refresh register release remove rename render replace request reserve reset resolve restore retrieve "
    "save schedule score search serialize start store stream summarize sync touch train transform update upload "
    "use validate yield"
)
_ADVERBS = word_set("by from to with for in aside back up down out off away again into")
_DETAIL = re.compile(
    r"(^|_)(id|ids|name|key|url|uri|arn|path|bucket|table|subject|body|data|limit|count|client|session|text|value|args"
    r"|kwargs|handle|handler|callback|func|function|fn|x|n|s|wait|timeout)$"
)
_GROUPS = frozenset({"many", "all", "several", "multiple", "bulk", "batch", "batched"})


def passive(function: FunctionNode, noun: str = "") -> str:
    """What happens when the function is called, in words; `noun` is said where its name has none."""
    words = [word for word in function.name.strip("_").split("_") if word]
    if len(words) > 1 and words[0] in _GROUPS and _participle(words[1]):
        return f"{_passive(words[1:], function, noun)} in a batch"
    return _passive(words, function, noun)


def _passive(words: list[str], function: FunctionNode, noun: str) -> str:
    participle = _participle(words[0]) if words else ""
    if not participle:
        return f"{' '.join(words) or 'it'} is called"
    things = words[1:]
    if things and things[0] in _ADVERBS:
        return f"{_counted(noun or 'it')} {participle} {' '.join(things)}"
    if not things:
        thing = noun or _first_noun(function)
        return f"{_counted(thing)} {participle}" if thing else f"{words[0]} is called"
    if things[-1] in _GROUPS or things[0] in _GROUPS:
        rest = " ".join(word for word in things if word not in _GROUPS) or noun or _first_noun(function) or "things"
        return f"{_many(rest)} {participle}"
    return f"{_counted(' '.join(things))} {participle}"


def called(target: Target) -> str:
    """What happens when the target's function is called, in words."""
    if target.owner is not None and target.function.name in ("__init__", "__post_init__", "__new__"):
        return f"{with_article(spaced(target.owner.name))} is made"
    return passive(target.function, noun_of(target))


def noun_of(target: Target) -> str:
    """What the function works on, by the name of its first parameter; empty where there is none."""
    return _first_noun(target.function)


def in_words(name: str) -> str:
    """A name of the code as words."""
    return name.strip("_").replace("_", " ")


def with_the(name: str) -> str:
    """A variable's name as a noun that was spoken of before."""
    return f"the {in_words(name)}"


def spaced(name: str) -> str:
    """The name of a class as words: "batch result"."""
    return snake(name.rpartition(".")[2]).replace("_", " ")


def with_article(noun: str) -> str:
    """A noun with the article that it wants, if any."""
    if is_plural(noun) or noun.startswith(("it ", "the ")) or noun in ("it", "data") or noun.endswith(" data"):
        return noun
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def _many(noun: str) -> str:
    if noun.endswith("data"):
        return f"all {noun} is"
    return f"many {noun if is_plural(noun) else f'{noun}s'} are"


def _counted(noun: str) -> str:
    return f"{with_article(noun)} {'are' if is_plural(noun) else 'is'}" if noun else "it is"


def _first_noun(function: FunctionNode) -> str:
    """The first parameter's name, if it names a thing and not a detail of one."""
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    names = [argument.arg for argument in arguments if argument.arg not in ("self", "cls")]
    return in_words(names[0]) if names and not _DETAIL.search(names[0]) else ""


def _participle(verb: str) -> str:
    if verb in _PARTICIPLES:
        return _PARTICIPLES[verb]
    if verb not in _VERBS:
        return ""
    return f"{verb}d" if verb.endswith("e") else f"{verb}ed"
