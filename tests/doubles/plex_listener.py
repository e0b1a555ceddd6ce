"""Sockets of the Plex double: connections, deliveries, and a port that really closes."""

from __future__ import annotations

import os
import random
import socket
import socketserver
import ssl
import struct
import threading
from contextlib import suppress
from typing import Callable, Optional

from tests.doubles.plex_faults import Delivery
from tests.doubles.plex_http import Request, RequestReader

Answerer = Callable[[Request], Delivery]
_POLL_S = 0.02
# Below the range that systems hand out: a client retrying a closed port from that range can connect to itself.
_PORTS = range(20000, 32000)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    # Windows would let two servers share one port.
    allow_reuse_address = os.name != "nt"

    def __init__(self, address: tuple[str, int], owner: Listener) -> None:
        self.owner = owner
        super().__init__(address, _Connection)


class _Connection(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        """Serve one connection until either side ends it."""
        owner, sock = self.server.owner, self.request
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):
            if owner.tls:
                sock.settimeout(owner.keep_alive_s())
                sock = self.request = owner.tls.wrap_socket(sock, server_side=True)
            self._remember(owner, sock)

    def _remember(self, owner: Listener, sock: socket.socket) -> None:
        owner.opened(sock)
        try:
            self._serve(owner, sock)
        finally:
            owner.left(sock)
            if owner.tls:
                sock.close()

    def _serve(self, owner: Listener, sock: socket.socket) -> None:
        reader = RequestReader(sock)
        while True:
            sock.settimeout(owner.keep_alive_s())
            request = reader.read()
            if request is None:
                return
            if not owner.send(sock, owner.answer(request)):
                return
            if request.headers.get("connection", "").lower() == "close":
                return


class Listener:
    """One listening address. ``stop`` closes it and every connection; ``start`` opens the same port again.

    ``connections`` counts those that were ever opened.
    """

    def __init__(
        self,
        port: int,
        answer: Answerer,
        keep_alive_s: Callable[[], float],
        wake: threading.Event,
        tls: Optional[ssl.SSLContext] = None,
    ) -> None:
        self.port = port
        self.tls = tls
        self.answer = answer
        self.keep_alive_s = keep_alive_s
        self._wake = wake
        self._server: Optional[_Server] = None
        self._thread: Optional[threading.Thread] = None
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.connections = 0

    @property
    def url(self) -> str:
        """Return the address without a slash at the end."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    def start(self) -> None:
        """Listen; a no-op when it does already."""
        if self._server:
            return
        self._server = self._bind()
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), daemon=True)
        self._thread.start()

    def _bind(self) -> _Server:
        for port in [self.port] if self.port else random.sample(_PORTS, 100):
            with suppress(OSError):
                return _Server(("127.0.0.1", port), self)
        raise OSError(f"port {self.port or _PORTS} is taken")

    def stop(self) -> None:
        """Close the port and cut every connection."""
        if not self._server:
            return
        server, self._server = self._server, None
        server.shutdown()
        server.server_close()
        with self._lock:
            still_open = list(self._open)
        for sock in still_open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def opened(self, sock: socket.socket) -> None:
        """Note a connection; one that slipped in while the port closed is cut at once."""
        with self._lock:
            self._open.add(sock)
            self.connections += 1
        if self._server is None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def left(self, sock: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._open.discard(sock)

    def send(self, sock: socket.socket, delivery: Delivery) -> bool:
        """Send an answer; True when the connection may go on."""
        if delivery.hold_s:
            self._wake.wait(delivery.hold_s)
        for number, chunk in enumerate(delivery.chunks):
            if number and delivery.pause_s:
                self._wake.wait(delivery.pause_s)
            sock.sendall(chunk)
        if delivery.reset:
            # Linger of zero seconds turns the close into a reset; Windows keeps the two numbers in shorts.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0))
            sock.close()
        return not delivery.close
