"""``make bench``: everything that is measured, or one part of it (``PART=load``).

Each part starts a system of its own, prints one table or a few, and stops it. The figures of one
run can be compared with each other, and those of two runs only by their ratios.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Final

from benchmarks import browse, cold_start, growth, hot_account, load, memory, units
from benchmarks.use_cases import UseCases
from local.system import running_system

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def measure_cold_starts(options: argparse.Namespace) -> bool:
    """Print init, first call and warm calls of every function, and the sizes of the packages."""
    _say("cold: every function is started in new processes, for some minutes")
    with running_system() as endpoints:
        options.cold = cold_start.measure(endpoints, rounds=options.rounds)
    cold_start.show(options.cold)
    return True


def measure_units(_: argparse.Namespace) -> bool:
    """Print what each operation consumes, and whether it is within its budget."""
    _say("units: every operation is run once, and sessions of customers with and without a cache")
    # The code writes its own metrics to stdout by the hundred: they are not results of this.
    with running_system() as endpoints, redirect_stdout(io.StringIO()):
        bench = UseCases(endpoints)
        rows = units.measure(bench, endpoints.upstream_url)
        reads = browse.measure(bench.store, bench.index, endpoints.upstream_url, bench.credentials)
    units.show(rows)
    browse.show(reads)
    over = [row.name for row in rows if row.over]
    if over:
        print(f"over budget: {', '.join(over)}", file=sys.stderr)
    return not over


def measure_load(_: argparse.Namespace) -> bool:
    """Print what many clients get, from warm and from cold, and what the emulator allows."""
    _say("load: clients buy over HTTP, for about three minutes")
    with running_system() as endpoints:
        from_cold = load.measure_from_cold(endpoints)
    with running_system() as endpoints, redirect_stdout(io.StringIO()):
        result = load.measure(endpoints)
        hot = hot_account.measure(endpoints)
    load.show(result, from_cold)
    hot_account.show(hot)
    return True


def measure_growth(options: argparse.Namespace) -> bool:
    """Print what operations read as accounts and lists grow, and whether it stays the same."""
    _say(f"growth: tables are filled with up to {options.most:,} entries and customers")
    with running_system() as endpoints, redirect_stdout(io.StringIO()):
        rows = growth.measure(endpoints, options.most)
    growth.show(rows)
    growing = [row.name for row in rows if row.grows]
    if growing:
        print(f"reads more as it grows: {', '.join(growing)}", file=sys.stderr)
    return not growing


def measure_memory(options: argparse.Namespace) -> bool:
    """Print how long functions take with more memory, and what that costs."""
    _say("memory: what some functions would take, computed from their CPU time")
    if options.cold is None:
        with running_system() as endpoints:
            options.cold = cold_start.measure(endpoints, memory.FUNCTIONS, options.rounds)
    memory.show(options.cold)
    return True


PARTS: Final[Mapping[str, Callable[[argparse.Namespace], bool]]] = {
    "cold": measure_cold_starts,
    "units": measure_units,
    "load": measure_load,
    "growth": measure_growth,
    "memory": measure_memory,
}


def _say(what: str) -> None:
    print(f"\nMeasuring {what} ...", flush=True)


def main() -> int:
    """Measure the parts that were asked for; tell whether a budget or a bound was exceeded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=cold_start.ROUNDS, help="of cold starts")
    parser.add_argument("--most", type=int, default=growth.MOST, help="entries of one account")
    # What the first part has measured, for the last one.
    parser.set_defaults(cold=None)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}: take {', '.join(PARTS)}")
    # In a checkout's own environment: what the shell has set is not what functions have.
    os.environ.pop("AWS_PROFILE", None)
    # What the code logs is not a result of this either.
    logging.disable(logging.WARNING)
    passed = [PARTS[part](options) for part in options.parts or PARTS]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
