"""The JSON schemas of the domain events, in docs/events: ``python -m infra.event_schemas``.

Made from the models that the events are published by, each with an example: a customer's life is
played through by the rules of the domain, and told as it would be.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

from infra import ROOT
from till.adapters.event_details import DETAILS, SCHEMA_VERSION, detail_of
from till.domain.account import Account, AccountChange, OpenAttempt
from till.domain.actor import Actor
from till.domain.events import EventName, event_of
from till.domain.ledger import Cause
from till.domain.money import Money

FOLDER: Final = ROOT / "docs" / "events"

_CUSTOMER: Final = UUID("c0000000-0000-4000-8000-000000000003")
_PRODUCT: Final = UUID("d0000000-0000-4000-8000-000000000003")
_BEGIN: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)


def schema_file(name: EventName) -> str:
    """The name of the file with the schema of an event."""
    return f"{name}.v{SCHEMA_VERSION}.json"


def generate() -> dict[str, str]:
    """The text of each file, by its name."""
    examples = _examples()
    return {
        schema_file(name): json.dumps(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$id": f"urn:till:events:{name}.v{SCHEMA_VERSION}",
                **model.model_json_schema(mode="serialization"),
                "examples": [examples[name]],
            },
            indent=2,
        )
        + "\n"
        for name, model in DETAILS.items()
    }


def _examples() -> dict[EventName, object]:
    found: dict[EventName, object] = {}
    for change in _life():
        event = event_of(change)
        if event is not None:
            found[event.name] = detail_of(event).model_dump(mode="json")
    return found


def _life() -> Iterator[AccountChange]:
    """One of each: a grant, a purchase and its refund, one lost and called off, a deduction."""
    bought, lost, refund = (uuid5(_CUSTOMER, word) for word in ("bought", "lost", "refund"))
    steps: tuple[Callable[[Account, Cause], AccountChange], ...] = (
        lambda account, cause: account.grant(Money(100_00), cause),
        lambda account, cause: account.hold(_attempt(bought), cause),
        lambda account, cause: account.post_hold(bought, cause),
        lambda account, cause: account.refund(
            Money(10_00), cause, purchase_id=bought, refund_id=refund
        ),
        lambda account, cause: account.hold(_attempt(lost), cause),
        lambda account, cause: account.mark_unknown(lost, cause),
        lambda account, cause: account.void_hold(lost, cause),
        lambda account, cause: account.deduct(Money(5_00), cause),
    )
    account = Account.empty(_CUSTOMER)
    for minutes, step in enumerate(steps):
        at = _BEGIN + timedelta(minutes=minutes)
        cause = Cause(actor=Actor("example"), at=at, reason="an example", idempotency_key="example")
        change = step(account, cause)
        account = change.account
        yield change


def _attempt(attempt_id: UUID) -> OpenAttempt:
    return OpenAttempt(
        attempt_id=attempt_id,
        product_id=_PRODUCT,
        quantity=2,
        amount=Money(25_00),
        blocks_from=_BEGIN + timedelta(days=1),
    )


def write(folder: Path = FOLDER) -> None:
    """Write the files."""
    for name, text in generate().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
