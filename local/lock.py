"""Writes the locks again: ``python -m local.lock [--upgrade]``.

What is locked stays as it is as long as pyproject.toml allows it, unless it is to be upgraded. The
locks hold versions and hashes, for every platform and Python from 3.11 on, and no addresses.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from local.paths import ROOT
from local.set_up import NPM_PACKAGES

PROJECT = "pyproject.toml"
LAYER = "layers/dependencies/requirements.txt"
IDENTITY = "layers/identity/requirements.txt"
DEVELOPMENT = "requirements-dev.txt"
DEPLOYER = "local/compose/requirements.txt"


def main() -> int:
    """Lock the layers first; what development uses of them is the same."""
    parser = argparse.ArgumentParser(prog="python -m local.lock", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    upgrade = ["--upgrade"] if parser.parse_args().upgrade else []
    try:
        _compile(PROJECT, "--output-file", LAYER, *upgrade)
        _compile("--group", "identity", "--output-file", IDENTITY, *upgrade)
        constraints = ("--constraint", LAYER, "--constraint", IDENTITY)
        _compile(PROJECT, "--group", "dev", *constraints, "--output-file", DEVELOPMENT, *upgrade)
        deployer = ("--group", "deployment", "--constraint", DEVELOPMENT)
        _compile(PROJECT, *deployer, "--output-file", DEPLOYER, *upgrade)
        for package in NPM_PACKAGES:
            _run("npm", "install", "--prefix", str(package.folder), "--package-lock-only")
    except subprocess.CalledProcessError as error:
        print(f"till: {' '.join(error.cmd)} failed with {error.returncode}.", file=sys.stderr)
        return 1
    return 0


def _compile(*arguments: str) -> None:
    _run(
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet"),
        *("--universal", "--python-version", "3.11", "--generate-hashes"),
        *("--no-emit-index-url", "--no-emit-find-links"),
        *arguments,
    )


def _run(*command: str) -> None:
    environment = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    sys.exit(main())
