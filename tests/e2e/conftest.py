"""What of the end-to-end tests there is for the system under test."""

from __future__ import annotations

from tests.under_test import is_named

collect_ignore = [] if is_named() else ["test_browser.py"]
"""Where no system is named, ``local.in_browser`` starts one with a back office for these tests."""
