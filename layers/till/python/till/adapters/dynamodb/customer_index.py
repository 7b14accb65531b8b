"""The customer index in DynamoDB: a table of its own, which no money depends on.

An entry is a key and nothing else. ``TERM#<first character>`` holds every word, e-mail address and
id, for a search of one word. ``WORD#<word>`` holds the other words of the customers who have that
one, so a search of several words reads those who have two of them, however many have each.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from till.adapters.dynamodb.answers import require_genuine, unless_final
from till.adapters.dynamodb.client import deserialize, serialize
from till.adapters.dynamodb.stored.customer_index import (
    RECORD_SORT_KEY,
    StoredCustomerWords,
    customer_id_of,
    record_key,
    term_key,
    word_key,
)
from till.adapters.dynamodb.unreadable import readable, readable_cursors
from till.domain.words import CustomerWords
from till.services.ports.store_errors import StoreUnreadableError
from till.services.shared.in_parallel import all_in_parallel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from till.adapters.dynamodb.client import Item
    from till.domain.catalogue import CustomerDetails
    from till.domain.words import TypedWords

_RECORDS_AT_ONCE: Final = 100
"""DynamoDB's limit for one batch."""
_CORRECTED_AT_ONCE: Final = 10
"""Customers whose entries one request writes at most: the others when they are seen again."""
_SEVERAL_WORDS_LIMIT: Final = 200
"""Entries that a search of three words and more reads for each: it shows who is in all of them."""
_ENTRIES_EACH: Final = 3
"""A word is often in the name and in the e-mail address: so many entries may be one customer's."""
_REMEMBERED: Final = 5_000

logger = Logger(child=True)


class DynamoCustomerIndex:
    """``till.services.ports.customer_index.CustomerIndex``."""

    def __init__(self, client: DynamoDBClient, *, table: str) -> None:
        self._client = client
        self._table = table
        self._up_to_date: dict[UUID, CustomerWords] = {}
        """What this process knows to be in the index, so that a list costs no read each time."""

    def saw(self, customers: Iterable[CustomerDetails], *, gone: Iterable[UUID] = ()) -> None:
        """Correct the index by what the Customer API has just said; see the port."""
        told: dict[UUID, CustomerWords | None] = dict.fromkeys(gone)
        told |= {customer.id: CustomerWords.of(customer) for customer in customers}
        news = {
            customer_id: words
            for customer_id, words in told.items()
            if words is None or self._up_to_date.get(customer_id) != words
        }
        try:
            self._correct(news)
        except (BotoCoreError, ClientError, StoreUnreadableError) as error:
            # No names here: an error of the client may quote what was sent.
            logger.warning("customer index not corrected", extra={"error": type(error).__name__})

    def propose(self, typed: TypedWords, *, limit: int) -> tuple[UUID, ...]:
        """Customers who may match; see the port."""
        if typed.email:
            return self._query(term_key(typed.email), typed.email, limit)
        if not typed.whole:
            return self._query(term_key(typed.prefix), typed.prefix, limit)
        if len(typed.whole) == 1:
            return self._query(word_key(typed.whole[0]), typed.prefix, limit)
        by_word = all_in_parallel(
            [
                partial(self._query, word_key(word), typed.prefix, _SEVERAL_WORDS_LIMIT)
                for word in typed.whole
            ]
        )
        in_all = set.intersection(*map(set, by_word))
        return tuple(found for found in by_word[0] if found in in_all)[:limit]

    def with_id_prefix(self, prefix: str, *, limit: int) -> tuple[UUID, ...]:
        """Customers whose id begins like this; see the port."""
        return self._query(term_key(prefix), prefix, limit)

    def _query(self, partition: str, prefix: str, limit: int) -> tuple[UUID, ...]:
        with unless_final(StoreUnreadableError):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues=serialize({":pk": partition, ":prefix": prefix}),
                Limit=limit * _ENTRIES_EACH,
                ReturnConsumedCapacity="TOTAL",
            )
            require_genuine(answer)
        sort_keys = (str(deserialize(item)["sk"]) for item in answer["Items"])
        return tuple(dict.fromkeys(readable_cursors(sort_keys, customer_id_of)))[:limit]

    def _correct(self, news: Mapping[UUID, CustomerWords | None]) -> None:
        customer_ids = list(news)[:_RECORDS_AT_ONCE]
        if not customer_ids:
            return
        records = self._records(customer_ids)
        wrong = []
        for customer_id in customer_ids:
            words, record = news[customer_id], records.get(customer_id)
            if words is not None and record is not None and record.says(words):
                self._remember(customer_id, words)
            elif words is not None or record is not None:
                wrong.append(customer_id)
        all_in_parallel(
            [
                partial(self._replace, customer_id, records.get(customer_id), news[customer_id])
                for customer_id in wrong[:_CORRECTED_AT_ONCE]
            ]
        )

    def _records(self, customer_ids: Sequence[UUID]) -> dict[UUID, StoredCustomerWords]:
        keys = [serialize({"pk": record_key(each), "sk": RECORD_SORT_KEY}) for each in customer_ids]
        with unless_final(StoreUnreadableError):
            answer = self._client.batch_get_item(
                RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}},
                ReturnConsumedCapacity="TOTAL",
            )
            require_genuine(answer)
        if answer.get("UnprocessedKeys"):
            raise StoreUnreadableError
        found = readable(answer["Responses"].get(self._table, []), _record)
        return {record.customer_id: record for record in found}

    def _replace(
        self, customer_id: UUID, old: StoredCustomerWords | None, words: CustomerWords | None
    ) -> None:
        """Put a customer's record and entries in the place of those there are, all or nothing.

        Of two that do so at the same time one is refused, and nothing needs to be done about it.
        """
        self._up_to_date.pop(customer_id, None)
        revision = old.revision + 1 if old is not None else 1
        new = (
            StoredCustomerWords.of(customer_id, words, revision=revision)
            if words is not None
            else None
        )
        before = old.entries() if old is not None else frozenset[tuple[str, str]]()
        after = new.entries() if new is not None else frozenset[tuple[str, str]]()
        writes = [self._put({"pk": pk, "sk": sk}) for pk, sk in after - before]
        writes += [self._delete(pk, sk) for pk, sk in before - after]
        unchanged = (
            {"ConditionExpression": "attribute_not_exists(pk)"}
            if old is None
            else {
                "ConditionExpression": "revision = :revision",
                "ExpressionAttributeValues": serialize({":revision": old.revision}),
            }
        )
        record = (
            self._put(new.values())
            if new is not None
            else self._delete(record_key(customer_id), RECORD_SORT_KEY)
        )
        for action in record.values():
            action.update(unchanged)  # type: ignore[attr-defined]
        self._client.transact_write_items(TransactItems=[*writes, record])
        if words is not None:
            self._remember(customer_id, words)

    def _put(self, item: Mapping[str, object]) -> TransactWriteItemTypeDef:
        return {"Put": {"TableName": self._table, "Item": serialize(item)}}

    def _delete(self, pk: str, sk: str) -> TransactWriteItemTypeDef:
        return {"Delete": {"TableName": self._table, "Key": serialize({"pk": pk, "sk": sk})}}

    def _remember(self, customer_id: UUID, words: CustomerWords) -> None:
        if len(self._up_to_date) >= _REMEMBERED:
            self._up_to_date.clear()
        self._up_to_date[customer_id] = words


def _record(item: Item) -> StoredCustomerWords:
    return StoredCustomerWords.model_validate(deserialize(item))
