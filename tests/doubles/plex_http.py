"""HTTP/1.1 without the standard library's handler, which is slow and stops at 64 KB of request line."""

from __future__ import annotations

import gzip
import socket
import time
from http.client import responses
from typing import Optional
from urllib.parse import parse_qsl, unquote

from tests.doubles.plex_render import error_page

_HEAD_LIMIT = 8 * 1024 * 1024
_BLOCK = 65536


class Request:
    """One request. ``pairs`` keeps repeated arguments, ``args`` the last of each."""

    __slots__ = ("method", "target", "path", "query", "headers", "body", "bytes_in", "_pairs")

    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes, bytes_in: int) -> None:
        self.method = method
        self.target = target
        path, _, self.query = target.partition("?")
        self.path = unquote(path)
        self.headers = headers
        self.body = body
        self.bytes_in = bytes_in
        self._pairs: Optional[list[tuple[str, str]]] = None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the decoded query arguments in order, blank ones too."""
        if self._pairs is None:
            self._pairs = parse_qsl(self.query, keep_blank_values=True, errors="replace")
        return self._pairs

    @property
    def args(self) -> dict[str, str]:
        """Return the query arguments by name."""
        return dict(self.pairs)

    def plex(self, name: str) -> Optional[str]:
        """Return an X-Plex value from the headers or, failing that, the query (plex.md A.0)."""
        found = self.headers.get(name.lower())
        if found is not None or name not in self.query:
            return found
        return self.args.get(name)

    def number(self, name: str) -> Optional[int]:
        """Return an X-Plex value as a number, None when absent or no number."""
        found = self.plex(name)
        return int(found) if found is not None and found.isdigit() else None

    @property
    def wants_json(self) -> bool:
        """True when the client asked for JSON."""
        return JSON in self.headers.get("accept", "") or self.args.get("X-Plex-Accept") == "json"

    @property
    def wants_gzip(self) -> bool:
        """True when the client can read gzip."""
        return "gzip" in self.headers.get("accept-encoding", "")


JSON = "application/json"


class Response:
    """One answer, before it is turned into bytes."""

    __slots__ = ("status", "content_type", "body", "headers")

    def __init__(
        self,
        status: int = 200,
        content_type: str = "text/html",
        body: bytes = b"",
        headers: Optional[dict[str, str]] = None,
    ) -> None:
        self.status = status
        self.content_type = content_type
        self.body = body
        self.headers = headers or {}


def error(status: int, headers: Optional[dict[str, str]] = None) -> Response:
    """Return Plex's HTML page for a status."""
    return Response(status, "text/html", error_page(status, responses.get(status, "Unknown")), headers)


def encode(response: Response, use_gzip: bool, keep_alive_s: float) -> tuple[bytes, bytes]:
    """Return the head and the body as they go over the wire."""
    body, extra = response.body, dict(response.headers)
    if use_gzip and body and "Content-Encoding" not in extra:
        body = gzip.compress(body, 1)
        extra["Content-Encoding"] = "gzip"
        extra["X-Plex-Content-Original-Length"] = str(len(response.body))
        extra["X-Plex-Content-Compressed-Length"] = str(len(body))
    lines = [
        f"HTTP/1.1 {response.status} {responses.get(response.status, 'Unknown')}",
        "X-Plex-Protocol: 1.0",
        "Cache-Control: no-cache",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(body)}",
        "Connection: Keep-Alive",
        f"Keep-Alive: timeout={int(keep_alive_s)}",
        f"Date: {_date()}",
    ]
    lines += [f"{name}: {value}" for name, value in extra.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"), body


def _date() -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())


class RequestReader:
    """Reads requests from one connection, keeping what came early for the next one."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""

    def read(self) -> Optional[Request]:
        """Return the next request, None when the client is gone or silent for too long."""
        head = self._until(b"\r\n\r\n")
        if head is None:
            return None
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = (lines[0] + "  ").split(" ", 2)
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = self._body(headers)
        if body is None:
            return None
        return Request(method, target, headers, body, len(head) + 4 + len(body))

    def _body(self, headers: dict[str, str]) -> Optional[bytes]:
        if headers.get("expect", "").lower() == "100-continue":
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunked()
        length = headers.get("content-length", "0")
        return self._exactly(int(length)) if length.isdigit() else b""

    def _chunked(self) -> Optional[bytes]:
        whole = b""
        while True:
            size = self._until(b"\r\n")
            chunk = self._exactly(int(size.split(b";")[0], 16) + 2) if size else None
            if chunk is None:
                return None
            if len(chunk) == 2:
                return whole
            whole += chunk[:-2]

    def _until(self, mark: bytes) -> Optional[bytes]:
        while mark not in self._buffer:
            if len(self._buffer) > _HEAD_LIMIT or not self._fill():
                return None
        found, _, self._buffer = self._buffer.partition(mark)
        return found

    def _exactly(self, length: int) -> Optional[bytes]:
        parts, have = [self._buffer], len(self._buffer)
        while have < length:
            block = self._receive()
            if not block:
                return None
            parts.append(block)
            have += len(block)
        whole = b"".join(parts)
        self._buffer = whole[length:]
        return whole[:length]

    def _fill(self) -> bool:
        block = self._receive()
        self._buffer += block
        return bool(block)

    def _receive(self) -> bytes:
        try:
            return self._sock.recv(_BLOCK)
        except OSError:
            return b""
