"""Deploys the CDK app to a LocalStack that runs already: the ``deployer`` of docker-compose.yml.

It bootstraps, synthesizes and deploys as ``make run`` does, gives the demo's customers their credit
through the API, and says where everything is. Run twice, it changes nothing the second time.

An address may differ by who asks. ``--public-...`` is how this machine reaches what is in the
containers; the others are how containers reach each other. The issuer's own name is the public one:
that is what a browser is sent to and what tokens say, and only its keys and tokens are fetched by
the other.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from local import deployment
from local.deployment import Trust
from local.errors import StartError, tell
from local.issuer import AUDIENCE, fetch_tokens
from local.places import SHARED, State
from local.progress import Progress
from local.seed import check_health, lines_to_paste, seed, what_is_there
from local.upstream.credentials import Credential

STAGE = "localstack"
API_STAGE = "v1"
BACKOFFICE_FILE = "backoffice.env"
"""What the back office's server reads before it starts: shell variables."""


@dataclass(frozen=True, slots=True)
class Options:
    """Where everything is."""

    aws_url: str
    gateway_url: str
    public_aws_url: str
    upstream_url: str
    credential: Credential
    """What the external APIs ask for: of the environment, or the stand-in's."""
    issuer: str
    issuer_url: str
    backoffice_url: str
    runs_on: str
    state: State


def main() -> int:
    """Deploy once, and exit."""
    try:
        asyncio.run(_deploy(_options()))
    except StartError as error:
        tell(error)
        return 1
    except ExceptionGroup as group:
        tell(_start_error(group))
        return 1
    return 0


def _start_error(group: ExceptionGroup[Exception]) -> StartError:
    """The failed step's own error. What is no such error is a fault of ours, and is raised."""
    error = group.exceptions[0]
    if isinstance(error, ExceptionGroup):
        return _start_error(error)
    if isinstance(error, StartError):
        return error
    raise error


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m local.localstack", description=__doc__)
    parser.add_argument("--aws-url", required=True, help="LocalStack, as this program reaches it")
    parser.add_argument("--gateway-url", help="LocalStack, as the back office's server reaches it")
    parser.add_argument("--public-aws-url", help="LocalStack, as this machine reaches it")
    parser.add_argument("--upstream-url", required=True, help="as the functions reach it")
    parser.add_argument("--issuer", required=True, help="its name, and where browsers go")
    parser.add_argument("--issuer-url", help="as the functions and this program reach it")
    parser.add_argument("--backoffice-url", required=True, help="where it will be served")
    parser.add_argument(
        "--runs-on",
        default="",
        help="what the functions are compiled for: arm64, x86_64, or local for this very Python; "
        "not given, for the machine that this is",
    )
    parser.add_argument("--state", type=Path, default=SHARED / "localstack")
    given = parser.parse_args()
    return Options(
        aws_url=given.aws_url,
        gateway_url=given.gateway_url or given.aws_url,
        public_aws_url=given.public_aws_url or given.aws_url,
        upstream_url=given.upstream_url,
        credential=deployment.chosen_credential(),
        issuer=given.issuer,
        issuer_url=given.issuer_url or given.issuer,
        backoffice_url=given.backoffice_url,
        runs_on=given.runs_on,
        state=State(given.state.resolve()),
    )


async def _deploy(options: Options) -> None:
    state = options.state
    state.temporary.mkdir(parents=True, exist_ok=True)
    state.logs.mkdir(exist_ok=True)
    progress = Progress()
    trust = Trust(issuer=options.issuer, audience=AUDIENCE, jwks_url=f"{options.issuer_url}/jwks")
    async with asyncio.TaskGroup() as steps:
        steps.create_task(_bootstrap(options, progress))
        steps.create_task(_make_templates(options, trust, progress))
    with progress.step("deploy", "cdk deploys the stacks"):
        deployed = await deployment.deploy(state, STAGE, options.aws_url)
        await deployment.put_credential(deployed, options.credential, options.aws_url)
    path = f"_aws/execute-api/{deployed.api_id}/{API_STAGE}"
    api_url = f"{options.aws_url}/{path}"
    with progress.step("seed", "demo customers get credit, through the API"):
        tokens = await fetch_tokens(options.issuer_url)
        await check_health(api_url)
        seeded = await seed(
            api_url,
            options.upstream_url,
            options.credential,
            token=tokens["admin"],
            own_stand_in=False,
        )
    progress.say(f"seed: {seeded.word}")
    variables = {
        "TILL_API_URL": f"{options.gateway_url}/{path}",
        "TILL_ISSUER": options.issuer,
        "TILL_AUDIENCE": AUDIENCE,
    }
    (state.folder / BACKOFFICE_FILE).write_text(
        "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    )
    _announce(options, f"{options.public_aws_url}/{path}", demo=seeded.done)


async def _bootstrap(options: Options, progress: Progress) -> None:
    with progress.step("bootstrap", f"cdk bootstraps {options.aws_url}"):
        await deployment.bootstrap(options.state, options.aws_url)


async def _make_templates(options: Options, trust: Trust, progress: Progress) -> None:
    with progress.step("bundles", "what the functions share is built, or found built"):
        await deployment.build_layers(options.state, options.runs_on)
    with progress.step("synth", "cdk synthesizes the app"):
        await deployment.synthesize(
            options.state, STAGE, options.upstream_url, trust, options.runs_on
        )


def _announce(options: Options, api_url: str, *, demo: bool) -> None:
    print()
    print(f"Till's API is at {api_url}")
    print(f"the back office, in a moment, at {options.backoffice_url} (sign in as Rita or Amir)")
    print(f"the identity provider at {options.issuer}")
    print()
    if demo:
        print(what_is_there())
        print()
    print("Lines to paste into another terminal; the first ones get a token:")
    print()
    print(lines_to_paste(api_url, options.issuer, "python3", demo=demo), flush=True)


if __name__ == "__main__":
    sys.exit(main())
