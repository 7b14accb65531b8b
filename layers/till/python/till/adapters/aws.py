"""The one botocore session of a function, which makes all of its clients.

What a session reads to make its first client (endpoints, settings, credentials) is most of what
that client costs. A second session would read it all again.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import botocore.session

if TYPE_CHECKING:
    from botocore.session import Session


@cache
def session() -> Session:
    """The session. It makes clients for one thread at a time; a client is for all."""
    return botocore.session.get_session()
