"""The CDK app. ``cdk deploy -c stage=... -c upstream_url=... (and more)`` runs it, by cdk.json."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aws_cdk import App, Tags

from infra.account_stack import AccountStack
from infra.checks import add_checks
from infra.compute_stack import ComputeStack
from infra.data_stack import DataStack
from infra.edge_stack import BUILT, BackofficeNotBuiltError, EdgeStack
from infra.layers import LayerFolders, LayersError, build_layers
from infra.limits import LimitError, check_limits
from infra.permissions import PermissionsError
from infra.settings import SettingsError, StageSettings, settings_for, warnings_of

if TYPE_CHECKING:
    from constructs import Construct


class Deployment:
    """The stacks of one stage."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: StageSettings,
        layer_folders: LayerFolders,
        backoffice: Path = BUILT,
    ) -> None:
        self.data: Final = DataStack(scope, f"{settings.prefix}-data", settings=settings)
        self.compute: Final = ComputeStack(
            scope,
            f"{settings.prefix}-compute",
            settings=settings,
            layer_folders=layer_folders,
        )
        # The order only: the tables come first and go last. No value passes between the stacks.
        self.compute.add_stack_dependency(self.data)
        self.account: Final = (
            AccountStack(scope, f"{settings.prefix}-account", settings=settings)
            if settings.is_aws
            else None
        )
        if self.account is not None:
            self.compute.add_stack_dependency(self.account)
        # On one's own machine a local server does what CloudFront does.
        self.edge: Final = (
            EdgeStack(
                scope,
                f"{settings.prefix}-edge",
                settings=settings,
                built=backoffice,
            )
            if settings.is_aws
            else None
        )
        if self.edge is not None:
            # By the data stack, and not by compute: that may be destroyed without it.
            self.edge.add_stack_dependency(self.data)
        for stack in (self.data, self.compute, self.edge):
            if stack is not None:
                Tags.of(stack).add("till:stage", settings.stage)


def main() -> None:
    """Synthesize the stage that the context names.

    Raises:
        SystemExit: it cannot be done; the sentence on stderr says why.
    """
    context = App(auto_synth=False).node
    try:
        settings = settings_for(context.try_get_context("stage"), context.try_get_context)
        layer_folders = build_layers(settings.runs_on)
        # What goes to AWS is checked against CloudFormation's rules, here and in the tests. That
        # takes longer than all the rest of the synth, and the emulator has other rules.
        app = App(auto_synth=False, builtin_cloud_formation_validation=settings.is_aws)
        if settings.is_aws:
            add_checks(app)
        Deployment(app, settings=settings, layer_folders=layer_folders)
        assembly = app.synth()
        for warning in [*warnings_of(settings), *check_limits(Path(assembly.directory))]:
            sys.stderr.write(f"WARNING: {warning}\n")
    except (
        *(SettingsError, PermissionsError, LayersError, LimitError),
        BackofficeNotBuiltError,
    ) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
