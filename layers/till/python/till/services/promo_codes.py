"""Manage promo codes. Codes are never deleted, and each change of one is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from till.domain.promo import (
    PromoAction,
    PromoChange,
    PromoCode,
    PromoCodeDeactivatedError,
    PromoCodeExistsError,
    PromoCodeNotFoundError,
    PromoState,
    StaleVersionError,
    canonical_code,
)
from till.services.ports.promo_codes import ChangePromo
from till.services.shared.contention import until_confirmed
from till.services.shared.deadline import NEW_REQUEST_SECONDS, at_most
from till.services.shared.in_parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable

    from till.domain.actor import Actor
    from till.domain.promo import PromoTerms
    from till.services.ports.promo_codes import PromoPage
    from till.services.ports.run import Clock, Deadline
    from till.services.ports.store import Store


CHANGES_SHOWN: Final = 100
"""How many versions, the newest ones, are shown with their code."""


class PromoCodes:
    """Create, read, change and deactivate promo codes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(
        self, code: str, terms: PromoTerms, *, actor: Actor, deadline: Deadline
    ) -> PromoCode:
        """Make a new code.

        Raises:
            PromoCodeExistsError: the code is taken.
        """
        deadline = at_most(deadline, NEW_REQUEST_SECONDS)
        store = self._store.within(deadline)
        new = PromoCode.create(code, terms, actor=actor, at=self._clock.now())

        def step() -> PromoCode:
            existing = store.promo(canonical_code(code))
            if existing is not None:
                if _was_made(store, existing, new):
                    return new
                raise PromoCodeExistsError
            store.commit(ChangePromo(PromoChange(promo=new, action=PromoAction.CREATED)))
            return new

        return until_confirmed(step, deadline)

    def read(self, code: str) -> tuple[PromoCode, tuple[PromoChange, ...]]:
        """A code with its use so far, and the newest versions of its terms, oldest first.

        Raises:
            PromoCodeNotFoundError: there is no such code.
        """
        promo, changes = in_parallel(
            lambda: self._store.promo(code),
            lambda: self._store.promo_changes(code, limit=CHANGES_SHOWN),
        )
        if promo is None:
            raise PromoCodeNotFoundError
        return promo, changes

    def list(self, *, state: PromoState | None, before: str | None, limit: int) -> PromoPage:
        """Codes, newest first, in a state or in any."""
        states = (state,) if state else tuple(PromoState)
        return self._store.promos(states, before=before, limit=limit)

    def change(
        self,
        code: str,
        change_terms: Callable[[PromoTerms], PromoTerms],
        *,
        versions: frozenset[int] | None,
        actor: Actor,
        deadline: Deadline,
    ) -> PromoCode:
        """Change the terms of a code that is at one of ``versions``; None: at any version.

        Raises:
            PromoCodeNotFoundError: there is no such code.
            StaleVersionError: it is at another version.
            PromoCodeDeactivatedError: it stays as it is.
            InvalidPromoTermsError: the new terms contradict each other.
        """
        deadline = at_most(deadline, NEW_REQUEST_SECONDS)
        store = self._store.within(deadline)
        now = self._clock.now()
        changed: PromoCode | None = None

        def step() -> PromoCode:
            nonlocal changed
            promo = _get(store, code)
            if changed is not None and _was_made(store, promo, changed):
                return changed
            if versions is not None and promo.version not in versions:
                raise StaleVersionError(version=promo.version)
            if promo.state is PromoState.DEACTIVATED:
                raise PromoCodeDeactivatedError
            changed = promo.with_terms(change_terms(promo.terms), actor=actor, at=now)
            store.commit(ChangePromo(PromoChange(promo=changed, action=PromoAction.UPDATED)))
            return changed

        return until_confirmed(step, deadline)

    def deactivate(self, code: str, *, actor: Actor, deadline: Deadline) -> PromoCode:
        """End a code, for good. Ending it again changes nothing.

        Raises:
            PromoCodeNotFoundError: there is no such code.
        """
        deadline = at_most(deadline, NEW_REQUEST_SECONDS)
        store = self._store.within(deadline)

        def step() -> PromoCode:
            promo = _get(store, code)
            if promo.state is PromoState.DEACTIVATED:
                return promo
            ended = promo.deactivated(actor=actor, at=self._clock.now())
            store.commit(ChangePromo(PromoChange(promo=ended, action=PromoAction.DEACTIVATED)))
            return ended

        return until_confirmed(step, deadline)


def _get(store: Store, code: str) -> PromoCode:
    promo = store.promo(code)
    if promo is None:
        raise PromoCodeNotFoundError
    return promo


def _was_made(store: Store, current: PromoCode, ours: PromoCode) -> bool:
    """Whether a commit of ours whose confirmation was lost took effect.

    Another change may have followed it, so the version that it made is looked at as well.
    """
    if current.version <= ours.version:
        return _is_same_change(current, ours)
    made = store.promo_change(ours.code, ours.version)
    return made is not None and _is_same_change(made.promo, ours)


def _is_same_change(promo: PromoCode, ours: PromoCode) -> bool:
    made = (promo.version, promo.updated_at, promo.updated_by)
    return made == (ours.version, ours.updated_at, ours.updated_by)
