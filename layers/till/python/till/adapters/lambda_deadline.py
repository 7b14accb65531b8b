"""How much time Lambda leaves an invocation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class LambdaDeadline:
    """``till.services.ports.run.Deadline`` by the time that Lambda leaves this invocation."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context

    def remaining_seconds(self) -> float:
        """Seconds until Lambda ends this invocation."""
        return self._context.get_remaining_time_in_millis() / 1000
