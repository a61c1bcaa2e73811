"""Boundaries are found where there is evidence, on exactly the lines they cover, and nowhere else."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from testlens.analysis.boundaries import find_markers

Found = tuple[str, int, int]


def markers(source: str) -> list[Found]:
    return [(m.kind, m.first, m.last) for m in find_markers(ast.parse(dedent(source).lstrip("\n")))]


def details(source: str) -> list[str]:
    return [m.detail for m in find_markers(ast.parse(dedent(source).lstrip("\n")))]


def kinds(source: str) -> set[str]:
    return {kind for kind, _, _ in markers(source)}


class TestErrorHandlers:
    def test_a_handler_is_marked_from_except_to_its_last_line_and_names_what_it_catches(self) -> None:
        source = """
            try:
                total = 1 / count
            except (ZeroDivisionError, TypeError):
                total = 0
                note("none")
            finally:
                done()
            """
        assert markers(source) == [("error handler", 3, 5)]
        assert details(source) == ["`except (ZeroDivisionError, TypeError)`"]

    def test_a_bare_except_and_an_exception_group_handler_count_too(self) -> None:
        assert details("try:\n    f()\nexcept:\n    pass\n") == ["bare `except`"]
        assert markers("try:\n    f()\nexcept* ValueError:\n    pass\n") == [("error handler", 3, 4)]


class TestAws:
    @pytest.mark.parametrize(
        ("service", "call", "kind"),
        [
            ("sqs", "send_message(QueueUrl=u)", "network"),
            ("sqs", "receive_message(QueueUrl=u)", "network"),
            ("sqs", "send_message_batch(Entries=e)", "batch"),
            ("sns", "publish(Message=m)", "network"),
            ("dynamodb", "put_item(Item=i)", "data write"),
            ("dynamodb", "transact_write_items(TransactItems=i)", "data write"),
            ("dynamodb", "batch_write_item(RequestItems=i)", "batch"),
            ("dynamodb", "query(KeyConditionExpression=k)", "storage"),
            ("s3", "upload_file(p, b, k)", "data write"),
            ("s3", "get_object(Bucket=b)", "storage"),
        ],
    )
    def test_a_client_call_is_known_by_service_and_verb(self, service: str, call: str, kind: str) -> None:
        source = f'import boto3\nclient = boto3.client("{service}")\nclient.{call}\n'
        assert markers(source) == [(kind, 3, 3)]
        assert details(source) == [f"boto3 {service} `{call.partition('(')[0]}`"]

    def test_a_client_kept_on_self_is_followed_into_other_methods_even_before_the_constructor(self) -> None:
        source = """
            from boto3 import client as make_client

            class Alerts:
                def send(self, text):
                    self._sns.publish(
                        Message=text,
                    )

                def __init__(self, sns=None):
                    self._sns = sns or make_client("sns", region_name="eu-west-1")
            """
        assert markers(source) == [("network", 5, 7)]

    def test_tables_resources_annotations_properties_and_helpers_carry_the_evidence(self) -> None:
        source = """
            import boto3
            from mypy_boto3_sqs import SQSClient

            def orders():
                return boto3.resource("dynamodb").Table("orders")

            class Store:
                def __init__(self, queue: SQSClient | None, name: str) -> None:
                    self.queue = queue
                    self.table = boto3.resource("dynamodb").Table(name)

                def load(self):
                    self.bucket.download_file("k", "f")
                    return self.table.scan()

                @property
                def bucket(self):
                    return boto3.resource("s3").Bucket("b")

                def note(self):
                    self.queue.send_message(MessageBody="")
                    orders().get_item(Key={})
            """
        assert markers(source) == [("storage", 13, 13), ("storage", 14, 14), ("network", 21, 21), ("storage", 22, 22)]

    def test_a_client_that_may_be_handed_in_is_the_one_made_otherwise(self) -> None:
        source = """
            import boto3
            from typing import Any

            class Queue:
                def __init__(self, client: Any = None) -> None:
                    self.client, self.url = client or boto3.client("sqs"), "u"

                def send(self) -> None:
                    self.client.send_message(QueueUrl=self.url)
            """
        assert markers(source) == [("network", 9, 9)]

    def test_what_a_call_returned_is_plain_data(self) -> None:
        source = """
            import boto3, requests
            response = boto3.client("dynamodb").get_item(Key=k)
            item = response.get("Item")
            body = requests.get(url).headers.get("Date")
            """
        assert markers(source) == [("storage", 2, 2), ("network", 4, 4)]

    def test_a_batch_writer_marks_its_whole_block(self) -> None:
        source = """
            def save(table, items):
                with table.batch_writer() as batch:
                    for item in items:
                        batch.put_item(Item=item)
            """
        assert ("batch", 2, 4) in markers(source)
        assert ("data write", 4, 4) in markers(source)

    def test_an_untyped_client_is_known_by_calls_that_nothing_else_has(self) -> None:
        assert markers("def save(table):\n    table.put_item(Item={})\n") == [("data write", 2, 2)]

    def test_making_a_client_is_no_call_to_the_network_but_its_retry_policy_counts(self) -> None:
        source = """
            import boto3
            from botocore.config import Config
            session = boto3.Session()
            client = session.client("sqs", config=Config(retries={"max_attempts": 3}))
            """
        assert markers(source) == [("retry", 4, 4)]


class TestNetwork:
    def test_http_clients_are_followed_through_aliases_sessions_and_with_blocks(self) -> None:
        source = """
            import requests as rq
            from urllib.request import urlopen
            import httpx

            rq.get(url)
            session = rq.Session()
            session.post(url)
            async def load():
                async with httpx.AsyncClient() as client:
                    reply = await client.get(url)
            if urlopen(url):
                pass
            """
        assert markers(source) == [("network", 5, 5), ("network", 7, 7), ("network", 10, 10), ("network", 11, 11)]

    @pytest.mark.parametrize(
        "source",
        [
            "bus.publish(event)\n",
            "config.get('url')\n",
            "import requests\ndef f(requests):\n    requests.get(1)\n",
            "from .requests import get\nget(1)\n",
            "import os\nos.path.join('a', 'b')\nos.environ.get('HOME')\nos.environ.copy()\n",
            "from pathlib import Path\nPath(p).name.replace('a', 'b')\n",
            "import requests\nsession = requests.Session()\nsession.headers.get('Accept')\n",
        ],
    )
    def test_a_name_that_only_looks_like_one_is_not_marked(self, source: str) -> None:
        assert markers(source) == []

    def test_a_url_library_that_only_quotes_is_not_marked(self) -> None:
        assert markers("from urllib.parse import quote, urlsplit\nquote(urlsplit(u).path)\n") == []


class TestStorageAndWrites:
    def test_sql_is_told_apart_by_its_verb(self) -> None:
        source = """
            import sqlite3
            SAVE = "insert into t values (?)"
            db = sqlite3.connect("x.db")
            cursor = db.cursor()
            cursor.execute("SELECT 1 FROM t")
            cursor.execute(SAVE, (1,))
            cursor.executemany(SAVE, rows)
            db.commit()
            """
        found = markers(source)
        assert found == [
            ("storage", 3, 3),
            ("storage", 5, 5),
            ("data write", 6, 6),
            ("batch", 7, 7),
            ("data write", 8, 8),
        ]

    def test_sql_text_is_evidence_on_any_cursor_and_no_sql_is_none(self) -> None:
        assert markers('def f(c, n):\n    c.execute(f"DELETE FROM t WHERE n = {n}")\n') == [("data write", 2, 2)]
        assert markers("def f(job):\n    job.execute('now')\n") == []

    def test_sqlalchemy_sessions_and_statements_are_read(self) -> None:
        source = """
            from sqlalchemy import select, update
            from sqlalchemy.orm import Session

            def rename(session: Session, user):
                session.execute(select(User).where(User.id == 1))
                session.execute(update(User).values(name=""))
                session.add(user)
                session.commit()
            """
        assert markers(source) == [("storage", 5, 5), ("data write", 6, 6), ("data write", 7, 7), ("data write", 8, 8)]

    def test_files_opened_for_writing_and_their_writes_are_data_writes(self) -> None:
        source = """
            from pathlib import Path
            import os, shutil
            with open(name, "w", encoding="utf-8") as out:
                out.write("x")
            with open(name) as source:
                text = source.read()
            Path(name).write_text("x")
            (Path(name) / "a").open(mode="ab")
            os.remove(name)
            shutil.rmtree(name)
            """
        assert markers(source) == [
            ("data write", 3, 3), ("data write", 4, 4), ("storage", 5, 5), ("storage", 6, 6), ("data write", 7, 7),
            ("data write", 8, 8), ("data write", 9, 9), ("data write", 10, 10),
        ]  # fmt: skip

    def test_a_file_called_like_a_mode_is_still_read(self) -> None:
        assert markers('open("a")\n') == [("storage", 1, 1)]

    def test_django_managers_are_known_by_objects(self) -> None:
        assert markers("A.objects.create(x=1)\nA.objects.filter(x=1)\nA.objects.bulk_create(l)\n") == [
            ("data write", 1, 1), ("storage", 2, 2), ("batch", 3, 3),
        ]  # fmt: skip


class TestBatches:
    @pytest.mark.parametrize(
        "head",
        ["for i in range(0, len(items), 25):", "for part in chunked(items, n):", "for part in self._chunks(items):"],
    )
    def test_a_loop_over_chunks_is_marked_whole(self, head: str) -> None:
        assert markers(f"{head}\n    a(1)\n    b(2)\n") == [("batch", 1, 3)]

    @pytest.mark.parametrize(
        "head", ["for i in range(10):", "for i in range(0, len(hexes), 2):", "for i in range(len(x), 0, -1):"]
    )
    def test_an_ordinary_loop_is_not(self, head: str) -> None:
        assert markers(f"{head}\n    a(1)\n") == []

    def test_bulk_calls_are_known_by_their_verb(self) -> None:
        assert markers("repository.bulk_insert(rows)\n") == [("batch", 1, 1)]
        assert markers("layers.batch_norm(x)\n") == []


class TestRetries:
    def test_a_loop_that_tries_and_sleeps_is_marked_whole(self) -> None:
        source = """
            import time
            while True:
                try:
                    return_value = call()
                except OSError:
                    time.sleep(1)
            """
        assert ("retry", 2, 6) in markers(source)

    def test_counted_attempts_are_a_retry_without_a_pause(self) -> None:
        source = "for attempt in range(3):\n    try:\n        f()\n    except OSError:\n        pass\n"
        assert ("retry", 1, 5) in markers(source)

    def test_only_the_innermost_loop_is_the_retry(self) -> None:
        source = """
            for item in items:
                for attempt in range(3):
                    try:
                        f(item)
                    except OSError:
                        sleep(attempt)
            """
        assert [found for found in markers(source) if found[0] == "retry"] == [("retry", 2, 6)]

    def test_a_loop_that_tries_or_sleeps_alone_is_none(self) -> None:
        assert "retry" not in kinds("for x in y:\n    try:\n        f(x)\n    except OSError:\n        g()\n")
        assert "retry" not in kinds("import time\nwhile running:\n    time.sleep(1)\n")

    def test_a_function_in_a_loop_does_not_make_the_loop_a_retry(self) -> None:
        source = """
            while more:
                def again():
                    try:
                        f()
                    except OSError:
                        sleep(1)
            """
        assert "retry" not in kinds(source)

    def test_retrying_decorators_mark_the_function(self) -> None:
        source = """
            from tenacity import retry, stop_after_attempt
            import backoff

            @retry(stop=stop_after_attempt(3))
            def load():
                return 1

            @backoff.on_exception(backoff.expo, OSError)
            def save():
                return 2
            """
        assert markers(source) == [("retry", 4, 6), ("retry", 8, 10)]


class TestAuthDeserialisationModels:
    def test_functions_named_for_guarding_access_are_marked_whole(self) -> None:
        assert markers("def check_password(user, given):\n    return user.hash == given\n") == [("auth", 1, 2)]

    def test_crypto_libraries_and_guarding_names_are_auth(self) -> None:
        source = """
            import hmac
            import jwt
            hmac.compare_digest(a, b)
            claims = jwt.decode(token, key)
            verify_token(token)
            """
        assert markers(source) == [("auth", 3, 3), ("auth", 4, 4), ("auth", 5, 5)]

    @pytest.mark.parametrize(
        "source", ["lexer.next_token()\n", "import inspect\ninspect.signature(f)\n", "numpy.sign(x)\n", "author(x)\n"]
    )
    def test_parsers_and_signs_are_not_auth(self, source: str) -> None:
        assert markers(source) == []

    def test_foreign_bytes_that_become_objects_are_deserialisation(self) -> None:
        source = """
            import json, pickle
            from yaml import safe_load as read
            json.loads(a)
            pickle.load(f)
            read(b)
            json.dumps(a)
            """
        assert markers(source) == [("deserialisation", 3, 3), ("deserialisation", 4, 4), ("deserialisation", 5, 5)]

    def test_loading_a_model_is_both_and_using_it_is_model(self) -> None:
        source = """
            class Stager:
                def __init__(self, path):
                    import torch
                    self._net = torch.load(path)

                def stage(self, x):
                    return self._net(x)

                def score(self, x):
                    return self._net.forward(x)
            """
        assert markers(source) == [("deserialisation", 4, 4), ("model", 4, 4), ("model", 7, 7), ("model", 10, 10)]

    def test_a_model_is_known_by_its_name_where_its_library_is_not(self) -> None:
        assert markers("def f(self):\n    return self.model.predict(x)\n") == [("model", 2, 2)]
        assert markers("def f(self):\n    return self.oracle.predict(x)\n") == []


def test_markers_come_in_the_order_of_their_lines_and_once_each() -> None:
    source = "import json\ntry:\n    a = [json.loads(x) + json.loads(y)]\nexcept ValueError:\n    a = json.loads('1')\n"
    assert markers(source) == [("deserialisation", 3, 3), ("error handler", 4, 5), ("deserialisation", 5, 5)]


def test_the_head_of_a_compound_statement_is_marked_without_its_body() -> None:
    assert markers("import json\nif json.loads(\n    text\n):\n    x = json\n") == [("deserialisation", 2, 4)]


def test_an_empty_module_has_none() -> None:
    assert markers("") == []


def test_long_elif_chains_and_sums_of_generated_code_are_read() -> None:
    branches = "".join(f"elif x == {number}:\n    y = {number}\n" for number in range(900))
    chain = f"import json\nif x:\n    pass\n{branches}else:\n    json.loads(x)\n"
    assert markers(chain) == [("deserialisation", 1805, 1805)]
    assert markers(f"import json\nx = {' + '.join(['y'] * 900)} + json.loads(z)\n") == [("deserialisation", 2, 2)]
