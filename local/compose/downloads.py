"""Downloads what LocalStack would otherwise download during the deploy, within its time limits.

These are the image that the functions run in, and Kinesis Mock, which DynamoDB's streams need. What
is already there is not downloaded again. A service of docker-compose.yml runs this file in
LocalStack's image, which has Docker's client and LocalStack's own installer.
"""

from __future__ import annotations

import json
import os
import sys

import docker
import requests
from docker.errors import DockerException, ImageNotFound
from localstack.packages import PackageException
from localstack.services.kinesis.packages import kinesismock_package

PULL_SECONDS = 600


def main() -> int:
    """Download both; say what was done, or in one sentence which of them failed."""
    (image,) = json.loads(os.environ["LAMBDA_RUNTIME_IMAGE_MAPPING"]).values()
    kinesis = f"Kinesis Mock {kinesismock_package.default_version}"
    try:
        print(f"downloads: the functions' image {image} {download_image(image)}", flush=True)
    except (DockerException, requests.RequestException) as error:
        return tell_failure(f"the functions' image {image}", error)
    try:
        kinesismock_package.install()
    except PackageException as error:
        return tell_failure(f"{kinesis} from npm", error.__cause__ or error)
    print(f"downloads: {kinesis} is there", flush=True)
    return 0


def download_image(name: str) -> str:
    """Pull the image if it is not there; returns which of the two it was."""
    client = docker.from_env(timeout=PULL_SECONDS)
    try:
        client.images.get(name)
    except ImageNotFound:
        client.images.pull(name)
        return "was downloaded"
    return "was there"


def tell_failure(what: str, error: BaseException) -> int:
    """Say in one sentence what is missing, why, and what to do; returns the exit status."""
    reason = " ".join(str(error).split())
    print(
        f"till: {what} could not be downloaded ({reason}); check the network, then run "
        "`docker compose up` again.",
        file=sys.stderr,
        flush=True,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
