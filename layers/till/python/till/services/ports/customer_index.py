"""The index of customers' names and e-mail addresses. It proposes; the Customer API decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from till.domain.catalogue import CustomerDetails
    from till.domain.words import TypedWords


class CustomerIndex(Protocol):
    """Finds customers by words, among those whom the Customer API has told Till of."""

    def saw(self, customers: Iterable[CustomerDetails], *, gone: Iterable[UUID] = ()) -> None:
        """Correct the index by what the Customer API has just said.

        ``gone`` are those that it does not know. Best effort: this raises nothing, and what is not
        written is written when the customer is seen again.
        """
        ...

    def propose(self, typed: TypedWords, *, limit: int) -> tuple[UUID, ...]:
        """Customers who may match, the best first, at most ``limit`` of them.

        Raises:
            StoreUnreadableError: the index could not be read.
        """
        ...

    def with_id_prefix(self, prefix: str, *, limit: int) -> tuple[UUID, ...]:
        """Customers whose id begins like this.

        Raises:
            StoreUnreadableError: the index could not be read.
        """
        ...
