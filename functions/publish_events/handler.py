"""Tell others what happened to accounts: the ledger table's stream calls this with new items.

An operator may call it too, with ``{"publish_again": {"customer_id": "...", "version": 7}}``: see
docs/runbooks/dead-letters.md.
"""

import till.cold_start

from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from pydantic import BaseModel, ConfigDict, Field

from till import bootstrap, metrics
from till.http.wire.types import Id

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from till.http.events import Event

logger = Logger()


class VersionAgain(BaseModel):
    """The version of an account whose event is to be published again."""

    model_config = ConfigDict(extra="forbid")

    customer_id: Id
    version: int = Field(ge=1)


class PublishAgain(BaseModel):
    """What an operator sends."""

    model_config = ConfigDict(extra="forbid")

    publish_again: VersionAgain


def lambda_handler(event: "Event", context: "LambdaContext") -> None:
    """Publish once, and log what was done. Who calls makes the call again if this fails."""
    publish, deadline = bootstrap.publish_events(), bootstrap.deadline(context)
    try:
        if "publish_again" in event:
            wanted = PublishAgain.model_validate(event).publish_again
            report = publish.again(wanted.customer_id, wanted.version, deadline)
        else:
            report = publish(bootstrap.new_versions(event), deadline)
    finally:
        metrics.flush()
    logger.info("events", extra={"published": report.published, "unreadable": report.unreadable})


till.cold_start.end()
