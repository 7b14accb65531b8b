"""What tests can ask of the stand-in: how it answers about one customer, product or SKU."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, model_validator

Key = TypeVar("Key", bound=Hashable)


class Plan(BaseModel):
    """A part of what is planned; a misspelt field is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Proceed(Plan):
    """The answer that the contract promises."""

    kind: Literal["proceed"] = "proceed"


class Refuse(Plan):
    """An error of the contract: a status and ``{"Message": ...}``."""

    kind: Literal["refuse"] = "refuse"
    status: Annotated[int, Field(ge=400, le=599)]
    message: str = "The stand-in was told to refuse this."


class Dribble(Plan):
    """Send an answer byte by byte, with a pause before each byte.

    From the status line on (``head``), or only after the header fields (``body``).
    """

    part: Literal["head", "body"]
    pause_seconds: Annotated[float, Field(gt=0)]


class Raw(Plan):
    """Any answer, such as one that breaks the contract.

    The body is text, or any bytes in ``body_base64``. ``headers`` are added as they are: with
    ``Content-Encoding``, the body has to be encoded already. With ``missing_bytes`` the answer
    claims to be so much longer than it is, and the connection is closed at its end: an answer that
    breaks off.
    """

    kind: Literal["raw"] = "raw"
    status: Annotated[int, Field(ge=200, le=599)] = 200
    body: str = ""
    body_base64: Base64Bytes | None = None
    content_type: str = "application/json"
    headers: dict[str, str] = Field(default_factory=dict)
    missing_bytes: Annotated[int, Field(ge=0)] = 0
    dribble: Dribble | None = None

    @model_validator(mode="after")
    def _has_one_body(self) -> Self:
        if self.body and self.body_base64 is not None:
            raise ValueError("give body or body_base64, not both")
        return self

    @property
    def content(self) -> bytes:
        """The body."""
        return self.body.encode() if self.body_base64 is None else self.body_base64


class Interim(Plan):
    """No answer, but one 1xx after another until the client gives up."""

    kind: Literal["interim"] = "interim"
    status: Annotated[int, Field(ge=100, le=199)] = 103
    pause_seconds: Annotated[float, Field(gt=0)] = 0.1


class Drop(Plan):
    """No answer: the connection is closed, or with ``reset`` torn down."""

    kind: Literal["drop"] = "drop"
    reset: bool = False


class Silent(Plan):
    """No answer, ever: the connection stays open until the client gives up."""

    kind: Literal["silent"] = "silent"


PlannedAnswer = Annotated[
    Proceed | Refuse | Raw | Interim | Drop | Silent, Field(discriminator="kind")
]


class Behaviour(Plan):
    """How requests about one customer, product or SKU are answered.

    A request waits first (``hold``: until it is released; then ``delay_seconds``) and is answered
    after. ``times`` limits the plan to so many requests; the next ones are answered as usual.

    ``record`` tells whether a shipment is made, at once when the request arrives, whatever becomes
    of the answer; left out, one is made if the answer is the contract's. It means nothing for
    customers and products.
    """

    answer: PlannedAnswer = Proceed()
    delay_seconds: Annotated[float, Field(ge=0)] = 0
    hold: bool = False
    times: Annotated[int, Field(ge=1)] | None = None
    record: bool | None = None

    @property
    def makes_shipment(self) -> bool:
        """Whether a shipment request under this plan leads to a parcel."""
        return self.answer.kind == "proceed" if self.record is None else self.record


class Turn:
    """One request's part in a plan: what to do, and the gate it may have to wait at."""

    def __init__(self, behaviour: Behaviour, gate: threading.Event | None = None) -> None:
        self.behaviour = behaviour
        self._gate = gate or threading.Event()

    def wait(self, stopped: threading.Event) -> None:
        """Wait as the plan says; a stand-in that stops lets everybody go."""
        if self.behaviour.hold:
            self._gate.wait()
        if self.behaviour.delay_seconds:
            stopped.wait(self.behaviour.delay_seconds)


class Plans(Generic[Key]):
    """The plans for all customers, or all products, or all SKUs. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._behaviours: dict[Key, Behaviour] = {}
        self._left: dict[Key, int] = {}
        self._gates: dict[Key, threading.Event] = {}

    def set(self, key: Key, behaviour: Behaviour) -> None:
        """Replace the plan for a key. Requests that wait under the old one go on."""
        with self._lock:
            self._forget(key)
            self._behaviours[key] = behaviour
            self._gates[key] = threading.Event()
            if behaviour.times is not None:
                self._left[key] = behaviour.times

    def clear(self, key: Key) -> None:
        """Answer as usual from now on. Waiting requests go on."""
        with self._lock:
            self._forget(key)

    def release(self, key: Key) -> None:
        """Let the held requests of a key go on, and hold no more under this plan."""
        with self._lock:
            gate = self._gates.get(key)
            if gate is not None:
                gate.set()

    def release_all(self) -> None:
        """Let everybody go on."""
        with self._lock:
            for gate in self._gates.values():
                gate.set()

    def take(self, key: Key) -> Turn:
        """What the next request for a key is to do; it counts as one of the plan's times."""
        with self._lock:
            behaviour = self._behaviours.get(key)
            if behaviour is None:
                return Turn(Behaviour())
            gate = self._gates[key]
            if behaviour.times is not None:
                self._left[key] -= 1
                if self._left[key] == 0:
                    # The gate stays: the last of the held requests is released through it.
                    del self._behaviours[key]
            return Turn(behaviour, gate)

    def planned(self, key: Key) -> bool:
        """Whether something unusual is planned for a key."""
        with self._lock:
            return key in self._behaviours

    def _forget(self, key: Key) -> None:
        self._behaviours.pop(key, None)
        self._left.pop(key, None)
        gate = self._gates.pop(key, None)
        if gate is not None:
            gate.set()
