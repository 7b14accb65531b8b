"""Least privilege, read from the templates.

The table of who may do what is written out here once more: a changed right is changed in
two places, and says so to the reader of both.
"""

from __future__ import annotations

import pytest

from infra.permissions import PERMISSIONS, PermissionsError, check_permissions
from tests.infra.synthesized import Synthesized
from tests.infra.templates import arn_of, render
from till.http.routes import (
    AUTHORIZER,
    PROBE,
    ROUTES,
    SCHEDULED_OPERATIONS,
    STREAM_OPERATIONS,
)
from till.http.routes import OPERATIONS as API_OPERATIONS

QUERY, GET = {"Query"}, {"GetItem"}
FOLLOW = {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"}
CORRECT = {"customer-index": {"BatchGetItem", "PutItem", "DeleteItem"}}
CREDIT = {"ledger": {"GetItem", "Query", "PutItem"}}
PURCHASE = {"purchases": {"GetItem", "Query"}}
BY_STATE = {"purchases": {"BatchGetItem"}, "purchases/index/state-index": QUERY}
PROMO_CODE = {"purchases": {"GetItem", "PutItem", "UpdateItem"}}

ALLOWED: dict[str, dict[str, set[str]]] = {
    "grant_credit": {**CREDIT, **CORRECT},
    "deduct_credit": CREDIT,
    "get_credit": {"ledger": {"GetItem", "Query"}},
    "get_statement": {"ledger": {"GetItem", "Query"}},
    "list_entries": {"ledger": QUERY},
    "create_purchase": {
        "ledger": {"Query", "PutItem"},
        "purchases": {"GetItem", "BatchGetItem", "PutItem", "UpdateItem"},
    },
    "list_customer_purchases": {"ledger": QUERY, "purchases": {"BatchGetItem"}},
    "list_purchases": {**BY_STATE, "purchases": {"GetItem", "BatchGetItem"}, **CORRECT},
    "list_attempts": {**BY_STATE, **CORRECT},
    "get_purchase": PURCHASE,
    "get_customer_purchase": PURCHASE,
    "list_refunds": PURCHASE,
    "get_attempt": {"purchases": GET},
    "refund_purchase": {
        "ledger": {"GetItem", "Query", "PutItem"},
        "purchases": {"GetItem", "PutItem", "UpdateItem"},
    },
    "resolve_attempt": {
        "ledger": {"GetItem", "Query", "PutItem"},
        "purchases": {"GetItem", "PutItem", "UpdateItem"},
    },
    "close_orphan_shipment": {"purchases": {"GetItem", "UpdateItem"}},
    "recover_attempts": {
        "ledger": {"Query", "PutItem"},
        "purchases": {"GetItem", "BatchGetItem", "PutItem", "UpdateItem"},
        "purchases/index/state-index": QUERY,
    },
    "create_quote": {"ledger": QUERY, "purchases": GET},
    "create_promo_code": {"purchases": {"GetItem", "PutItem"}},
    "update_promo_code": PROMO_CODE,
    "deactivate_promo_code": PROMO_CODE,
    "get_promo_code": PURCHASE,
    "list_promo_codes": BY_STATE,
    "create_refund_quote": {"ledger": QUERY, "purchases": GET},
    "list_customers": {"ledger/index/opened-index": QUERY, **CORRECT},
    "search_everything": {
        "ledger": QUERY,
        "purchases": {"GetItem", "BatchGetItem"},
        "purchases/index/short-id-index": QUERY,
        "customer-index": {"Query", "BatchGetItem", "PutItem", "DeleteItem"},
    },
    "publish_events": {"ledger": GET, "ledger's stream": FOLLOW},
    "watch_ledger": {
        "ledger": {"GetItem", "Query", "Scan"},
        "purchases": {"GetItem", "Query", "Scan"},
        "ledger's stream": FOLLOW,
        "purchases' stream": FOLLOW,
    },
    "authorize_request": {},
    "get_customer": CORRECT,
    "get_product": {},
    "get_openapi": {},
    "get_signing_keys": {},
    "get_health": {},
}
OPERATIONS = [
    *API_OPERATIONS,
    *SCHEDULED_OPERATIONS,
    *STREAM_OPERATIONS,
    AUTHORIZER,
]
EVERYWHERE = [*OPERATIONS, PROBE]
"""With what only a stage has that is told to: tests/infra/test_probe.py."""
READING = [route.operation for route in ROUTES if route.method == "GET"]
WRITING_ACTIONS = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"}
FORBIDDEN_ACTIONS = {
    f"dynamodb:{action}"
    for action in (
        *("DeleteItem", "Scan", "BatchWriteItem", "DeleteTable", "UpdateTable"),
        *("PartiQLUpdate", "PartiQLDelete", "PartiQLInsert", "PartiQLSelect"),
    )
}


def _table_rights(synthesized: Synthesized, operation: str) -> dict[str, set[str]]:
    """What an operation's role may do, by the tail of the table's ARN."""
    role = synthesized.compute.role_of(synthesized.compute.functions()[operation])
    arn = (
        "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:"
        f"table/till-{synthesized.stage}-"
    )
    streams = {
        "<LedgerStreamArn>": "ledger's stream",
        "<PurchasesStreamArn>": "purchases' stream",
    }
    rights: dict[str, set[str]] = {}
    for owner, statement in synthesized.compute.policies():
        if owner == role and any(action.startswith("dynamodb:") for action in statement.actions):
            assert statement.effect == "Allow"
            for resource in statement.resources:
                assert resource.startswith(arn) or resource in streams
                name = streams.get(resource) or resource.removeprefix(arn)
                rights.setdefault(name, set()).update(
                    action.removeprefix("dynamodb:") for action in statement.actions
                )
    return rights


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_may_do_exactly_what_the_table_says(
    synthesized: Synthesized, operation: str
) -> None:
    assert _table_rights(synthesized, operation) == ALLOWED[operation]


@pytest.mark.parametrize("operation", READING)
def test_a_reading_operation_cannot_write(synthesized: Synthesized, operation: str) -> None:
    for table, actions in _table_rights(synthesized, operation).items():
        assert table == "customer-index" or not actions & WRITING_ACTIONS


def test_every_function_has_a_role_of_its_own(synthesized: Synthesized) -> None:
    functions = synthesized.compute.functions()
    roles = {synthesized.compute.role_of(one).logical_id for one in functions.values()}
    assert len(roles) == len(functions) == len(OPERATIONS)
    others = [
        one.properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
        for one in synthesized.compute.all("AWS::IAM::Role")
        if one.logical_id not in roles
    ]
    assert others == (["codedeploy.amazonaws.com"] if synthesized.settings.is_aws else [])


def test_only_lambda_may_take_a_function_s_role_and_it_brings_no_managed_policy(
    synthesized: Synthesized,
) -> None:
    compute = synthesized.compute
    for role in [compute.role_of(function) for function in compute.functions().values()]:
        (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert trust["Action"] == "sts:AssumeRole"
        assert "ManagedPolicyArns" not in role.properties


def test_roles_get_their_rights_in_no_other_way(synthesized: Synthesized) -> None:
    for template in synthesized.templates():
        for kind in ("Policy", "ManagedPolicy", "UserPolicy", "RolePolicy", "Group", "User"):
            assert not template.all(f"AWS::IAM::{kind}")


def test_no_policy_anywhere_allows_a_wildcard(synthesized: Synthesized) -> None:
    seen = 0
    for template in synthesized.templates():
        for owner, statement in template.policies():
            assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.document.keys()
            if statement.effect == "Allow":
                seen += 1
                for action in statement.actions:
                    assert "*" not in action or owner.type == "AWS::KMS::Key", owner.logical_id
                # A key's policy is about that key, and has no other way to say so.
                own = ("*",) if owner.type == "AWS::KMS::Key" else ()
                if "s3:PutObject" in statement.actions:
                    # The journal's objects: each is a new one.
                    assert statement.resources == (f"arn:aws:s3:::{JOURNAL}/*",)
                    continue
                for resource in statement.resources:
                    assert "*" not in resource or statement.resources == own, owner.logical_id
    assert seen >= len(OPERATIONS)


def test_nobody_may_write_in_batches_or_delete_but_in_the_customer_index_and_the_watcher_may_scan(
    synthesized: Synthesized,
) -> None:
    for template in synthesized.templates():
        for owner, statement in template.policies():
            if statement.effect == "Allow":
                forbidden = FORBIDDEN_ACTIONS & set(statement.actions)
                if forbidden == {"dynamodb:Scan"}:
                    assert owner.logical_id.startswith("watchledger")
                elif forbidden == {"dynamodb:DeleteItem"}:
                    (table,) = statement.resources
                    assert table.endswith(f"table/till-{synthesized.stage}-customer-index")
                else:
                    assert not forbidden, owner.logical_id


def test_nobody_may_change_a_ledger_entry(synthesized: Synthesized) -> None:
    ledger = f"table/till-{synthesized.stage}-ledger"
    seen = 0
    for _, statement in synthesized.compute.policies():
        if any(ledger in resource for resource in statement.resources):
            seen += 1
            assert "dynamodb:UpdateItem" not in statement.actions
            assert len(statement.resources) == 1
    assert seen == sum(
        table.startswith("ledger") and table != "ledger's stream"
        for allowed in ALLOWED.values()
        for table in allowed
    )


def test_a_function_writes_its_own_log_and_no_other(synthesized: Synthesized) -> None:
    compute = synthesized.compute
    for operation, function in compute.functions().items():
        role = compute.role_of(function)
        (log_statement,) = (
            statement
            for owner, statement in compute.policies()
            if owner == role and statement.actions[0].startswith("logs:")
        )
        assert set(log_statement.actions) == {"logs:CreateLogStream", "logs:PutLogEvents"}
        log_group = compute.get(function.properties["LoggingConfig"]["LogGroup"]["Ref"])
        assert log_statement.resources == (log_group.arn,)
        name = f"/aws/lambda/till-{synthesized.stage}-{operation.replace('_', '-')}"
        assert log_group.properties["LogGroupName"] == name


CALL_UPSTREAM = {
    *("get_customer", "get_product", "list_customers", "list_purchases", "list_attempts"),
    *("search_everything", "get_credit", "get_statement", "list_entries"),
    *("grant_credit", "deduct_credit", "list_customer_purchases"),
    *("create_quote", "create_purchase", "recover_attempts"),
}


def test_beside_tables_and_logs_there_is_a_right_to_ask_to_tell_and_to_say_what_failed(
    synthesized: Synthesized,
) -> None:
    compute = synthesized.compute
    roles = {compute.role_of(one).logical_id: name for name, one in compute.functions().items()}
    others = [
        (roles[owner.logical_id], statement.actions, statement.resources)
        for owner, statement in compute.policies()
        if owner.logical_id in roles
        and not all(
            action.startswith(("logs:", "dynamodb:", "kms:")) for action in statement.actions
        )
    ]
    prefix = f"till-{synthesized.stage}"
    bus = f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:event-bus/{prefix}"
    secret = "<UpstreamSecretArn>"
    assert sorted(others) == sorted(
        [
            ("publish_events", ("events:PutEvents",), (bus,)),
            (
                "publish_events",
                ("sqs:SendMessage",),
                (arn_of("sqs", f"{prefix}-publish-events-dead-letters"),),
            ),
            (
                "watch_ledger",
                ("sqs:SendMessage",),
                (arn_of("sqs", f"{prefix}-watch-ledger-dead-letters"),),
            ),
            (
                "watch_ledger",
                ("s3:GetObject", "s3:PutObject"),
                (f"arn:aws:s3:::{JOURNAL}/*",),
            ),
            ("watch_ledger", ("s3:ListBucket",), (f"arn:aws:s3:::{JOURNAL}",)),
            ("get_credit", ("s3:ListBucket",), (f"arn:aws:s3:::{JOURNAL}",)),
            (
                "recover_attempts",
                ("sqs:SendMessage",),
                (arn_of("sqs", f"{prefix}-recover-attempts-failed"),),
            ),
            *((one, ("secretsmanager:GetSecretValue",), (secret,)) for one in CALL_UPSTREAM),
        ]
    )


def test_the_key_is_used_by_way_of_a_service_and_as_far_as_the_table_needs(
    prod: Synthesized,
) -> None:
    key = "<KeyArn>"
    via: dict[str, dict[str, set[str]]] = {
        "dynamodb": {},
        "secretsmanager": {},
        "sqs": {},
        "s3": {},
    }
    roles = {prod.compute.role_of(one).logical_id: n for n, one in prod.compute.functions().items()}
    for owner, statement in prod.compute.policies():
        if any(action.startswith("kms:") for action in statement.actions):
            if statement.resources == (SIGNING_KEY,):
                continue
            assert statement.resources == (key,)
            service = statement.document["Condition"]["StringEquals"]["kms:ViaService"]
            name, _, place = render(service).partition(".")
            assert place == "${AWS::Region}.amazonaws.com"
            via[name][roles[owner.logical_id]] = set(statement.actions)
    reading = {"kms:Decrypt", "kms:DescribeKey"}
    assert via["secretsmanager"] == dict.fromkeys(CALL_UPSTREAM, reading)
    sending = {"kms:Decrypt", "kms:GenerateDataKey"}
    assert via["sqs"] == dict.fromkeys(STREAM_OPERATIONS, sending)
    assert via["s3"] == {"watch_ledger": sending}
    assert via["dynamodb"].keys() == {one for one, tables in ALLOWED.items() if tables}
    for operation, actions in via["dynamodb"].items():
        writes = any(WRITING_ACTIONS & allowed for allowed in ALLOWED[operation].values())
        assert actions >= reading
        assert ("kms:Encrypt" in actions) is writes


SIGNING_KEY = "<SigningKeyArn>"
JOURNAL = "<JournalBucket>"


def test_statements_are_signed_by_one_function_and_their_key_is_told_by_another(
    synthesized: Synthesized,
) -> None:
    compute = synthesized.compute
    roles = {compute.role_of(one).logical_id: name for name, one in compute.functions().items()}
    assert {
        roles[owner.logical_id]: statement.actions
        for owner, statement in compute.policies()
        if statement.resources == (SIGNING_KEY,)
    } == {"get_statement": ("kms:Sign",), "get_signing_keys": ("kms:GetPublicKey",)}
    (key,) = (
        one
        for one in synthesized.data.all("AWS::KMS::Key")
        if one.properties.get("KeyUsage") == "SIGN_VERIFY"
    )
    assert key.properties["KeySpec"] == "ECC_NIST_P256"


def test_an_emulator_has_no_key_for_its_tables(local: Synthesized) -> None:
    assert "kms:ViaService" not in str(local.compute.document)
    assert len(local.data.all("AWS::KMS::Key")) == 1


def test_the_only_managed_policies_are_of_roles_that_aws_takes_itself(prod: Synthesized) -> None:
    assert prod.account is not None
    managed = {
        role.properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]: (
            [render(one).rpartition("/")[2] for one in role.properties["ManagedPolicyArns"]],
            role.document.get("DeletionPolicy"),
        )
        for template in (prod.account, prod.compute)
        for role in template.all("AWS::IAM::Role")
        if "ManagedPolicyArns" in role.properties
    }
    assert managed == {
        "apigateway.amazonaws.com": (["AmazonAPIGatewayPushToCloudWatchLogs"], "Retain"),
        "codedeploy.amazonaws.com": (["AWSCodeDeployRoleForLambdaLimited"], None),
    }


def test_every_operation_has_its_row() -> None:
    check_permissions(EVERYWHERE)
    assert set(PERMISSIONS) == set(EVERYWHERE)
    assert set(ALLOWED) == set(OPERATIONS)


def test_an_operation_without_a_row_cannot_be_deployed() -> None:
    with pytest.raises(PermissionsError, match="what these may do: burn_credit"):
        check_permissions([*EVERYWHERE, "burn_credit"])


def test_a_row_without_an_operation_is_a_mistake() -> None:
    with pytest.raises(PermissionsError, match="do not exist: get_health"):
        check_permissions([one for one in EVERYWHERE if one != "get_health"])
