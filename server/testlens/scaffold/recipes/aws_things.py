"""The tables, queues, topics and buckets that a function works on: what names them, and fixtures for them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from testlens.domain.cases import Helper
from testlens.domain.expressions import mark
from testlens.scaffold.recipes.aws_code import (
    AwsCode,
    Handle,
    Operation,
    attribute_values,
    local_values,
    parameter_named,
    region_of,
)
from testlens.scaffold.recipes.aws_names import OPERATIONS, THINGS
from testlens.scaffold.recipes.aws_schema import Schema, schema_of
from testlens.scaffold.recipes.module_map import ModuleMap, Place
from testlens.scaffold.style import Style
from testlens.scaffold.words import snake, word_set

SourceKind = Literal["literal", "global", "environment", "argument", "constructor", "attribute", "unknown"]
_BASES = ("aws", "mock_aws", "aws_mock", "moto", "mocked_aws", "aws_mocked", "mock_aws_services", "moto_aws")
_FIXTURE = mark("pytest", "fixture")
_MONKEYPATCH = mark("pytest", "MonkeyPatch")
_BOTO3 = mark("boto3", "")
_MOST_DEEP = 6


@dataclass(frozen=True, slots=True)
class Source:
    """Where the name of a thing comes from: a `literal`, a `global` of the module, a variable of the `environment`, an
    `argument` of the function that is called, one of the `constructor`, or an `attribute` of the receiver. `text` is
    that literal or name.
    """

    kind: SourceKind
    text: str


@dataclass(frozen=True, slots=True)
class Thing:
    """One table, queue, topic or bucket. `fixture` gives what the code asks for: `value` is the name, URL or ARN of it
    in terms of that fixture.
    """

    service: str
    source: Source
    fixture: str
    value: str


_UNKNOWN = Source("unknown", "")


class Things:
    """What exists of AWS for one call, and the fixtures that make it exist."""

    def __init__(self, code: AwsCode, functions: ModuleMap, tree: ast.Module, entry: Place, style: Style) -> None:
        self._subject = _subject(entry)
        self._code = code
        self._functions = functions
        self._tree = tree
        self._style = style
        self._helpers: dict[str, Helper] = {}

    @property
    def helpers(self) -> tuple[Helper, ...]:
        """The fixtures that the project lacks, each after those that it asks for."""
        return tuple(self._helpers.values())

    def base(self) -> str:
        """The fixture in which moto plays AWS: the project's own where it has one that is called so."""
        own = next((name for name in _BASES if name in self._style.fixtures), None)
        if own is None:
            self._add("aws", _BASE)
        return own or "aws"

    def things(self, entry: Place, operations: Sequence[Operation]) -> tuple[Thing, ...]:
        """The things that these operations of a function work on, each once."""
        found: dict[tuple[str, Source], Thing] = {}
        for operation in operations:
            service = operation.handle.service
            if service not in THINGS:
                continue
            for source in self._sources(entry, operation):
                if (service, source) not in found:
                    found[service, source] = self._thing(operation.handle, source, operations)
        return tuple(found.values())

    def _sources(self, entry: Place, operation: Operation) -> Iterator[Source]:
        named = operation.handle.name
        place = operation.handle.place
        if named is None:
            keyword = OPERATIONS.get(operation.method, ("", ""))[1]
            named, place = operation.argument(keyword), operation.place
            if keyword == "RequestItems" and isinstance(named, ast.Dict) and named.keys and named.keys[0] is not None:
                named = named.keys[0]
        if named is not None:
            yield self._source(named, place, entry, 0)
        elif operation.handle.kind == "Table":
            yield _UNKNOWN

    def _source(self, node: ast.expr, place: Place | None, entry: Place, depth: int) -> Source:
        match node:
            case ast.Constant(value=str() as text):
                return Source("literal", text)
            case ast.Name(id=name):
                return self._named(name, place, entry, depth)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attribute) if place and place.owner:
                return self._own(place.owner, attribute, entry, depth)
            case ast.Subscript() | ast.Call():
                variable = environment_variable(node)
                return Source("environment", variable) if variable else _UNKNOWN
            case ast.Attribute(value=inner, attr="name" | "url" | "arn"):
                handle = self._code.handle(inner, place)
                if handle is not None and handle.name is not None:
                    return self._source(handle.name, handle.place, entry, depth + 1)
        return _UNKNOWN

    def _named(self, name: str, place: Place | None, entry: Place, depth: int) -> Source:
        if place is None:
            return self._global(name)
        value = next(local_values(place.node, name), None)
        if value is not None:
            return self._source(value, place, entry, depth + 1) if depth < _MOST_DEEP else _UNKNOWN
        return _of_parameter(place, name, entry) if parameter_named(place, name) is not None else self._global(name)

    def _global(self, name: str) -> Source:
        for value in local_values(self._tree, name):
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                return Source("literal", value.value)
        return Source("global", name)

    def _own(self, owner: ast.ClassDef, attribute: str, entry: Place, depth: int) -> Source:
        methods = self._functions.methods(owner)
        for method in methods:
            for value in attribute_values(method, attribute):
                if depth < _MOST_DEEP:
                    found = self._source(value, method, entry, depth + 1)
                    return found if found.kind != "unknown" else Source("attribute", attribute)
        for value in local_values(owner, attribute):
            return self._source(value, None, entry, depth + 1)
        if any(isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == attribute for node in owner.body):
            return Source("constructor", attribute)
        return Source("attribute", attribute)

    def _thing(self, handle: Handle, source: Source, operations: Sequence[Operation]) -> Thing:
        called = _plain_name(source, handle.service) or self._subject
        thing = THINGS[handle.service]
        name = called if called.endswith(thing) else f"{called}_{thing}" if called else thing
        base = self.base()
        region = region_of(handle)
        where = f', region_name="{region}"' if region else ""
        real = self._real_name(source, called or thing)
        if handle.service == "dynamodb":
            schema = schema_of(self._tree, self._functions, operations)
            self._add(name, _table(name, base, real, where, schema))
            return Thing(handle.service, source, name, f"{name}.name")
        fixture, body = _OTHERS[handle.service]
        called = called.removesuffix(thing).strip("_")
        fixture = f"{called}_{fixture}" if called else fixture
        parts = {"fixture": fixture, "base": base, "name": real, "where": where}
        self._add(fixture, body.format(**parts, boto3=_BOTO3, decorator=_FIXTURE))
        return Thing(handle.service, source, fixture, fixture)

    def _real_name(self, source: Source, called: str) -> str:
        if source.kind == "literal":
            return repr(re.split(r"[/:]", source.text)[-1]).replace("'", '"')
        return f'"{called}"'

    def _add(self, name: str, code: str) -> None:
        if name not in self._style.fixtures:
            self._helpers.setdefault(name, Helper(name, code))


def environment_variable(node: ast.expr) -> str:
    """The variable that `os.environ["X"]`, `os.environ.get("X")` or `os.getenv("X")` reads; empty for anything else."""
    match node:
        case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str() as name)):
            return name
        case ast.Call(func=ast.Attribute(attr="get" | "getenv") as asked, args=[ast.Constant(value=str() as name), *_]):
            is_read = asked.attr == "getenv" or ast.unparse(asked.value).endswith("environ")
            return name if is_read else ""
    return ""


def _of_parameter(place: Place, name: str, entry: Place) -> Source:
    if place.name == entry.name:
        return Source("argument", name)
    if place.node.name == "__init__":
        return Source("constructor", name)
    return _UNKNOWN


def _subject(entry: Place) -> str:
    """What the class of a method is about: `order` for `OrderRepository`; empty where its name says only its part."""
    words = snake(entry.owner.name).split("_") if entry.owner is not None else []
    return "_".join(word for word in words if word not in _PARTS)


_PARTS = word_set(
    "repository service store storage dao table client manager handler gateway queue topic bucket dynamodb dynamo db "
    "sqs sns s3 aws adapter backend publisher consumer producer sender wrapper helper api base abstract"
)


def _plain_name(source: Source, service: str) -> str:
    """What a thing is called, as part of a fixture's name: the last word of a URL, a parameter without `_name`."""
    text = re.split(r"[/:]", source.text)[-1] if source.kind == "literal" else source.text
    words = snake(text.lower() if text.isupper() else text)
    words = re.sub(r"(^|_)(name|url|arn|id|env)(?=_|$)", "", words).strip("_")
    if words in (THINGS[service], service, "default", ""):
        return ""
    return words if words.isidentifier() else ""


_DEFAULT_REGION = "us-east-1"
_BASE = f'''@{_FIXTURE}
def aws(monkeypatch):
    """AWS as moto plays it, with credentials that open nothing."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "{_DEFAULT_REGION}")
    with {mark("moto", "mock_aws")}():
        yield'''
_OTHERS: Mapping[str, tuple[str, str]] = {
    "sqs": (
        "queue_url",
        '''@{decorator}
def {fixture}({base}):
    """The URL of an empty queue."""
    return {boto3}.client("sqs"{where}).create_queue(QueueName={name})["QueueUrl"]''',
    ),
    "sns": (
        "topic_arn",
        '''@{decorator}
def {fixture}({base}):
    """The ARN of a topic."""
    return {boto3}.client("sns"{where}).create_topic(Name={name})["TopicArn"]''',
    ),
    "s3": (
        "bucket",
        '''@{decorator}
def {fixture}({base}):
    """The name of an empty bucket."""
    client = {boto3}.client("s3"{where})
    region = client.meta.region_name
    elsewhere = {{}} if region == "us-east-1" else {{
        "CreateBucketConfiguration": {{"LocationConstraint": region}}
    }}
    client.create_bucket(Bucket={name}, **elsewhere)
    return {name}''',
    ),
}


def _table(fixture: str, base: str, name: str, where: str, schema: Schema) -> str:
    keys = "\n".join(
        f'            {{"AttributeName": "{key}", "KeyType": "{kind}"}},' for key, kind in schema.key_kinds
    )
    attributes = "\n".join(
        f'            {{"AttributeName": "{key}", "AttributeType": "{kind}"}},' for key, kind in schema.attributes
    )
    lines = [
        f"@{_FIXTURE}",
        f"def {fixture}({base}):",
        '    """An empty table."""',
        f'    return {_BOTO3}.resource("dynamodb"{where}).create_table(',
        f"        TableName={name},",
        f"        KeySchema=[\n{keys}\n        ],",
        f"        AttributeDefinitions=[\n{attributes}\n        ],",
    ]
    if schema.indexes:
        lines += ["        GlobalSecondaryIndexes=[", *(_index(index) for index in schema.indexes), "        ],"]
    return "\n".join([*lines, '        BillingMode="PAY_PER_REQUEST",', "    )"])


def _index(index: tuple[str, tuple[tuple[str, str], ...]]) -> str:
    name, keys = index
    written = ", ".join(f'{{"AttributeName": "{key}", "KeyType": "{kind}"}}' for key, kind in keys)
    return (
        f'            {{"IndexName": "{name}", "KeySchema": [{written}], "Projection": {{"ProjectionType": "ALL"}}}},'
    )
