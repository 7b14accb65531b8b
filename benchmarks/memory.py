"""How long functions take with more memory, and what a million calls cost.

Lambda gives a function CPU in proportion to its memory: one virtual CPU at 1,769 MB. So the CPU
time that was measured here is divided by that share, and what the function waits for is added. It
is assumed that a processor here is as fast as one of Lambda's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.cold_start import Result, Start

WAITS_MS: Final[Mapping[str, float]] = {
    "get_credit": 5,
    "list_entries": 5,
    "list_purchases": 10,
    "list_customer_purchases": 10,
    "grant_credit": 15,
    "refund_purchase": 15,
    # Half a second of it is the carrier's.
    "create_purchase": 550,
}
"""What a call waits for in all: some 5 ms for each read of DynamoDB, and 10 for a transaction."""
FUNCTIONS: Final = tuple(WAITS_MS)

MEMORY_MB: Final = (512, 1024, 1769)
_ONE_CPU_MB: Final = 1769
_DOLLARS_PER_GB_SECOND: Final = 0.0000133334
_DOLLARS_PER_MILLION_CALLS: Final = 0.20
_CALLS_PER_START: Final = 1_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """One function with so much memory."""

    cold_ms: float
    """Of init and the first call, without what Lambda itself takes to place a function."""
    warm_ms: float
    dollars_per_million: float
    """Of calls: one in a thousand starts a function, and init is billed as well."""


def estimate(start: Start, memory_mb: int) -> Estimate:
    """The duration and the price of a function, by its CPU time.

    Raises:
        ValueError: the function was not called.
    """
    if start.with_first_call is None or start.warm_call is None:
        raise ValueError(f"{start.operation} was not called")
    share, waits = memory_mb / _ONE_CPU_MB, WAITS_MS[start.operation]
    cold = start.with_first_call / share + waits
    warm = start.warm_call / share + waits
    each_seconds = (warm + (cold - warm) / _CALLS_PER_START) / 1000
    gb_seconds = each_seconds * memory_mb / 1024 * 1_000_000
    dollars = gb_seconds * _DOLLARS_PER_GB_SECOND + _DOLLARS_PER_MILLION_CALLS
    return Estimate(cold, warm, dollars)


def show(result: Result) -> None:
    """Print the table, as docs/performance.md keeps it."""
    python = list(result.yardsticks)[-1]
    print(f"\nBy Lambda's proportion of CPU to memory, Python {python}: from cold / warm, in ms,")
    print("and dollars for a million calls\n")
    print(f"| function | {' | '.join(f'{memory:,} MB' for memory in MEMORY_MB)} |")
    print(f"|---|{'---:|' * len(MEMORY_MB)}")
    for start in result.starts:
        if start.python == python and start.operation in WAITS_MS:
            found = [estimate(start, memory) for memory in MEMORY_MB]
            cells = [
                f"{each.cold_ms:.0f} / {each.warm_ms:.0f}, ${each.dollars_per_million:.2f}"
                for each in found
            ]
            print(f"| {start.operation} | {' | '.join(cells)} |")
