"""Statements: signed by the running system, and checked by a program that knows nothing of it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote
from uuid import NAMESPACE_URL, uuid4, uuid5

import pytest

from evidence.chain import version_hash
from evidence.items import plain
from tests.integration.client import all_items

if TYPE_CHECKING:
    from uuid import UUID

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from tests.integration.badges import Badges
    from tests.integration.client import TillClient
    from tests.integration.shop import Shop
    from tests.integration.tables import Tables

ROOT = Path(__file__).resolve().parents[2]
SECOND = timedelta(seconds=1)
PAGE = 500
ZEROS = "0" * 64


@dataclass(frozen=True)
class Customer:
    """A customer who keeps the statements that they were given, and the keys."""

    folder: Path

    def keeps(self, till: TillClient, customer: UUID, name: str, **period: str) -> None:
        path = f"/customers/{customer}/credit/statement"
        answer = till.send("GET", path, params=period)
        assert answer.status_code == 200, answer.text
        (self.folder / name).write_text(answer.text)

    def verifies(self, *names: str) -> tuple[int, str]:
        """The exit status of the verifier, and what it said. It runs without our packages."""
        ended = subprocess.run(
            [sys.executable, ROOT / "tools/verify_statement.py", "--keys", "jwks.json", *names],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return ended.returncode, (ended.stdout + ended.stderr).strip()


@pytest.fixture
def keeper(visitor: TillClient, tmp_path: Path) -> Customer:
    """The keys are everybody's to read."""
    answer = visitor.send("GET", "/.well-known/jwks.json")
    assert answer.status_code == 200
    (tmp_path / "jwks.json").write_text(answer.text)
    return Customer(tmp_path)


def test_a_customer_checks_a_statement_of_everything_that_happened(
    till: TillClient, shop: Shop, keeper: Customer, badges: Badges
) -> None:
    customer, product = shop.customer(credit=10_000), shop.product("12.50")
    purchase = till.buy(customer, product.id).result()
    till.refund(purchase.id, 500).result()
    till.deduct(customer, 1).result()
    with till.bearing(badges.of("chiara", "customer", customer_id=customer)) as chiara:
        statement = chiara.statement(customer).result().statement
        keeper.keeps(chiara, customer, "statement.json")
    assert [entry.kind for entry in statement.entries] == [
        *("GRANT", "PURCHASE", "REFUND", "DEDUCTION"),
    ]
    assert statement.entries == all_items(lambda c: till.entries(customer, cursor=c))[::-1]
    assert statement.opening.model_dump() == {"sequence": 0, "balance": 0, "hash": ZEROS}
    assert statement.closing.balance == till.credit(customer).result().posted
    status, said = keeper.verifies("statement.json")
    assert (status, said.startswith("statement.json: right.")) == (0, True), said


def test_a_period_begins_with_its_first_time_and_ends_before_its_last(
    till: TillClient, shop: Shop, keeper: Customer
) -> None:
    customer = shop.customer()
    times = [till.grant(customer, 100).result().entry.created_at for _ in range(4)]
    middle = till.statement(customer, from_=times[1], to=times[3]).result().statement
    assert [entry.created_at for entry in middle.entries] == times[1:3]
    assert (middle.opening.balance, middle.closing.balance) == (100, 300)
    for name, period in (
        ("a.json", {"to": times[2]}),
        ("b.json", {"from": times[2], "to": times[3]}),
        ("c.json", {"from": times[3]}),
    ):
        keeper.keeps(till, customer, name, **period)
    assert keeper.verifies("a.json", "b.json", "c.json")[0] == 0
    status, said = keeper.verifies("a.json", "c.json")
    assert (status, "Entries 3 to 3 are in none of the files" in said) == (1, True)


def test_no_one_gets_a_statement_that_makes_no_sense_or_is_not_theirs(
    till: TillClient, shop: Shop, badges: Badges, visitor: TillClient
) -> None:
    customer = shop.customer(credit=100)
    now = datetime.now(UTC)
    past, future = (now - SECOND).isoformat(), (now + timedelta(hours=1)).isoformat()
    for period, field in (
        ({"from_": past, "to": past}, "to"),
        ({"from_": past, "to": (now - 2 * SECOND).isoformat()}, "to"),
        ({"to": future}, "to"),
        ({"from_": future}, "from"),
        ({"from_": "yesterday"}, "from"),
        ({"to": "2026-02-30T00:00:00Z"}, "to"),
        ({"cursor": "x"}, "cursor"),
    ):
        reply = till.statement(customer, **period)
        assert reply.refused(400, "invalid-request").fields == {field}, period
    till.statement(uuid4()).refused(404, "customer-not-found")
    visitor.statement(customer).refused(401, "not-authenticated")
    with till.bearing(badges.of("carl", "customer", customer_id=uuid4())) as carl:
        assert carl.statement(customer).status == 404


def test_who_never_had_credit_has_an_empty_statement(
    till: TillClient, shop: Shop, keeper: Customer, tables: Tables
) -> None:
    customer = shop.customer()
    keeper.keeps(till, customer, "statement.json")
    assert keeper.verifies("statement.json")[0] == 0
    assert tables.mentions(customer) == 0


def test_a_spreadsheet_gets_the_same_entries(till: TillClient, shop: Shop) -> None:
    customer = shop.customer(credit=123_456)
    till.deduct(customer, 78_901, reason='=1+1; a "gift"').result()
    path = f"/customers/{customer}/credit/statement"
    for language, separator, amount in (("en-US", ",", "-789.01"), ("de-DE", ";", "-789,01")):
        answer = till.send("GET", path, headers={"Accept": "text/csv", "Accept-Language": language})
        assert answer.headers["Content-Type"] == "text/csv"
        assert "Link" not in answer.headers
        text = answer.content.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))
        assert [row["kind"] for row in rows] == ["OPENING", "GRANT", "DEDUCTION", "CLOSING"]
        assert rows[2]["amount"] == amount
        assert rows[2]["reason"].startswith("'=1+1")
        entries = till.entries(customer).result().items
        assert [row["hash"] for row in rows[1:3]] == [entry.hash for entry in entries[::-1]]
        assert rows[3]["hash"] == entries[0].hash


def test_a_long_statement_comes_in_pages(
    till: TillClient, shop: Shop, keeper: Customer, tables: Tables
) -> None:
    customer = shop.customer(credit=1)
    count = 2 * PAGE + 3
    tables.put_in_ledger(grants_after(tables.version(customer, 1), count - 1))
    assert till.credit(customer).result().posted == count
    cursor, names = None, list[str]()
    while cursor is not None or not names:
        names.append(f"{len(names)}.json")
        page = till.statement(customer, cursor=cursor).result()
        keeper.keeps(till, customer, names[-1], **({"cursor": cursor} if cursor else {}))
        cursor = page.next_cursor
    assert len(names) == 3
    assert keeper.verifies(*names)[0] == 0
    assert keeper.verifies(names[0], names[2])[0] == 1
    to = datetime.now(UTC).isoformat()
    path, rows, query = f"/customers/{customer}/credit/statement", 0, f"?to={quote(to)}"
    while True:
        answer = till.send("GET", path + query, headers={"Accept": "text/csv"})
        assert parse_qs(query[1:])["to"] == [to]
        rows += len(answer.text.splitlines()) - 3  # without the header, opening and closing
        if "Link" not in answer.headers:
            break
        query = answer.headers["Link"].removesuffix('>; rel="next"').removeprefix("<")
    assert rows == count


def test_a_kept_statement_finds_a_history_that_was_made_up_later(
    till: TillClient, shop: Shop, keeper: Customer, tables: Tables
) -> None:
    customer = shop.customer(credit=100)
    for _ in range(3):
        till.grant(customer, 100).result()
    keeper.keeps(till, customer, "kept.json")
    first = tables.version(customer, 1)

    # The newest entry is dropped: nothing in the table tells of it any longer.
    tables.drop_version(customer, 4)
    keeper.keeps(till, customer, "dropped.json")
    assert keeper.verifies("dropped.json")[0] == 0
    status, said = keeper.verifies("kept.json", "dropped.json")
    assert (status, said) == (1, "dropped.json: entry 4, which kept.json has, is gone.")

    # The whole chain is rewritten, with another actor and right hashes.
    forged = grants_after(first, 3, amount=100, actor="mallory")
    tables.put_in_ledger(forged)
    keeper.keeps(till, customer, "rewritten.json")
    assert keeper.verifies("rewritten.json")[0] == 0
    status, said = keeper.verifies("kept.json", "rewritten.json")
    assert status == 1
    assert "rewritten.json: entry 2 is not the one that kept.json has" in said


def test_what_does_not_add_up_is_never_signed(till: TillClient, shop: Shop, tables: Tables) -> None:
    customer = shop.customer(credit=100)
    till.grant(customer, 100).result()
    till.grant(customer, 100).result()
    key = (f"ACCOUNT#{customer}", f"VERSION#{2:016d}")
    for attributes in ({"actor": {"S": "mallory"}}, {"amount": {"N": "7"}}, {"held": {"N": "7"}}):
        with tables.changed(*key, **attributes):  # type: ignore[arg-type]
            till.statement(customer).refused(500, "internal-error")
    till.statement(customer).result()


def grants_after(
    version: dict[str, AttributeValueTypeDef], count: int, *, amount: int = 1, actor: str = "rita"
) -> list[dict[str, AttributeValueTypeDef]]:
    """Versions that continue an account with grants, as docs/data-model.md describes them."""
    customer = version["pk"]["S"].removeprefix("ACCOUNT#")
    number, posted = int(version["version"]["N"]), int(version["posted"]["N"])
    previous, stored_hash = version["entry_hash"]["S"], version["hash"]["S"]
    namespace = uuid5(NAMESPACE_URL, "till/ledger-entry")
    made = []
    for _ in range(count):
        number, posted = number + 1, posted + amount
        entry = {
            "actor": actor,
            "amount": amount,
            "balance_after": posted,
            "created_at": version["at"]["S"],
            "currency": "USD",
            "customer_id": customer,
            "id": str(uuid5(namespace, f"{customer}/{number}")),
            "idempotency_key": f"k{number}",
            "kind": "GRANT",
            "previous_hash": previous,
            "purchase_id": None,
            "reason": "because",
            "refund_id": None,
            "sequence": number,
        }
        text = json.dumps(entry, sort_keys=True, separators=(",", ":"))
        previous_hash, previous = previous, hashlib.sha256(text.encode()).hexdigest()
        item: dict[str, AttributeValueTypeDef] = {
            "pk": version["pk"],
            "sk": {"S": f"VERSION#{number:016d}"},
            "version": {"N": str(number)},
            "kind": {"S": "GRANT"},
            "amount": {"N": str(amount)},
            "currency": {"S": "USD"},
            "posted": {"N": str(posted)},
            "held": {"N": "0"},
            "sequence": {"N": str(number)},
            "purchases": {"N": "0"},
            "entry_hash": {"S": previous},
            "actor": {"S": actor},
            "reason": {"S": "because"},
            "idempotency_key": {"S": f"k{number}"},
            "at": version["at"],
            "previous_hash": {"S": previous_hash},
        }
        stored_hash = version_hash(plain(item), previous=stored_hash)
        item["hash"] = {"S": stored_hash}
        made.append(item)
    return made
