"""One kept-alive connection to Plex, in which every wait has an end and no answer is larger than we allow.

Standard library's `http.client` and not urllib3, because a deadline has to reach the place where bytes are read: a
read time-out starts anew with each byte, so a server that drips its headers would keep us for ever. Measured and
decided in docs/decisions/0004.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import math
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


class Unconnected(OSError):
    """No connection came about in time, so nothing was sent."""


class WrongCertificate(OSError):
    """The server's certificate is not the pinned one; ``seen`` is the fingerprint of the one it showed."""

    def __init__(self, seen: str) -> None:
        super().__init__(seen)
        self.seen = seen


class Transport:
    """Sends one request at a time. ``timeouts`` are connect and read time-outs in seconds.

    A ``fingerprint`` (SHA-256, 64 lower-case hex digits) takes the place of authorities and host name: a certificate
    that has it is good, and to any other nothing is sent.

    `exchange` raises OSError (`Late` for the deadline), http.client.HTTPException, zlib.error, or Trouble for an answer
    that is too long. It follows no redirect and knows no proxy.
    """

    def __init__(self, timeouts: tuple[float, float], fingerprint: str = "") -> None:
        self.timeouts = timeouts
        self._fingerprint = fingerprint
        self._connection: http.client.HTTPConnection | None = None
        self._place: tuple[str, str] | None = None
        self._used_at = 0.0

    def exchange(
        self, method: str, url: str, headers: Mapping[str, Any], body: Any, until: float
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send, and read the whole answer by ``until`` (as of `time.monotonic`); returns head and unpacked body."""
        scheme, _, rest = url.partition("://")
        place, slash, target = rest.partition("/")
        connection = self._connected(scheme, place, until)
        try:
            connection.sock = _Timed(connection.sock, self.timeouts[1], until)
            response = _ask(connection, method, slash + target or "/", body, dict(headers))
            content = _read(response)
        except BaseException:
            self.close()  # half an answer may be left in it
            raise
        connection.sock = connection.sock and connection.sock.plain
        self._used_at = time.monotonic()
        if response.will_close:
            self.close()
        return response, content

    def certificate(self, url: str) -> str:
        """The fingerprint of the certificate that this address shows now, "" without https. Sends nothing."""
        scheme, _, rest = url.partition("://")
        if scheme != "https":
            return ""
        connection = _connection(scheme, rest.partition("/")[0], self.timeouts[0], _trusting_all())
        try:
            _connect(connection, math.inf)
            return _shown(connection)
        finally:
            connection.close()

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connected(self, scheme: str, place: str, until: float) -> http.client.HTTPConnection:
        if (scheme, place) != self._place or time.monotonic() - self._used_at > IDLE_S:
            self.close()
        if self._connection is None:
            connection = _connection(scheme, place, self.timeouts[0], _trusting_all() if self._fingerprint else None)
            _connect(connection, until)
            self._check(connection)
            self._place, self._connection = (scheme, place), connection
        return self._connection

    def _check(self, connection: http.client.HTTPConnection) -> None:
        if self._fingerprint and isinstance(connection, http.client.HTTPSConnection):
            seen = _shown(connection)
            if seen != self._fingerprint:
                connection.close()
                raise WrongCertificate(seen)


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
        """In pieces, because the time-out is for all that is given: a large picture may take longer than that."""
        view = memoryview(data)
        for start in range(0, len(view), CHUNK_BYTES):
            self.limit()
            try:
                self.plain.sendall(view[start : start + CHUNK_BYTES])
            except socket.timeout:
                self.limit()  # says that it was the deadline, if it was
                raise

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


def _connection(
    scheme: str, place: str, connect_s: float, context: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    host = urlsplit(f"//{place}")
    if scheme == "https":
        context = context or _trusting_authorities()
        return http.client.HTTPSConnection(host.hostname or "", host.port, timeout=connect_s, context=context)
    return http.client.HTTPConnection(host.hostname or "", host.port, timeout=connect_s)


def _trusting_authorities() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())  # a system without certificates of its own is common in Docker
    return context


def _trusting_all() -> ssl.SSLContext:
    """For whoever looks at the certificate before anything is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _connect(connection: http.client.HTTPConnection, until: float) -> None:
    """By ``until``: http.client gives each address of a name, and https's handshake, a time-out of its own."""
    opening: Any = connection
    opening._create_connection = lambda address, timeout, source: _open(address, timeout, until)
    try:
        connection.connect()
    except (socket.timeout, TimeoutError):  # ours, and the system's
        raise Unconnected from None


def _open(address: tuple[str, int], timeout: float, until: float) -> socket.socket:
    """The first of the name's addresses that answers."""
    failure: OSError = Unconnected()
    for *_, place in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
        try:
            opened = socket.create_connection((str(place[0]), address[1]), _left_s(timeout, until))
            opened.settimeout(_left_s(timeout, until))
            return opened
        except OSError as error:
            failure = error
    raise failure


def _left_s(timeout: float, until: float) -> float:
    left = min(timeout, until - time.monotonic())
    if left <= 0:
        raise socket.timeout
    return left


def _shown(connection: http.client.HTTPConnection) -> str:
    encrypted: Any = connection.sock
    return hashlib.sha256(encrypted.getpeercert(binary_form=True) or b"").hexdigest()


def _ask(
    connection: http.client.HTTPConnection, method: str, target: str, body: Any, headers: dict[str, Any]
) -> http.client.HTTPResponse:
    """A server that finds a body too large may answer and hang up while we still send: then its answer counts."""
    try:
        connection.request(method, target, body, headers)
    except (BrokenPipeError, ConnectionResetError) as broken:
        try:
            return connection.getresponse()
        except (OSError, http.client.HTTPException):
            raise broken from None
    return connection.getresponse()


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
