"""Has CloudFormation make a few resources of a kind at a time, where it would make all at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import CfnResource, Stack

AT_A_TIME: Final[Mapping[str, int]] = {
    # Lambda answers 15 control requests a second, over a whole account, and CodeDeploy releases
    # functions in the name of one role: it gives up when it is refused.
    "AWS::Lambda::Function": 10,
    "AWS::Lambda::Version": 10,
    "AWS::Lambda::Alias": 10,
    # CodeDeploy does not publish its limit; deploys of thirty groups were refused.
    "AWS::CodeDeploy::DeploymentGroup": 10,
    # CloudWatch takes 3 alarms a second.
    "AWS::CloudWatch::Alarm": 5,
}
"""How many of a kind are made side by side."""


def make_in_waves(stack: Stack) -> None:
    """Let each resource of these kinds wait for the one that is so many places before it."""
    made: dict[str, list[CfnResource]] = {kind: [] for kind in AT_A_TIME}
    for one in stack.node.find_all():
        if isinstance(one, CfnResource) and one.cfn_resource_type in made:
            before = made[one.cfn_resource_type]
            at_a_time = AT_A_TIME[one.cfn_resource_type]
            if len(before) >= at_a_time:
                one.add_resource_dependency(before[-at_a_time])
            before.append(one)
