#!/usr/bin/env python3
"""Checks statements of customer credit without asking the system that made them.

    python verify_statement.py --keys jwks.json statement.json [later.json ...]

Each FILE is an answer of GET /customers/{id}/credit/statement, or a list of all its pages. This
checks, of each, the numbers, sums and hashes of its entries, and the signature. Given several
statements of one customer it also proves that they tell one history: that no entry of an earlier
one was changed or is gone in a later one, and that none is missing between them.

It exits with 0 if all is right, and otherwise with 1 and a sentence that says which entry of which
file is wrong. It needs Python 3.11 or later, and for signatures the package `cryptography`. What is
hashed and signed is specified in docs/data-model.md, "Verifying a balance".
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Object: TypeAlias = "dict[str, Json]"

ZEROS: Final = "0" * 64
"""The hash before the first entry."""
HASHED: Final = (
    *("actor", "amount", "balance_after", "created_at", "currency", "customer_id", "id"),
    *("idempotency_key", "kind", "previous_hash", "purchase_id", "reason", "refund_id", "sequence"),
)
"""The fields of an entry that its hash covers."""
NUMBERS: Final = ("amount", "balance_after", "sequence")
OPTIONAL: Final = ("purchase_id", "refund_id")


class WrongError(Exception):
    """What is wrong, in a sentence."""


@dataclass(frozen=True)
class Position:
    """Where the ledger stands after an entry."""

    sequence: int
    balance: int
    hash: str


@dataclass(frozen=True)
class Statement:
    """What a file says."""

    file: str
    signed: bytes
    signature: str
    customer_id: str
    currency: str
    starts_at: str | None
    ends_at: str | None
    issued_at: str
    is_first_page: bool
    is_last_page: bool
    opening: Position
    entries: list[Object]
    closing: Position


def main(arguments: list[str] | None = None) -> int:
    """Check the files that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a statement, as JSON")
    keys = parser.add_mutually_exclusive_group(required=True)
    keys.add_argument(
        "--keys", metavar="JWKS", help="a file or an https address with the public keys"
    )
    keys.add_argument(
        "--without-signature", action="store_true", help="do not check who made the statements"
    )
    told = parser.parse_args(arguments)
    try:
        statements = [one for file in told.files for one in read_statements(Path(file))]
        for statement in statements:
            check_entries(statement)
        if told.keys is not None:
            known = read_keys(told.keys)
            for statement in statements:
                check_signature(statement, known)
        check_history(statements)
    except WrongError as error:
        print(error, file=sys.stderr)  # noqa: T201 - for the person who runs this
        return 1
    for statement in statements:
        print(_summary(statement, signed=told.keys is not None))  # noqa: T201
    if len(statements) > 1:
        print("Together they tell one history, without a gap.")  # noqa: T201
    return 0


def read_statements(path: Path) -> list[Statement]:
    """The statement in a file, or the pages of one, in a list.

    Raises:
        WrongError: there is none, or one is not whole.
    """
    content = _read_json(path)
    if not isinstance(content, list):
        return [_statement(content, path.name)]
    if not content:
        raise WrongError(f"{path.name} is empty: this is not a statement.")
    return [_statement(page, f"{path.name}, page {n}") for n, page in enumerate(content, 1)]


def _statement(content: Json, name: str) -> Statement:
    document = _object(content, name)
    statement = _object(document.get("statement"), f"{name}: statement")
    where = f"{name}: "
    entries = statement.get("entries")
    if not isinstance(entries, list):
        raise WrongError(f"{where}entries is missing: this is not a statement.")
    signed = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return Statement(
        file=name,
        signed=signed.encode("ascii"),
        signature=_text(document, "signature", where),
        customer_id=_text(statement, "customer_id", where),
        currency=_text(statement, "currency", where),
        starts_at=_optional_text(statement, "starts_at", where),
        ends_at=_optional_text(statement, "ends_at", where),
        issued_at=_text(statement, "issued_at", where),
        is_first_page=_flag(statement, "is_first_page", where),
        is_last_page=_flag(statement, "is_last_page", where),
        opening=_position(statement, "opening", where),
        entries=[_object(entry, f"{where}entry {n}") for n, entry in enumerate(entries, 1)],
        closing=_position(statement, "closing", where),
    )


def check_entries(statement: Statement) -> None:
    """Check that the entries lead from the opening to the closing balance, within the period.

    Raises:
        WrongError: names the first entry that does not follow from what is before it.
    """
    where, at = statement.file, statement.opening
    if at.sequence == 0 and (at.balance, at.hash) != (0, ZEROS):
        raise WrongError(f"{where}: before the first entry there is neither a balance nor a hash.")
    if statement.is_first_page and statement.starts_at is None and at.sequence != 0:
        raise WrongError(f"{where}: it begins with the first entry, but opens after {at.sequence}.")
    time = statement.starts_at or ""
    for entry in statement.entries:
        named = f"{where}: entry {at.sequence + 1}"
        values = {name: _hashed_value(entry, name, named) for name in HASHED}
        amount, balance, sequence = (_number(entry, name, f"{named}: ") for name in NUMBERS)
        created_at = _text(entry, "created_at", f"{named}: ")
        if sequence != at.sequence + 1:
            raise WrongError(f"{named} is missing; entry {sequence} is in its place.")
        if (values["customer_id"], values["currency"]) != (
            statement.customer_id,
            statement.currency,
        ):
            raise WrongError(f"{named} belongs to another customer, or has another currency.")
        if balance != at.balance + amount:
            raise WrongError(f"{named}: balance_after is not the sum of the amounts.")
        if values["previous_hash"] != at.hash:
            raise WrongError(f"{named}: previous_hash is not the hash of the entry before it.")
        if _text(entry, "hash", f"{named}: ") != _hash(values):
            raise WrongError(f"{named} was changed: its hash does not match it.")
        if created_at < time or (statement.ends_at is not None and created_at >= statement.ends_at):
            raise WrongError(f"{named} is out of its time.")
        at, time = Position(sequence, balance, _hash(values)), created_at
    if at != statement.closing:
        raise WrongError(
            f"{where}: the closing balance is not what the entries come to: entries are missing at "
            "the end, or it was changed."
        )


def check_signature(statement: Statement, keys: dict[str, Object]) -> None:
    """Check that one of the keys signed the statement.

    Raises:
        WrongError: it did not, or this cannot be known.
    """
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - not always there
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415
    except ImportError:
        raise WrongError(
            "Signatures need the package cryptography: python -m pip install cryptography"
        ) from None
    where = statement.file
    header_text, _, rest = statement.signature.partition(".")
    content, _, signature_text = rest.partition(".")
    try:
        header = _object(json.loads(_base64url(header_text)), f"{where}: the signature's header")
        signature = _base64url(signature_text)
    except ValueError:
        raise WrongError(f"{where}: the signature is not a JWS.") from None
    if content or header.keys() != {"alg", "kid"} or header["alg"] != "ES256":
        raise WrongError(f"{where}: the signature is not of the kind that statements have.")
    key = keys.get(str(header["kid"]))
    if key is None:
        raise WrongError(f"{where}: it was signed by key {header['kid']}, which is not given.")
    payload = base64.urlsafe_b64encode(statement.signed).rstrip(b"=")
    try:
        x, y = (
            int.from_bytes(_base64url(_text(key, name, "the key: ")), "big") for name in ("x", "y")
        )
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        public.verify(
            utils.encode_dss_signature(
                int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
            ),
            header_text.encode("ascii") + b"." + payload,
            ec.ECDSA(hashes.SHA256()),
        )
    except (InvalidSignature, ValueError):
        raise WrongError(
            f"{where}: the signature does not match: the statement was changed after it was signed."
        ) from None
    if len(signature) != 64:
        raise WrongError(f"{where}: the signature does not have 64 bytes.")


def check_history(statements: list[Statement]) -> None:
    """Check that all statements tell one history of one customer.

    Raises:
        WrongError: two contradict each other, or something between them is missing.
    """
    first, *_ = statements
    for statement in statements:
        if (statement.customer_id, statement.currency) != (first.customer_id, first.currency):
            raise WrongError(f"{statement.file} is about another customer than {first.file}.")
    seen: dict[int, tuple[Position, str, Statement]] = {}
    # In the order in which they were issued: what an earlier one told must still be there.
    for statement in sorted(statements, key=lambda one: one.issued_at):
        positions = _positions(statement)
        for position, created_at in positions:
            known = seen.get(position.sequence)
            if known is not None and known[0] != position:
                raise WrongError(
                    f"{statement.file}: entry {position.sequence} is not the one that "
                    f"{known[2].file} has: the history was rewritten."
                )
            if known is None or not known[1]:
                seen[position.sequence] = (position, created_at, statement)
        for sequence, (_, created_at, earlier) in sorted(seen.items()):
            ends_at = statement.ends_at
            if (
                statement.is_last_page
                and sequence > statement.closing.sequence
                and (ends_at is None or (created_at and created_at < ends_at))
            ):
                raise WrongError(
                    f"{statement.file}: entry {sequence}, which {earlier.file} has, is gone."
                )
    reached: Statement | None = None
    for statement in sorted(statements, key=lambda one: (one.opening.sequence, one.file)):
        if reached is not None and statement.opening.sequence > reached.closing.sequence:
            between = f"{reached.closing.sequence + 1} to {statement.opening.sequence}"
            why = "Add a statement that has them."
            if _was_early(reached):
                why = (
                    f"{reached.file} was issued less than a minute after its period had ended, "
                    "when a change of that period could still be under way: ask for it again."
                )
            raise WrongError(
                f"Entries {between} are in none of the files: {statement.file} does not continue "
                f"{reached.file}. {why}"
            )
        if reached is None or statement.closing.sequence > reached.closing.sequence:
            reached = statement


def _was_early(statement: Statement) -> bool:
    """Whether entries of its period could come after it: a change is written after its time."""
    if statement.ends_at is None:
        return False
    ended, issued = map(datetime.fromisoformat, (statement.ends_at, statement.issued_at))
    return issued - ended < timedelta(minutes=1)


def _positions(statement: Statement) -> list[tuple[Position, str]]:
    """Each position that a statement tells, with the time of its entry, if it has that."""
    where = f"{statement.file}: "
    entries = [
        (
            Position(
                _number(entry, "sequence", where),
                _number(entry, "balance_after", where),
                _text(entry, "hash", where),
            ),
            _text(entry, "created_at", where),
        )
        for entry in statement.entries
    ]
    return [(statement.opening, ""), *entries]


def read_keys(source: str) -> dict[str, Object]:
    """The public keys in a JWK set, by their names.

    Raises:
        WrongError: there are none.
    """
    if source.startswith(("https://", "http://")):
        try:
            with urllib.request.urlopen(source, timeout=30) as answer:  # noqa: S310 - http(s) only
                text = answer.read().decode()
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise WrongError(f"The keys cannot be read from {source}: {error}.") from None
        document = _parse(text, source)
    else:
        document = _read_json(Path(source))
    keys = _object(document, source).get("keys")
    found: dict[str, Object] = {}
    for key in keys if isinstance(keys, list) else []:
        made = _object(key, f"{source}: a key")
        if (made.get("kty"), made.get("crv")) == ("EC", "P-256"):
            found[str(made.get("kid"))] = made
    if not found:
        raise WrongError(f"{source} has no keys for statements.")
    return found


def _summary(statement: Statement, *, signed: bool) -> str:
    opening, closing = statement.opening, statement.closing
    numbers = f"entries {opening.sequence + 1} to {closing.sequence}"
    if not statement.entries:
        numbers = f"no entries after {opening.sequence}"
    complete = statement.is_first_page and statement.is_last_page
    return (
        f"{statement.file}: right. {numbers[0].upper()}{numbers[1:]}, from "
        f"{_amount(opening.balance)} to {_amount(closing.balance)} {statement.currency}, issued "
        f"{statement.issued_at}"
        f"{'' if complete else ', a page of a longer statement'}"
        f"{'' if signed else ', signature not checked'}."
    )


def _amount(minor: int) -> str:
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def _hash(values: dict[str, Json]) -> str:
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _hashed_value(entry: Object, name: str, named: str) -> Json:
    if name in NUMBERS:
        return _number(entry, name, f"{named}: ")
    if name in OPTIONAL:
        return _optional_text(entry, name, f"{named}: ")
    return _text(entry, name, f"{named}: ")


def _read_json(path: Path) -> Json:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WrongError(f"There is no file {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise WrongError(f"{path.name} cannot be read: {error}.") from None
    return _parse(text, path.name)


def _parse(text: str, where: str) -> Json:
    try:
        document: Json = json.loads(text)
    except (ValueError, RecursionError):
        raise WrongError(
            f"{where} is not whole JSON: it was cut off, or is another kind of file."
        ) from None
    return document


def _object(value: Json, where: str) -> Object:
    if not isinstance(value, dict):
        raise WrongError(f"{where} is missing or not an object: this is not a statement.")
    return value


def _text(of: Object, name: str, where: str) -> str:
    value = of.get(name)
    if not isinstance(value, str):
        raise WrongError(f"{where}{name} is missing or not text.")
    return value


def _optional_text(of: Object, name: str, where: str) -> str | None:
    return None if name in of and of[name] is None else _text(of, name, where)


def _number(of: Object, name: str, where: str) -> int:
    value = of.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongError(f"{where}{name} is missing or not a whole number.")
    return value


def _flag(of: Object, name: str, where: str) -> bool:
    value = of.get(name)
    if not isinstance(value, bool):
        raise WrongError(f"{where}{name} is missing or neither true nor false.")
    return value


def _position(of: Object, name: str, where: str) -> Position:
    position = _object(of.get(name), f"{where}{name}")
    named = f"{where}{name}: "
    return Position(
        _number(position, "sequence", named),
        _number(position, "balance", named),
        _text(position, "hash", named),
    )


def _base64url(text: str) -> bytes:
    try:
        return base64.b64decode(
            (text + "=" * (-len(text) % 4)).encode("ascii"), altchars=b"-_", validate=True
        )
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64url") from error


if __name__ == "__main__":
    sys.exit(main())
