"""AWS WAF before the API: what is refused before it costs anything."""

from __future__ import annotations

from typing import Final

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infra.settings import StageSettings, Throttle

_WINDOW_SECONDS: Final = 300

_ONLY_COUNTED: Final = (
    # A rep's reason or note may hold markup or an address. It is kept and shown as text.
    "CrossSiteScripting_BODY",
    "GenericRFI_BODY",
    # The functions have a limit of their own, of 16 KiB.
    "SizeRestrictions_BODY",
    # Another service's HTTP client need not say what it is.
    "NoUserAgent_HEADER",
)


class WebAcl(Construct):
    """The web ACL of one stage's API, and a log of what it refused.

    It keeps no samples of requests, and its log neither tokens nor queries: reps search customers
    by name.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        throttle: Throttle,
        stage: apigateway.Stage,
    ) -> None:
        super().__init__(scope, construct_id)
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            name=settings.prefix,
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible(settings.prefix),
            rules=[
                _managed(0, "AWSManagedRulesAmazonIpReputationList"),
                _managed(1, "AWSManagedRulesKnownBadInputsRuleSet"),
                _managed(2, "AWSManagedRulesCommonRuleSet", only_counted=_ONLY_COUNTED),
                _not_all_for_one(3, throttle),
            ],
        )
        wafv2.CfnWebACLAssociation(
            self, "OfTheApi", resource_arn=stage.stage_arn, web_acl_arn=acl.attr_arn
        )
        # WAF takes no log group whose name begins with anything else.
        log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"aws-waf-logs-{settings.prefix}",
            retention=settings.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        logging = wafv2.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=acl.attr_arn,
            log_destination_configs=[
                # The group's own ARN ends in :*, which WAF does not take.
                Stack.of(self).format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=log_group.log_group_name,
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [
                    {
                        "Behavior": "KEEP",
                        "Requirement": "MEETS_ANY",
                        "Conditions": [
                            {"ActionCondition": {"Action": action}} for action in ("BLOCK", "COUNT")
                        ],
                    }
                ],
            },
            redacted_fields=[
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(
                    single_header={"Name": "authorization"}
                ),
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(query_string={}),
            ],
        )
        logging.node.add_dependency(log_group)


def _managed(
    priority: int, name: str, *, only_counted: tuple[str, ...] = ()
) -> wafv2.CfnWebACL.RuleProperty:
    """A rule group that AWS keeps up to date."""
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=name,
                rule_action_overrides=[
                    wafv2.CfnWebACL.RuleActionOverrideProperty(
                        name=rule,
                        action_to_use=wafv2.CfnWebACL.RuleActionProperty(count={}),
                    )
                    for rule in only_counted
                ],
            )
        ),
        visibility_config=_visible(name),
    )


def _not_all_for_one(priority: int, throttle: Throttle) -> wafv2.CfnWebACL.RuleProperty:
    """One address gets no more than half of what all callers together may ask.

    Not less: a shop's servers are behind one address, and so are reps behind CloudFront.
    """
    name = "NotAllForOne"
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        action=wafv2.CfnWebACL.RuleActionProperty(block={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP",
                evaluation_window_sec=_WINDOW_SECONDS,
                limit=throttle.requests_per_second * _WINDOW_SECONDS // 2,
            )
        ),
        visibility_config=_visible(name),
    )


def _visible(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
