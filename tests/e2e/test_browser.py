"""The tests of the back office in a browser, on a system that is up."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from local.browser import VARIABLE, find_browser, playwright_environment
from local.paths import BACKOFFICE
from tests.under_test import UnderTest, needed

SPECS_VARIABLE = "TILL_TEST_BROWSER"
"""Names the files of tests to run; without it, all of them."""


@pytest.mark.timeout(1_800)
def test_a_rep_works_with_it(under_test: UnderTest, tmp_path: Path) -> None:
    backoffice_url = needed(under_test.backoffice_url, "back office")
    needed(under_test.upstream_url, "stand-in for the external APIs that does as it is told")
    for role in ("support", "admin", "service"):
        under_test.token(role)
    endpoints = tmp_path / "endpoints.json"
    under_test.write(endpoints)
    browser = find_browser(print)
    specs = shlex.split(os.environ.get(SPECS_VARIABLE, ""))
    ended = subprocess.run(
        ["npm", "run", "--silent", "test:e2e", "--", *specs],
        cwd=BACKOFFICE,
        env={
            **playwright_environment(),
            "TILL_BACKOFFICE_URL": backoffice_url,
            "TILL_ENDPOINTS": str(endpoints),
            **({VARIABLE: str(browser)} if browser is not None else {}),
        },
        check=False,
    )
    assert ended.returncode == 0, "what Playwright said is above, or captured"
