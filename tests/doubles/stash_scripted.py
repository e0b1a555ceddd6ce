"""A server that answers whatever a test says, so that the client meets what no Stash would send."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, NamedTuple, Optional

JSON = {"Content-Type": "application/json"}


class Asked(NamedTuple):
    """One request as it came; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Given(NamedTuple):
    """One answer. Without `body` the connection is closed instead; `promised` is a Content-Length of its own."""

    status: int = 200
    body: Optional[bytes] = b""
    headers: dict[str, str] = {}
    promised: Optional[int] = None


def data(found: Any) -> Given:
    """A well-formed GraphQL answer with this data."""
    return Given(200, json.dumps({"data": found}).encode(), JSON)


class ScriptedStash:
    """Answers each request by `answer`, which a test may exchange; `asked` remembers them, `sent_bytes` what went."""

    def __init__(self, answer: Callable[[Asked], Given] = lambda asked: Given()) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.sent_bytes = 0
        handler = type("Bound", (_Handler,), {"stash": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> ScriptedStash:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    stash: ScriptedStash

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the test's stderr."""

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        self.stash.asked.append(asked)
        given = self.stash.answer(asked)
        if given.body is None:
            self.close_connection = True
            return
        self.close_connection = self.close_connection or given.promised is not None
        try:
            self._write(self._head(given) + given.body)
        except OSError:  # the client had enough
            self.close_connection = True

    def _head(self, given: Given) -> bytes:
        length = len(given.body or b"") if given.promised is None else given.promised
        lines = [f"{name}: {value}" for name, value in {**given.headers, "Content-Length": str(length)}.items()]
        return "\r\n".join([f"HTTP/1.1 {given.status} x", *lines, "", ""]).encode("latin-1")

    def _write(self, whole: bytes) -> None:
        """Head and body together, so that no answer waits for a delayed acknowledgement."""
        for start in range(0, len(whole), 1 << 16):
            self.wfile.write(whole[start : start + (1 << 16)])
            self.stash.sent_bytes += 1 << 16
