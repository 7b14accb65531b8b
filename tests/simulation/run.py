"""``make simulate``: run histories, and show the shortest form of each that fails.

python -m tests.simulation.run --seed 1 --histories 1000
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import secrets
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

# What the functions log would take longer than the histories.
os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"
logging.disable(logging.CRITICAL)

KEPT_SEEDS = Path(__file__).with_name("kept_seeds.txt")
"""The seeds that once failed, which ``test_histories.py`` runs."""

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch of seeds came to: what each failing one contradicted, and its CPU time."""

    count: int
    failed: dict[int, str]
    transactions: int
    seconds: float


def run_batch(seeds: range, *, first_only: bool = False) -> Batch:
    """Run the histories of some seeds in this process."""
    from tests.simulation.history import run_seed  # noqa: PLC0415 - after logging is off

    gc.collect()
    gc.freeze()
    gc.disable()
    began, transactions, count = time.process_time(), 0, 0
    failed: dict[int, str] = {}
    for seed in seeds:
        outcome = run_seed(seed)
        count += 1
        transactions += outcome.transactions
        if outcome.violation is not None:
            failed[seed] = outcome.violation
            if first_only:
                break
    gc.enable()
    return Batch(count, failed, transactions, time.process_time() - began)


def batches(first_seed: int, histories: int) -> Iterator[range]:
    """The seeds in portions."""
    last = first_seed + histories
    for start in range(first_seed, last, _BATCH):
        yield range(start, min(start + _BATCH, last))


def main() -> int:
    """Run them, and exit with 1 if any failed."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed; a random one if it is left out")
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--keep", action="store_true", help=f"add failing seeds to {KEPT_SEEDS.name}"
    )
    parser.add_argument("--first", action="store_true", help="stop at the first failure")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else secrets.randbelow(10**12)
    print(f"histories of the seeds {seed} to {seed + options.histories - 1}", flush=True)
    began = shown = time.monotonic()
    done, transactions, seconds = 0, 0, 0.0
    failed: dict[int, str] = {}
    for batch in _run(seed, options.histories, options.processes, first_only=options.first):
        done += batch.count
        transactions += batch.transactions
        seconds += batch.seconds
        failed |= batch.failed
        for number, violation in sorted(batch.failed.items()):
            print(f"seed {number}: {violation}", flush=True)
            if options.keep:
                with KEPT_SEEDS.open("a") as kept:
                    kept.write(f"{number} {violation}\n")
        if time.monotonic() - shown > 5:
            shown = time.monotonic()
            rate = done / max(seconds, 0.001)
            print(f"{done} histories, {len(failed)} failed, {rate:.0f} per CPU second", flush=True)
        if failed and options.first:
            break
    if failed and not options.first:
        _show_shortest(min(failed))
    print(
        f"{done} histories, {transactions} transactions, {len(failed)} failed; "
        f"{time.monotonic() - began:.0f} s, {done / max(seconds, 0.001):.0f} per CPU second"
    )
    return 1 if failed else 0


def _run(seed: int, histories: int, processes: int, *, first_only: bool) -> Iterator[Batch]:
    if processes == 1:
        for seeds in batches(seed, histories):
            yield run_batch(seeds, first_only=first_only)
        return
    with ProcessPoolExecutor(processes) as pool:
        running = [pool.submit(run_batch, seeds) for seeds in batches(seed, histories)]
        for finished in as_completed(running):
            yield finished.result()


def _show_shortest(seed: int) -> None:
    from tests.simulation.shorten import shortest, tell  # noqa: PLC0415

    print("\n".join(tell(shortest(seed))))


if __name__ == "__main__":
    sys.exit(main())
