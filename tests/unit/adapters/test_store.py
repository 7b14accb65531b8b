"""The books on moto's DynamoDB. Single-threaded: moto isolates nothing between threads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from tests.unit.fakes import opened
from till.adapters.dynamodb.client import serialize
from till.adapters.dynamodb.store import DynamoStore
from till.adapters.dynamodb.stored.accounts import StoredChange
from till.adapters.dynamodb.stored.attempts import StoredAttempt
from till.adapters.dynamodb.stored.keys import account_key, version_key
from till.domain.account import Account, AccountChange, OpenAttempt
from till.domain.actor import Actor
from till.domain.catalogue import Address, Product
from till.domain.ledger import Cause, EntryKind, LedgerCorruptError
from till.domain.money import Money
from till.domain.promo import (
    AppliedPromo,
    FixedDiscount,
    PercentageDiscount,
    PromoAction,
    PromoChange,
    PromoCode,
    PromoState,
    PromoTerms,
)
from till.domain.purchase import (
    AttemptState,
    NotShipped,
    OutcomeUnknown,
    PurchaseAttempt,
    PurchaseStatus,
    Refund,
    Resolution,
    Shipped,
    make_order,
)
from till.services.ports.accounts import AppendChange, RememberedRequest, RememberRequest
from till.services.ports.attempts import ClaimShipment, CreateAttempt, UpdateAttempt
from till.services.ports.promo_codes import ChangePromo, GiveRedemptionBack, Redeem
from till.services.ports.refunds import AddRefund, RefundPage
from till.services.ports.store_errors import InconsistentReadError, UnconfirmedCommitError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef, QueryOutputTypeDef

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def at(seconds: float) -> Cause:
    return Cause(
        actor=Actor("rep"), at=NOON + timedelta(seconds=seconds), reason="r", idempotency_key="k"
    )


def an_attempt(customer_id: UUID, *, price: int = 1000, seconds: float = 0) -> PurchaseAttempt:
    product = Product(id=uuid4(), sku="S", name="Näme", description="", unit_price=Money(price))
    address = Address(line1="1", line2="b", city="c", postal_code="p", state="", country="US")
    return PurchaseAttempt(
        id=uuid4(),
        customer_id=customer_id,
        order=make_order(product, 2, address, promo=None, expected_total=None),
        actor=Actor("customer"),
        idempotency_key="k",
        fingerprint="f",
        reservation_id="r",
        reserved_at=NOON + timedelta(seconds=seconds),
        expires_at=NOON + timedelta(minutes=1),
    )


def granted(store: DynamoStore, customer_id: UUID, amount: int = 10_000) -> AccountChange:
    change = store.account(customer_id).grant(Money(amount), at(0))
    store.commit(AppendChange(change))
    return change


def test_an_account_that_never_was_is_empty(store: DynamoStore) -> None:
    customer_id = uuid4()
    assert store.account(customer_id) == Account.empty(customer_id)
    with pytest.raises(InconsistentReadError):
        store.change(customer_id, 1)


def test_every_kind_of_change_comes_back_as_it_was_written(store: DynamoStore) -> None:
    customer_id, attempt_id, product_id = uuid4(), uuid4(), uuid4()
    account, written = Account.empty(customer_id), []

    def take(change: AccountChange) -> Account:
        account = store.commit(AppendChange(change))
        assert account is not None
        written.append(replace(change, account=account))
        return account

    account = take(account.grant(Money(10_000), at(0)))
    account = take(account.deduct(Money(500), at(1)))
    order = opened(Money(700), attempt_id=attempt_id, product_id=product_id, quantity=2)
    account = take(account.hold(order, at(2)))
    account = take(account.mark_unknown(attempt_id, at(3)))
    account = take(account.post_hold(attempt_id, at(4)))
    account = take(account.refund(Money(1), at(5), purchase_id=attempt_id, refund_id=uuid4()))
    second = opened(Money(1), product_id=product_id)
    account = take(account.hold(second, at(6)))
    account = take(account.hold(opened(Money(0)), at(6)))
    account = take(account.void_hold(second.attempt_id, at(7)))
    assert [store.change(customer_id, n + 1) for n in range(len(written))] == written
    assert store.account(customer_id) == account


def test_a_version_is_written_once(store: DynamoStore) -> None:
    customer_id = uuid4()
    account = store.account(customer_id)
    store.commit(AppendChange(account.grant(Money(1), at(0))))
    with pytest.raises(UnconfirmedCommitError):
        store.commit(AppendChange(account.grant(Money(2), at(0))))
    assert store.account(customer_id).posted == Money(1)


def test_all_writes_or_none(store: DynamoStore) -> None:
    customer_id = uuid4()
    request = RememberedRequest(
        customer_id=customer_id,
        operation="grant_credit",
        idempotency_key="a#b#c",
        fingerprint="f",
        version=1,
        at=NOON,
    )
    store.commit(AppendChange(Account.empty(customer_id).grant(Money(1), at(0))))
    with pytest.raises(UnconfirmedCommitError):
        store.commit(
            RememberRequest(request),
            AppendChange(Account.empty(customer_id).grant(Money(1), at(0))),
        )
    assert store.remembered(customer_id, "grant_credit", "a#b#c") is None
    store.commit(RememberRequest(request))
    assert store.remembered(customer_id, "grant_credit", "a#b#c") == request
    assert store.remembered(customer_id, "deduct_credit", "a#b#c") is None
    with pytest.raises(UnconfirmedCommitError):
        store.commit(RememberRequest(request))


def test_an_attempt_comes_back_as_it_was_written_in_every_state(store: DynamoStore) -> None:
    pending = an_attempt(uuid4())
    store.commit(CreateAttempt(pending))
    assert store.attempt(pending.id) == pending
    with pytest.raises(UnconfirmedCommitError):
        store.commit(CreateAttempt(replace(pending, reservation_id="another run")))

    noted = pending.with_carrier_answer(OutcomeUnknown(message="?"), NOON)
    unknown = noted.unknown(NOON, deadline_at=NOON + timedelta(days=1))
    completed = unknown.completed(Shipped(shipment_id="s"), NOON)
    before = pending
    for after in (noted, unknown, completed):
        store.commit(UpdateAttempt(before, after))
        assert store.attempt(pending.id) == after
        before = after
    with pytest.raises(UnconfirmedCommitError):
        store.commit(UpdateAttempt(unknown, unknown.voided(NOON, possible_orphan=True)))
    assert store.attempt(pending.id) == completed

    other = an_attempt(uuid4())
    promo = AppliedPromo(code="X", version=3, discount=TERMS.discount)
    other = replace(other, order=replace(other.order, promo=promo))
    voided = other.with_carrier_answer(NotShipped(message="no"), NOON).voided(
        NOON,
        resolution=Resolution(actor=Actor("rep"), reason="asked"),
        possible_orphan=True,
    )
    store.commit(CreateAttempt(other))
    store.commit(UpdateAttempt(other, voided))
    assert store.attempt(other.id) == voided
    assert store.attempt(uuid4()) is None


def test_the_terms_of_a_sale_cannot_be_updated(store: DynamoStore) -> None:
    pending = an_attempt(uuid4())
    store.commit(CreateAttempt(pending))
    cheaper = replace(pending, order=replace(pending.order, subtotal=Money(1), total=Money(1)))
    with pytest.raises(ValueError, match="total"):
        store.commit(UpdateAttempt(pending, cheaper))


def test_refunds_come_back_in_their_order(store: DynamoStore) -> None:
    purchase_id = uuid4()
    refunds = [
        Refund(
            id=uuid4(),
            purchase_id=purchase_id,
            customer_id=uuid4(),
            number=n,
            quantity=n if n % 2 else None,
            amount=Money(5),
            refunded_after=Money(5 * n),
            refundable_after=Money(100 - 5 * n),
            reason="r",
            actor=Actor("a"),
            idempotency_key="k",
            created_at=NOON,
            balance_after=Money(1),
            entry_sequence=n,
        )
        for n in range(1, 13)
    ]
    for refund in refunds:
        store.commit(AddRefund(refund))
    assert store.refunds(purchase_id, before=None, limit=100) == RefundPage(
        tuple(reversed(refunds)), None
    )
    page = store.refunds(purchase_id, before=None, limit=5)
    assert page == RefundPage(tuple(reversed(refunds[7:])), 8)
    page = store.refunds(purchase_id, before=page.before, limit=7)
    assert page == RefundPage(tuple(reversed(refunds[:7])), None)
    assert store.refunds(purchase_id, before=1, limit=7) == RefundPage((), None)
    assert store.refund(purchase_id, 7) == refunds[6]
    with pytest.raises(InconsistentReadError):
        store.refund(purchase_id, 13)
    with pytest.raises(UnconfirmedCommitError):
        store.commit(AddRefund(refunds[3]))


def test_entries_are_paged_without_the_holds_between_them(store: DynamoStore) -> None:
    customer_id = uuid4()
    granted(store, customer_id)
    for n in range(7):
        attempt_id = uuid4()
        account = store.account(customer_id)
        hold = account.hold(opened(Money(10), attempt_id=attempt_id), at(n))
        store.commit(AppendChange(hold))
        store.commit(AppendChange(hold.account.post_hold(attempt_id, at(n))))
    sequences: list[int] = []
    before: int | None = None
    while True:
        page = store.entries(customer_id, kind=None, before=before, limit=3)
        sequences += [c.entry.sequence for c in page.changes if c.entry]
        before = page.before
        if before is None:
            break
    assert sequences == [8, 7, 6, 5, 4, 3, 2, 1]
    purchases = store.entries(customer_id, kind=EntryKind.PURCHASE, before=None, limit=7)
    assert (len(purchases.changes), purchases.before) == (7, None)
    assert store.entries(customer_id, kind=None, before=1, limit=3).changes == ()


def test_a_page_of_a_rare_kind_looks_at_so_many_versions_and_moves_on(
    store: DynamoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("till.adapters.dynamodb.accounts.LOOKED_AT_MOST", 10)
    customer_id = uuid4()
    granted(store, customer_id)
    for n in range(30):
        store.commit(AppendChange(store.account(customer_id).deduct(Money(1), at(n))))
    pages: list[list[int]] = []
    cursors: list[int] = []
    before: int | None = None
    while True:
        page = store.entries(customer_id, kind=EntryKind.GRANT, before=before, limit=1)
        pages.append([c.account.version for c in page.changes])
        before = page.before
        if before is None:
            break
        cursors.append(before)
    assert pages == [[], [], [], [1]]
    assert cursors == [22, 12, 2]


def test_a_page_between_two_versions_looks_at_so_many_and_moves_on(
    store: DynamoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("till.adapters.dynamodb.accounts.LOOKED_AT_MOST", 5)
    customer_id = uuid4()
    granted(store, customer_id)
    for n in range(12):
        held = OpenAttempt(
            attempt_id=uuid4(),
            product_id=uuid4(),
            quantity=1,
            amount=Money(1),
            blocks_from=at(n).at,
        )
        store.commit(AppendChange(store.account(customer_id).hold(held, at(n))))
    store.commit(AppendChange(store.account(customer_id).deduct(Money(1), at(13))))
    pages: list[list[int]] = []
    after: int | None = 0
    while after is not None:
        page = store.entries_between(customer_id, after=after, last=14, limit=3)
        pages.append([c.account.version for c in page.changes])
        after = page.after
    assert pages == [[1], [], [14]]
    assert store.entries_between(customer_id, after=1, last=13, limit=3).changes == ()


def test_there_is_nothing_after_the_last_version_though_dynamodb_gives_a_place_to_go_on(
    client: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As DynamoDB does, and moto does not, when the limit is met by the last item."""

    class AsDynamoDB(DynamoStore):
        def _query(self, query: QueryInputTypeDef) -> QueryOutputTypeDef:
            answer = super()._query(query)
            if answer["ScannedCount"] == query["Limit"]:
                place = {"pk": account_key(customer_id), "sk": version_key(3)}
                answer["LastEvaluatedKey"] = serialize(place)
            return answer

    monkeypatch.setattr("till.adapters.dynamodb.accounts.LOOKED_AT_MOST", 3)
    customer_id = uuid4()
    store = AsDynamoDB(lambda _: client, ledger_table="ledger", purchases_table="purchases")
    for _ in range(3):
        granted(store, customer_id)
    page = store.entries_between(customer_id, after=0, last=3, limit=5)
    assert [change.account.version for change in page.changes] == [1, 2, 3]
    assert page.after is None


def test_attempts_are_found_by_state_and_time(store: DynamoStore) -> None:
    pending = [an_attempt(uuid4(), seconds=n) for n in range(9)]
    for attempt in pending:
        store.commit(CreateAttempt(attempt))
    state = (AttemptState.PENDING,)
    seen: list[UUID] = []
    before: str | None = None
    while True:
        page = store.list_attempts(state, since=None, until=None, before=before, limit=2)
        seen += [a.id for a in page.attempts]
        before = page.before
        if before is None:
            break
    assert seen == [a.id for a in reversed(pending)]

    since, until = NOON + timedelta(seconds=2), NOON + timedelta(seconds=5)
    page = store.list_attempts(state, since=since, until=until, before=None, limit=10)
    assert [a.id for a in page.attempts] == [pending[n].id for n in (4, 3, 2)]
    page = store.list_attempts(state, since=until, until=since, before=None, limit=10)
    assert page.attempts == ()

    done = pending[8].completed(Shipped(shipment_id="s"), NOON + timedelta(seconds=20))
    store.commit(UpdateAttempt(pending[8], done))
    every = (*PurchaseStatus, *AttemptState)
    page = store.list_attempts(every, since=None, until=None, before=None, limit=100)
    assert [a.id for a in page.attempts] == [a.id for a in reversed(pending)]


def test_more_attempts_than_one_batch_holds(store: DynamoStore) -> None:
    attempts = [an_attempt(uuid4(), seconds=n) for n in range(103)]
    for attempt in attempts:
        store.commit(CreateAttempt(attempt))
    ids = tuple(a.id for a in attempts)
    assert [a.id for a in store.attempts((*ids, uuid4(), ids[0]))] == [*ids, ids[0]]


def test_a_usual_attempt_costs_one_write_unit_per_write(store: DynamoStore) -> None:
    attempt = an_attempt(uuid4())
    order = attempt.order
    product = replace(order.product, sku="CUP-BLUE-350", name="Blue cup", description="d" * 120)
    address = replace(
        order.shipping_address,
        line1="1234 Example Avenue",
        line2="Apartment 56",
        city="Springfield",
        postal_code="12345-6789",
        state="Massachusetts",
        country="US",
    )
    order = replace(order, product=product, shipping_address=address)
    attempt = replace(
        attempt,
        order=order,
        idempotency_key=str(uuid4()),
        fingerprint="f" * 32,
        reservation_id="r" * 16,
    )
    done = attempt.completed(Shipped(shipment_id=str(uuid4())), NOON)
    values = StoredAttempt.of(done).values()
    assert _size(values) <= 1024, "an item over 1 KB costs twice as much at every write"


def _size(value: object) -> int:
    if isinstance(value, dict):
        return 3 + sum(len(k) + 1 + _size(v) for k, v in value.items())
    if isinstance(value, list):
        return 3 + sum(1 + _size(each) for each in value)
    return len(value.encode()) if isinstance(value, str) else len(str(value)) // 2 + 2


def a_promo(code: str, terms: PromoTerms, seconds: float = 0) -> PromoCode:
    return PromoCode.create(code, terms, actor=Actor("admin"), at=NOON + timedelta(seconds=seconds))


TERMS = PromoTerms(
    discount=PercentageDiscount(percent=10, max_amount=Money(500)),
    valid_from=NOON,
    valid_until=NOON + timedelta(days=1),
    max_redemptions=2,
    max_redemptions_per_customer=1,
    minimum_subtotal=Money(5),
    product_ids=frozenset({uuid4(), uuid4()}),
    customer_ids=frozenset({uuid4()}),
    first_purchase_only=True,
)


def test_a_promo_code_comes_back_with_its_history(store: DynamoStore) -> None:
    assert store.promo("CODE") is None
    made = a_promo("CODE", TERMS)
    store.commit(ChangePromo(PromoChange(promo=made, action=PromoAction.CREATED)))
    assert store.promo("CODE") == made
    with pytest.raises(UnconfirmedCommitError):
        store.commit(ChangePromo(PromoChange(promo=made, action=PromoAction.CREATED)))
    plain = PromoTerms(discount=FixedDiscount(amount=Money(7)))
    changed = made.with_terms(plain, actor=Actor("bob"), at=NOON)
    store.commit(ChangePromo(PromoChange(promo=changed, action=PromoAction.UPDATED)))
    assert store.promo("CODE") == changed
    with pytest.raises(UnconfirmedCommitError):
        store.commit(ChangePromo(PromoChange(promo=changed, action=PromoAction.UPDATED)))
    ended = changed.deactivated(actor=Actor("cleo"), at=NOON)
    store.commit(ChangePromo(PromoChange(promo=ended, action=PromoAction.DEACTIVATED)))
    assert [c.promo for c in store.promo_changes("CODE", limit=9)] == [made, changed, ended]
    assert [c.promo for c in store.promo_changes("CODE", limit=2)] == [changed, ended]
    second = store.promo_change("CODE", 2)
    assert second is not None
    assert second.promo == changed
    assert store.promo_change("CODE", 4) is None


def test_the_name_of_who_changed_a_promo_code_does_not_stay_with_the_next_change(
    store: DynamoStore,
) -> None:
    made = PromoCode.create("CODE", TERMS, actor=Actor("admin", "Amir Haddad"), at=NOON)
    store.commit(ChangePromo(PromoChange(promo=made, action=PromoAction.CREATED)))
    changed = made.with_terms(TERMS, actor=Actor("bot"), at=NOON)
    store.commit(ChangePromo(PromoChange(promo=changed, action=PromoAction.UPDATED)))
    assert store.promo("CODE") == changed


def test_redemptions_are_capped_and_given_back(store: DynamoStore) -> None:
    promo = a_promo("CODE", PromoTerms(discount=TERMS.discount, max_redemptions=2))
    store.commit(ChangePromo(PromoChange(promo=promo, action=PromoAction.CREATED)))
    customers = [uuid4() for _ in range(3)]
    store.commit(Redeem(promo, customers[0]))
    store.commit(Redeem(promo, customers[1]))
    with pytest.raises(UnconfirmedCommitError):
        store.commit(Redeem(promo, customers[2]))
    with pytest.raises(UnconfirmedCommitError):
        store.commit(GiveRedemptionBack("CODE", customers[2]))
    store.commit(GiveRedemptionBack("CODE", customers[0]))
    with pytest.raises(UnconfirmedCommitError):
        store.commit(GiveRedemptionBack("CODE", customers[0]))
    store.commit(Redeem(promo, customers[2]))
    current = store.promo("CODE")
    assert current is not None
    assert current.redemptions == 2
    assert [store.redemptions_of("CODE", each) for each in customers] == [0, 1, 1]


def test_a_customers_redemptions_are_capped(store: DynamoStore) -> None:
    terms = PromoTerms(discount=TERMS.discount, max_redemptions_per_customer=1)
    promo = a_promo("CODE", terms)
    store.commit(ChangePromo(PromoChange(promo=promo, action=PromoAction.CREATED)))
    customer_id = uuid4()
    store.commit(Redeem(promo, customer_id))
    with pytest.raises(UnconfirmedCommitError):
        store.commit(Redeem(promo, customer_id))
    store.commit(Redeem(promo, uuid4()))
    store.commit(GiveRedemptionBack("CODE", customer_id))
    store.commit(Redeem(promo, customer_id))


def test_a_redemption_is_refused_under_terms_that_have_changed(store: DynamoStore) -> None:
    promo = a_promo("CODE", PromoTerms(discount=TERMS.discount))
    store.commit(ChangePromo(PromoChange(promo=promo, action=PromoAction.CREATED)))
    store.commit(Redeem(promo, uuid4()))
    changed = promo.deactivated(actor=Actor("bob"), at=NOON)
    store.commit(ChangePromo(PromoChange(promo=changed, action=PromoAction.DEACTIVATED)))
    current = store.promo("CODE")
    assert current is not None
    assert current.redemptions == 1, "a change of terms leaves the count alone"
    with pytest.raises(UnconfirmedCommitError):
        store.commit(Redeem(promo, uuid4()))


def test_promo_codes_are_paged_newest_first(store: DynamoStore) -> None:
    for n, code in enumerate(["A-1", "B_2", "C3C", "D4D", "E5E"]):
        promo = a_promo(code, TERMS, seconds=n)
        store.commit(ChangePromo(PromoChange(promo=promo, action=PromoAction.CREATED)))
    states = (PromoState.ACTIVE, PromoState.DEACTIVATED)
    seen: list[str] = []
    before: str | None = None
    while True:
        page = store.promos(states, before=before, limit=2)
        seen += [promo.code for promo in page.promos]
        before = page.before
        if before is None:
            break
    assert seen == ["E5E", "D4D", "C3C", "B_2", "A-1"]
    assert store.promos((PromoState.DEACTIVATED,), before=None, limit=2).promos == ()


def damage(store: DynamoStore, table: str, pk: str, sk: str, attribute: str) -> None:
    """Make an item unreadable, as a person with access to the table could."""
    store._client_for(1).update_item(
        TableName=table,
        Key={"pk": {"S": pk}, "sk": {"S": sk}},
        UpdateExpression="SET #a = :nonsense",
        ExpressionAttributeNames={"#a": attribute},
        ExpressionAttributeValues={":nonsense": {"S": "\u2603"}},
    )


def test_an_unreadable_item_is_left_out_and_told_and_the_others_are_read(
    store: DynamoStore, caplog: pytest.LogCaptureFixture
) -> None:
    attempts = [an_attempt(uuid4(), seconds=n) for n in range(3)]
    for attempt in attempts:
        store.commit(CreateAttempt(attempt))
    broken = attempts[1].id
    damage(store, "purchases", f"PURCHASE#{broken}", "PURCHASE", "reserved_at")
    states = (AttemptState.PENDING,)
    newest = store.list_attempts(states, since=None, until=None, before=None, limit=10)
    assert [a.id for a in newest.attempts] == [attempts[2].id, attempts[0].id]
    oldest = store.oldest_attempts(AttemptState.PENDING, after=None, limit=10)
    assert [a.id for a in oldest.attempts] == [attempts[0].id, attempts[2].id]
    assert (oldest.count, oldest.oldest) == (3, NOON)
    counted = store.count_attempts(AttemptState.PENDING, after=None, limit=10)
    assert counted == replace(oldest, attempts=())
    told = {vars(record)["pk"] for record in caplog.records}
    assert told == {f"PURCHASE#{broken}"}
    with pytest.raises(ValueError, match="not an instant"):
        store.attempt(broken)


def test_an_unreadable_place_in_an_index_is_left_out(store: DynamoStore) -> None:
    attempts = [an_attempt(uuid4(), seconds=n) for n in range(3)]
    for attempt in attempts:
        store.commit(CreateAttempt(attempt))
    damage(store, "purchases", f"PURCHASE#{attempts[1].id}", "PURCHASE", "state_at")
    page = store.oldest_attempts(AttemptState.PENDING, after=None, limit=10)
    assert [a.id for a in page.attempts] == [attempts[0].id, attempts[2].id]


def test_an_unreadable_entry_leaves_a_gap_in_the_list(store: DynamoStore) -> None:
    customer_id = uuid4()
    for _ in range(3):
        granted(store, customer_id, 5)
    damage(store, "ledger", f"ACCOUNT#{customer_id}", f"VERSION#{2:016d}", "at")
    page = store.entries(customer_id, kind=None, before=None, limit=10)
    assert [c.entry.sequence for c in page.changes if c.entry] == [3, 1]


def test_a_version_that_holds_other_than_its_open_attempts_is_corrupt(store: DynamoStore) -> None:
    customer_id = uuid4()
    change = granted(store, customer_id).account.hold(opened(Money(5)), at(1))
    store.commit(AppendChange(change))
    store._client_for(1).update_item(
        TableName="ledger",
        Key={"pk": {"S": f"ACCOUNT#{customer_id}"}, "sk": {"S": f"VERSION#{2:016d}"}},
        UpdateExpression="SET held = :nothing",
        ExpressionAttributeValues={":nothing": {"N": "0"}},
    )
    with pytest.raises(LedgerCorruptError):
        store.account(customer_id)


def test_a_shipment_id_belongs_to_one_purchase(store: DynamoStore) -> None:
    first, second = uuid4(), uuid4()
    assert store.purchase_of_shipment("shp#1") is None
    store.commit(ClaimShipment("shp#1", first))
    for claimant in (first, second):
        with pytest.raises(UnconfirmedCommitError):
            store.commit(ClaimShipment("shp#1", claimant))
    assert store.purchase_of_shipment("shp#1") == first


@pytest.mark.parametrize("name", [None, "Maximilian Featherstone", "n" * 60])
def test_a_usual_version_with_a_hold_costs_one_write_unit(
    store: DynamoStore, name: str | None
) -> None:
    account = granted(store, uuid4()).account
    cause = Cause(
        actor=Actor("a" * 36, name),
        at=NOON,
        reason="Purchase of 2 x CUP-BLUE-350",
        idempotency_key=str(uuid4()),
    )
    values = StoredChange.of(account.hold(opened(Money(99_99)), cause)).values()
    size = sum(len(name) + _size(value) for name, value in values.items())
    assert size <= 1024, "an item over 1 KB costs twice as much at every write"
