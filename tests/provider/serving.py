"""The gate and the server in a thread of this process, with limits of a test's own, and the client's side of a line."""

from __future__ import annotations

import asyncio
import re
import socket
import threading

from provider.gate import Gate
from provider.metrics import Metrics
from provider.server import Server, config
from provider.settings import Settings
from tests.waiting import until

HELLO = b"GET / HTTP/1.1\r\nHost: p\r\n\r\n"


async def app(scope, receive, send):
    """Says its path; `/large` is more than any buffer holds, and of `/half` half is missing.

    `/begun` is said in two parts.
    """
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return await send({"type": "lifespan.shutdown.complete"})
    await receive()
    body = scope["path"].encode() if scope["path"] != "/large" else b"x" * (64 << 20)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    if scope["path"] == "/begun":
        await send({"type": "http.response.body", "body": body[:3], "more_body": True})
        await asyncio.sleep(0.3)
        body = body[3:]
    half = scope["path"] == "/half"
    await send({"type": "http.response.body", "body": body[:2] if half else body, "more_body": half})


class Served:
    """A server in a thread of this process."""

    def __init__(self, parser, head_s=30.0, body_s=30.0):
        settings = Settings(stash_url="http://stash:9999")
        self.server = Server(config(Gate(app, settings, Metrics(), body_s), head_s, parser))
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = self._socket.getsockname()
        self._thread = threading.Thread(target=self.server.run, args=([self._socket],))

    def __enter__(self):
        self._thread.start()
        until(lambda: self.server.started, what="the server")
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive()

    @property
    def open(self):
        return len(self.server.server_state.connections)

    def connect(self):
        line = socket.create_connection(self.address, 30)
        line.settimeout(30)
        return line

    def say(self, *parts):
        """All that comes back until the other side closes."""
        with self.connect() as line:
            for part in parts:
                line.sendall(part)
            return rest(line)


def rest(line):
    held = b""
    while True:
        try:
            got = line.recv(1 << 16)
        except ConnectionError:
            return held
        if not got:
            return held
        held += got


def answer(line):
    """One answer with a length."""
    held = b""
    while b"\r\n\r\n" not in held:
        held += line.recv(1)
    length = int(re.search(rb"content-length: (\d+)", held)[1])
    while length:
        held += (got := line.recv(length))
        length -= len(got)
    return held
