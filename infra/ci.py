"""The CDK app of the roles that CI takes: ``make ci-roles REPOSITORY=OWNER/NAME`` deploys it.

An app of its own, since an administrator deploys it by hand, once in an account: CI could not make
the roles that it needs to get in. docs/runbooks/deploying.md has the commands.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from aws_cdk import App, Tags

from infra.cdk import QUALIFIER_CONTEXT
from infra.checks import add_checks
from infra.ci_stack import ENVIRONMENTS, QUALIFIER, CiSettings, CiSettingsError, CiStack

_NAMES: Final = ("repository", "environments", "regions", "provider", "diff")
_EXISTING: Final = "existing"


def settings_from(context: Callable[[str], object]) -> CiSettings:
    """What ``cdk -c name=value`` was given.

    Raises:
        CiSettingsError: the repository is not named, or a setting is not valid.
    """
    given = {name: str(context(name) or "").strip() for name in _NAMES}
    if not given["repository"]:
        raise CiSettingsError("No repository was named: pass -c repository=OWNER/NAME.")
    if given["provider"] not in {"", "new", _EXISTING}:
        raise CiSettingsError(f"provider must be new or existing, not {given['provider']!r}.")
    if given["diff"] not in {"", "yes", "no"}:
        raise CiSettingsError(f"diff must be yes or no, not {given['diff']!r}.")
    return CiSettings(
        repository=given["repository"],
        environments=_list(given["environments"]) or ENVIRONMENTS,
        regions=_list(given["regions"]),
        has_provider=given["provider"] == _EXISTING,
        has_diff=given["diff"] != "no",
        qualifier=str(context(QUALIFIER_CONTEXT) or QUALIFIER),
    )


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def main() -> None:
    """Synthesize the stack.

    Raises:
        SystemExit: it cannot be done; the sentence on stderr says why.
    """
    app = App(auto_synth=False)
    add_checks(app)
    try:
        stack = CiStack(app, "till-ci", settings=settings_from(app.node.try_get_context))
    except CiSettingsError as error:
        sys.exit(str(error))
    Tags.of(stack).add("till:stage", "ci")
    app.synth()


if __name__ == "__main__":
    main()
