"""Runs the stand-in: ``python -m local.upstream --port 9000``."""

from __future__ import annotations

import argparse
import os
import sys

from local.upstream.api import Api
from local.upstream.credentials import VARIABLE, Credential, CredentialError, Gate
from local.upstream.demo_data import CUSTOMERS, PRODUCTS
from local.upstream.server import HOST, StandIn


def main() -> int:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m local.upstream", description=__doc__)
    parser.add_argument("--port", type=int, default=9000, help="0 takes any free one")
    parser.add_argument("--host", default=HOST, help="where to listen; a container, everywhere")
    parser.add_argument("--empty", action="store_true", help="know no demo data")
    parser.add_argument(
        "--credential",
        type=_credential,
        default=os.environ.get(VARIABLE) or None,
        metavar="'X-Api-Key: value'",
        help=f"refuse requests without it; or in the environment, as {VARIABLE}",
    )
    options = parser.parse_args()
    gate = Gate([options.credential] if options.credential else [])
    api = Api(gate=gate) if options.empty else Api(CUSTOMERS, PRODUCTS, gate=gate)
    try:
        server = StandIn(options.port, api, host=options.host)
    except OSError as error:
        print(f"The stand-in cannot listen on port {options.port}: {error.strerror}.")
        return 1
    with server:
        print(f"The external APIs' stand-in: {server.api_url}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            api.stop()
    return 0


def _credential(text: str) -> Credential:
    try:
        return Credential.parse(text)
    except CredentialError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
