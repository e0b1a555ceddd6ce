"""How Plex Media Server speaks to a metadata provider: its headers, its paging, its patience (provider.md 1.5, 1.6).

Shared by the double's agent side and by `tests.doubles.plex_driver`. Any thread may use it: each keeps a connection.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any, Optional
from urllib.parse import quote, urlencode, urlsplit

VERSION = "1.43.1.10611-1e34174b1"
PATIENCE_S = 90.0
FIRST_PAGE = {"X-Plex-Container-Start": "0", "X-Plex-Container-Size": "20"}


class ProviderAway(OSError):
    """The provider did not answer, or not within Plex's patience."""


@dataclass(frozen=True)
class Reply:
    """An answer, unpacked. ``headers`` are in lower case; ``seconds`` is how long all of it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def document(self) -> Any:
        """Return the JSON in the body; ValueError when there is none."""
        return json.loads(self.body.decode("utf-8"))


class ProviderCalls:
    """Requests to the provider that is registered under ``url``: addresses are appended to it, whatever its path is.

    ``paging`` is where a GET carries ``X-Plex-Container-*``: ``query`` as PMS was seen to do, or ``headers``.
    """

    def __init__(
        self,
        url: str,
        client_id: str = "5f0c2b7e9d3a41c8b6e4d2f1a0978653c4b5d6e7",
        language: str = "en-US",
        country: str = "US",
        paging: str = "query",
        patience_s: float = PATIENCE_S,
        version: str = VERSION,
    ) -> None:
        self.url = url.split("?")[0].rstrip("/")
        self.paging = paging
        self.patience_s = patience_s
        self._agent = {
            "User-Agent": f"PlexMediaServer/{version}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        self._who = {
            "X-Plex-Client-Identifier": client_id,
            "X-Plex-Language": language,
            "X-Plex-Country": country,
        }
        self._threads = threading.local()
        self._opened: list[http.client.HTTPConnection] = []

    def root(self) -> Reply:
        """Ask who the provider is, as at registration, at start and at a refresh: without any X-Plex header."""
        return self.send("GET", f"{self.url}?includePreferences=1", self._agent)

    def match(self, key: str, body: Any) -> Reply:
        """Ask which item is meant; ``body`` is bytes, or becomes JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {**self._agent, **self._who, "Content-Type": "application/json", **FIRST_PAGE}
        return self.send("POST", self.url + key, headers, data)

    def get(self, path: str, **query: Any) -> Reply:
        """Ask for metadata, or for something below it."""
        arguments, headers = {name: str(value) for name, value in query.items()}, {**self._agent, **self._who}
        (arguments if self.paging == "query" else headers).update(FIRST_PAGE)
        text = "?" + urlencode(arguments, quote_via=quote) if arguments else ""
        return self.send("GET", self.url + path + text, headers)

    def image(self, url: str, method: str = "GET", **headers: str) -> Reply:
        """Ask for a picture, at an address of its own."""
        return self.send(method, url, {"User-Agent": self._agent["User-Agent"], **headers})

    def send(self, method: str, url: str, headers: dict[str, str], body: Optional[bytes] = None) -> Reply:
        """Send one request; raises ProviderAway. A redirect is an answer like any other."""
        begun = time.monotonic()
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        for kept in (True, False):
            connection, used = self._connection(parts.scheme, parts.netloc, kept)
            try:
                connection.request(method, target, body, headers)
                response = connection.getresponse()
                return self._read(response, begun)
            except (OSError, http.client.HTTPException) as problem:
                self._forget(parts.scheme, parts.netloc)
                timed_out = isinstance(problem, socket.timeout) or time.monotonic() - begun >= self.patience_s
                if not used or timed_out:
                    raise ProviderAway(f"{method} {parts.path}: {type(problem).__name__}") from problem
        raise AssertionError("a new connection was not used before")

    def _read(self, response: http.client.HTTPResponse, begun: float) -> Reply:
        content = response.read()
        seconds = time.monotonic() - begun
        if seconds > self.patience_s:
            raise TimeoutError(f"an answer after {seconds:.0f} s")
        headers = {name.lower(): value for name, value in response.getheaders()}
        if headers.get("content-encoding") == "gzip" and content:
            content = gzip.decompress(content)
        return Reply(response.status, headers, content, seconds)

    def _connection(self, scheme: str, host: str, kept: bool) -> tuple[http.client.HTTPConnection, bool]:
        """Return this thread's connection, and whether it was used before."""
        pool = self._threads.__dict__
        if kept and (scheme, host) in pool:
            return pool[scheme, host], True
        made = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        pool[scheme, host] = made(host, timeout=self.patience_s)
        self._opened.append(pool[scheme, host])
        return pool[scheme, host], False

    def _forget(self, scheme: str, host: str) -> None:
        connection = self._threads.__dict__.pop((scheme, host), None)
        if connection:
            connection.close()
            with contextlib.suppress(ValueError):
                self._opened.remove(connection)

    def close(self) -> None:
        """Close the connections of all threads; who is waiting for an answer waits no longer."""
        while self._opened:
            connection = self._opened.pop()
            with contextlib.suppress(OSError):
                if connection.sock:
                    connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()
