"""Generates the Python client's models and requests from the OpenAPI document.

``python -m local.client``. What is there and up to date is left alone, which is known by a stamp
that is written last.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from local.paths import CLIENT, ROOT, SHARED, VENV_PYTHON

GENERATED = CLIENT / "till_client" / "generated"
DOCUMENT = ROOT / "docs" / "openapi.json"
CONFIGURATION = CLIENT / "generator.yaml"
REQUIREMENTS = ROOT / "requirements-dev.txt"
STAMP = GENERATED / "made-from"


def is_up_to_date() -> bool:
    """Whether what is there was made from the present document by the present generator."""
    return STAMP.exists() and STAMP.read_text() == _stamp()


def command(folder: Path) -> list[str | Path]:
    """What generates the client into a folder."""
    return [
        *(VENV_PYTHON.with_name("openapi-python-client"), "generate", "--path", DOCUMENT),
        *("--config", CONFIGURATION, "--meta", "none", "--output-path", folder),
        *("--fail-on-warning", "--overwrite"),
    ]


def main() -> int:
    """Generate it, unless it is up to date."""
    if is_up_to_date():
        return 0
    shutil.rmtree(GENERATED, ignore_errors=True)
    ran = subprocess.run(command(GENERATED), capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        print(
            f"till: the Python client was not generated.\n{ran.stdout}{ran.stderr}", file=sys.stderr
        )
        return ran.returncode
    # mypy does not notice a new module in a package that it remembers without it.
    shutil.rmtree(SHARED / "mypy", ignore_errors=True)
    STAMP.write_text(_stamp())
    return 0


def _stamp() -> str:
    made_from = (DOCUMENT, CONFIGURATION, REQUIREMENTS)
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in made_from)


if __name__ == "__main__":
    sys.exit(main())
