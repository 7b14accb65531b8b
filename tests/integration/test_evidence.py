"""Every tampering, done in the running system's tables and then undone: who finds it."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID, uuid4

import pytest
from botocore.config import Config

from evidence.audit import Audit, Place, Step
from evidence.chain import entry_hash, version_hash
from evidence.items import plain
from evidence.journal import Journal, canonical
from evidence.rounds import ROUND_EVERY, Round
from evidence.tables import Tables
from local.upstream.behaviour import Behaviour, Drop, Refuse
from tests.integration.functions import WATCHER
from tests.integration.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import boto3
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.functions import Functions
    from tests.integration.shop import Shop
    from tests.under_test import Emulated

    Item: TypeAlias = dict[str, AttributeValueTypeDef]


@dataclass(frozen=True)
class Books:
    """The account of a customer in the tables, and what an intruder does there."""

    client: DynamoDBClient
    evidence: Tables
    journal: Journal
    customer: UUID
    purchase: UUID
    lost: UUID
    """An attempt of unknown outcome."""
    refused: UUID
    """A voided attempt, with what the carrier said."""
    orphaned: UUID
    """A voided attempt with an open orphan shipment."""
    code: str
    """The promo code of the purchase."""

    @property
    def audit(self) -> Audit:
        """In two hours, since an audit leaves what was noted lately to the watcher.

        It does not wait before it reads again what looks wrong: nothing else writes here.
        """
        later = datetime.now(UTC) + timedelta(hours=2)
        return Audit(self.evidence, self.journal, pause=lambda _: None, now=lambda: later)

    def findings(self) -> list[str]:
        """What an audit finds in the account, and in what it names."""
        return [str(finding) for finding in self.audit.account(str(self.customer))]

    @property
    def names(self) -> list[str]:
        """What a finding names, if it is about these books."""
        return [self.code, *map(str, (self.customer, *self.attempts))]

    def watched(self) -> list[str]:
        """What the watcher has found in the account and the promo code so far."""
        s3, bucket = self.journal.client, self.journal.bucket
        bodies = (
            s3.get_object(Bucket=bucket, Key=each["Key"])["Body"]
            for where in (self.account, f"PROMO#{self.code}")
            for each in s3.list_objects_v2(Bucket=bucket, Prefix=f"findings/{where}/").get(
                "Contents", []
            )
        )
        return [json.loads(body.read())["fault"] for body in bodies]

    def table(self, pk: str) -> str:
        return self.evidence.ledger if pk.startswith("ACCOUNT#") else self.evidence.purchases

    def items(self, pk: str) -> list[Item]:
        answer = self.client.query(
            TableName=self.table(pk),
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
        )
        return [dict(item) for item in answer["Items"]]

    @property
    def account(self) -> str:
        return f"ACCOUNT#{self.customer}"

    @property
    def attempts(self) -> tuple[UUID, ...]:
        return self.purchase, self.lost, self.refused, self.orphaned

    @property
    def partitions(self) -> list[str]:
        """All that the customer's doings are written in."""
        return [
            self.account,
            *(f"PURCHASE#{each}" for each in self.attempts),
            f"PROMO#{self.code}",
        ]

    def versions(self) -> list[Item]:
        return [i for i in self.items(self.account) if i["sk"]["S"].startswith("VERSION#")]

    def put(self, items: Sequence[Item]) -> None:
        for item in items:
            self.client.put_item(TableName=self.table(item["pk"]["S"]), Item=item)

    def drop(self, items: Sequence[Item]) -> None:
        for item in items:
            key = {"pk": item["pk"], "sk": item["sk"]}
            self.client.delete_item(TableName=self.table(item["pk"]["S"]), Key=key)

    def attempt(self, attempt_id: UUID) -> Item:
        return next(i for i in self.items(f"PURCHASE#{attempt_id}") if i["sk"]["S"] == "PURCHASE")

    def change(self, item: Item, **attributes: AttributeValueTypeDef) -> None:
        self.put([{**item, **attributes}])


@pytest.fixture(scope="module")
def stage(aws: boto3.Session, emulated: Emulated, functions: Functions) -> tuple[Tables, Journal]:
    """The tables and the journal."""
    client = aws.client("dynamodb", endpoint_url=emulated.url)
    by_path = Config(s3={"addressing_style": "path"})
    s3 = aws.client("s3", endpoint_url=emulated.url, config=by_path)
    return (
        Tables(client, ledger=emulated.ledger_table, purchases=emulated.purchases_table),
        Journal(s3, functions.environment(WATCHER)["TILL_JOURNAL"]),
    )


@pytest.fixture(scope="module")
def open_books(
    stage: tuple[Tables, Journal],
    till: TillClient,
    shop: Shop,
    upstream: StandInControl,
    functions: Functions,
) -> Callable[[int], list[Books]]:
    """Makes customers: granted, bought, refunded, refused, deducted, one orphan, one unknown."""
    evidence, journal = stage

    def lost(customer: UUID) -> UUID:
        product = shop.product("7.00")
        upstream.plan_shipments(product.sku, Behaviour(answer=Drop(), record=False))
        attempt = till.buy(customer, product.id).refused(504, "shipment-outcome-unknown").attempt_id
        assert attempt is not None
        return attempt

    def make(count: int) -> list[Books]:
        customers = [shop.customer(credit=100_00) for _ in range(count)]
        with functions.configured("create_purchase", TILL_UNKNOWN_DEADLINE_SECONDS="0.1"):
            orphaned = [lost(customer) for customer in customers]
        for attempt_id in orphaned:
            until(partial(voided, attempt_id), "the recovery voids it at its deadline")
        return [shopped(*pair) for pair in zip(customers, orphaned, strict=True)]

    def shopped(customer: UUID, orphaned: UUID) -> Books:
        code = f"E-{uuid4().hex[:12]}".upper()
        terms = {"code": code, "discount": {"type": "percentage", "percent": 10}}
        assert till.send("POST", "/promo-codes", json=terms).status_code == 201
        bought = till.buy(customer, shop.product("10.00").id, 2, promo_code=code).result()
        till.refund(bought.id, amount=500).result()
        refused = shop.product("3.00")
        upstream.plan_shipments(refused.sku, Behaviour(answer=Refuse(status=400)))
        assert not till.buy(customer, refused.id).ok
        till.deduct(customer, 100).result()
        unknown = lost(customer)
        voids = [v for v in evidence.account(str(customer)) if v.get("kind") == "VOID"]
        books = Books(
            *(evidence.client, evidence, journal, customer, bought.id, unknown),
            refused=UUID(str(voids[-1]["attempt_id"])),
            orphaned=orphaned,
            code=code,
        )
        until(lambda: is_journalled(books), "all that was written is in the journal")
        return books

    def voided(attempt_id: UUID) -> bool:
        functions.recover()
        return till.attempt(attempt_id).result().state == "VOIDED"

    return make


@pytest.fixture(scope="module")
def books(open_books: Callable[[int], list[Books]]) -> Books:
    (books,) = open_books(1)
    return books


def is_journalled(books: Books) -> bool:
    newest, journalled = books.versions()[-1], books.journal.newest(str(books.customer))
    noted = [books.journal.answers(str(each))[0] for each in (books.refused, books.orphaned)]
    return journalled is not None and journalled.hash == newest["hash"]["S"] and [] not in noted


@contextmanager
def undone(books: Books) -> Iterator[None]:
    """What was tampered with is as it was when the block ends."""
    keys = books.partitions
    before = [item for key in keys for item in books.items(key)]
    try:
        yield
    finally:
        books.drop([item for key in keys for item in books.items(key)])
        books.put(before)
    assert books.findings() == []


def of_kind(books: Books, kind: str) -> Item:
    return next(version for version in books.versions() if version["kind"]["S"] == kind)


def request_of(books: Books, version: Item) -> list[Item]:
    return [
        item
        for item in books.items(books.account)
        if item["sk"]["S"].startswith("REQUEST#") and item["version"] == version["version"]
    ]


def purchase_of(books: Books) -> Item:
    return books.attempt(books.purchase)


def refund_of(books: Books) -> Item:
    return next(i for i in books.items(f"PURCHASE#{books.purchase}") if i["sk"]["S"] != "PURCHASE")


def change_an_entry(books: Books) -> None:
    books.change(of_kind(books, "REFUND"), reason={"S": "because"})


def rehash_an_entry(books: Books) -> None:
    versions = books.versions()
    forged: Item = {**versions[2], "reason": {"S": "because"}}
    previous = versions[1]["hash"]["S"]
    books.put([{**forged, "hash": {"S": version_hash(plain(forged), previous=previous)}}])


def spoil_a_version(books: Books) -> None:
    books.change(of_kind(books, "REFUND"), amount={"B": b"?"})


def drop_a_version(books: Books) -> None:
    books.drop([of_kind(books, "DEDUCTION")])


def drop_the_newest_versions(books: Books) -> None:
    books.drop(books.versions()[-2:])


def change_the_actor_of_a_hold(books: Books) -> None:
    books.change(of_kind(books, "HOLD"), actor={"S": "eve"})


def drop_the_newest_version_and_its_request(books: Books) -> None:
    """Nothing that is left in the tables tells of it."""
    newest = of_kind(books, "DEDUCTION")
    assert newest == books.versions()[-3]
    books.drop([*books.versions()[-2:], *books.items(f"PURCHASE#{books.lost}")])
    books.drop([newest, *request_of(books, newest)])


def rewrite_the_whole_chain(books: Books) -> None:
    """With right hashes, and every actor another."""
    before: Item | None = None
    for version in books.versions():
        forged: Item = {**version, "actor": {"S": "eve"}}
        if before is not None:
            forged["entry_hash"] = before["entry_hash"]
        if "previous_hash" in forged:
            forged["previous_hash"] = before["entry_hash"] if before else {"S": "0" * 64}
            forged["entry_hash"] = {"S": entry_hash(plain(forged))}
        previous = before["hash"]["S"] if before else ""
        forged["hash"] = {"S": version_hash(plain(forged), previous=previous)}
        books.put([forged])
        before = forged


def empty_the_open_attempts(books: Books) -> None:
    newest = books.versions()[-1]
    del newest["open_attempts"]
    books.put([{**newest, "held": {"N": "0"}}])


def forge_a_void(books: Books) -> Item:
    newest = books.versions()[-1]
    forged: Item = {
        **newest,
        "kind": {"S": "VOID"},
        "amount": {"N": "-700"},
        "held": {"N": "0"},
        "purchases": {"N": str(int(newest["purchases"]["N"]) - 1)},
    }
    del forged["open_attempts"]
    return _append(books, forged)


def forge_a_grant(books: Books) -> Item:
    newest = books.versions()[-1]
    of_others = {"attempt_id", "attempt_hash", "items_hash", "refund_id"}
    forged: Item = {
        **{name: value for name, value in newest.items() if name not in of_others},
        "kind": {"S": "GRANT"},
        "amount": {"N": "100000"},
        "posted": {"N": str(int(newest["posted"]["N"]) + 100_000)},
        "sequence": {"N": str(int(newest["sequence"]["N"]) + 1)},
        "idempotency_key": {"S": "forged"},
        "previous_hash": newest["entry_hash"],
    }
    forged["entry_hash"] = {"S": entry_hash(plain(forged))}
    return _append(books, forged)


def _append(books: Books, forged: Item) -> Item:
    newest = books.versions()[-1]
    number = int(newest["version"]["N"]) + 1
    forged["sk"], forged["version"] = {"S": f"VERSION#{number:016d}"}, {"N": str(number)}
    forged["hash"] = {"S": version_hash(plain(forged), previous=newest["hash"]["S"])}
    books.put([forged])
    return forged


def drop_a_request(books: Books) -> None:
    books.drop(request_of(books, of_kind(books, "DEDUCTION")))


def change_a_request(books: Books) -> None:
    (request,) = request_of(books, of_kind(books, "GRANT"))
    books.change(request, fingerprint={"S": "0" * 32})


def forge_a_request(books: Books) -> None:
    (request,) = request_of(books, of_kind(books, "GRANT"))
    sort_key = "REQUEST#grant_credit#forged"
    books.put([{**request, "sk": {"S": sort_key}, "idempotency_key": {"S": "forged"}}])


def send_it_elsewhere(books: Books) -> None:
    purchase = purchase_of(books)
    address = purchase["address"]["M"]
    books.change(purchase, address={"M": {**address, "line1": {"S": "1 Eve Street"}}})


def change_the_shipment(books: Books) -> None:
    books.change(purchase_of(books), shipment_id={"S": "shp_eve"})


def change_the_total(books: Books) -> None:
    books.change(purchase_of(books), total={"N": "1000"})


def change_who_refunded(books: Books) -> None:
    books.change(refund_of(books), actor={"S": "eve"})


def drop_a_refund(books: Books) -> None:
    books.drop([refund_of(books)])


def forget_a_refund(books: Books) -> None:
    purchase = purchase_of(books)
    books.change(purchase, refunded={"N": "0"}, refund_count={"N": "0"})


def move_a_deadline(books: Books) -> None:
    (attempt,) = books.items(f"PURCHASE#{books.lost}")
    books.change(attempt, deadline_at={"S": "2099-01-01T00:00:00.000000Z"})


def drop_an_attempt(books: Books) -> None:
    books.drop(books.items(f"PURCHASE#{books.lost}"))


def change_what_the_carrier_said(books: Books) -> None:
    attempt = books.attempt(books.refused)
    said: Item = {**attempt["carrier"]["M"], "kind": {"S": "unknown"}}
    books.change(attempt, carrier={"M": said})


def change_an_answer_as_till_would(books: Books) -> None:
    """With the next revision, from "not shipped" to another message of the carrier."""
    attempt = books.attempt(books.refused)
    revision = str(int(attempt["revision"]["N"]) + 1)
    said: Item = {**attempt["carrier"]["M"], "detail": {"S": "because"}}
    books.change(attempt, carrier={"M": said}, revision={"N": revision})


def forget_an_orphan(books: Books) -> None:
    """With a revision as Till would give it, and where Till would list it."""
    attempt = books.attempt(books.orphaned)
    del attempt["orphan"]
    revision = str(int(attempt["revision"]["N"]) + 1)
    shard = attempt["state_shard"]["S"].replace("ORPHAN_OPEN", "VOIDED")
    books.change(attempt, revision={"N": revision}, state_shard={"S": shard})


def hide_an_attempt_from_the_recovery(books: Books) -> None:
    books.change(books.attempt(books.lost), state_shard={"S": "VOIDED#0"})


def use_a_code_once_more(books: Books) -> None:
    code, customer = _of_the_code(books, "PROMO"), _of_the_code(books, "CUSTOMER#")
    books.change(code, redemptions={"N": "0"})
    books.change(customer, redemptions={"N": "0"})


def count_a_code_twice(books: Books) -> None:
    books.change(_of_the_code(books, "PROMO"), redemptions={"N": "7"})


def change_the_terms_of_a_code(books: Books) -> None:
    code = _of_the_code(books, "PROMO")
    terms: Item = {**code["terms"]["M"], "minimum_subtotal": {"N": "100000"}}
    books.change(code, terms={"M": terms})


def change_the_history_of_a_code(books: Books) -> None:
    books.change(_of_the_code(books, "VERSION#"), updated_by={"S": "eve"})


def _of_the_code(books: Books, sort_key: str) -> Item:
    items = books.items(f"PROMO#{books.code}")
    return next(item for item in items if item["sk"]["S"].startswith(sort_key))


TAMPERINGS: list[Callable[[Books], None]] = [
    change_an_entry,
    rehash_an_entry,
    spoil_a_version,
    drop_a_version,
    drop_the_newest_versions,
    drop_the_newest_version_and_its_request,
    rewrite_the_whole_chain,
    change_the_actor_of_a_hold,
    empty_the_open_attempts,
    drop_a_request,
    change_a_request,
    forge_a_request,
    send_it_elsewhere,
    change_the_shipment,
    change_the_total,
    change_who_refunded,
    drop_a_refund,
    forget_a_refund,
    move_a_deadline,
    drop_an_attempt,
    change_what_the_carrier_said,
    change_an_answer_as_till_would,
    forget_an_orphan,
    hide_an_attempt_from_the_recovery,
    use_a_code_once_more,
    count_a_code_twice,
    change_the_terms_of_a_code,
    change_the_history_of_a_code,
]


NEVER_IN_A_STREAM = [use_a_code_once_more]
"""Counts that move by one, as they do when a code is used or given back."""


@pytest.fixture(scope="module")
def tampered(
    open_books: Callable[[int], list[Books]],
) -> Iterator[Mapping[Callable[[Books], None], Books]]:
    """Each tampering, in the books of a customer of its own."""
    each = dict(zip(TAMPERINGS, open_books(len(TAMPERINGS)), strict=True))
    assert [books.watched() for books in each.values()] == [[]] * len(each)
    with ExitStack() as put_right:
        for tamper, books in each.items():
            put_right.enter_context(undone(books))
            tamper(books)
        yield each


@pytest.fixture(scope="module")
def audited(tampered: Mapping[Callable[[Books], None], Books]) -> list[str]:
    """What an audit of everything finds then."""
    audit = next(iter(tampered.values())).audit
    return [str(finding) for progress in audit() for finding in progress.findings]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_the_watcher_finds_it(
    tampered: Mapping[Callable[[Books], None], Books], tamper: Callable[[Books], None]
) -> None:
    books = tampered[tamper]
    if tamper in NEVER_IN_A_STREAM:
        assert books.watched() == []
    else:
        until(books.watched, "the watcher has found it")


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_an_audit_finds_it(
    tampered: Mapping[Callable[[Books], None], Books],
    audited: list[str],
    tamper: Callable[[Books], None],
) -> None:
    assert any(name in finding for finding in audited for name in tampered[tamper].names)


def test_an_account_that_is_gone_is_in_the_journal(books: Books) -> None:
    with undone(books):
        for partition in books.partitions:
            books.drop(books.items(partition))
        findings = [str(one) for one in books.audit.account(str(books.customer))]
        assert any("which is gone" in finding for finding in findings)
        attempts = Place(Step.ATTEMPTS)
        found = [str(one) for progress in books.audit(attempts) for one in progress.findings]
        assert any(str(books.orphaned) in finding for finding in found)


def test_a_week_after_a_round_the_scheduled_audit_begins_another(
    books: Books, functions: Functions
) -> None:
    began = datetime.now(UTC)
    books.journal.mark(began, Round(began - ROUND_EVERY, place=None).stored())
    functions.audit()
    in_progress = newest_round(books)
    assert in_progress.began >= began
    assert in_progress.items > 0


def test_the_scheduled_audit_comes_to_its_end(books: Books, functions: Functions) -> None:
    """It goes on where the last run stopped. Near the end, as this system has many items."""
    began = datetime.now(UTC)
    near_the_end = Place(Step.ATTEMPTS, {"id": "f"})

    def ended() -> bool:
        books.journal.mark(datetime.now(UTC), Round(began, items=9, place=near_the_end).stored())
        functions.audit()
        ended = newest_round(books)
        return ended.place is None and ended.began == began and ended.items >= 9

    until(ended, "a round of the audit has ended")


def test_the_scheduled_audit_finds_what_no_stream_shows(books: Books, functions: Functions) -> None:
    with undone(books):
        use_a_code_once_more(books)
        at_the_count = place_before(books, _of_the_code(books, "CUSTOMER#"))

        def found() -> list[str]:
            now = datetime.now(UTC)
            books.journal.mark(now, Round(now, place=at_the_count).stored())
            functions.audit()
            return books.watched()

        faults = until(found, "the scheduled audit has found it")
        assert "0 redemptions are counted, 1 attempts use it" in faults


def place_before(books: Books, item: Item) -> Place:
    """The place from which an audit goes on with an item of the purchases table."""
    wanted = plain({name: item[name] for name in ("pk", "sk")})
    last = after = None
    while True:
        sent, after = books.evidence.purchases_page(after)
        for each in sent:
            assert isinstance(each, dict)
            key = plain({name: each[name] for name in ("pk", "sk")})
            if key == wanted:
                return Place(Step.PURCHASES, last)
            last = key
        assert after is not None, "it is not in the table"


def newest_round(books: Books) -> Round:
    mark = books.journal.last_mark()
    assert mark is not None
    return Round.read(mark)


def test_what_only_the_journal_tells(books: Books) -> None:
    """A rewritten chain with right hashes is right by itself."""
    with undone(books):
        rewrite_the_whole_chain(books)
        (finding,) = books.findings()
        assert "the journal has another version" in finding


def test_a_balance_tells_how_far_it_was_verified(
    open_books: Callable[[int], list[Books]], till: TillClient
) -> None:
    (books,) = open_books(1)
    version = till.credit(books.customer).result().version
    verified = verification_of(till, books)
    assert (verified["version"], verified["findings"]) == (version, 0)
    with undone(books):
        change_the_actor_of_a_hold(books)
        until(books.watched, "the watcher has found it")
    assert verification_of(till, books)["findings"]


def verification_of(till: TillClient, books: Books) -> dict[str, int]:
    path = f"/customers/{books.customer}/credit"
    response = till.send("GET", path, params={"verification": "true"})
    verification: dict[str, int] = response.json()["verification"]
    return verification


def test_the_journal_has_every_version_as_it_was_written(books: Books) -> None:
    prefix = f"accounts/{books.customer}/"
    s3, bucket = books.journal.client, books.journal.bucket
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
    bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    lines = {line for body in bodies for line in body.decode("ascii").splitlines()}
    assert lines >= {canonical(plain(version)) for version in books.versions()}


def test_a_version_in_the_purchases_table_is_not_journalled(
    open_books: Callable[[int], list[Books]],
) -> None:
    (books,) = open_books(1)
    newest = books.versions()[-1]
    number = int(newest["version"]["N"]) + 1
    forged: Item = {
        **newest,
        "sk": {"S": f"VERSION#{number:016d}"},
        "version": {"N": str(number)},
    }
    purchases = books.evidence.purchases
    books.client.put_item(TableName=purchases, Item=forged)
    try:
        until(books.watched, "the watcher has found it")
    finally:
        books.client.delete_item(TableName=purchases, Key={"pk": forged["pk"], "sk": forged["sk"]})
    until(lambda: len(books.watched()) > 1, "the watcher has seen it go")
    journalled = books.journal.newest(str(books.customer))
    assert journalled is not None
    assert journalled.version == number - 1
    assert books.findings() == []


@pytest.mark.parametrize("forge", [forge_a_void, forge_a_grant])
def test_a_forged_version_is_found_and_can_never_be_hidden_again(
    open_books: Callable[[int], list[Books]], forge: Callable[[Books], Item]
) -> None:
    (books,) = open_books(1)
    forged = forge(books)
    assert books.findings()
    until(books.watched, "the watcher has found it")
    books.drop([forged])
    until(lambda: len(books.watched()) > 1, "the watcher has seen it go")
    (finding,) = books.findings()
    assert f"the journal has a version {forged['version']['N']}, which is gone" in finding
