"""What every operation has in common: one request of a person, carried out in small steps beside the drain's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from worker.drain import Step
from worker.session import Session


class Operation(Protocol):
    """One request being carried out, in a task's process or in the worker."""

    drains: bool
    """Whether the drain has to run for it."""
    looks: bool
    """Whether it changes nothing, so that without a worker it is carried out on a copy of what we keep."""
    accepted: bool
    """Whether all that it asks for is durable, so that its mark may go."""

    def advance(self, now: float) -> None:
        """Do the next small part of its own work."""

    def finished(self, step: Step) -> bool:
        """Whether there is nothing more to do, or nothing that can be done now."""

    def fraction(self) -> float:
        """How much is done, 0 to 1."""

    def result(self) -> dict[str, Any]:
        """What came of it, complete; with the key ``error`` when it failed."""


class AtOnce:
    """An operation that is done in one go; what it does is `act`."""

    drains = False
    looks = False

    def __init__(self, session: Session, args: Mapping[str, str]) -> None:
        self.accepted = False
        self._session, self._args = session, args
        self._result: dict[str, Any] = {}

    def act(self, now: float) -> dict[str, Any]:
        """Do it; returns the result."""
        raise NotImplementedError

    def advance(self, now: float) -> None:
        """All of it, once."""
        if not self.accepted:
            self._result = self.act(now)
            self.accepted = True

    def finished(self, step: Step) -> bool:
        """After the first call of `advance`."""
        return self.accepted

    def fraction(self) -> float:
        """Nothing or all of it."""
        return 1.0 if self.accepted else 0.0

    def result(self) -> dict[str, Any]:
        """What `act` said."""
        return self._result
