"""The wiring: what each operation is made of. Nothing is imported or made before its use."""

# ruff: noqa: PLC0415 - a cold start imports only what its operation needs

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

from till.settings import (
    EventSettings,
    JournalSettings,
    ProbeSettings,
    Settings,
    SigningSettings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    import httpx
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from till.adapters.dynamodb.account_store import AccountStore
    from till.adapters.dynamodb.accounts import AccountTables
    from till.adapters.dynamodb.customer_index import DynamoCustomerIndex
    from till.adapters.dynamodb.store import DynamoStore
    from till.adapters.dynamodb.tables import Tables
    from till.adapters.incidents import LoggedIncidents
    from till.adapters.lambda_deadline import LambdaDeadline
    from till.adapters.probe import ApiProbe
    from till.adapters.upstream.carrier import HttpCarrier
    from till.adapters.upstream.catalogue import HttpCatalogueView, HttpCustomers, HttpProducts
    from till.adapters.upstream.credential import Credentials
    from till.adapters.upstream.reader import UpstreamReader
    from till.domain.account import AccountChange
    from till.domain.catalogue import Customer, CustomerDetails
    from till.domain.words import TypedWords
    from till.http.admission import AdmissionPolicy
    from till.http.identity import Tokens
    from till.services.adjust_credit import AdjustCredit
    from till.services.close_orphan_shipment import CloseOrphanShipment
    from till.services.create_purchase import CreatePurchase
    from till.services.create_quote import CreateQuote
    from till.services.create_refund_quote import CreateRefundQuote
    from till.services.get_customer import GetCustomer
    from till.services.list_customers import ListCustomers
    from till.services.ports.events import LedgerRecord
    from till.services.ports.signing import Signer
    from till.services.promo_codes import PromoCodes
    from till.services.publish_events import PublishEvents
    from till.services.read_credit import ReadCredit
    from till.services.read_purchases import ReadPurchases
    from till.services.read_statement import ReadStatement
    from till.services.read_verification import ReadVerification
    from till.services.recover_attempts import RecoverAttempts
    from till.services.refund_purchase import RefundPurchase
    from till.services.resolve_attempt import ResolveAttempt
    from till.services.search_everything import SearchEverything
    from till.services.shared.settlement import SettleShipment
    from till.services.shared.shown_customers import ShownCustomers

T = TypeVar("T", bound="Tables")


class SystemClock:
    """``till.services.ports.run.Clock`` by this machine."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return datetime.now(UTC)


def deadline(context: LambdaContext) -> LambdaDeadline:
    """When Lambda ends this invocation."""
    from till.adapters.lambda_deadline import LambdaDeadline

    return LambdaDeadline(context)


@cache
def settings() -> Settings:
    """The settings of this function."""
    return Settings.from_environment(os.environ)


@cache
def verifier() -> Tokens:
    """What verifies access tokens. Only the authorizer's layer, or bundle, has its library."""
    from till.http.tokens import OidcTokens, TokenPolicy

    return OidcTokens(
        TokenPolicy(
            issuer=settings().token_issuer,
            audience=settings().token_audience,
            jwks_url=str(settings().token_jwks_url),
            roles_claim=settings().token_roles_claim,
            customer_claim=settings().token_customer_claim,
        )
    )


@cache
def admission_policy() -> AdmissionPolicy:
    """How this function knows its callers, and how much they may move."""
    from till.domain.money import Money
    from till.http.admission import AdmissionPolicy

    return AdmissionPolicy(
        support_limit=Money(settings().support_limit_minor),
        tokens=verifier() if settings().identity_from == "function" else None,
    )


def _opened(tables: type[T]) -> T:
    from till.adapters.dynamodb.client import CALL_SECONDS, client_for

    # The first client is made while the function starts, the quicker ones if they are needed.
    client_for(CALL_SECONDS[0])
    return tables(
        client_for,
        ledger_table=settings().ledger_table,
        purchases_table=settings().purchases_table,
    )


@cache
def _store() -> DynamoStore:
    from till.adapters.dynamodb.measured_store import MeasuredStore

    return _opened(MeasuredStore)


@cache
def _accounts() -> AccountTables:
    """The store of operations that only read accounts: it loads no other items, and no writes."""
    from till.adapters.dynamodb.accounts import AccountTables

    return _opened(AccountTables)


@cache
def _account_store() -> AccountStore:
    """The store of operations that write nothing but accounts."""
    from till.adapters.dynamodb.measured_account_store import MeasuredAccountStore

    return _opened(MeasuredAccountStore)


_INDEX_SECONDS: Final = 1.0
"""How long a call about the customer index takes at most: nothing waits longer for it."""


@cache
def _customer_index() -> DynamoCustomerIndex:
    from till.adapters.dynamodb.client import client_for
    from till.adapters.dynamodb.customer_index import DynamoCustomerIndex

    return DynamoCustomerIndex(client_for(_INDEX_SECONDS), table=settings().customer_index_table)


class CustomerIndexWhenNeeded:
    """``till.services.ports.customer_index.CustomerIndex`` for operations that seldom need it."""

    def saw(self, customers: Iterable[CustomerDetails], *, gone: Iterable[UUID] = ()) -> None:
        """See the port."""
        _customer_index().saw(customers, gone=gone)

    def propose(self, typed: TypedWords, *, limit: int) -> tuple[UUID, ...]:
        """See the port."""
        return _customer_index().propose(typed, limit=limit)

    def with_id_prefix(self, prefix: str, *, limit: int) -> tuple[UUID, ...]:
        """See the port."""
        return _customer_index().with_id_prefix(prefix, limit=limit)


@cache
def _credentials() -> Credentials:
    """One for all that calls the upstream: what a read has renewed, the carrier uses."""
    from till.adapters.upstream.credential import Credentials
    from till.adapters.upstream.secret import UpstreamSecret

    return Credentials(
        UpstreamSecret(
            settings().upstream_secret,
            max_age_seconds=settings().upstream_credential_max_age_seconds,
            fetch_seconds=settings().credential_fetch_seconds(),
        )
    )


def _wire(*, keep_alive: bool) -> httpx.BaseTransport:
    from till.adapters.upstream.credential import CredentialTransport
    from till.adapters.upstream.http import MeasuredTransport, make_transport

    transport = make_transport(str(settings().upstream_url), keep_alive=keep_alive)
    return CredentialTransport(MeasuredTransport(transport), _credentials())


@cache
def _reader() -> UpstreamReader:
    from till.adapters.upstream.reader import UpstreamReader

    return UpstreamReader(
        str(settings().upstream_url),
        timeout_seconds=settings().upstream_read_timeout_seconds,
        display=settings().display_policy(),
        wire=_wire(keep_alive=True),
    )


@cache
def _catalogue() -> tuple[HttpCustomers, HttpProducts]:
    from till.adapters.upstream.catalogue import HttpCustomers, HttpProducts

    products = HttpProducts(_reader(), free_products=settings().free_products)
    return HttpCustomers(_reader()), products


class CustomersWhenAsked:
    """``till.services.ports.upstream.Customers`` for operations that hardly ever ask.

    The HTTP client and its cache are a third of what they would import, so they wait for the
    first question.
    """

    def get(self, customer_id: UUID) -> Customer:
        """See the port."""
        customers, _ = _catalogue()
        return customers.get(customer_id)

    def details(self, customer_id: UUID) -> CustomerDetails:
        """See the port."""
        customers, _ = _catalogue()
        return customers.details(customer_id)


@cache
def catalogue_view() -> HttpCatalogueView:
    """Read customers and products to show them."""
    from till.adapters.upstream.catalogue import HttpCatalogueView

    return HttpCatalogueView(_reader())


@cache
def _carrier() -> HttpCarrier:
    from till.adapters.upstream.carrier import HttpCarrier
    from till.adapters.upstream.http import make_http_client

    # A connection kept from before may be closing just now: that would be an unknown outcome.
    wire = _wire(keep_alive=False)
    return HttpCarrier(make_http_client(str(settings().upstream_url), wire))


@cache
def _incidents() -> LoggedIncidents:
    from till.adapters.incidents import LoggedIncidents

    return LoggedIncidents()


@cache
def _settle() -> SettleShipment:
    from till.services.shared.settlement import SettleShipment

    return SettleShipment(_store(), SystemClock(), settings().shipment_policy(), _incidents())


@cache
def adjust_credit() -> AdjustCredit:
    """Grant and deduct credit."""
    from till.services.adjust_credit import AdjustCredit

    return AdjustCredit(
        _account_store(), CustomersWhenAsked(), CustomerIndexWhenNeeded(), SystemClock()
    )


@cache
def read_credit() -> ReadCredit:
    """Read balances and entries."""
    from till.services.read_credit import ReadCredit

    return ReadCredit(_accounts(), CustomersWhenAsked(), SystemClock())


@cache
def read_verification() -> ReadVerification:
    """Read how far accounts were verified."""
    from till.adapters.journal import S3Journal, make_s3_client
    from till.services.read_verification import ReadVerification

    bucket = JournalSettings.from_environment(os.environ).journal
    return ReadVerification(S3Journal(make_s3_client(), bucket=bucket))


@cache
def read_statement() -> ReadStatement:
    """Read statements."""
    from till.services.read_statement import ReadStatement

    return ReadStatement(_accounts(), CustomersWhenAsked(), SystemClock())


@cache
def signer() -> Signer:
    """Sign statements, and tell the key that signs them."""
    from till.adapters.kms import KmsSigner, make_kms_client

    key_arn = SigningSettings.from_environment(os.environ).signing_key
    return KmsSigner(make_kms_client(), key_arn=key_arn)


@cache
def create_purchase() -> CreatePurchase:
    """Buy."""
    from till.services.create_purchase import CreatePurchase

    customers, products = _catalogue()
    return CreatePurchase(
        store=_store(),
        customers=customers,
        products=products,
        carrier=_carrier(),
        clock=SystemClock(),
        policy=settings().shipment_policy(),
        settle=_settle(),
    )


@cache
def read_purchases() -> ReadPurchases:
    """Read purchases and attempts."""
    from till.services.read_purchases import ReadPurchases

    return ReadPurchases(_store(), CustomersWhenAsked())


@cache
def refund_purchase() -> RefundPurchase:
    """Refund."""
    from till.services.refund_purchase import RefundPurchase

    return RefundPurchase(_store(), SystemClock())


@cache
def create_refund_quote() -> CreateRefundQuote:
    """Tell what a refund would come to."""
    from till.services.create_refund_quote import CreateRefundQuote

    return CreateRefundQuote(_store(), SystemClock())


@cache
def resolve_attempt() -> ResolveAttempt:
    """Settle an attempt of unknown outcome."""
    from till.services.resolve_attempt import ResolveAttempt

    return ResolveAttempt(_store(), SystemClock(), settings().shipment_policy())


@cache
def close_orphan_shipment() -> CloseOrphanShipment:
    """Close a possible orphan shipment."""
    from till.services.close_orphan_shipment import CloseOrphanShipment

    return CloseOrphanShipment(_store(), SystemClock())


@cache
def create_quote() -> CreateQuote:
    """Price a purchase without making it."""
    from till.services.create_quote import CreateQuote

    customers, products = _catalogue()
    return CreateQuote(store=_store(), customers=customers, products=products, clock=SystemClock())


@cache
def promo_codes() -> PromoCodes:
    """Manage promo codes."""
    from till.services.promo_codes import PromoCodes

    return PromoCodes(_store(), SystemClock())


@cache
def shown_customers() -> ShownCustomers:
    """Look up the customers on a list."""
    from till.services.shared.shown_customers import ShownCustomers

    return ShownCustomers(catalogue_view(), CustomerIndexWhenNeeded())


@cache
def list_customers() -> ListCustomers:
    """List the customers who have an account."""
    from till.services.list_customers import ListCustomers

    return ListCustomers(_store(), shown_customers())


@cache
def get_customer() -> GetCustomer:
    """Show a customer."""
    from till.services.get_customer import GetCustomer

    return GetCustomer(catalogue_view(), _customer_index())


@cache
def search_everything() -> SearchEverything:
    """Find anything by what a person types."""
    from till.services.search_everything import SearchEverything

    return SearchEverything(_store(), _customer_index(), shown_customers())


@cache
def recover_attempts() -> RecoverAttempts:
    """Settle attempts whose run has ended."""
    from till.services.recover_attempts import RecoverAttempts

    return RecoverAttempts(
        store=_store(),
        carrier=_carrier(),
        clock=SystemClock(),
        policy=settings().shipment_policy(),
        settle=_settle(),
    )


@cache
def probe_api() -> ApiProbe:
    """Call the deployed API from outside."""
    from till.adapters.probe import ApiProbe, ProbeTarget
    from till.adapters.upstream.credential import Credentials, CredentialTransport
    from till.adapters.upstream.http import make_http_client, make_transport
    from till.adapters.upstream.secret import UpstreamSecret

    told = ProbeSettings.from_environment(os.environ)
    api_url, token_url = str(told.probe_api_url), str(told.probe_token_url)
    secret = UpstreamSecret(
        told.probe_secret,
        max_age_seconds=settings().upstream_credential_max_age_seconds,
        fetch_seconds=settings().credential_fetch_seconds(),
    )
    issuer = CredentialTransport(make_transport(token_url, keep_alive=False), Credentials(secret))
    return ApiProbe(
        ProbeTarget(
            customer_id=told.probe_customer_id,
            product_id=told.probe_product_id,
            token_url=token_url,
            audience=settings().token_audience,
        ),
        issuer=make_http_client(token_url, issuer),
        api=make_http_client(api_url, make_transport(api_url, keep_alive=True)),
    )


class VersionsWhenAsked:
    """``till.services.ports.events.AccountVersions`` for an operation that hardly ever asks."""

    def change(self, customer_id: UUID, version: int) -> AccountChange:
        """See the port."""
        return _store().change(customer_id, version)


@cache
def publish_events() -> PublishEvents:
    """Tell others what happened to accounts."""
    from till.adapters.event_bus import (
        EventBridgeBus,
        QueuedDeadLetters,
        make_events_client,
        make_queue_client,
    )
    from till.services.publish_events import PublishEvents

    settings = EventSettings.from_environment(os.environ)
    return PublishEvents(
        bus=EventBridgeBus(make_events_client(), name=settings.event_bus),
        dead_letters=QueuedDeadLetters(make_queue_client(), url=str(settings.dead_letters_url)),
        versions=VersionsWhenAsked(),
    )


def new_versions(event: object) -> Sequence[LedgerRecord]:
    """The new versions of accounts in what the ledger table's stream brings."""
    from till.adapters.dynamodb import stream

    return stream.new_versions(event)
