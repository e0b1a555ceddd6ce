"""An end for answers that never come: a server that drips its headers outlives every read time-out.

A read time-out starts anew with each byte, and headers are read inside the HTTP library, where nobody looks at a
clock. So a thread looks, and shuts the socket of the request in flight when its time is over.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import requests.adapters
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

LOOK_S = 1.0


class Watch:
    """Watches one session's requests, of which one at a time is in flight."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._until = float("inf")
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, until: float) -> None:
        """A request starts; it must end by this time of `time.monotonic`."""
        self._connection, self._until = None, until
        if self._thread is None:
            self._over.clear()
            self._thread = threading.Thread(target=self._look, name="plex-watch", daemon=True)
            self._thread.start()

    def end(self) -> bool:
        """The request ended; returns whether it was cut."""
        cut, self._until, self._connection = self._until == float("-inf"), float("inf"), None
        return cut

    def stop(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread = None

    def adapter(self) -> requests.adapters.HTTPAdapter:
        """An adapter whose connections tell us when a request goes out on them."""
        adapter = requests.adapters.HTTPAdapter()
        adapter.poolmanager.pool_classes_by_scheme = {
            "http": type("Pool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": self._told(HTTPConnection)}),
            "https": type("Pool", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": self._told(HTTPSConnection)}),
        }
        return adapter

    def _told(self, kind: Any) -> Any:
        watch = self

        class Connection(kind):  # type: ignore[misc]
            def request(self, *args: Any, **options: Any) -> Any:
                watch._connection = self
                return super().request(*args, **options)

        return Connection

    def _look(self) -> None:
        over = self._over
        while not over.wait(LOOK_S):
            if time.monotonic() > self._until:
                self._until = float("-inf")
                self._cut()

    def _cut(self) -> None:
        try:
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        except (AttributeError, OSError):
            pass  # it ended by itself in this moment
