"""The program of the emulator: ministack, with two of its parts replaced."""

# ruff: noqa: SLF001 - ministack's own functions: they have no public name

from __future__ import annotations

from ministack.app import main
from ministack.core import lambda_runtime
from ministack.services import dynamodb

from local.emulator import layers, queries

if __name__ == "__main__":
    dynamodb._query = queries.query_by_page(dynamodb._query)
    lambda_runtime.zipfile = layers
    main()
