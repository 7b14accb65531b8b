"""The verifier of statements: what it finds, and what it says.

It runs as a customer would run it: one file, in a process of its own.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
VERIFIER = ROOT / "tools" / "verify_statement.py"
VECTORS = ROOT / "docs" / "vectors"

Document = dict[str, Any]
KEY = ec.generate_private_key(ec.SECP256R1())
CUSTOMER = "c0000000-0000-4000-8000-000000000003"


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def canonical(value: Document) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def signed(statement: Document, key: ec.EllipticCurvePrivateKey = KEY) -> Document:
    header = base64url(canonical({"alg": "ES256", "kid": "k1"}))
    signature = key.sign(
        f"{header}.{base64url(canonical(statement))}".encode(), ec.ECDSA(hashes.SHA256())
    )
    numbers = utils.decode_dss_signature(signature)
    raw = b"".join(number.to_bytes(32, "big") for number in numbers)
    return {"statement": statement, "signature": f"{header}..{base64url(raw)}", "next_cursor": None}


def jwks() -> Document:
    numbers = KEY.public_key().public_numbers()
    x, y = (base64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"keys": [{"kty": "EC", "crv": "P-256", "kid": "k1", "x": x, "y": y}]}


def entry(sequence: int, amount: int, before: Document, **changes: object) -> Document:
    made: Document = {
        "id": f"00000000-0000-4000-8000-{sequence:012d}",
        "customer_id": CUSTOMER,
        "sequence": sequence,
        "kind": "GRANT" if amount > 0 else "DEDUCTION",
        "amount": amount,
        "currency": "USD",
        "balance_after": before["balance"] + amount,
        "reason": f"Reason {sequence} \u00e9",
        "actor": "rita",
        "purchase_id": None,
        "refund_id": None,
        "idempotency_key": f"key-{sequence}",
        "previous_hash": before["hash"],
        "created_at": f"2026-11-{sequence:02d}T12:00:00.000000Z",
        **changes,
    }
    return {**made, "hash": hashlib.sha256(canonical(made)).hexdigest()}


def chain(amounts: list[int], **changes: object) -> list[Document]:
    at: Document = {"sequence": 0, "balance": 0, "hash": "0" * 64}
    entries = []
    for number, amount in enumerate(amounts, 1):
        made = entry(number, amount, at, **(changes if number == 2 else {}))
        at = {"sequence": number, "balance": made["balance_after"], "hash": made["hash"]}
        entries.append(made)
    return entries


def position(entries: list[Document], sequence: int) -> Document:
    if sequence == 0:
        return {"sequence": 0, "balance": 0, "hash": "0" * 64}
    found = entries[sequence - 1]
    return {"sequence": sequence, "balance": found["balance_after"], "hash": found["hash"]}


def statement(
    entries: list[Document],
    first: int = 1,
    last: int | None = None,
    *,
    issued: int = 20,
    **changes: object,
) -> Document:
    last = len(entries) if last is None else last
    return {
        "customer_id": CUSTOMER,
        "currency": "USD",
        "starts_at": None if first == 1 else f"2026-11-{first:02d}T00:00:00.000000Z",
        "ends_at": None if last == len(entries) else f"2026-11-{last + 1:02d}T00:00:00.000000Z",
        "issued_at": f"2026-11-{issued:02d}T12:00:00.000000Z",
        "is_first_page": True,
        "is_last_page": True,
        "opening": position(entries, first - 1),
        "entries": copy.deepcopy(entries[first - 1 : last]),
        "closing": position(entries, last),
        **changes,
    }


class Desk:
    """A folder with statements, and the verifier next to them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "jwks.json").write_text(json.dumps(jwks()))

    def verify(self, *documents: Document | str, keys: str = "jwks.json") -> tuple[int, str]:
        """The exit status, and what was said of a.json, b.json and so on."""
        names = []
        for letter, document in zip("abcdef", documents, strict=False):
            names.append(f"{letter}.json")
            text = document if isinstance(document, str) else json.dumps(document, indent=2)
            (self._folder / names[-1]).write_text(text)
        ended = subprocess.run(
            [sys.executable, str(VERIFIER), "--keys", keys, *names],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in ended.stderr
        assert bool(ended.stderr) == bool(ended.returncode)
        return ended.returncode, (ended.stdout + ended.stderr).strip()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


ENTRIES = chain([4000, -500, 100, 250])


def test_a_right_statement_is_right(desk: Desk) -> None:
    status, said = desk.verify(signed(statement(ENTRIES)))
    assert (status, said) == (
        0,
        "a.json: right. Entries 1 to 4, from 0.00 to 38.50 USD, issued "
        "2026-11-20T12:00:00.000000Z.",
    )


def test_a_part_and_an_empty_statement_are_right(desk: Desk) -> None:
    assert desk.verify(signed(statement(ENTRIES, 2, 3)))[0] == 0
    status, said = desk.verify(signed(statement([])))
    assert (status, "No entries after 0" in said) == (0, True)


def changed(change: Callable[[Document], object]) -> Document:
    made = statement(ENTRIES)
    change(made)
    return made


def set_in(number: int, **values: object) -> Callable[[Document], object]:
    return lambda made: made["entries"][number - 1].update(values)


@pytest.mark.parametrize(
    ("tampered", "said"),
    [
        (changed(set_in(2, reason="Another")), "entry 2 was changed"),
        (changed(set_in(3, actor="mallory")), "entry 3 was changed"),
        (changed(set_in(3, amount=200)), "entry 3: balance_after is not the sum"),
        (changed(set_in(3, amount=200, balance_after=3700)), "entry 3 was changed"),
        (changed(set_in(1, customer_id=CUSTOMER.replace("3", "4"))), "entry 1 belongs to another"),
        (changed(set_in(4, created_at="2026-11-01T00:00:00.000000Z")), "entry 4 was changed"),
        (changed(lambda made: made["entries"].pop(1)), "entry 2 is missing; entry 3"),
        (changed(lambda made: made["entries"].pop(0)), "entry 1 is missing; entry 2"),
        (changed(lambda made: made["entries"].pop()), "entries are missing at the end"),
        (changed(lambda made: made["entries"].insert(1, ENTRIES[0])), "entry 2 is missing"),
        (changed(lambda made: made["closing"].update(balance=1)), "the closing balance"),
        (changed(lambda made: made["opening"].update(balance=1)), "there is neither a balance"),
        (statement(ENTRIES, 2, starts_at=None), "begins with the first entry"),
        (statement(ENTRIES, 2, 3, ends_at="2026-11-03T00:00:00.000000Z"), "entry 3 is out of"),
    ],
)
def test_a_touched_entry_is_named_even_if_the_statement_is_signed(
    desk: Desk, tampered: Document, said: str
) -> None:
    status, sentence = desk.verify(signed(tampered))
    assert status == 1
    assert said in sentence
    assert sentence.count("\n") == 0


def test_the_signature_covers_everything_else(desk: Desk) -> None:
    right = signed(statement(ENTRIES))
    for name, value in (
        ("issued_at", "2026-11-21T12:00:00.000000Z"),
        ("starts_at", "2026-10-01T00:00:00.000000Z"),
        ("is_last_page", False),
    ):
        forged = {**right, "statement": {**right["statement"], name: value}}
        status, said = desk.verify(forged)
        assert (status, "the signature does not match" in said) == (1, True), name
    other = ec.generate_private_key(ec.SECP256R1())
    assert desk.verify(signed(statement(ENTRIES), other))[0] == 1
    for signature in ("", "a.b.c", "..", right["signature"][:-4], right["signature"] + "AAAA", "é"):
        assert desk.verify({**right, "signature": signature})[0] == 1, signature


def test_a_kept_statement_finds_a_rewritten_history(desk: Desk) -> None:
    kept = signed(statement(ENTRIES, issued=5))
    rewritten = signed(statement(chain([4000, -500, 100, 250, 7], reason="x"), issued=6))
    status, said = desk.verify(rewritten, kept)
    assert status == 1
    assert said == ("a.json: entry 2 is not the one that b.json has: the history was rewritten.")


def test_a_kept_statement_finds_removed_newest_entries(desk: Desk) -> None:
    kept = signed(statement(ENTRIES, issued=5))
    status, said = desk.verify(kept, signed(statement(ENTRIES[:3], issued=6)))
    assert (status, said) == (1, "b.json: entry 4, which a.json has, is gone.")
    # With its period's end, too; but not if the period ends before the entry.
    assert (
        desk.verify(
            kept, signed(statement(ENTRIES[:3], issued=6, ends_at="2026-11-05T00:00:00.000000Z"))
        )[0]
        == 1
    )
    assert desk.verify(kept, signed(statement(ENTRIES, 1, 3, issued=6)))[0] == 0


def test_a_later_statement_continues_an_earlier_one(desk: Desk) -> None:
    longer = [*ENTRIES, entry(5, 1, position(ENTRIES, 4))]
    for first in (1, 3, 5):
        later = signed(statement(longer, first, issued=21))
        status, said = desk.verify(later, signed(statement(ENTRIES)))
        assert status == 0
        assert said.endswith("Together they tell one history, without a gap.")


def test_a_gap_is_named(desk: Desk) -> None:
    longer = [*ENTRIES, entry(5, 1, position(ENTRIES, 4))]
    status, said = desk.verify(
        signed(statement(longer, 1, 2)), signed(statement(longer, 5, issued=21))
    )
    assert status == 1
    assert said.startswith("Entries 3 to 4 are in none of the files")
    assert said.endswith("Add a statement that has them.")


def test_a_gap_after_a_statement_of_a_moment_ago_is_explained(desk: Desk) -> None:
    """A change gets its time before it is written, and may be written after the statement."""
    longer = [*ENTRIES, entry(5, 1, position(ENTRIES, 4))]
    early = statement(longer, 1, 2, ends_at="2026-11-20T11:59:01.000000Z")
    status, said = desk.verify(signed(early), signed(statement(longer, 5, issued=21)))
    assert status == 1
    assert said.endswith("a change of that period could still be under way: ask for it again.")


def test_a_file_may_have_all_pages(desk: Desk) -> None:
    pages = [
        signed(statement(ENTRIES, 1, 2, is_last_page=False, ends_at=None)),
        signed(statement(ENTRIES, 3, 4, starts_at=None, is_first_page=False)),
    ]
    assert desk.verify(json.dumps(pages))[0] == 0
    pages[1]["statement"]["entries"][0]["actor"] = "mallory"
    status, said = desk.verify(json.dumps(pages))
    assert (status, said) == (
        1,
        "a.json, page 2: entry 3 was changed: its hash does not match it.",
    )
    assert desk.verify("[]") == (1, "a.json is empty: this is not a statement.")


def test_statements_of_two_customers_are_told_apart(desk: Desk) -> None:
    other = signed(statement([], customer_id="c0000000-0000-4000-8000-000000000004"))
    status, said = desk.verify(signed(statement(ENTRIES)), other)
    assert (status, said) == (1, "b.json is about another customer than a.json.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "7",
        "[" * 100_000,
        '{"statement": {}, "signature": ""}',
        '{"statement": [], "signature": ""}',
        json.dumps(signed(statement(ENTRIES)))[:900],
        json.dumps(signed({**statement(ENTRIES), "entries": [None]})),
        json.dumps(signed({**statement(ENTRIES), "entries": [{}]})),
        json.dumps(signed({**statement(ENTRIES), "opening": None})),
        json.dumps(signed(statement(ENTRIES) | {"is_first_page": "yes"})),
        json.dumps(jwks()),
        "PK\x03\x04",
    ],
)
def test_anything_else_is_refused_in_one_sentence(desk: Desk, text: str) -> None:
    status, said = desk.verify(text)
    assert status == 1
    assert said.startswith("a.json")
    assert said.count("\n") == 0


def test_missing_files_and_keys_are_named(desk: Desk, tmp_path: Path) -> None:
    right = signed(statement(ENTRIES))
    assert desk.verify(right, keys="nowhere.json") == (1, "There is no file nowhere.json.")
    (tmp_path / "empty.json").write_text('{"keys": []}')
    assert desk.verify(right, keys="empty.json") == (1, "empty.json has no keys for statements.")
    other = {"keys": [{**jwks()["keys"][0], "kid": "k2"}]}
    (tmp_path / "other.json").write_text(json.dumps(other))
    status, said = desk.verify(right, keys="other.json")
    assert (status, "signed by key k1, which is not given" in said) == (1, True)


def test_the_committed_vectors_are_right(desk: Desk) -> None:
    jwks_file = str(VECTORS / "jwks.json")
    for name in ("statement.json", "page-1.json", "page-2.json"):
        status, said = desk.verify((VECTORS / name).read_text(), keys=jwks_file)
        assert (status, said) == (0, said), said
    pages = [(VECTORS / f"page-{n}.json").read_text() for n in (1, 2)]
    assert desk.verify(*pages, keys=jwks_file)[0] == 0
    wrong = sorted(VECTORS.glob("wrong-*.json"))
    assert len(wrong) >= 3
    for path in wrong:
        assert desk.verify(path.read_text(), keys=jwks_file)[0] == 1, path.name
