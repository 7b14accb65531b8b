"""What is refused before it reaches the API, and what is written down of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.infra.templates import render

if TYPE_CHECKING:
    from tests.infra.synthesized import Synthesized
    from tests.infra.templates import Json


def _rules(prod: Synthesized) -> dict[str, Json]:
    rules: list[Json] = prod.compute.one("AWS::WAFv2::WebACL").properties["Rules"]
    return {rule["Name"]: rule for rule in rules}


def test_it_stands_before_the_api(prod: Synthesized) -> None:
    acl = prod.compute.one("AWS::WAFv2::WebACL")
    association = prod.compute.one("AWS::WAFv2::WebACLAssociation").properties
    assert association["WebACLArn"] == {"Fn::GetAtt": [acl.logical_id, "Arn"]}
    stage = prod.compute.one("AWS::ApiGateway::Stage").logical_id
    assert render(association["ResourceArn"]).endswith(f"::/restapis/<ApiId>/stages/<{stage}>")
    assert acl.properties["Scope"] == "REGIONAL"
    assert acl.properties["DefaultAction"] == {"Allow": {}}


def test_what_a_rep_may_write_is_not_refused_for_what_it_looks_like(prod: Synthesized) -> None:
    """A reason such as "<3 wrote from http://10.0.0.1/" is data, and the largest body is ours."""
    group = _rules(prod)["AWSManagedRulesCommonRuleSet"]["Statement"]["ManagedRuleGroupStatement"]
    counted = {one["Name"] for one in group["RuleActionOverrides"]}
    assert {"CrossSiteScripting_BODY", "GenericRFI_BODY", "SizeRestrictions_BODY"} <= counted
    for one in group["RuleActionOverrides"]:
        assert one["ActionToUse"] == {"Count": {}}


def test_one_address_leaves_half_to_the_others(prod: Synthesized) -> None:
    throttle = prod.settings.throttle
    assert throttle is not None
    (limited,) = (
        rule["Statement"]["RateBasedStatement"]
        for rule in _rules(prod).values()
        if "RateBasedStatement" in rule["Statement"]
    )
    assert limited["AggregateKeyType"] == "IP"
    half = throttle.requests_per_second * limited["EvaluationWindowSec"] / 2
    assert limited["Limit"] == half


def test_it_keeps_neither_tokens_nor_what_reps_search_for(prod: Synthesized) -> None:
    logging = prod.compute.one("AWS::WAFv2::LoggingConfiguration").properties
    assert {"SingleHeader": {"Name": "authorization"}} in logging["RedactedFields"]
    assert {"QueryString": {}} in logging["RedactedFields"]
    (destination,) = logging["LogDestinationConfigs"]
    (group,) = (
        one
        for one in prod.compute.all("AWS::Logs::LogGroup")
        if one.properties["LogGroupName"] == "aws-waf-logs-till-prod"
    )
    assert render(destination).endswith(f":log-group:<{group.logical_id}>")
    # Samples would show whole requests in the console.
    acl = prod.compute.one("AWS::WAFv2::WebACL").properties
    for shown in (acl, *_rules(prod).values()):
        assert shown["VisibilityConfig"]["SampledRequestsEnabled"] is False


def test_an_emulator_has_none(local: Synthesized, localstack: Synthesized) -> None:
    for synthesized in (local, localstack):
        assert "AWS::WAFv2" not in str(synthesized.compute.document)
