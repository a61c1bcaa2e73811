"""Tests that Testlens writes of code that uses AWS: with moto in its place, and run before anybody sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from real.scaffold_ground import make_project, write_tests
from real.test_example_clarity import example_python

pytestmark = pytest.mark.real

ORDERS = """
    import boto3
    from boto3.dynamodb.conditions import Key
    from botocore.exceptions import ClientError


    class DuplicateOrder(Exception):
        pass


    class OrderRepository:
        def __init__(self, table_name, region="eu-west-1"):
            self.table = boto3.resource("dynamodb", region_name=region).Table(table_name)

        def add(self, order):
            try:
                self.table.put_item(
                    Item={"customer": order["customer"], "order_id": order["order_id"], "total": order["total"]},
                    ConditionExpression="attribute_not_exists(order_id)",
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                    raise DuplicateOrder(order["order_id"]) from error
                raise

        def get(self, customer, order_id):
            return self.table.get_item(Key={"customer": customer, "order_id": order_id}).get("Item")

        def of_customer(self, customer):
            return self.table.query(KeyConditionExpression=Key("customer").eq(customer))["Items"]
    """
REPORTS = """
    import json

    import boto3
    from botocore.exceptions import ClientError

    s3 = boto3.client("s3")
    BUCKET = "shop-reports"


    def save_report(name, data):
        s3.put_object(Bucket=BUCKET, Key=f"reports/{name}.json", Body=json.dumps(data).encode())


    def load_report(name):
        try:
            found = s3.get_object(Bucket=BUCKET, Key=f"reports/{name}.json")
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        return json.loads(found["Body"].read())
    """
JOBS = """
    import os

    import boto3


    def enqueue(jobs):
        sqs = boto3.client("sqs", region_name="eu-west-1")
        failed = []
        for start in range(0, len(jobs), 10):
            chunk = jobs[start : start + 10]
            entries = [{"Id": job["id"], "MessageBody": job["body"]} for job in chunk]
            answer = sqs.send_message_batch(QueueUrl=os.environ["JOBS_QUEUE_URL"], Entries=entries)
            failed += [entry["Id"] for entry in answer.get("Failed", [])]
        return failed
    """

FILES = """
    import aioboto3
    from botocore.exceptions import ClientError


    class Missing(Exception):
        pass


    class Files:
        def __init__(self, bucket, session=None):
            self._bucket = bucket
            self._session = session or aioboto3.Session()

        async def get(self, name):
            async with self._session.client("s3") as s3:
                try:
                    answer = await s3.get_object(Bucket=self._bucket, Key=name)
                except ClientError as error:
                    if error.response["Error"]["Code"] == "NoSuchKey":
                        raise Missing(name) from error
                    raise
            return answer["ETag"]
    """
# Enough of the library for the module to be imported: the tests that are written put a stand-in in its place.
AIOBOTO3 = """
    class Session:
        pass
    """


def test_a_table_is_made_with_the_keys_that_the_code_asks_for_and_a_second_put_meets_the_first(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"orders.py": ORDERS})
    written = write_tests(project, example_python(), "orders.py", "OrderRepository.add", "aws")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.verdict.missing == ()
    assert '{"AttributeName": "customer", "KeyType": "HASH"}' in written.conftest
    assert '{"AttributeName": "order_id", "KeyType": "RANGE"}' in written.conftest
    assert 'region_name="eu-west-1"' in written.conftest
    assert "with mock_aws():" in written.conftest
    assert "test_when_an_order_is_added_again_then_raises_duplicate_order" in written.names
    assert 'scan()["Items"]' in written.tests


def test_what_was_put_is_read_and_what_was_not_is_missed(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"orders.py": ORDERS})
    written = write_tests(project, example_python(), "orders.py", "OrderRepository.get", "aws")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.names == (
        "test_when_a_customer_is_read_then_returns_none",
        "test_when_a_customer_is_read_after_an_order_is_added_then_returns_a_dict",
    )


def test_a_client_made_at_import_is_replaced_by_one_that_knows_moto(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"reports.py": REPORTS})
    written = write_tests(project, example_python(), "reports.py", "load_report", "aws")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.verdict.missing == ()
    assert 'create_bucket(Bucket="shop-reports"' in written.conftest
    assert 'mocker.patch.object(reports, "s3", boto3.client("s3"))' in written.tests
    assert "test_when_a_report_is_loaded_then_returns_none" in written.names


def test_a_queue_that_refuses_a_part_of_a_batch_is_played(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"jobs.py": JOBS})
    written = write_tests(project, example_python(), "jobs.py", "enqueue", "aws")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.verdict.missing == ()
    assert 'monkeypatch.setenv("JOBS_QUEUE_URL"' in written.tests
    assert "assert result == []" in written.tests
    assert '"SenderFault": True' in written.tests


def test_an_asynchronous_client_gets_a_stand_in_that_answers_and_refuses(tmp_path: Path) -> None:
    settings = '[tool.pytest.ini_options]\npythonpath = ["."]\nasyncio_mode = "auto"\n'
    files = {"files.py": FILES, "aioboto3.py": AIOBOTO3, "pyproject.toml": settings}
    written = write_tests(make_project(tmp_path, files), example_python(), "files.py", "Files.get", "aws")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.verdict.missing == ()
    assert "session.client.return_value.__aenter__.return_value = client" in written.tests
    assert "test_when_there_is_no_such_object_then_raises_missing" in written.names
    assert 'assert asked.mock_calls == [call(Bucket="name", Key="name")]' in written.tests


CLIENTS = """
    import boto3
    from botocore.config import Config


    def queue_client(region):
        config = Config(retries={"max_attempts": 5, "mode": "standard"}, connect_timeout=2)
        return boto3.client("sqs", region_name=region, config=config)
    """


def test_a_client_that_tries_again_by_itself_gets_the_five_cases_of_a_retry(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"clients.py": CLIENTS})
    written = write_tests(project, example_python(), "clients.py", "queue_client", "retry")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.names == (
        "test_when_two_requests_fail_then_the_third_attempt_succeeds",
        "test_when_requests_keep_failing_then_it_waits_longer_each_time",
        # botocore counts the attempts that follow the first one.
        "test_when_requests_always_fail_then_it_gives_up_after_6_attempts",
        "test_when_a_request_fails_with_value_error_then_it_is_not_tried_again",
        "test_when_the_first_request_works_then_it_never_sleeps",
    )
    assert "assert send.call_count == 6" in written.tests
