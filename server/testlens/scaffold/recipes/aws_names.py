"""What AWS calls its services, operations and errors, as far as tests speak of them."""

from __future__ import annotations

import re

from testlens.domain.expressions import mark
from testlens.scaffold.words import word_set

SERVICES = word_set(
    "dynamodb sqs sns s3 ses sesv2 secretsmanager ssm kms lambda events stepfunctions kinesis firehose logs "
    "cloudwatch sts iam cognito-idp ec2 ecs athena glue rds-data textract comprehend rekognition transcribe "
    "bedrock-runtime sagemaker-runtime route53 acm ecr elbv2 autoscaling apigateway batch cloudformation "
    "cloudfront efs eks emr organizations redshift-data scheduler timestream-write timestream-query translate "
    "polly xray"
)
# Operation -> the service that alone has it, and the keyword of a client's request that names what it works on.
OPERATIONS: dict[str, tuple[str, str]] = {
    "put_item": ("dynamodb", "TableName"), "get_item": ("dynamodb", "TableName"), "update_item": ("dynamodb",
    "TableName"), "delete_item": ("dynamodb", "TableName"), "query": ("dynamodb", "TableName"), "scan": ("dynamodb",
    "TableName"), "batch_write_item": ("dynamodb", "RequestItems"), "batch_get_item": ("dynamodb", "RequestItems"),
    "transact_write_items": ("dynamodb", "TransactItems"), "batch_writer": ("dynamodb", ""),
    "send_message": ("sqs", "QueueUrl"), "send_message_batch": ("sqs", "QueueUrl"), "receive_message": ("sqs",
    "QueueUrl"), "delete_message": ("sqs", "QueueUrl"), "delete_message_batch": ("sqs", "QueueUrl"),
    "change_message_visibility": ("sqs", "QueueUrl"), "get_queue_attributes": ("sqs", "QueueUrl"),
    "publish": ("sns", "TopicArn"), "publish_batch": ("sns", "TopicArn"),
    "put_object": ("s3", "Bucket"), "get_object": ("s3", "Bucket"), "head_object": ("s3", "Bucket"),
    "delete_object": ("s3", "Bucket"), "delete_objects": ("s3", "Bucket"), "list_objects_v2": ("s3", "Bucket"),
    "list_objects": ("s3", "Bucket"), "copy_object": ("s3", "Bucket"), "upload_file": ("s3", "Bucket"),
    "upload_fileobj": ("s3", "Bucket"), "download_file": ("s3", "Bucket"), "download_fileobj": ("s3", "Bucket"),
}  # fmt: skip
# Names that other libraries use as well: evidence only where the request names a thing of AWS.
_AMBIGUOUS = frozenset({"query", "scan", "publish", "send_message"})
_REQUEST_WORDS = frozenset({"Item", "Key", "KeyConditionExpression", "FilterExpression", "Entries", "MessageBody"})
_CHILD_OF = {"dynamodb": "Table", "sqs": "Queue", "sns": "Topic", "s3": "Bucket"}
THINGS = {"dynamodb": "table", "sqs": "queue", "sns": "topic", "s3": "bucket"}

THROTTLING = word_set(
    "ProvisionedThroughputExceededException ThrottlingException Throttling RequestLimitExceeded SlowDown "
    "TooManyRequestsException RequestThrottled InternalServerError ServiceUnavailable RequestThrottledException"
)
_IN_WORDS = {
    "ConditionalCheckFailedException": "the item is not as expected",
    "ResourceNotFoundException": "the {thing} does not exist",
    "AccessDeniedException": "access is denied", "AccessDenied": "access is denied", "AuthorizationError":
    "access is denied", "UnrecognizedClientException": "the credentials are unknown", "NoSuchKey":
    "there is no such object", "NoSuchBucket": "the bucket does not exist", "404": "there is no such object",
    "NotFound": "the {thing} does not exist", "NotFoundException": "the {thing} does not exist", "QueueDoesNotExist":
    "the queue does not exist", "AWS.SimpleQueueService.NonExistentQueue": "the queue does not exist",
    "ReceiptHandleIsInvalid": "the receipt handle is no longer valid", "ValidationException":
    "the request is not valid", "403": "access is denied", "TransactionCanceledException":
    "the transaction is cancelled", "ItemCollectionSizeLimitExceededException": "the item collection is full",
}  # fmt: skip
ANY_OTHER = "InternalFailure"


def error_in_words(code: str, service: str) -> str:
    """An error of AWS in words: "the table is busy"."""
    thing = THINGS.get(service, "service")
    if code in THROTTLING:
        return f"the {thing} is busy"
    if code == ANY_OTHER:
        return f"the {thing} fails"
    said = _IN_WORDS.get(code)
    return said.format(thing=thing) if said else f"the {thing} answers {code}"


# Errors that only some operations have.
_ONLY = {
    "ConditionalCheckFailedException": word_set("put_item update_item delete_item transact_write_items"),
    "TransactionCanceledException": word_set("transact_write_items"),
    "ReceiptHandleIsInvalid": word_set("delete_message change_message_visibility delete_message_batch"),
    "NoSuchKey": word_set("get_object copy_object download_file download_fileobj delete_object"),
    "404": word_set("head_object download_file download_fileobj get_object"),
}


def applies_to(code: str, method: str) -> bool:
    """Whether an operation may answer with this error."""
    return code not in _ONLY or method in _ONLY[code]


def refusal_code(code: str, said: str, method: str) -> str:
    """The exception that botocore raises for an error, in marked source."""
    answer = f'{{"Error": {{"Code": "{code}", "Message": "{said}"}}}}'
    return f'{mark("botocore.exceptions", "ClientError")}({answer}, "{api_name(method)}")'


def api_name(method: str) -> str:
    """The operation as AWS spells it: `PutItem` for `put_item`."""
    return "".join(part.capitalize() for part in method.split("_"))


def service_of_operation(method: str, keywords: frozenset[str]) -> tuple[str, str] | None:
    """The service and the kind of handle that a method with these keywords is most likely called on."""
    found = OPERATIONS.get(method)
    if found is None or not keywords:
        return None
    service, names = found
    if names in keywords:
        return service, "client"
    if method in _AMBIGUOUS and not keywords & _REQUEST_WORDS:
        return None
    if not all(keyword[:1].isupper() for keyword in keywords if keyword):
        return None
    return service, _CHILD_OF[service]


def kind_by_name(name: str) -> tuple[str, str] | None:
    """The service and kind that a variable's name speaks of: `sqs_client`, `dynamodb`, `orders_table`."""
    words = name.lower().strip("_").split("_")
    if words[-1:] == ["table"]:
        return "dynamodb", "Table"
    for service in ("dynamodb", "sqs", "sns", "s3"):
        if service in words and words[-1] in (service, "client", "resource", "conn"):
            return service, "resource" if words[-1] == "resource" else "client"
    return None


_ANNOTATED = re.compile(r"\b(\w+?)(Client|ServiceResource)\b")


def service_by_annotation(annotation: str) -> tuple[str, str] | None:
    """The service and kind that an annotation of mypy_boto3 and its like names."""
    if re.search(r"\bTable\b", annotation):
        return "dynamodb", "Table"
    found = _ANNOTATED.search(annotation)
    if found is None or found[1].lower() not in SERVICES:
        return None
    return found[1].lower(), "client" if found[2] == "Client" else "resource"


def is_throttling(code: str) -> bool:
    """Whether an error of this code passes when the request is made again later."""
    return code in THROTTLING
