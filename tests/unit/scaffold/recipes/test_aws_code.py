"""What a module does with AWS is read from its source: the services, the names of things, the keys of tables."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from testlens.scaffold.recipes.aws_code import AwsCode, error_codes
from testlens.scaffold.recipes.aws_schema import Schema, schema_of
from testlens.scaffold.recipes.aws_things import Things
from testlens.scaffold.recipes.module_map import ModuleMap
from testlens.scaffold.style import Style


def operations(source: str, function: str) -> list[tuple[str, str, str]]:
    """Service, kind of handle and method of each request that the function makes."""
    tree = ast.parse(dedent(source))
    functions = ModuleMap(tree)
    found = AwsCode(tree, functions).operations(functions.reachable(function))
    return [(one.handle.service, one.handle.kind, one.method) for one in found]


def schema(source: str) -> Schema:
    """The schema of the table that the module's functions work on."""
    tree = ast.parse(dedent(source))
    functions = ModuleMap(tree)
    return schema_of(tree, functions, AwsCode(tree, functions).operations(tuple(functions.places.values())))


def sources(source: str, function: str) -> list[tuple[str, str]]:
    """Where the names of the things come from that the function works on."""
    tree = ast.parse(dedent(source))
    functions = ModuleMap(tree)
    code = AwsCode(tree, functions)
    entry = functions.places[function]
    things = Things(code, functions, tree, entry, Style())
    found = things.things(entry, code.operations(functions.reachable(function)))
    return [(thing.source.kind, thing.source.text) for thing in found]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('def f():\n    s3 = boto3.client("s3")\n    s3.put_object(Bucket="b")', ("s3", "client", "put_object")),
        ('sqs = boto3.client("sqs")\ndef f():\n    sqs.send_message()', ("sqs", "client", "send_message")),
        ('t = boto3.resource("dynamodb").Table("t")\ndef f():\n    t.scan()', ("dynamodb", "Table", "scan")),
        ("def f(client: SNSClient):\n    client.publish()", ("sns", "client", "publish")),
        ("def f(orders_table):\n    orders_table.scan()", ("dynamodb", "Table", "scan")),
        ("def f(c):\n    c.send_message(QueueUrl=u, MessageBody=b)", ("sqs", "client", "send_message")),
        (
            'def make():\n    return boto3.client("kms")\ndef f():\n    make().encrypt(KeyId="k")',
            ("kms", "client", "encrypt"),
        ),
    ],
)
def test_a_request_is_found_through_whatever_names_the_client(source: str, expected: tuple[str, str, str]) -> None:
    assert operations(f"import boto3\n{source}\n", "f") == [expected]


def test_a_client_that_may_be_given_is_the_one_that_would_be_made() -> None:
    source = """
        class Queue:
            def __init__(self, url, client=None):
                self._client = client or boto3.client("sqs")
            def send(self):
                self._put({})
            def _put(self, body):
                self._client.send_message(QueueUrl=self._url, MessageBody=body)
        """
    assert operations(source, "Queue.send") == [("sqs", "client", "send_message")]


def test_methods_that_only_sound_like_aws_are_no_requests() -> None:
    source = "def f(parser, bus):\n    parser.query('x')\n    bus.publish(topic='x')\n    parser.scan()\n"
    assert operations(source, "f") == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('table.get_item(Key={"user": user, "at": at})', Schema(("user", "at"))),
        ('table.get_item(Key={"id": int(user)})', Schema(("id",), frozenset({"id"}))),
        ('table.query(KeyConditionExpression=Key("user").eq(user))', Schema(("user",))),
        ('table.query(KeyConditionExpression="user = :u AND begins_with(at, :a)")', Schema(("user", "at"))),
        ('table.put_item(Item={"name": user, "pk": user})', Schema(("pk",))),
        ('table.put_item(Item={"name": user})', Schema(("name",))),
        ("table.scan()", Schema(("id",))),
    ],
)
def test_the_keys_of_a_table_are_those_that_the_code_asks_for(body: str, expected: Schema) -> None:
    assert schema(f"def f(table, user, at):\n    {body}\n") == expected


def test_an_index_has_the_keys_of_its_condition() -> None:
    source = """
        def f(table, mail):
            table.get_item(Key={"id": mail})
            table.query(IndexName="by-mail", KeyConditionExpression=Key("mail").eq(mail))
        """
    assert schema(source) == Schema(("id",), indexes=(("by-mail", (("mail", "HASH"),)),))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('def f():\n    c.put_object(Bucket="b", Key="k", Body=b"")', ("literal", "b")),
        ('B = "b"\ndef f():\n    c.put_object(Bucket=B, Key="k", Body=b"")', ("literal", "b")),
        ('B = load()\ndef f():\n    c.put_object(Bucket=B, Key="k", Body=b"")', ("global", "B")),
        ('def f(b):\n    c.put_object(Bucket=b, Key="k", Body=b"")', ("argument", "b")),
        ('def f():\n    c.put_object(Bucket=os.environ["B"], Key="k", Body=b"")', ("environment", "B")),
        ('def f():\n    b = os.getenv("B")\n    c.put_object(Bucket=b, Key="k", Body=b"")', ("environment", "B")),
    ],
)
def test_the_name_of_a_thing_comes_from_where_the_code_takes_it(source: str, expected: tuple[str, str]) -> None:
    assert sources(f'c = boto3.client("s3")\n{source}\n', "f") == [expected]


def test_a_name_that_the_constructor_takes_is_given_to_it() -> None:
    source = """
        class Orders:
            def __init__(self, table_name):
                self._table = boto3.resource("dynamodb").Table(table_name)
            def all(self):
                return self._table.scan()
        """
    assert sources(source, "Orders.all") == [("constructor", "table_name")]


def test_codes_that_one_comparison_takes_together_are_one_case() -> None:
    source = """
        BUSY = frozenset({"ThrottlingException", "SlowDown"})
        def f(error):
            code = error.response["Error"]["Code"]
            if code in BUSY:
                return 1
            if code == "NoSuchKey" or code == "404":
                return 2
        """
    tree = ast.parse(dedent(source))
    found = error_codes(ModuleMap(tree).reachable("f"), tree)
    assert found == (("ThrottlingException", "SlowDown"), ("NoSuchKey",), ("404",))
