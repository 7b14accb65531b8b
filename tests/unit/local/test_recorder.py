"""What the recorder of AWS calls writes, in a process that is set up as a Lambda worker is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.paths import RECORDER
from local.recorder.sitecustomize import Params, rights

ITEM = {"pk": {"S": "a customer's name"}}


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    [
        ("dynamodb", "GetItem", {"TableName": "t", "Key": ITEM}, [("dynamodb:GetItem", "t")]),
        (
            "dynamodb",
            "Query",
            {"TableName": "t", "IndexName": "i"},
            [("dynamodb:Query", "t/index/i")],
        ),
        (
            "dynamodb",
            "BatchGetItem",
            {"RequestItems": {"t": {}, "u": {}}},
            [("dynamodb:BatchGetItem", "t"), ("dynamodb:BatchGetItem", "u")],
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "t", "Item": ITEM}},
                    {"Update": {"TableName": "u", "Key": ITEM}},
                    {"ConditionCheck": {"TableName": "u", "Key": ITEM}},
                    {"Delete": {"TableName": "t", "Key": ITEM}},
                ]
            },
            [
                ("dynamodb:PutItem", "t"),
                ("dynamodb:UpdateItem", "u"),
                ("dynamodb:ConditionCheckItem", "u"),
                ("dynamodb:DeleteItem", "t"),
            ],
        ),
        (
            "dynamodb",
            "TransactGetItems",
            {"TransactItems": [{"Get": {"TableName": "t", "Key": ITEM}}]},
            [("dynamodb:GetItem", "t")],
        ),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "s"},
            [("secretsmanager:GetSecretValue", "s")],
        ),
        ("kms", "Sign", {"KeyId": "arn:aws:kms:eu-west-1:0:key/k"}, [("kms:Sign", "key/k")]),
        (
            "sqs",
            "SendMessage",
            {"QueueUrl": "http://h/0/q", "MessageBody": "x"},
            [("sqs:SendMessage", "q")],
        ),
        (
            "events",
            "PutEvents",
            {"Entries": [{"EventBusName": "b"}, {"EventBusName": "b"}]},
            [("events:PutEvents", "b")],
        ),
        ("s3", "PutObject", {"Bucket": "b"}, [("s3:PutObject", "b")]),
        ("s3", "ListObjectsV2", {"Bucket": "b"}, [("s3:ListBucket", "b")]),
        # What is not known is not allowed by any role, so the test of the rights names it.
        ("sns", "Publish", {"TopicArn": "t"}, [("sns:Publish", "?")]),
    ],
)
def test_a_call_is_written_in_iams_words(
    service: str, operation: str, params: Params, expected: list[tuple[str, str]]
) -> None:
    assert list(rights(service, operation, params)) == expected


CALLS = """
import botocore.session
from botocore.config import Config
config = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
client = botocore.session.get_session().create_client(
    "dynamodb", region_name="eu-west-1", endpoint_url="http://127.0.0.1:9", config=config,
    aws_access_key_id="a", aws_secret_access_key="b",
)
for _ in range(2):
    try:
        client.get_item(TableName="the-table", Key={"pk": {"S": "a customer's name"}})
    except Exception as error:
        assert "127.0.0.1:9" in str(error), error
"""


@pytest.mark.parametrize("function", ["till-local-get-credit", None])
def test_a_workers_calls_are_written_down_once_and_no_other_processs(
    function: str | None, tmp_path: Path
) -> None:
    record = tmp_path / "calls.jsonl"
    environment = {"PYTHONPATH": str(RECORDER), "TILL_RECORD_AWS_CALLS": str(record)}
    if function is not None:
        environment["AWS_LAMBDA_FUNCTION_NAME"] = function
    subprocess.run(
        [sys.executable, "-c", CALLS],
        env={"PATH": os.environ["PATH"], **environment},
        check=True,
        capture_output=True,
    )
    lines = record.read_text().splitlines() if record.exists() else []
    wanted = [] if function is None else [[function, "dynamodb:GetItem", "the-table"]]
    assert [json.loads(line) for line in lines] == wanted
