"""Runs the whole system on this machine until it is stopped: what ``make run`` does.

The emulator is started, the CDK app deployed to it, the identity provider and the stand-in for the
external APIs started, some credit granted, and the back office built and served. Ctrl-C, SIGTERM, a
failed step or the end of a server stops everything.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from local import deployment
from local.backoffice import backoffice_url, build_backoffice, running_backoffice
from local.checkout_lock import try_lock
from local.deployment import Deployed, Trust
from local.emulator import REGION, running_emulator
from local.endpoints import Endpoints
from local.errors import StartError, first_error, tell
from local.issuer import fetch_tokens, running_issuer, trust
from local.paths import SHARED, State, tool_environment
from local.ports import HIGHEST_PORT, HOST, choose_port
from local.processes import python_module
from local.progress import Progress
from local.seed import check_health, lines_to_paste, seed, what_is_there
from local.servers import Server, running_server
from local.upstream.credentials import VARIABLE, Credential

API_STAGE = "v1"
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen."""

    stage: str
    port: int
    upstream_port: int
    upstream_url: str | None
    credential: Credential
    """What the external APIs ask for."""
    issuer_port: int
    backoffice_port: int
    backoffice: bool
    state: State
    exit_with_stdin: bool
    records_calls: bool


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each server of ours will be."""

    emulator: int
    issuer: int
    upstream: int | None
    backoffice: int | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What there is before the deploy."""

    emulator: Server
    issuer: Server
    upstream_url: str
    stand_in: Server | None
    """What answers at that address; None if another server does."""
    tokens: dict[str, str]


def main() -> int:
    """Run until stopped; the exit status is 0 when that was asked for, once all was ready."""
    try:
        options = _options()
        return asyncio.run(_main(options))
    except StartError as error:
        tell(error)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m local.run", description=__doc__)
    parser.add_argument(
        "--stage", choices=deployment.STAGES, default=deployment.STAGE, help="what to deploy"
    )
    parser.add_argument("--port", default="4566", help="the emulator's; 0 takes any")
    parser.add_argument("--upstream-port", default="9000", help="the stand-in's")
    parser.add_argument("--upstream-url", default="", help="use this server, and no stand-in")
    parser.add_argument("--issuer-port", default="9100", help="the identity provider's")
    parser.add_argument("--backoffice-port", default="8080", help="the back office's")
    parser.add_argument(
        "--no-backoffice", action="store_true", help="neither build nor serve the back office"
    )
    parser.add_argument("--state", type=Path, default=SHARED, help="the folder for everything")
    parser.add_argument(
        "--exit-with-stdin", action="store_true", help="stop when the standard input ends"
    )
    parser.add_argument(
        "--record-aws-calls", action="store_true", help="write down what the functions ask of AWS"
    )
    given = parser.parse_args()
    return Options(
        stage=given.stage,
        port=_port(given.port, "PORT"),
        upstream_port=_port(given.upstream_port, "UPSTREAM_PORT"),
        upstream_url=_checked_url(given.upstream_url) if given.upstream_url else None,
        credential=deployment.chosen_credential(),
        issuer_port=_port(given.issuer_port, "ISSUER_PORT"),
        backoffice_port=_port(given.backoffice_port, "BACKOFFICE_PORT"),
        backoffice=not given.no_backoffice,
        state=State(given.state.resolve()),
        exit_with_stdin=given.exit_with_stdin,
        records_calls=given.record_aws_calls,
    )


def _port(text: str, variable: str) -> int:
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise StartError(f"{variable}={text} is no port: it is a number up to {HIGHEST_PORT}.")
    return int(text)


def _checked_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise StartError(f"UPSTREAM_URL={text} is no URL such as http://127.0.0.1:9000/api.")
    return text.rstrip("/")


async def _main(options: Options) -> int:
    ready = asyncio.Event()
    system = asyncio.create_task(_run(options, ready))

    def stop() -> None:
        # Once is enough, and a second Ctrl-C must not interrupt the tidying up.
        if not system.cancelling():
            print("\ntill: stopping.", flush=True)
            system.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    if options.exit_with_stdin:
        _watch_stdin(loop, stop)
    try:
        await system
    except asyncio.CancelledError:
        print("till: everything is stopped.", flush=True)
        return 0 if ready.is_set() else INTERRUPTED
    except ExceptionGroup as group:
        raise first_error(group) from None
    return 0


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    descriptor = sys.stdin.fileno()

    def read() -> None:
        if not os.read(descriptor, 1024):
            loop.remove_reader(descriptor)
            stop()

    loop.add_reader(descriptor, read)


async def _run(options: Options, ready: asyncio.Event) -> None:
    progress = Progress()
    state = options.state
    with _the_only_one(state):
        ports = _choose_ports(options)
        trusted = trust(ports.issuer)
        async with AsyncExitStack() as servers:
            async with asyncio.TaskGroup() as steps:
                deploying = steps.create_task(_deploy(options, ports, trusted, servers, progress))
                if options.backoffice:
                    steps.create_task(build_backoffice(state, progress))
            there, deployed = deploying.result()
            api_url = f"{there.emulator.url}/_aws/execute-api/{deployed.api_id}/{API_STAGE}"
            async with asyncio.TaskGroup() as steps:
                seeding = steps.create_task(_seed(options, api_url, there, progress))
                serving = steps.create_task(
                    _serve_backoffice(
                        ports.backoffice,
                        api_url,
                        trusted,
                        state,
                        servers=servers,
                        progress=progress,
                    )
                )
            backoffice = serving.result()
            endpoints = Endpoints(
                api_url=api_url,
                upstream_url=there.upstream_url,
                aws_endpoint_url=there.emulator.url,
                region=REGION,
                ledger_table=deployed.ledger_table,
                purchases_table=deployed.purchases_table,
                function_prefix=deployed.function_prefix,
                emulator_pid=there.emulator.process.pid,
                emulator_log=str(there.emulator.log),
                issuer=trusted.issuer,
                audience=trusted.audience,
                jwks_url=trusted.jwks_url,
                identity_keys=str(state.identity_keys),
                tokens=there.tokens,
                backoffice_url=backoffice.url if backoffice is not None else None,
            )
            endpoints.write(state.endpoints)
            ready.set()
            _announce(endpoints, progress, demo=seeding.result())
            await _watch(there.emulator, there.issuer, there.stand_in, backoffice)


def _choose_ports(options: Options) -> Ports:
    """All of them at the beginning: what is started early has to know what comes later."""
    return Ports(
        emulator=choose_port(options.port, used_for="the emulator", variable="PORT"),
        issuer=choose_port(
            options.issuer_port, used_for="the identity provider", variable="ISSUER_PORT"
        ),
        upstream=choose_port(
            options.upstream_port, used_for="the external APIs", variable="UPSTREAM_PORT"
        )
        if options.upstream_url is None
        else None,
        backoffice=choose_port(
            options.backoffice_port, used_for="the back office", variable="BACKOFFICE_PORT"
        )
        if options.backoffice
        else None,
    )


@contextmanager
def _the_only_one(state: State) -> Iterator[None]:
    """Hold the state folder for this run, and leave no endpoints behind."""
    state.folder.mkdir(parents=True, exist_ok=True)
    with state.lock.open("w") as lock:
        if not try_lock(lock):
            raise StartError(f"A system is already running from {state.folder}.")
        # One that was killed outright may have left them.
        _tidy(state)
        state.temporary.mkdir()
        try:
            yield
        finally:
            _tidy(state)


def _tidy(state: State) -> None:
    state.endpoints.unlink(missing_ok=True)
    state.identity_keys.unlink(missing_ok=True)
    shutil.rmtree(state.temporary, ignore_errors=True)


async def _deploy(
    options: Options, ports: Ports, trusted: Trust, servers: AsyncExitStack, progress: Progress
) -> tuple[Prepared, Deployed]:
    """The running system but for its data and the back office."""
    there = await _prepare(options, ports, trusted, servers, progress)
    with progress.step("deploy", "cdk deploys the stacks"):
        deployed = await deployment.deploy(options.state, options.stage, there.emulator.url)
        await deployment.put_credential(deployed, options.credential, there.emulator.url)
    return there, deployed


async def _prepare(
    options: Options, ports: Ports, trusted: Trust, servers: AsyncExitStack, progress: Progress
) -> Prepared:
    """Everything before the deploy, side by side where nothing has to wait."""
    state = options.state
    upstream_url = options.upstream_url or f"http://{HOST}:{ports.upstream}/api"

    async def start_stand_in() -> Server | None:
        if options.upstream_url is not None:
            progress.say(f"external APIs: yours, at {upstream_url}")
            return None
        with progress.step("external APIs", f"a stand-in starts at {upstream_url}"):
            return await servers.enter_async_context(
                _stand_in(upstream_url, options.credential, state)
            )

    async def start_issuer() -> tuple[Server, dict[str, str]]:
        with progress.step("identity", f"a provider of tokens starts at {trusted.issuer}"):
            backoffice = None if ports.backoffice is None else backoffice_url(ports.backoffice)
            issuer = await servers.enter_async_context(
                running_issuer(trusted, state, backoffice_url=backoffice)
            )
            return issuer, await fetch_tokens(issuer.url, log=issuer.log)

    async def start_emulator() -> Server:
        with progress.step("emulator", f"ministack starts at http://{HOST}:{ports.emulator}"):
            emulator = await servers.enter_async_context(
                running_emulator(ports.emulator, state, records_calls=options.records_calls)
            )
        with progress.step("bootstrap", "cdk bootstraps the emulator"):
            await deployment.bootstrap(state, emulator.url)
        return emulator

    async def make_templates() -> None:
        with progress.step("layers", "the Lambda layers are built, or found built"):
            await deployment.build_layers(state, deployment.AT_HAND)
        with progress.step("synth", "cdk synthesizes the app"):
            await deployment.synthesize(
                state, options.stage, upstream_url, trusted, deployment.AT_HAND
            )

    async with asyncio.TaskGroup() as steps:
        emulator = steps.create_task(start_emulator())
        steps.create_task(make_templates())
        stand_in = steps.create_task(start_stand_in())
        identity = steps.create_task(start_issuer())
    issuer, tokens = identity.result()
    return Prepared(emulator.result(), issuer, upstream_url, stand_in.result(), tokens)


def _stand_in(
    url: str, credential: Credential, state: State
) -> AbstractAsyncContextManager[Server]:
    return running_server(
        "The stand-in",
        python_module("local.upstream", "--port", str(urlsplit(url).port)),
        url=url,
        ready=url.removesuffix("/api") + "/_control/ready",
        log=state.logs / "upstream.log",
        env={**tool_environment(state), VARIABLE: str(credential)},
    )


async def _seed(options: Options, api_url: str, there: Prepared, progress: Progress) -> bool:
    with progress.step("seed", "demo customers get credit, through the API"):
        seeded = await seed(
            api_url,
            there.upstream_url,
            options.credential,
            token=there.tokens["admin"],
            own_stand_in=there.stand_in is not None,
        )
        if not seeded.done:
            await check_health(api_url)
    progress.say(f"seed: {seeded.word}")
    return seeded.done


async def _serve_backoffice(
    port: int | None,
    api_url: str,
    trusted: Trust,
    state: State,
    *,
    servers: AsyncExitStack,
    progress: Progress,
) -> Server | None:
    if port is None:
        return None
    with progress.step("back office", "it is served on the same origin as the API"):
        return await servers.enter_async_context(running_backoffice(port, api_url, trusted, state))


def _announce(endpoints: Endpoints, progress: Progress, *, demo: bool) -> None:
    progress.say("ready")
    print()
    print(f"Till's API is at {endpoints.api_url}")
    if endpoints.backoffice_url is not None:
        print(f"the back office at {endpoints.backoffice_url} (sign in as Rita or Amir)")
    print(f"the identity provider at {endpoints.issuer}")
    print(f"the external APIs at {endpoints.upstream_url}")
    print()
    if demo:
        print(what_is_there())
        print()
    print("Lines to paste into another terminal:")
    print()
    print(
        lines_to_paste(endpoints.api_url, endpoints.issuer, shlex.quote(sys.executable), demo=demo)
    )
    print("In another terminal, make logs shows what the functions log.")
    print("Ctrl-C stops everything.", flush=True)


async def _watch(*servers: Server | None) -> None:
    """Wait as long as all is well.

    Raises:
        StartError: a server ended by itself.
    """
    ends = {
        asyncio.create_task(server.process.wait()): server
        for server in servers
        if server is not None
    }
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end, server in ends.items():
            if end.done():
                raise StartError(f"{server.name} ended by itself, with {end.result()}.", server.log)
    finally:
        for end in ends:
            end.cancel()


if __name__ == "__main__":
    sys.exit(main())
