"""The listening side of the double: connections, and how it ends them."""

import socket
import socketserver
import threading
from typing import Any


class Listener(socketserver.ThreadingTCPServer):
    """Listens, and knows which connections are in the middle of a request."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: Any, stash: Any) -> None:
        self.stash = stash
        self.stopping = False
        self._open: set[socket.socket] = set()
        self._busy: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def opened(self, connection: socket.socket) -> None:
        with self._changed:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._changed:
            self._open.discard(connection)
            self._busy.discard(connection)
            self._changed.notify_all()

    def exempt(self, connection: socket.socket) -> None:
        """A connection that neither stop() nor kill() minds."""
        self.closed(connection)

    def busy(self, connection: socket.socket) -> None:
        with self._changed:
            self._busy.add(connection)

    def idle(self, connection: socket.socket) -> None:
        with self._changed:
            self._busy.discard(connection)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection is the client's business."""

    def close_listener(self) -> None:
        self.stopping = True
        self.shutdown()
        self.server_close()

    def drain(self, timeout_s: float) -> bool:
        """Closes idle connections and waits for the others; False when time ran out."""
        with self._changed:
            for connection in self._open - self._busy:
                _hang_up(connection)
            return self._changed.wait_for(lambda: not self._busy, timeout_s)

    def cut(self) -> None:
        with self._changed:
            for connection in list(self._open):
                _hang_up(connection)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
