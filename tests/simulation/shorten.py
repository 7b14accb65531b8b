"""Make a failing history as short as it goes, and tell it in the words of the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.simulation.history import Outcome, run_plan
from tests.simulation.plan import plan_of

if TYPE_CHECKING:
    from tests.simulation.plan import Plan


def shortest(seed: int) -> Outcome:
    """The shortest history found that fails as the one of the seed does; with its story.

    Requests are left out, then repeats of requests, then calls are made to go well, each as long as
    the history still fails.
    """
    best = run_plan(plan_of(seed))
    shorter = True
    while shorter and best.violation is not None:
        shorter = False
        for candidate in _candidates(best):
            outcome = run_plan(candidate)
            if outcome.violation is not None and _size(outcome) < _size(best):
                best, shorter = outcome, True
                break
    return run_plan(best.plan, told=True)


def _size(outcome: Outcome) -> tuple[int, int]:
    plan = outcome.plan
    return sum(len(o.deliveries) for o in plan.operations), len(outcome.drawn)


def _candidates(outcome: Outcome) -> Iterator[Plan]:
    plan = outcome.plan
    for gone in plan.operations:
        rest = tuple(o for o in plan.operations if o is not gone)
        wanted = {o.of for o in rest if o.kind in {"refund", "resolve", "close_orphan"}}
        if rest and gone.number not in wanted:
            yield replace(plan, operations=rest)
    for shorter in plan.operations:
        if len(shorter.deliveries) > 1:
            fewer = replace(shorter, deliveries=shorter.deliveries[:-1])
            yield replace(
                plan, operations=tuple(fewer if o is shorter else o for o in plan.operations)
            )
    drawn = outcome.drawn
    size = len(drawn)
    while size >= 1:
        for start in range(0, len(drawn), size):
            yield replace(plan, calm=plan.calm | set(drawn[start : start + size]))
        size //= 2


def tell(outcome: Outcome) -> Iterator[str]:
    """The lines of a history's story."""
    yield f"The history of seed {outcome.plan.seed}, as short as it was found to be:"
    yield from (f"  {operation}" for operation in outcome.plan.operations)
    yield from outcome.story
    yield f"  {outcome.violation or 'nothing was contradicted'}"
