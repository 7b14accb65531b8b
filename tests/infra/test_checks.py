"""cdk-nag is clean on AWS, and what is gone past is narrow, has its reason, and is still there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from infra.checks import accept, add_checks
from infra.ci_stack import CiSettings, CiStack
from tests.infra.synthesized import Synthesized, synthesize
from tests.infra.templates import Json

COPIES = "edge/Custom::CDKBucketDeployment"

GONE_PAST = {
    ("SMG4", "data/Upstream"),
    ("DDB3", "data/CustomerIndex"),
    ("APIG2", "data/Lasting/Api"),
    ("COG4", "compute/Api"),
    ("APIG4", "compute/Api/Default/openapi.json/GET"),
    ("APIG4", "compute/Api/Default/.well-known/jwks.json/GET"),
    ("APIG4", "compute/Api/Default/health/GET"),
    ("APIG4", "compute/Api/Default/health/HEAD"),
    ("L1", "compute/.../Function"),
    ("SQS3", "data/Lasting/recover_attempts-failed"),
    ("SQS3", "data/Lasting/publish_events-dead-letters"),
    ("SQS3", "data/Lasting/watch_ledger-dead-letters"),
    ("S1", "data/Journal/Bucket"),
    ("IAM5", "compute/watch_ledger/Role"),
    ("IAM4[AWSCodeDeployRoleForLambdaLimited]", "compute/Releases/Role"),
    ("IAM4[AmazonAPIGatewayPushToCloudWatchLogs]", "account/ApiGatewayLogs"),
    ("IAM4[AWSBackupServiceRolePolicyForBackup]", "data/BackupRole"),
    ("S1", "edge/Files"),
    ("CFR1", "edge/Distribution"),
    ("CFR2", "edge/Distribution"),
    ("CFR3", "edge/Distribution"),
    ("CFR4", "edge/Distribution"),
    ("L1", COPIES),
    ("IAM4[AWSLambdaBasicExecutionRole]", COPIES),
    ("IAM5", COPIES),
}
"""Written out once more, so that an exception from another rule has to be made in two places."""


@dataclass(frozen=True, slots=True)
class Accepted:
    rule: str
    """As the checks name it."""
    place: str
    reason: str

    def short(self) -> tuple[str, str]:
        """As the table names it."""
        rule = self.rule.removeprefix("AwsSolutions::AwsSolutions-")
        kind, _, detail = rule.partition("[")
        if kind == "IAM4":
            rule = f"IAM4[{detail.rpartition('/')[2]}"
        elif kind == "IAM5":
            rule = kind
        stack, *parts = self.place.removeprefix("till-prod-").split("/")
        if stack == "compute" and parts[1:] == ["Function"]:
            parts[0] = "..."
        if parts[0].startswith("Custom::CDKBucketDeployment"):
            parts[0] = "Custom::CDKBucketDeployment"
        return rule, "/".join((stack, *parts))


def _nag(assembly: Path) -> Json:
    report: Json = json.loads((assembly / "validation-report.json").read_text())
    (found,) = (one for one in report["pluginReports"] if one["pluginName"] == "AwsSolutions")
    nag: Json = found
    return nag


def _used(assembly: Path) -> set[tuple[str, str]]:
    """What was accepted and found, by rule and place."""
    return {
        (one["acknowledgedId"], one["acknowledgedAt"])
        for one in _nag(assembly)["suppressedViolations"]
    }


def _accepted(assembly: Path) -> list[Accepted]:
    """What was accepted, found or not."""
    return [
        Accepted(rule, place.removeprefix("/"), reason)
        for path in sorted(assembly.glob("*.metadata.json"))
        for place, entries in json.loads(path.read_text()).items()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for rule, reason in entry["data"].items()
    ]


def test_nothing_is_found(prod: Synthesized, named: Synthesized, dev: Synthesized) -> None:
    for stage in (prod, named, dev):
        nag = _nag(stage.assembly)
        assert nag["conclusion"] == "success"
        assert nag["violations"] == []


def test_with_a_name_of_its_own_the_back_office_has_one_excuse_less(named: Synthesized) -> None:
    assert {one.short() for one in _accepted(named.assembly)} == GONE_PAST - {
        ("CFR4", "edge/Distribution")
    }


def test_what_is_gone_past_is_what_this_table_says(prod: Synthesized) -> None:
    assert {one.short() for one in _accepted(prod.assembly)} == GONE_PAST


def test_nothing_is_gone_past_that_is_not_there(prod: Synthesized, named: Synthesized) -> None:
    for assembly in (prod.assembly, named.assembly):
        used = _used(assembly)
        assert [one for one in _accepted(assembly) if (one.rule, one.place) not in used] == []


def test_each_is_about_one_thing_and_says_why(prod: Synthesized) -> None:
    for one in _accepted(prod.assembly):
        assert "/" in one.place, "about a whole stack"
        assert len(one.reason) > 50
        assert one.reason.endswith(".")


def test_the_stack_of_ci_is_clean_without_any(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    add_checks(app)
    CiStack(app, "till-ci", settings=CiSettings(repository="owner/till"))
    app.synth()
    # A pack that has nothing at all to say, of nothing gone past either, is not in the report.
    report = json.loads((tmp_path / "validation-report.json").read_text())
    assert report["pluginReports"] == []


def test_a_finding_ends_the_synth(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    add_checks(app)
    s3.Bucket(Stack(app, "careless"), "Bucket")
    with pytest.raises(Exception, match="ValidationFailed"):
        app.synth()
    assert _nag(tmp_path)["conclusion"] == "failure"


def test_what_is_accepted_of_one_thing_is_not_accepted_of_its_neighbour(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    add_checks(app)
    stack = Stack(app, "careless")
    accept(sqs.Queue(stack, "One", enforce_ssl=True), {"SQS3": "It is only tried here."})
    sqs.Queue(stack, "Two", enforce_ssl=True)
    with pytest.raises(Exception, match="ValidationFailed"):
        app.synth()
    (violation,) = _nag(tmp_path)["violations"]
    (place,) = violation["violatingConstructs"]
    assert (violation["ruleName"], place["constructPath"]) == (
        "AwsSolutions-SQS3",
        "careless/Two/Resource",
    )


def test_a_qualifier_of_ones_own_is_everywhere_and_finds_nothing(tmp_path: Path) -> None:
    own = synthesize("prod", "https://shop.example.com/api", tmp_path, qualifier="tillown")
    assert _nag(own.assembly)["violations"] == []
    for path in own.assembly.glob("*.json"):
        assert "hnb659fds" not in path.read_text()
    manifest = (own.assembly / "manifest.json").read_text()
    assert "cdk-tillown-deploy-role" in manifest
