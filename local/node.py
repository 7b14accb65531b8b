"""Node, which the CDK command line, the identity provider and the back office run on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from local.errors import StartError
from local.paths import SHARED

OLDEST_NODE = (20, 19)


def find_node() -> str:
    """Find a Node that all of them run on, and tell its version.

    Raises:
        StartError: there is none, or it is too old, or it has no npm.
    """
    oldest = ".".join(str(part) for part in OLDEST_NODE)
    needed = f"Node {oldest} or later is needed for the CDK command line and the back office"
    node = shutil.which("node")
    if node is None:
        raise StartError(f"{needed}, and there is no node on the PATH.")
    version = subprocess.run(
        [node, "--version"], capture_output=True, text=True, check=False
    ).stdout.strip()
    parts = re.match(r"v(\d+)\.(\d+)\.", version)
    if parts is None or (int(parts[1]), int(parts[2])) < OLDEST_NODE:
        raise StartError(f"{needed}, and {node} is {version or 'no working Node'}.")
    if shutil.which("npm") is None:
        raise StartError("npm, which comes with Node, is needed, and is not on the PATH.")
    return version


def npm_environment() -> dict[str, str]:
    """The user's environment, with a cache for npm in the checkout where the home has no room."""
    env = {**os.environ, "npm_config_update_notifier": "false"}
    if not os.access(env.get("HOME", ""), os.W_OK):
        env["npm_config_cache"] = str(SHARED / "npm")
    return env
