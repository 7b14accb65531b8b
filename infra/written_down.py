"""What the data stack writes down for the others: values that cannot be known in advance."""

from __future__ import annotations

from enum import StrEnum

from aws_cdk import CfnParameter, Stack
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.settings import StageSettings


class WrittenDown(StrEnum):
    """Names of SSM parameters. A part of each value is chosen by AWS when the thing is made."""

    LEDGER_STREAM = "ledger-stream-arn"
    PURCHASES_STREAM = "purchases-stream-arn"
    UPSTREAM_SECRET = "upstream-secret-arn"  # noqa: S105 - not the secret, where it is
    KEY = "key-arn"
    SIGNING_KEY = "signing-key-arn"
    API_ID = "api-id"
    API_ROOT_ID = "api-root-id"
    DEAD_LETTERS_URL = "dead-letters-url"
    JOURNAL = "journal-bucket"

    def parameter_name(self, settings: StageSettings) -> str:
        """Where it is written down."""
        return f"/{settings.prefix}/{self.value}"

    def write(self, scope: Construct, settings: StageSettings, value: str) -> None:
        """Write it down, in the data stack."""
        ssm.StringParameter(
            scope,
            self._logical_id,
            parameter_name=self.parameter_name(settings),
            string_value=value,
            description="Written down for the other stacks, which cannot know it by a name.",
        )

    def look_up(self, scope: Construct, settings: StageSettings) -> str:
        """The value, as a parameter of the scope's stack: CloudFormation reads it at each update.

        Not as a dynamic reference: a template may hold 60 of those, and each use is one.
        """
        stack = Stack.of(scope)
        parameter = stack.node.try_find_child(self._logical_id)
        if parameter is None:
            parameter = CfnParameter(
                stack,
                self._logical_id,
                type="AWS::SSM::Parameter::Value<String>",
                default=self.parameter_name(settings),
                description="Where the data stack wrote it.",
            )
        if not isinstance(parameter, CfnParameter):
            raise TypeError(f"{self._logical_id} is the name of another construct")
        return parameter.value_as_string

    @property
    def _logical_id(self) -> str:
        return self.value.title().replace("-", "")
