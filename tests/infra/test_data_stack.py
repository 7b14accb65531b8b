from __future__ import annotations

from collections import Counter

import pytest

from tests.infra.synthesized import Synthesized
from tests.infra.templates import Resource, arn_of, render

PARTS = {
    *("AWS::SSM::Parameter", "AWS::KMS::Alias", "AWS::ApiGateway::GatewayResponse"),
    *("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"),
    *("AWS::Budgets::Budget", "AWS::Events::Archive", "AWS::IAM::Role"),
    *("AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection"),
    "AWS::S3::BucketPolicy",
}
"""What belongs to something else, and is made again with the stack."""
ON_AWS = (
    "AWS::S3::BucketPolicy",
    *("AWS::Logs::LogGroup", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy"),
    *("AWS::Budgets::Budget", "AWS::Events::Archive", "AWS::IAM::Role"),
    *(f"AWS::Backup::Backup{part}" for part in ("Plan", "Selection", "Vault")),
)


def _tables(synthesized: Synthesized) -> dict[str, Resource]:
    return {
        one.properties["TableName"]: one for one in synthesized.data.all("AWS::DynamoDB::Table")
    }


def _key_of_the_data(prod: Synthesized) -> Resource:
    (key,) = (
        one for one in prod.data.all("AWS::KMS::Key") if one.properties.get("KeyUsage") is None
    )
    return key


def test_there_is_what_must_last_and_nothing_else(synthesized: Synthesized) -> None:
    names = {"ledger", "purchases", "customer-index"}
    assert set(_tables(synthesized)) == {f"till-{synthesized.stage}-{name}" for name in names}
    aws = synthesized.settings.is_aws
    assert Counter(one.type for one in synthesized.data.all()) == {
        "AWS::DynamoDB::Table": 3,
        "AWS::Events::EventBus": 1,
        "AWS::SecretsManager::Secret": 1,
        "AWS::SSM::Parameter": 9 if aws else 8,
        # The key that signs statements; on AWS also that of the tables.
        "AWS::KMS::Key": 2 if aws else 1,
        "AWS::KMS::Alias": 2 if aws else 1,
        "AWS::ApiGateway::RestApi": 1,
        "AWS::ApiGateway::GatewayResponse": 10,
        "AWS::SQS::Queue": 3,
        "AWS::SQS::QueuePolicy": 3,
        "AWS::S3::Bucket": 1,
        **(dict.fromkeys(ON_AWS, 1) if aws else {}),
    }


def test_what_others_know_stays_when_the_stack_goes(prod: Synthesized) -> None:
    for one in prod.data.all():
        if one.type not in PARTS:
            assert str(one.document["DeletionPolicy"]).startswith("Retain"), one.logical_id


def test_no_one_can_change_or_delete_what_is_in_the_journal(prod: Synthesized) -> None:
    bucket = prod.data.one("AWS::S3::Bucket")
    assert bucket.properties["ObjectLockEnabled"] is True
    rule = bucket.properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert rule == {"Mode": "COMPLIANCE", "Days": 3_653}
    assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}
    denied = {
        statement["Sid"]: statement
        for statement in prod.data.one("AWS::S3::BucketPolicy").properties["PolicyDocument"][
            "Statement"
        ]
        if statement["Effect"] == "Deny" and "Sid" in statement
    }
    assert denied["NothingIsDeleted"]["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    adds = denied["OnlyTheWatcherAdds"]
    assert adds["Action"] == "s3:PutObject"
    roles = render(adds["Condition"]["ArnNotLike"]["aws:PrincipalArn"])
    assert roles.endswith(":role/till-prod-compute-watchledger*")
    # CloudFormation begins a role's name with those of the stack and of the resource.
    (watcher,) = (
        role.logical_id
        for role in prod.compute.all("AWS::IAM::Role")
        if "watch_ledger" in role.properties["Description"]
    )
    assert watcher.startswith("watchledger")


def test_the_api_has_a_place_of_its_own_and_hands_bodies_on_as_bytes(
    synthesized: Synthesized,
) -> None:
    api = synthesized.data.one("AWS::ApiGateway::RestApi")
    assert api.properties["BinaryMediaTypes"] == ["*/*"]
    assert api.properties["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    written = _written_down(synthesized)
    assert written["api-id"] == {"Ref": api.logical_id}
    assert written["api-root-id"] == {"Fn::GetAtt": [api.logical_id, "RootResourceId"]}


def test_what_waits_for_a_person_is_kept_for_two_weeks(synthesized: Synthesized) -> None:
    for queue in synthesized.data.all("AWS::SQS::Queue"):
        assert queue.properties["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_only_eventbridge_may_send_runs_that_it_could_not_start(
    synthesized: Synthesized,
) -> None:
    (allowed,) = (
        statement.document
        for _, statement in synthesized.data.policies()
        if statement.effect == "Allow" and "sqs:SendMessage" in statement.actions
    )
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    (source,) = allowed["Condition"]["ArnEquals"].values()
    rule = f"till-{synthesized.stage}-recover-attempts"
    assert render(source) == arn_of("events", f"rule/{rule}")


def test_alarms_may_be_told_by_this_account_alone(prod: Synthesized) -> None:
    publish = [
        statement.document
        for owner, statement in prod.data.policies()
        if owner.type == "AWS::SNS::TopicPolicy" and statement.effect == "Allow"
    ]
    services = {one["Principal"]["Service"] for one in publish}
    assert services == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
    for one in publish:
        assert one["Condition"] == {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        }


def test_a_month_that_costs_more_than_was_meant_is_told(prod: Synthesized) -> None:
    budget = prod.data.one("AWS::Budgets::Budget").properties
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 250, "Unit": "USD"}
    told = {
        (one["Notification"]["NotificationType"], one["Notification"]["Threshold"])
        for one in budget["NotificationsWithSubscribers"]
    }
    assert told == {("ACTUAL", 80), ("FORECASTED", 100)}
    for one in budget["NotificationsWithSubscribers"]:
        topic = prod.data.one("AWS::SNS::Topic").logical_id
        assert one["Subscribers"] == [{"Address": {"Ref": topic}, "SubscriptionType": "SNS"}]


def test_only_till_adds_to_the_ledger_and_no_one_changes_it(
    prod: Synthesized, local: Synthesized
) -> None:
    """Not even an administrator's right is enough: a denial comes before every right."""
    ledger, purchases = (
        _tables(prod)[f"till-prod-{one}"].properties for one in ("ledger", "purchases")
    )
    assert "ResourcePolicy" not in purchases
    changed, added = ledger["ResourcePolicy"]["PolicyDocument"]["Statement"]
    for statement in (changed, added):
        assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
        assert render(statement["Resource"]) == arn_of("dynamodb", "table/till-prod-ledger")
    assert set(changed["Action"]) >= {"dynamodb:UpdateItem", "dynamodb:DeleteItem"}
    assert "Condition" not in changed
    assert added["Action"] == "dynamodb:PutItem"
    ((operator, condition),) = added["Condition"].items()
    assert operator == "ArnNotLike"
    # CloudFormation names a role after its stack, as long as that has no more than 24 letters.
    assert render(condition["aws:PrincipalArn"]).endswith(":role/till-prod-compute-*")
    assert len("till-staging-compute") <= 24
    for role in prod.compute.all("AWS::IAM::Role"):
        assert "RoleName" not in role.properties
    for table in _tables(local).values():
        assert "ResourcePolicy" not in table.properties


def test_events_can_be_replayed_for_a_month(prod: Synthesized) -> None:
    archive = prod.data.one("AWS::Events::Archive").properties
    assert archive["RetentionDays"] == 30
    bus = prod.data.one("AWS::Events::EventBus").logical_id
    assert archive["SourceArn"] == {"Fn::GetAtt": [bus, "Arn"]}


def test_throttled_keys_of_tables_and_indexes_are_shown(prod: Synthesized) -> None:
    for table in _tables(prod).values():
        for one in (table.properties, *table.properties.get("GlobalSecondaryIndexes", [])):
            assert one["ContributorInsightsSpecification"] == {
                "Enabled": True,
                "Mode": "THROTTLED_KEYS",
            }


def _written_down(synthesized: Synthesized) -> dict[str, object]:
    return {
        one.properties["Name"].removeprefix(f"/till-{synthesized.stage}/"): one.properties["Value"]
        for one in synthesized.data.all("AWS::SSM::Parameter")
    }


def test_each_table_is_keyed_and_on_demand(synthesized: Synthesized) -> None:
    for table in _tables(synthesized).values():
        assert table.properties["KeySchema"] == [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ]
        types = {a["AttributeName"]: a["AttributeType"] for a in _attributes(table)}
        assert types.items() >= {"pk": "S", "sk": "S"}.items()
        assert table.properties["BillingMode"] == "PAY_PER_REQUEST"


def test_both_tables_with_money_have_a_stream_and_its_name_is_written_down(
    synthesized: Synthesized,
) -> None:
    tables, stage = _tables(synthesized), synthesized.stage
    for name, images in (("ledger", "NEW_IMAGE"), ("purchases", "NEW_AND_OLD_IMAGES")):
        table = tables[f"till-{stage}-{name}"]
        assert table.properties["StreamSpecification"] == {"StreamViewType": images}
        assert _written_down(synthesized)[f"{name}-stream-arn"] == {
            "Fn::GetAtt": [table.logical_id, "StreamArn"]
        }
    assert "StreamSpecification" not in tables[f"till-{stage}-customer-index"].properties


def test_the_upstreams_secret_is_made_empty_and_where_it_is_is_written_down(
    synthesized: Synthesized,
) -> None:
    """The value is put in by hand: no deploy asks for it, and none removes it."""
    secret = synthesized.data.one("AWS::SecretsManager::Secret")
    assert secret.properties["Name"] == f"till-{synthesized.stage}-upstream"
    assert not {"SecretString", "GenerateSecretString"} & secret.properties.keys()
    # Not so that it would be in the way of a first deploy's second try.
    kept = "RetainExceptOnCreate" if synthesized.settings.is_aws else "Delete"
    assert secret.document["DeletionPolicy"] == kept
    assert _written_down(synthesized)["upstream-secret-arn"] == {"Ref": secret.logical_id}


def test_the_bus_is_others_to_listen_to_and_stays_with_the_tables(
    synthesized: Synthesized,
) -> None:
    bus = synthesized.data.one("AWS::Events::EventBus")
    assert bus.properties["Name"] == f"till-{synthesized.stage}"
    kept = "RetainExceptOnCreate" if synthesized.settings.is_aws else "Delete"
    assert bus.document["DeletionPolicy"] == kept


def _attributes(table: Resource) -> list[dict[str, str]]:
    attributes: list[dict[str, str]] = table.properties["AttributeDefinitions"]
    return attributes


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("ledger", {"opened-index": ("opened_shard", "opened_at")}),
        (
            "purchases",
            {"state-index": ("state_shard", "state_at"), "short-id-index": ("short_id",)},
        ),
    ],
)
def test_the_indexes_of_a_table_carry_keys_only(
    synthesized: Synthesized, table: str, expected: dict[str, tuple[str, ...]]
) -> None:
    found = _tables(synthesized)[f"till-{synthesized.stage}-{table}"]
    indexes = [
        {name: value for name, value in one.items() if name != "ContributorInsightsSpecification"}
        for one in found.properties["GlobalSecondaryIndexes"]
    ]
    assert indexes == [
        {
            "IndexName": index,
            "KeySchema": [
                {"AttributeName": name, "KeyType": kind}
                for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
        for index, names in expected.items()
    ]
    types = {a["AttributeName"]: a["AttributeType"] for a in _attributes(found)}
    keys = {name for names in expected.values() for name in names}
    assert types == dict.fromkeys({"pk", "sk", *keys}, "S")


def test_what_holds_customers_data_is_under_a_key_of_ours(prod: Synthesized) -> None:
    key = _key_of_the_data(prod)
    assert key.properties["EnableKeyRotation"] is True
    assert key.document["DeletionPolicy"] == "RetainExceptOnCreate"
    assert key.document["UpdateReplacePolicy"] == "Retain"
    assert _written_down(prod)["key-arn"] == {"Fn::GetAtt": [key.logical_id, "Arn"]}
    for table in _tables(prod).values():
        assert table.properties["SSESpecification"] == {
            "KMSMasterKeyId": {"Fn::GetAtt": [key.logical_id, "Arn"]},
            "SSEEnabled": True,
            "SSEType": "KMS",
        }
    secret = prod.data.one("AWS::SecretsManager::Secret")
    assert secret.properties["KmsKeyId"] == {"Fn::GetAtt": [key.logical_id, "Arn"]}


def test_nobody_but_the_account_is_named_in_the_keys_policy(prod: Synthesized) -> None:
    """Who may use it is said by the roles, in infra/permissions.py."""
    key = _key_of_the_data(prod)
    (statement,) = key.properties["KeyPolicy"]["Statement"]
    assert render(statement["Principal"]["AWS"]) == (
        "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"
    )


def test_on_aws_the_tables_survive_every_mistake(prod: Synthesized) -> None:
    for name, table in _tables(prod).items():
        assert table.properties["PointInTimeRecoverySpecification"] == {
            "PointInTimeRecoveryEnabled": name != "till-prod-customer-index"
        }
        assert table.properties["DeletionProtectionEnabled"] is True
        assert table.document["DeletionPolicy"] == "Retain"
        assert table.document["UpdateReplacePolicy"] == "Retain"


def test_the_local_tables_go_away(local: Synthesized) -> None:
    for table in _tables(local).values():
        assert table.properties.get("DeletionProtectionEnabled", False) is False
        assert table.document["DeletionPolicy"] == "Delete"


def test_the_outputs_are_the_names_of_the_tables(synthesized: Synthesized) -> None:
    outputs = synthesized.data.document["Outputs"]
    assert set(outputs) == {
        *("ApiId", "JournalBucketName", "LedgerTableName", "PurchasesTableName")
    }
    by_name = {name: one.logical_id for name, one in _tables(synthesized).items()}
    ledger, purchases = (f"till-{synthesized.stage}-{one}" for one in ("ledger", "purchases"))
    assert outputs["LedgerTableName"]["Value"] == {"Ref": by_name[ledger]}
    assert outputs["PurchasesTableName"]["Value"] == {"Ref": by_name[purchases]}


def test_no_export_ties_compute_to_the_data(synthesized: Synthesized) -> None:
    outputs = synthesized.data.document["Outputs"].values()
    assert not [one for one in outputs if "Export" in one]
    assert "Fn::ImportValue" not in str(synthesized.compute.document)


def test_all_but_the_customer_index_is_copied_every_night_to_a_vault_that_outlives_it(
    prod: Synthesized,
) -> None:
    vault = prod.data.one("AWS::Backup::BackupVault")
    assert vault.document["DeletionPolicy"] == "RetainExceptOnCreate"
    key = _key_of_the_data(prod).logical_id
    assert vault.properties["EncryptionKeyArn"] == {"Fn::GetAtt": [key, "Arn"]}
    (rule,) = prod.data.one("AWS::Backup::BackupPlan").properties["BackupPlan"]["BackupPlanRule"]
    assert rule["TargetBackupVault"] == {"Fn::GetAtt": [vault.logical_id, "BackupVaultName"]}
    assert rule["Lifecycle"] == {"DeleteAfterDays": 35}
    selection = prod.data.one("AWS::Backup::BackupSelection").properties["BackupSelection"]
    tables = {one.arn for name, one in _tables(prod).items() if name != "till-prod-customer-index"}
    assert {render(one) for one in selection["Resources"]} == tables
