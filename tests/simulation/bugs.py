"""Deliberate bugs: what the simulation has to find.

Each is a change of the product's own source, applied to a copy of it. ``python -m
tests.simulation.bugs`` runs histories on each copy until one contradicts the protocol.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = ROOT / "layers/till/python/till"

ACCOUNT: Final = "domain/account.py"
PURCHASE: Final = "services/create_purchase.py"
SETTLEMENT: Final = "services/shared/settlement.py"
RECOVER: Final = "services/recover_attempts.py"
WRITES: Final = "adapters/dynamodb/writes.py"
ACCOUNT_WRITES: Final = "adapters/dynamodb/account_store.py"
ANSWERS: Final = "adapters/dynamodb/answers.py"
CARRIER: Final = "adapters/upstream/carrier.py"


@dataclass(frozen=True, slots=True)
class Bug:
    """A change of one place in the source.

    ``hole`` is its number in docs/purchase-protocol.md, if it is one of those. ``within`` is the
    number of histories, from the seed ``first``, in which it has to be found. A bug that is rare
    is looked for near the history that first showed it, so that the tests do not take minutes.
    """

    name: str
    file: str
    right: str
    wrong: str
    first: int = 1
    within: int = 500
    hole: int | None = None
    also: tuple[tuple[str, str, str], ...] = ()
    """Further changes, each of a file: without them, another rule would hide the bug."""


_RESOLVED_EARLY: Final = ("return at < self.expires_at and not has_ended", "return False")

BUGS: Final = (
    Bug(
        "a purchase holds nothing",
        ACCOUNT,
        "open_attempts=(*self.open_attempts, attempt),",
        "open_attempts=(*self.open_attempts, replace(attempt, amount=ZERO)),",
    ),
    Bug(
        "an attempt is created over another",
        WRITES,
        "return [create(self._purchases, self._stored(attempt))]",
        """item = create(self._purchases, self._stored(attempt))
                del item["Put"]["ConditionExpression"]
                return [item]""",
        first=1_300,
        within=200,
    ),
    Bug(
        "a version of an account is written over another",
        ACCOUNT_WRITES,
        "                return create(self._table, version.values())",
        """                item = create(self._table, version.values())
                del item["Put"]["ConditionExpression"]
                return item""",
    ),
    Bug(
        "a version does not cover its attempt",
        WRITES,
        "attempt = self._stored(after)",
        "pass",
    ),
    Bug(
        "an attempt does not say which version it was written with",
        WRITES,
        'return values if self._version is None else {**values, "account_version": self._version}',
        "return values",
    ),
    Bug(
        "a version does not cover the request that made it",
        WRITES,
        "items = requests_in(writes)",
        "items = requests_in(())",
    ),
    Bug(
        "a purchase is posted on the hash of the version before its hold",
        PURCHASE,
        "return attempt, store.commit(*writes)",
        "store.commit(*writes); return attempt, change.account",
    ),
    Bug(
        "an attempt is updated whatever its revision is",
        WRITES,
        '"ConditionExpression": "#revision = :revision_before",',
        '"ConditionExpression": "#revision = :revision_before OR attribute_exists(pk)",',
        within=6000,
    ),
    Bug(
        "more is refunded than was paid",
        "domain/purchase.py",
        "if amount > self.refundable or amount <= ZERO:",
        "if amount <= ZERO:",
        within=1500,
    ),
    Bug(
        "the carrier is called again after an unclear answer",
        PURCHASE,
        "        # 4. Resolve: post",
        """        if isinstance(outcome, OutcomeUnknown):
            outcome = self._carrier.create_shipment(
                attempt.order, attempt_id=attempt_id, timeout_seconds=10.0
            )
        # 4. Resolve: post""",
    ),
    Bug(
        "a grant remembers its request in a second transaction",
        "services/adjust_credit.py",
        "store.commit(AppendChange(change), remember(change, operation, asked))",
        "store.commit(AppendChange(change)); store.commit(remember(change, operation, asked))",
        within=1500,
    ),
    Bug(
        "two runs of one request take one reservation for their own",
        PURCHASE,
        "mine_to_ship = ours and existing.state is AttemptState.PENDING",
        "mine_to_ship = existing.state is AttemptState.PENDING",
        within=1500,
        hole=1,
    ),
    Bug(
        "the carrier is called without time for its answer",
        PURCHASE,
        "if deadline.remaining_seconds() < shipping_seconds:",
        "if deadline.remaining_seconds() < 0:",
        within=1500,
        hole=2,
    ),
    Bug(
        "the carrier's answer is not noted",
        SETTLEMENT,
        "                self._note(attempt, outcome, answered_at, deadline)\n            raise",
        "                pass\n            raise",
        within=1500,
        hole=3,
    ),
    Bug(
        "an attempt that became UNKNOWN is not settled by its answer",
        SETTLEMENT,
        "        if not attempt.is_open:\n            if not self.is_answer",
        "        if attempt.state is not AttemptState.PENDING:\n            if not self.is_answer",
        within=1500,
        hole=4,
    ),
    Bug(
        "a parcel that turns up after a void is not recorded",
        SETTLEMENT,
        "    answered = attempt.with_late_answer(outcome, at)",
        "    return attempt\n    answered = attempt.with_late_answer(outcome, at)",
        first=200,
        within=200,
        hole=4,
    ),
    Bug(
        "an attempt and its account, read at two times, are called corrupt",
        SETTLEMENT,
        "raise InconsistentReadError(str(error)) from error",
        "raise",
        first=800,
        within=200,
        hole=6,
    ),
    Bug(
        "a second call that did not ship voids the first",
        "domain/purchase.py",
        "if self.shipped_again_at is not None and isinstance(outcome, NotShipped):",
        "if False:",
        first=500,
        within=200,
        hole=7,
    ),
    Bug(
        "an unknown outcome that comes after a void opens no possible orphan",
        "domain/purchase.py",
        "elif isinstance(outcome, OutcomeUnknown) and orphan is None:",
        "elif False:",
        first=60152699,
        within=1,
        hole=28,
        also=(("domain/purchase.py", *_RESOLVED_EARLY),),
    ),
    Bug(
        "an orphan shipment that is open again forgets how it was closed",
        "domain/purchase.py",
        "earlier_closings=orphan.closings if orphan else (),",
        "earlier_closings=(),",
        first=100_011_420,
        within=1,
        hole=31,
    ),
    Bug(
        "an attempt is resolved while its call may be under way",
        "domain/purchase.py",
        *_RESOLVED_EARLY,
        first=80336140,
        within=1,
        hole=29,
    ),
    Bug(
        "an attempt is resolved while another recovery may be shipping it again",
        "domain/purchase.py",
        "return at < answered_at + longest_run",
        "return False",
        first=90047428,
        within=1,
        hole=30,
    ),
    Bug(
        "that nothing is known replaces a noted answer",
        SETTLEMENT,
        "if attempt.knows_more_than(outcome) and attempt.carrier_outcome != answered:",
        "if False:",
        first=60128490,
        within=1,
        hole=27,
    ),
    Bug(
        "a second call is made without a mark on the attempt",
        RECOVER,
        "            store.commit(UpdateAttempt(current, marked))\n",
        "",
        first=80000000,
        within=100,
        hole=26,
    ),
    Bug(
        "a 201 without a usable id counts as not shipped",
        CARRIER,
        """            return OutcomeUnknown(
                message=f"The Shipment API answered {status} without a usable id."
            )""",
        '            return NotShipped(message="no id")',
        hole=8,
    ),
    Bug(
        "a timeout of the carrier counts as not shipped",
        CARRIER,
        'return OutcomeUnknown(message="The Shipment API did not answer in time.")',
        'return NotShipped(message="The Shipment API did not answer in time.")',
    ),
    Bug(
        "a lost connection to the carrier counts as not shipped",
        CARRIER,
        """            return OutcomeUnknown(
                message=f"The connection to the Shipment API broke ({type(error).__name__})."
            )""",
        '            return NotShipped(message=f"broken: {error}")',
    ),
    Bug(
        "a 504 of the carrier counts as not shipped",
        CARRIER,
        "        HTTPStatus.SERVICE_UNAVAILABLE,\n",
        "        HTTPStatus.SERVICE_UNAVAILABLE,\n        HTTPStatus.GATEWAY_TIMEOUT,\n",
        first=300,
        within=200,
    ),
    Bug(
        "a settlement that was refused for good does not note the answer",
        SETTLEMENT,
        "        except Exception:\n            if answered:\n                self._note(",
        "        except ReadAgainError:\n            if answered:\n                self._note(",
        within=1500,
        hole=9,
    ),
    Bug(
        "only UNKNOWN attempts block the same order",
        PURCHASE,
        "blocks_from=begins_at + (self.run_ends_at - now),",
        "blocks_from=begins_at + timedelta(days=1000),",
        hole=11,
    ),
    Bug(
        "an open attempt does not block the same order",
        ACCOUNT,
        "if other.is_same_order(attempt) and other.blocks_from <= cause.at:",
        "if False:",
        also=(
            (PURCHASE, "is_running = abs(now - began_at) < self.longest_run", "is_running = True"),
        ),
        within=1000,
        hole=11,
    ),
    Bug(
        "a noted answer does not block the same order",
        PURCHASE,
        "return is_running and not isinstance(other.carrier_outcome, Shipped | OutcomeUnknown)",
        "return is_running",
        within=1500,
        hole=11,
    ),
    Bug(
        "one attempt that fails stops the recovery",
        RECOVER,
        "report.failed[attempt.id] = error",
        "raise",
        within=1500,
        hole=12,
    ),
    Bug(
        "a refusal is given without a second look at its key",
        "services/shared/idempotency.py",
        "if look_up(store.isolated()) is not None:",
        "if False:",
        within=1500,
        hole=13,
    ),
    Bug(
        "a refusal's second look may see half a transaction",
        "services/shared/idempotency.py",
        "look_up(store.isolated())",
        "look_up(store)",
        first=30_022_917,
        within=1,
        hole=23,
    ),
    Bug(
        "that nothing was shipped is not recorded after the deadline",
        SETTLEMENT,
        "    if attempt.carrier_outcome == outcome:",
        "    if not isinstance(outcome, Shipped) or attempt.carrier_outcome == outcome:",
        first=30_032_900,
        within=50,
        hole=24,
    ),
    Bug(
        "a second parcel of a purchase is not reported",
        SETTLEMENT,
        "        incidents.answer_not_recorded(attempt.id, outcome)\n        return attempt",
        "        return attempt",
        first=90_103_747,
        within=1,
        hole=25,
    ),
    Bug(
        "a shipment id is not claimed",
        SETTLEMENT,
        "writes.append(ClaimShipment(purchase.shipment_id, purchase.id))",
        "pass",
        hole=14,
    ),
    Bug(
        "the shipment id of another purchase is believed",
        SETTLEMENT,
        "if owner is None or owner == attempt_id:",
        "if True:",
        first=500,
        within=200,
        hole=14,
    ),
    Bug(
        "a void at the deadline opens no orphan shipment",
        RECOVER,
        "possible_orphan=True,",
        "possible_orphan=False,",
        hole=15,
    ),
    Bug(
        "a rep's limit does not hold for resolutions",
        "services/resolve_attempt.py",
        "        require_within(attempt.order.total, request.limit)\n",
        "",
        first=200,
        within=200,
        hole=16,
    ),
    Bug(
        "a 503 without JSON counts as refused for good",
        ANSWERS,
        '        "AccessDeniedException",\n',
        '        "AccessDeniedException",\n        "503",\n',
        hole=17,
    ),
    Bug(
        "a 200 of a proxy counts as success",
        ANSWERS,
        """    if not isinstance(answer, dict) or not _ONLY_DYNAMODB_ANSWERS & answer.keys():
        raise _NotDynamoDBError""",
        "    pass",
        hole=17,
    ),
    Bug(
        "each try of a promo code's change makes another version",
        "services/promo_codes.py",
        "changed = promo.with_terms(change_terms(promo.terms), actor=actor, at=now)",
        "changed = promo.with_terms(\n"
        "                change_terms(promo.terms),\n"
        "                actor=type(actor)(str(self._clock.now())),\n"
        "                at=now,\n"
        "            )",
        first=1_600,
        within=200,
        hole=18,
    ),
    Bug(
        "an unconfirmed change of a promo code is made again after another has followed it",
        "services/promo_codes.py",
        "return made is not None and _is_same_change(made.promo, ours)",
        "return False",
        within=1500,
        hole=22,
    ),
    Bug(
        "a void does not give the promo code back",
        SETTLEMENT,
        "writes.append(GiveRedemptionBack(promo.code, self.after.customer_id))",
        "pass",
    ),
    Bug(
        "the uses of a promo code are counted, not limited",
        WRITES,
        "        if most is not None:",
        "        if False:",
        first=2_500,
        within=200,
    ),
    Bug(
        "the uses of a promo code by one customer are counted, not limited",
        WRITES,
        "        if most_of_customer is not None:",
        "        if False:",
        first=400,
        within=200,
    ),
    Bug(
        "a promo code is redeemed whatever its version is",
        WRITES,
        'count_condition = "#version = :version"',
        'count_condition = "(#version = :version OR attribute_exists(pk))"',
        within=1500,
    ),
    Bug(
        "credit that is not there is spent",
        ACCOUNT,
        "        if amount > self.available:",
        "        if False:",
    ),
    Bug(
        "credit that is held is spent",
        ACCOUNT,
        "        if amount > self.available:",
        "        if amount > self.posted:",
        within=1500,
    ),
    Bug(
        "an entry is not chained to the one before",
        ACCOUNT,
        "previous_hash=self.entry_hash,",
        'previous_hash="0" * 64,',
    ),
    Bug(
        "the time of an account's history goes back",
        ACCOUNT,
        "if self.updated_at is not None and cause.at < self.updated_at:",
        "if False:",
        within=1500,
    ),
    Bug(
        "a clock that is behind makes a dead run look alive",
        ACCOUNT,
        "        cause = self._in_order(cause)\n        for other",
        "        for other",
        first=6_000,
        within=200,
        hole=21,
    ),
    Bug(
        "a repeated purchase is told with its refunds",
        "domain/purchase.py",
        "return replace(self, refunded=ZERO, refund_count=0, refunded_quantity=0)",
        "return self",
        within=1500,
    ),
    Bug(
        "a key takes another body",
        "services/shared/idempotency.py",
        "    if remembered != presented:",
        "    if False:",
        within=1500,
    ),
    Bug(
        "a conflict of transactions counts as refused for good",
        ANSWERS,
        '        "TransactionConflict",\n',
        "",
    ),
    Bug(
        "a noted answer with the shipment id of another purchase stays",
        SETTLEMENT,
        """            noted = replace(
                settled.after, carrier_outcome=outcome, carrier_answered_at=self.answered_at
            )""",
        """            noted = replace(
                settled.after, carrier_outcome=attempt.carrier_outcome or outcome,
                carrier_answered_at=self.answered_at
            )""",
        within=1000,
        hole=20,
        also=(
            (
                SETTLEMENT,
                "        if not isinstance(attempt.carrier_outcome, Shipped):",
                "        if True:",
            ),
        ),
    ),
    Bug(
        "a refusal after a try in doubt says that nothing was changed",
        "services/shared/contention.py",
        "            if in_doubt and not isinstance(refusal, LedgerCorruptError):",
        "            if False:",
        first=112_000,
        within=500,
        hole=32,
    ),
    Bug(
        "a caller is told to buy again though a parcel is possible",
        PURCHASE,
        "parcel_possible=attempt.orphan is not None",
        "parcel_possible=False",
        hole=33,
    ),
    Bug(
        "an attempt is given up at its deadline though its answer was noted",
        RECOVER,
        "            if _is_answered(current):",
        "            if False:",
        first=1_792_600,
        within=200,
        hole=34,
    ),
    Bug(
        "no time is kept to report an answer that cannot be noted",
        "adapters/dynamodb/tables.py",
        "if self._deadline is not None and self._deadline.remaining_seconds() < needed:",
        "if False:",
        hole=35,
    ),
    Bug(
        "a deadline goes by the account's time",
        SETTLEMENT,
        "deadline_at=by.at + deadline",
        "deadline_at=change.cause.at + deadline",
        hole=36,
    ),
    Bug(
        "an account whose time stands still lets a dead run look alive",
        PURCHASE,
        "is_running = abs(now - began_at) < self.longest_run",
        "is_running = True",
        first=18_600,
        within=300,
        hole=38,
    ),
    Bug(
        "an orphan shipment is closed as not real though the carrier has told its id",
        "domain/purchase.py",
        "        if shipment_id is not None and closing.outcome is OrphanOutcome.NOT_REAL:",
        "        if False:",
        first=3_000,
        within=500,
        hole=37,
    ),
)

NOT_FOUND: Final[frozenset[str]] = frozenset()
"""Bugs that are not found within their number of histories."""


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a bug: the first seed that found it, or None, and what it said."""

    bug: Bug
    seed: int | None
    said: str


def patched(bug: Bug, folder: Path) -> Path:
    """A copy of the product's source with the bug in it; the folder to import it from.

    Raises:
        ValueError: the source has no such place any more, or several.
    """
    copy = folder / "till"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for file, right, wrong in ((bug.file, bug.right, bug.wrong), *bug.also):
        source = (copy / file).read_text()
        if source.count(right) != 1:
            raise ValueError(f"{bug.name}: {file} has {source.count(right)} such places")
        (copy / file).write_text(source.replace(right, wrong))
    return folder


def hunt(bug: Bug) -> Found:
    """Run histories on the source with the bug until one finds it."""
    with tempfile.TemporaryDirectory() as folder:
        source = patched(bug, Path(folder))
        command = (sys.executable, "-m", "tests.simulation.run", "--seed", str(bug.first))
        run = subprocess.run(
            [*command, "--histories", str(bug.within), "--first", "--processes", "1"],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, (source, ROOT, SOURCE.parent))),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    match = re.search(r"^seed (\d+): (.*)$", run.stdout, re.MULTILINE)
    if match is None:
        return Found(bug, None, (run.stdout + run.stderr)[-400:])
    return Found(bug, int(match[1]), match[2])


def hunt_all(bugs: tuple[Bug, ...] = BUGS, *, at_once: int = 2) -> list[Found]:
    """Hunt every bug; see ``hunt``."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(hunt, bugs))


if __name__ == "__main__":
    wanted = sys.argv[1:]
    chosen = tuple(b for b in BUGS if not wanted or any(word in b.name for word in wanted))
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(hunt, chosen):
            print(f"{found.seed or 'NOT FOUND':>9}  {found.bug.name}: {found.said}", flush=True)  # noqa: T201
