"""The account of a customer, and a search in its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from till.domain.account import Account

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from till.services.ports.accounts import AccountReads
    from till.services.ports.upstream import Customers


def existing_account(store: AccountReads, customers: Customers, customer_id: UUID) -> Account:
    """The account of a customer who exists; an empty one if they never had credit.

    Raises:
        CustomerNotFoundError: no such customer.
        UpstreamUnavailableError, UpstreamContractError: it could not be checked.
    """
    account = store.account(customer_id)
    if account.version == 0:
        # Who has an account exists, and keeps it whatever the Customer API says today.
        customers.get(customer_id)
    return account


def newest_version(
    store: AccountReads, newest: Account, *, is_late: Callable[[datetime], bool]
) -> Account:
    """The newest version whose time is not too late; an empty account if there is none.

    The times of an account's versions never decrease. So it is found by a binary search over the
    version numbers: 20 reads for a million versions.
    """
    if not _is(newest, is_late):
        return newest
    # ``found`` is early enough, and every version from ``late`` on is too late.
    found, late = Account.empty(newest.customer_id), newest.version
    while late - found.version > 1:
        middle = store.change(newest.customer_id, (found.version + late) // 2).account
        if _is(middle, is_late):
            late = middle.version
        else:
            found = middle
    return found


def _is(account: Account, is_late: Callable[[datetime], bool]) -> bool:
    return account.updated_at is not None and is_late(account.updated_at)
