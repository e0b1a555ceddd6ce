"""From what Plex's server or the network did to a kind of trouble: the one place that reads statuses and exceptions.

Why not plexapi's own classes: it puts 403, 429, 500 and 503 into one ``BadRequest`` and loses ``Retry-After``.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping

from validation.errors import Kind, Trouble

_KINDS = {
    400: Kind.PERMANENT,
    401: Kind.REFUSED,
    403: Kind.REFUSED,
    404: Kind.STALE_MATCH,
    409: Kind.PERMANENT,
    413: Kind.TOO_LARGE,
    414: Kind.TOO_LARGE,
    429: Kind.BUSY,
    431: Kind.TOO_LARGE,
    503: Kind.BUSY,
}
_PROXY_GAVE_UP = (504, 524)  # a proxy passed the request on and waited in vain for the answer
_SAID = {
    Kind.PERMANENT: "Plex refused the request",
    Kind.REFUSED: "Plex refused the token",
    Kind.STALE_MATCH: "Plex has no such item any more",
    Kind.TOO_LARGE: "the request is too long for Plex",
    Kind.BUSY: "Plex is busy or starting up",
    Kind.UNREACHABLE: "Plex is out of order",
}


class TimedOut(Trouble):
    """The request went out and its answer did not come in time: a write may have taken effect, or still will."""


class BrokenOff(Trouble):
    """A connection that was open ended without an answer: often just one that Plex dropped while it was idle."""


def from_status(status: int, headers: Mapping[str, str]) -> Trouble | None:
    """The trouble that an HTTP status means, None for success."""
    if status in (200, 201, 204):
        return None
    if 300 <= status < 400:
        return Trouble(Kind.UNREACHABLE, f"Plex's address answers with a redirect ({status}); use the final address")
    kind = _KINDS.get(status, Kind.UNREACHABLE if status >= 500 else Kind.UNEXPECTED)
    said = _SAID.get(kind, "Plex gave an answer that we do not know")
    made = TimedOut if status in _PROXY_GAVE_UP else Trouble
    return made(kind, f"{said} (HTTP {status})", retry_after_s(headers.get("Retry-After")))


def not_plex(what: str) -> Trouble:
    """The trouble of an answer with status 200 that is not Plex's: a proxy's login page, a cut document."""
    return Trouble(Kind.UNREACHABLE, f"The answer is not Plex's: {what}")


def retry_after_s(value: str | None) -> float | None:
    """``Retry-After`` in seconds, from a number or an HTTP date; None for nonsense."""
    if not value:
        return None
    try:
        return float(int(value.strip()))
    except (ValueError, OverflowError):
        pass
    try:
        return email.utils.parsedate_to_datetime(value).timestamp() - time.time()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
