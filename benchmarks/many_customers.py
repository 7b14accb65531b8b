"""Fills the customer index of a running system, for a test in a browser.

``python -m benchmarks.many_customers ENDPOINTS HOW_MANY FIRST_NAME`` adds so many customers with
one first name, each with a last name of its own. Only the index has them: a search proposes them,
and the Customer API would say that it does not know them. Only the partitions that a search for
the first name reads are filled.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final
from uuid import uuid4

from benchmarks.tables import Filler, client_of
from local.endpoints import Endpoints
from till.adapters.dynamodb.client import serialize
from till.adapters.dynamodb.stored.customer_index import StoredCustomerWords, term_key, word_key
from till.domain.words import CustomerWords

_PROGRESS_EVERY: Final = 25_000


def fill(endpoints: Endpoints, how_many: int, first_name: str) -> None:
    """Add customers with a first name to the index."""
    aws = client_of(endpoints.aws_endpoint_url)
    index = Filler(aws, f"{endpoints.function_prefix}customer-index")
    (first,) = CustomerWords((first_name.lower(),), "").indexed
    read = {term_key(first), word_key(first)}
    for number in range(1, how_many + 1):
        words = CustomerWords((first, f"q{number:x}"), "")
        record = StoredCustomerWords.of(uuid4(), words, revision=1)
        index.put(serialize({"pk": pk, "sk": sk}) for pk, sk in record.entries() if pk in read)
        if number % _PROGRESS_EVERY == 0:
            print(f"customers: {number:,} of {how_many:,}", flush=True)
    index.flush()


if __name__ == "__main__":
    fill(Endpoints.read(Path(sys.argv[1])), int(sys.argv[2]), sys.argv[3])
