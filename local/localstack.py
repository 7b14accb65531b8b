"""Deploys the CDK app to a LocalStack that is running: the ``deployer`` of docker-compose.yml.

It bootstraps, synthesizes and deploys as ``make run`` does, gives the demo's customers their credit
through the API, and prints where everything is. Run twice, it changes nothing the second time. With
``--stay`` it keeps running, and deploys again when LocalStack has lost the stage: the community
image forgets everything when it restarts.

Some addresses differ by who uses them. ``--public-...`` is how this machine reaches what is in the
containers; the others are how containers reach each other. The issuer's own name is the public one:
browsers are sent there, and tokens name it. Only its keys and tokens are fetched by the other one.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local import deployment
from local.deployment import Deployed, Trust
from local.emulator import emulator_session
from local.errors import StartError, first_error, tell
from local.issuer import AUDIENCE, fetch_tokens
from local.paths import SHARED, State
from local.progress import Progress
from local.seed import check_health, lines_to_paste, seed, what_is_there
from local.upstream.credentials import Credential

STAGE = "localstack"
API_STAGE = "v1"
DEPLOYED_FILE = "deployed"
"""In the state's folder while the stage is deployed, with ``--stay``: for a health check."""
LOOK_EVERY_SECONDS = 2.0
LOOK_WITHIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Options:
    """Where everything is."""

    aws_url: str
    public_aws_url: str
    upstream_url: str
    credential: Credential
    """What the external APIs ask for: of the environment, or the stand-in's."""
    issuer: str
    issuer_url: str
    backoffice_url: str
    runs_on: str
    state: State
    stay: bool


def main() -> int:
    """Deploy once, or with ``--stay`` whenever the stage is not there."""
    options = _options()
    try:
        asyncio.run(_keep_deployed(options) if options.stay else _deploy(options))
    except StartError as error:
        tell(error)
        return 1
    return 0


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m local.localstack", description=__doc__)
    parser.add_argument("--aws-url", required=True, help="LocalStack, as this program reaches it")
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
    parser.add_argument(
        "--stay", action="store_true", help="keep running; deploy again when the stage is lost"
    )
    given = parser.parse_args()
    return Options(
        aws_url=given.aws_url,
        public_aws_url=given.public_aws_url or given.aws_url,
        upstream_url=given.upstream_url,
        credential=deployment.chosen_credential(),
        issuer=given.issuer,
        issuer_url=given.issuer_url or given.issuer,
        backoffice_url=given.backoffice_url,
        runs_on=given.runs_on,
        state=State(given.state.resolve()),
        stay=given.stay,
    )


async def _keep_deployed(options: Options) -> None:
    """Deploy, and again each time LocalStack no longer has the API.

    Raises:
        StartError: a deploy failed.
    """
    mark = options.state.folder / DEPLOYED_FILE
    mark.unlink(missing_ok=True)
    while True:
        deployed = await _deploy(options)
        mark.touch()
        await asyncio.to_thread(_wait_until_lost, deployed.api_id, options.aws_url)
        mark.unlink()
        print("\nLocalStack no longer has the API: it is deployed again.", flush=True)


def _wait_until_lost(api_id: str, aws_url: str) -> None:
    """Return when LocalStack says that there is no such API. No answer says nothing about that."""
    client = emulator_session().client(
        "apigateway",
        endpoint_url=aws_url,
        config=Config(
            connect_timeout=LOOK_WITHIN_SECONDS,
            read_timeout=LOOK_WITHIN_SECONDS,
            retries={"total_max_attempts": 1},
        ),
    )
    while True:
        try:
            client.get_rest_api(restApiId=api_id)
        except client.exceptions.NotFoundException:
            return
        except (BotoCoreError, ClientError):
            pass  # It is being restarted, or is busy.
        time.sleep(LOOK_EVERY_SECONDS)


async def _deploy(options: Options) -> Deployed:
    state = options.state
    state.temporary.mkdir(parents=True, exist_ok=True)
    state.logs.mkdir(exist_ok=True)
    progress = Progress()
    trust = Trust(issuer=options.issuer, audience=AUDIENCE, jwks_url=f"{options.issuer_url}/jwks")
    aws_url = _by_address(options.aws_url)
    try:
        async with asyncio.TaskGroup() as steps:
            steps.create_task(_bootstrap(state, aws_url, progress))
            steps.create_task(_make_templates(options, trust, progress))
    except ExceptionGroup as group:
        raise first_error(group) from None
    with progress.step("deploy", "cdk deploys the stacks"):
        deployed = await deployment.deploy(state, STAGE, aws_url)
        await deployment.put_credential(deployed, options.credential, aws_url)
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
    _announce(options, f"{options.public_aws_url}/{path}", demo=seeded.done)
    return deployed


def _by_address(url: str) -> str:
    """The same address with the host's number in place of its name.

    AWS's tools put a bucket's name in front of a host's name, and no network knows the result. With
    a number they put it into the path.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        number = socket.gethostbyname(host)
    except OSError as error:
        raise StartError(f"There is no host {host!r} for {url}: {error}.") from None
    return parts._replace(netloc=f"{number}:{parts.port or 80}").geturl()


async def _bootstrap(state: State, aws_url: str, progress: Progress) -> None:
    with progress.step("bootstrap", f"cdk bootstraps {aws_url}"):
        await deployment.bootstrap(state, aws_url)


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
