"""A name of our own, for the back office or the API: the record that leads to it, if asked for."""

from __future__ import annotations

from aws_cdk import aws_route53 as route53
from constructs import Construct

from infra.settings import DeploymentSettings


def add_records(
    scope: Construct,
    deployment: DeploymentSettings,
    domain_name: str,
    target: route53.IAliasRecordTarget,
    *,
    ipv6: bool,
) -> None:
    """Lead a name to where it is served, if the deployment was told its zone at Route 53.

    Without one, the owner of the name makes the record: docs/runbooks/deploying.md.
    """
    if not deployment.hosted_zone_id:
        return
    zone = route53.HostedZone.from_hosted_zone_attributes(
        scope,
        "Zone",
        hosted_zone_id=deployment.hosted_zone_id,
        zone_name=deployment.hosted_zone_name,
    )
    leads_to = route53.RecordTarget.from_alias(target)
    # The dot says that this is the whole name: CDK would put the zone behind it.
    name = f"{domain_name}."
    route53.ARecord(scope, "Record", zone=zone, record_name=name, target=leads_to)
    if ipv6:
        route53.AaaaRecord(scope, "RecordIpv6", zone=zone, record_name=name, target=leads_to)
