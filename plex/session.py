"""The HTTP session that we put under plexapi: nothing leaves for elsewhere, nothing is unbounded, errors are typed.

Measured without it: plexapi follows a redirect and sends the token along, reads the proxy from the environment,
unpacks a 200 KB answer into 1 GB, and waits for ever on a body that drips.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import requests

from plex.exceptions import BrokenOff, TimedOut, from_status
from plex.transport import Late, Transport, Unconnected, WrongCertificate
from validation.errors import Kind, Trouble

DEADLINE_S = 60.0  # at least
_NOBODY = (ConnectionRefusedError, socket.gaierror)
_BROKEN_OFF = (ConnectionError, http.client.HTTPException, ssl.SSLEOFError, ssl.SSLZeroReturnError)
NONE: Mapping[str, str] = {}


class Answer(NamedTuple):
    """What plexapi reads of a response."""

    status_code: int
    text: str


class PlexSession(requests.Session):
    """A requests session that raises `Trouble` and counts what it sends.

    ``timeouts`` are connect and read time-outs in seconds; the whole answer must be there within `deadline_s`. A
    ``fingerprint`` pins the server's certificate, see `Transport`.
    """

    def __init__(self, timeouts: tuple[float, float], fingerprint: str = "") -> None:
        super().__init__()
        self.sent = 0
        self._common = {**self.headers, "Accept-Encoding": "gzip"}
        self._transport = Transport(timeouts, fingerprint)

    def close(self) -> None:
        """Close the connection; the session opens another one when it is used again."""
        self._transport.close()
        super().close()

    def ask(self, url: str, within_s: float) -> Answer:
        """One GET whose answer is there within so many seconds, connecting included; raises Trouble."""
        return self.request("GET", url, within_s=within_s)

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] = NONE,
        data: bytes | None = None,
        within_s: float = 0.0,
        **ignored: Any,
    ) -> Answer:
        """Send one request and read its whole answer; raises Trouble for every way in which that can fail.

        In place of requests' own way, which takes apart and encodes what is encoded already, and adds cookies, hooks
        and the next redirect: none of that is ours. ``within_s`` counts in place of `deadline_s`.
        """
        self.sent += 1
        within_s = within_s or deadline_s(self._transport.timeouts)
        until = time.monotonic() + within_s
        try:
            answer, content = self._transport.exchange(method, url, {**self._common, **headers}, data, until)
        except (OSError, http.client.HTTPException, zlib.error, ValueError) as error:
            raise _trouble(error, within_s) from None
        trouble = from_status(answer.status, {"Retry-After": answer.getheader("Retry-After", "")})
        if trouble is not None:
            raise trouble
        return Answer(answer.status, content.decode("utf-8", "replace"))

    def certificate(self, url: str) -> str:
        """The SHA-256 fingerprint of the certificate shown at this address, "" without https; raises Trouble."""
        try:
            return self._transport.certificate(url)
        except (OSError, ValueError) as error:
            raise _trouble(error, 0.0) from None


def deadline_s(timeouts: tuple[float, float]) -> float:
    """How long one exchange may take in all: a server may use its read time-out to take a request, and to answer."""
    return max(DEADLINE_S, 2 * timeouts[1])


def _trouble(error: Exception, within_s: float) -> Trouble:
    """The trouble behind a transport error, without the exception's own text."""
    if isinstance(error, Late):
        return TimedOut(Kind.UNREACHABLE, f"Plex's answer did not end within {within_s:.0f} s")
    if isinstance(error, (socket.timeout, TimeoutError)):
        return TimedOut(Kind.UNREACHABLE, "Plex did not answer in time")
    if isinstance(error, _BROKEN_OFF) and not isinstance(error, _NOBODY):
        return BrokenOff(Kind.UNREACHABLE, "Plex broke the connection off")
    return Trouble(Kind.UNREACHABLE, _said(error))


def _said(error: Exception) -> str:
    if isinstance(error, Unconnected):
        return "Plex did not answer in time"
    if isinstance(error, WrongCertificate):
        return (
            "Plex's certificate is another one than plex_tls_fingerprint, so nothing was sent. If that is no surprise, "
            f"set plex_tls_fingerprint to the one seen: {error.seen}"
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            "Plex's certificate does not fit its address or is not trusted: set plex_tls_fingerprint to its "
            "fingerprint, which Health Check prints"
        )
    if isinstance(error, _NOBODY):
        return "Plex cannot be reached (connection refused or name unknown)"
    return f"The connection to Plex broke ({type(error).__name__})"
