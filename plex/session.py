"""The HTTP session that we put under plexapi: nothing leaves for elsewhere, nothing is unbounded, errors are typed.

Measured without it: plexapi follows a redirect and sends the token along, reads the proxy from the environment,
unpacks a 200 KB answer into 1 GB, and waits for ever on a body that drips.
"""

from __future__ import annotations

import time
from typing import Any

import requests
import urllib3

from plex.exceptions import BrokenOff, from_status, not_plex
from plex.watch import Watch
from validation.errors import Kind, Trouble

BODY_LIMIT_BYTES = 8 << 20
CHUNK_BYTES = 8 << 10  # compressed; even a bomb unpacks to at most 1,000 times that at once
DEADLINE_S = 60.0


class PlexSession(requests.Session):
    """A requests session that raises `Trouble` and counts what it sends.

    ``timeouts`` are connect and read time-outs in seconds; the whole answer must be there within DEADLINE_S.
    """

    def __init__(self, timeouts: tuple[float, float]) -> None:
        super().__init__()
        self.trust_env = False
        self.timeouts = timeouts
        self.sent = 0
        self._watch = Watch()
        for scheme in ("http://", "https://"):
            self.mount(scheme, self._watch.adapter())

    def close(self) -> None:
        """Close all connections; the session opens new ones when it is used again."""
        self._watch.stop()
        super().close()

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """As requests does it, but for the URL: ours are encoded, and taking them apart again costs 0.1-0.2 ms each."""
        prepared = requests.PreparedRequest()
        prepared.prepare_method(request.method)
        prepared.url = request.url
        prepared.prepare_headers({**self.headers, **request.headers})
        prepared.prepare_body(request.data, request.files, request.json)
        return prepared

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send one request and read its whole answer; raises Trouble for every way in which that can fail."""
        options.update(stream=True, timeout=self.timeouts)
        options.pop("allow_redirects", None)
        self.sent += 1
        until = time.monotonic() + DEADLINE_S
        self._watch.begin(until)
        try:
            # Not by requests' own way, which adds cookies, hooks and the next redirect: none of them is ours.
            response = self.get_adapter(str(request.url)).send(request, **options)
            response._content = _read(response, until)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _endless() if self._watch.end() else _trouble(error) from None
        if self._watch.end():  # headers that were cut off look like headers that are complete
            raise _endless()
        response.encoding = "utf-8"  # else requests guesses, slowly, where a header is missing
        trouble = from_status(response.status_code, response.headers)
        if trouble is not None:
            raise trouble
        return response


def _read(response: requests.Response, until: float) -> bytes:
    body = bytearray()
    try:
        while True:
            chunk = response.raw.read1(CHUNK_BYTES, decode_content=True)
            if not chunk:
                return bytes(body)
            body += chunk
            if len(body) > BODY_LIMIT_BYTES:
                raise not_plex(f"longer than {BODY_LIMIT_BYTES >> 20} MB")
            if time.monotonic() > until:
                raise _endless()
    except BaseException:
        response.close()  # half an answer is left in it: the connection is of no more use
        raise


def _endless() -> Trouble:
    return Trouble(Kind.UNREACHABLE, f"Plex's answer did not end within {DEADLINE_S:.0f} s")


def _trouble(error: Exception) -> Trouble:
    """The trouble behind a transport error, without the URL that the exception's own text carries."""
    if isinstance(error, requests.exceptions.SSLError):
        return Trouble(Kind.UNREACHABLE, "Plex's certificate does not fit its address")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Trouble(Kind.UNREACHABLE, "Plex does not answer (time-out on connecting)")
    if isinstance(error, (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)):
        return Trouble(Kind.UNREACHABLE, "Plex did not answer in time")
    if isinstance(error, requests.exceptions.ConnectionError):
        if error.args and isinstance(error.args[0], urllib3.exceptions.ProtocolError):
            return BrokenOff(Kind.UNREACHABLE, "Plex broke the connection off")
        return Trouble(Kind.UNREACHABLE, "Plex cannot be reached (connection refused or name unknown)")
    return Trouble(Kind.UNREACHABLE, f"The connection to Plex broke ({type(error).__name__})")
