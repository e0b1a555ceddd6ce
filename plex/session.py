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
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict

from plex.exceptions import BrokenOff, TimedOut, from_status
from plex.transport import Late, Transport, Unconnected, WrongCertificate
from validation.errors import Kind, Trouble

DEADLINE_S = 60.0  # at least
_NOBODY = (ConnectionRefusedError, socket.gaierror)
_BROKEN_OFF = (ConnectionError, http.client.HTTPException, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class PlexSession(requests.Session):
    """A requests session that raises `Trouble` and counts what it sends.

    ``timeouts`` are connect and read time-outs in seconds; the whole answer must be there within `deadline_s`. A
    ``fingerprint`` pins the server's certificate, see `Transport`.
    """

    def __init__(self, timeouts: tuple[float, float], fingerprint: str = "") -> None:
        super().__init__()
        self.trust_env = False
        self.headers["Accept-Encoding"] = "gzip"
        self.sent = 0
        self._transport = Transport(timeouts, fingerprint)

    def close(self) -> None:
        """Close the connection; the session opens another one when it is used again."""
        self._transport.close()
        super().close()

    def ask(self, url: str, within_s: float) -> requests.Response:
        """One GET whose answer is there within so many seconds, connecting included; raises Trouble."""
        return self.send(self.prepare_request(requests.Request("GET", url)), within_s=within_s)

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """As requests does it, but for the URL: ours are encoded, and taking them apart again costs 0.1-0.2 ms each."""
        prepared = requests.PreparedRequest()
        prepared.prepare_method(request.method)
        prepared.url = request.url
        prepared.prepare_headers({**self.headers, **request.headers})
        prepared.prepare_body(request.data, request.files, request.json)
        return prepared

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send one request and read its whole answer; raises Trouble for every way in which that can fail.

        Not by requests' own way, which adds cookies, hooks and the next redirect: none of them is ours. Of the
        options only ``within_s`` counts, in place of `deadline_s`.
        """
        self.sent += 1
        within_s = options.get("within_s") or deadline_s(self._transport.timeouts)
        until = time.monotonic() + within_s
        try:
            answer, content = self._transport.exchange(
                str(request.method), str(request.url), request.headers, request.body, until
            )
        except (OSError, http.client.HTTPException, zlib.error, ValueError) as error:
            raise _trouble(error, within_s) from None
        trouble = from_status(answer.status, CaseInsensitiveDict(answer.headers.items()))
        if trouble is not None:
            raise trouble
        return _response(request, answer, content)

    def certificate(self, url: str) -> str:
        """The SHA-256 fingerprint of the certificate shown at this address, "" without https; raises Trouble."""
        try:
            return self._transport.certificate(url)
        except (OSError, ValueError) as error:
            raise _trouble(error, 0.0) from None


def deadline_s(timeouts: tuple[float, float]) -> float:
    """How long one exchange may take in all: a server may use its read time-out to take a request, and to answer."""
    return max(DEADLINE_S, 2 * timeouts[1])


def _response(request: requests.PreparedRequest, answer: http.client.HTTPResponse, content: bytes) -> requests.Response:
    """The answer in the form that plexapi reads."""
    response = requests.Response()
    response.request, response.url = request, str(request.url)
    response.status_code, response.reason = answer.status, answer.reason
    response.headers = CaseInsensitiveDict(answer.headers.items())
    response.encoding = "utf-8"  # else requests guesses, slowly, where a header is missing
    response._content = content
    return response


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
