"""Who is calling."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from till.http.events import header
from till.http.problems import NotAuthenticatedError

if TYPE_CHECKING:
    from till.http.events import Event

LOCAL_STAGE: Final = "local"
ACTOR_HEADER: Final = "X-Till-Actor"
_DEFAULT_LOCAL_ACTOR: Final = "local"
_ACTOR: Final = re.compile(r"[\x21-\x7e]{1,100}")


def identify_caller(event: Event, *, stage: str) -> str:
    """The name that goes into the books as the actor.

    Only the local stage believes the header ``X-Till-Actor``; on any other nobody can be
    identified yet, and so nobody is let in.

    Raises:
        NotAuthenticatedError: nobody to be believed.
    """
    if stage != LOCAL_STAGE:
        raise NotAuthenticatedError
    name = header(event, ACTOR_HEADER) or _DEFAULT_LOCAL_ACTOR
    if not _ACTOR.fullmatch(name):
        raise NotAuthenticatedError
    return name
