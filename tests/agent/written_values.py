"""Run by an interpreter of any supported version: is what the agent writes of a value that very value?

Standard input is a JSON object: `server` is the folder that has the agent, `folder` one with modules of the project,
`values` are expressions in a namespace that has those modules' names. Standard output is a JSON object from each
expression to what is wrong with it, or to null.
"""

import functools
import importlib
import io
import json
import re
import sys

MARK = re.compile("\x01([^\x01\x02:]*):([^\x01\x02:]*)\x02")


def main():
    request = json.load(sys.stdin)
    sys.path[:0] = [request["server"], request["folder"]]
    from testlens_agent.expressions import ExpressionWriter

    names = {}
    for module in request["modules"]:
        names.update(vars(importlib.import_module(module)))
    writer = ExpressionWriter()
    print(json.dumps({text: judged(eval(text, names), writer) for text in request["values"]}))


def judged(value, writer):
    written = writer.write(value)
    if written is None:
        return "it has no expression"
    again = evaluated(written.code)
    if type(again) is not type(value) and "Mock" not in type(value).__name__:
        return f"{written.code} is a {type(again)}"
    return None if content(again) == content(value) else f"{written.code} is {again!r}"


def evaluated(code):
    """The value of marked source, each mark replaced by a name of its own."""
    names = {}

    def name(found):
        module, qualname = found[1], found[2]
        value = importlib.import_module(module)
        for part in qualname.split(".") if qualname else ():
            value = getattr(value, part)
        names[f"name{len(names)}"] = value
        return f"name{len(names) - 1}"

    return eval(MARK.sub(name, code), names)


def content(value):
    """Something that is equal for equal values, also where Python compares by identity or not at all."""
    if isinstance(value, (float, complex)) or "Mock" in type(value).__name__:
        return repr(value).partition(" id=")[0]
    if type(value) in {list, tuple, dict, type(iter([]))}:
        return [content(item) for item in (value.items() if type(value) is dict else value)]
    return next((parts(value) for kind, parts in PARTS.items() if isinstance(value, kind)), value)


PARTS = {
    BaseException: lambda error: (str(error), error.args, getattr(error, "filename", None)),
    io.StringIO: lambda buffer: (buffer.getvalue(), buffer.tell()),
    io.BytesIO: lambda buffer: (buffer.getvalue(), buffer.tell()),
    functools.partial: lambda partial: (partial.func, partial.args, partial.keywords),
}


if __name__ == "__main__":
    main()
