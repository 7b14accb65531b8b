"""The entries of the customer index."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Self
from uuid import UUID

from till.adapters.dynamodb.stored.item import StoredItem
from till.domain.words import CustomerWords

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD_SORT_KEY = "CUSTOMER"


def record_key(customer_id: UUID) -> str:
    """The partition of what the index holds of a customer."""
    return f"CUSTOMER#{customer_id}"


def term_key(term: str) -> str:
    """The partition of everything with the same first character."""
    return f"TERM#{term[0]}"


def word_key(word: str) -> str:
    """The partition of the other words of the customers who have this one."""
    return f"WORD#{word}"


def customer_id_of(sort_key: str) -> UUID:
    """The customer that an entry leads to."""
    return UUID(sort_key.rpartition("#")[2])


class StoredCustomerWords(StoredItem):
    """Customer index: all that it holds of one customer. The entries follow from it."""

    pk: str
    sk: str = RECORD_SORT_KEY
    words: list[str]
    email: str
    revision: int

    @classmethod
    def of(cls, customer_id: UUID, words: CustomerWords, *, revision: int) -> Self:
        """A record as it is stored."""
        return cls(
            pk=record_key(customer_id),
            words=list(words.indexed),
            email=words.email,
            revision=revision,
        )

    @property
    def customer_id(self) -> UUID:
        """Whose it is."""
        return customer_id_of(self.pk)

    def says(self, words: CustomerWords) -> bool:
        """Whether the index holds these words of the customer."""
        return (tuple(self.words), self.email) == (words.indexed, words.email)

    def entries(self) -> frozenset[tuple[str, str]]:
        """The keys of the entries by which the customer is found."""
        return frozenset(self._entries())

    def _entries(self) -> Iterator[tuple[str, str]]:
        owner = self.customer_id
        for term in (*self.words, self.email, str(owner)):
            if term:
                yield term_key(term), f"{term}#{owner}"
        for word, other in permutations(self.words, 2):
            yield word_key(word), f"{other}#{owner}"
