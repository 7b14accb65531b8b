"""Writes the locks anew: ``python -m local.lock [--upgrade]``.

What is locked stays as it is as long as pyproject.toml allows it, unless it is to be upgraded. The
locks hold versions and hashes, for every platform and Python from 3.11 on, and no addresses.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from local.places import ROOT

LAYER = "layers/dependencies/requirements.txt"
DEVELOPMENT = "requirements-dev.txt"


def main() -> int:
    """Lock the layer first; what development uses of it is the same."""
    parser = argparse.ArgumentParser(prog="python -m local.lock", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    upgrade = ["--upgrade"] if parser.parse_args().upgrade else []
    try:
        _compile("--output-file", LAYER, *upgrade)
        _compile("--group", "dev", "--constraint", LAYER, "--output-file", DEVELOPMENT, *upgrade)
        _run("npm", "install", "--prefix", "infra", "--package-lock-only", "--no-audit")
    except subprocess.CalledProcessError as error:
        print(f"till: {' '.join(error.cmd)} failed with {error.returncode}.", file=sys.stderr)
        return 1
    return 0


def _compile(*arguments: str) -> None:
    _run(
        *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet"),
        *("--universal", "--python-version", "3.11", "--generate-hashes"),
        *("--no-emit-index-url", "--no-emit-find-links"),
        *arguments,
    )


def _run(*command: str) -> None:
    environment = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    sys.exit(main())
