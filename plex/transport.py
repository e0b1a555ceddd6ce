"""One kept-alive connection to Plex, in which every wait has an end and no answer is larger than we allow.

Standard library's `http.client` and not urllib3, because a deadline has to reach the place where bytes are read: a
read time-out starts anew with each byte, so a server that drips its headers would keep us for ever. Measured and
decided in docs/decisions/0004.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import certifi

from plex.exceptions import not_plex

BODY_LIMIT_BYTES = 8 << 20
CHUNK_BYTES = 64 << 10
IDLE_S = 15.0  # Plex drops an idle connection after 20
GZIP = 16 + zlib.MAX_WBITS


class Late(OSError):
    """The whole answer was not there in time."""


class Transport:
    """Sends one request at a time. ``timeouts`` are connect and read time-outs in seconds.

    `exchange` raises OSError (`Late` for the deadline), http.client.HTTPException, zlib.error, or Trouble for an answer
    that is too long. It follows no redirect and knows no proxy.
    """

    def __init__(self, timeouts: tuple[float, float]) -> None:
        self.timeouts = timeouts
        self._connection: http.client.HTTPConnection | None = None
        self._place: tuple[str, str] | None = None
        self._used_at = 0.0

    def exchange(
        self, method: str, url: str, headers: Mapping[str, Any], body: Any, until: float
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send, and read the whole answer by ``until`` (as of `time.monotonic`); returns head and unpacked body."""
        scheme, _, rest = url.partition("://")
        place, slash, target = rest.partition("/")
        connection = self._connected(scheme, place)
        try:
            connection.sock = _Timed(connection.sock, self.timeouts[1], until)
            connection.request(method, slash + target or "/", body, dict(headers))
            response = connection.getresponse()
            content = _read(response)
        except BaseException:
            self.close()  # half an answer may be left in it
            raise
        connection.sock = connection.sock and connection.sock.plain
        self._used_at = time.monotonic()
        if response.will_close:
            self.close()
        return response, content

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connected(self, scheme: str, place: str) -> http.client.HTTPConnection:
        if (scheme, place) != self._place or time.monotonic() - self._used_at > IDLE_S:
            self.close()
        if self._connection is None:
            connection = _connection(scheme, place, self.timeouts[0])
            connection.connect()
            self._place, self._connection = (scheme, place), connection
        return self._connection


class _Timed:
    """A socket each of whose reads and writes ends at the read time-out or at the deadline, whichever is first."""

    def __init__(self, plain: Any, read_s: float, until: float) -> None:
        self.plain, self._read_s, self._until = plain, read_s, until

    def limit(self) -> None:
        """Set the time-out for the next operation."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise Late
        self.plain.settimeout(min(self._read_s, left))

    def sendall(self, data: Any) -> None:
        self.limit()
        self.plain.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        self.plain.close()


class _Reader(io.RawIOBase):
    """What a response reads from."""

    def __init__(self, timed: _Timed) -> None:
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._timed.limit()
        try:
            return int(self._timed.plain.recv_into(buffer))
        except socket.timeout:
            self._timed.limit()  # says that it was the deadline, if it was
            raise


def _connection(scheme: str, place: str, connect_s: float) -> http.client.HTTPConnection:
    host = urlsplit(f"//{place}")
    if scheme == "https":
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())  # a system without certificates of its own is common in Docker
        return http.client.HTTPSConnection(host.hostname or "", host.port, timeout=connect_s, context=context)
    return http.client.HTTPConnection(host.hostname or "", host.port, timeout=connect_s)


def _read(response: http.client.HTTPResponse) -> bytes:
    packed = response.getheader("Content-Encoding", "").lower() == "gzip"
    unpack, body = zlib.decompressobj(GZIP), bytearray()
    while True:
        chunk = response.read(CHUNK_BYTES)
        body += unpack.decompress(chunk, BODY_LIMIT_BYTES + 1 - len(body)) if packed else chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise not_plex(f"longer than {BODY_LIMIT_BYTES >> 20} MB")
        if not chunk:
            break
    if packed and body and not unpack.eof:
        raise http.client.IncompleteRead(bytes(body))
    return bytes(body)
