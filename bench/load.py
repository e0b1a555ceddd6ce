"""Requests of many connections at once, and how long each answer took: one thread, and as little of HTTP as possible.

Only what the provider answers is read here: a status, a content-length, a body; connections are kept open.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Optional

PATIENCE_S = 100.0  # Plex's own is 90


class Request(NamedTuple):
    """What is sent, and what it is counted as."""

    kind: str
    sent: bytes


@dataclass
class Answers:
    """By kind: how long the answers took, in seconds, and how often there was which status. And how long all took."""

    times: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: float = 0.0

    def other(self, *expected: tuple[str, int]) -> int:
        """Answers whose kind and status are not among these."""
        return sum(count for answer, count in self.statuses.items() if answer not in expected)

    @property
    def per_second(self) -> float:
        """Answers, while there was anything to answer."""
        return sum(self.statuses.values()) / self.seconds


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kind, self.began, self.received = "", 0.0, b""

    def send(self, request: Request) -> None:
        self.kind, self.began, self.received = request.kind, time.perf_counter(), b""
        self.socket.sendall(request.sent)

    def status(self) -> int:
        """Of the answer, when this was the last of it; else 0."""
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("a connection was closed in the middle of an answer")
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return 0
        length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        return int(head[9:12]) if len(body) >= int(length or b"0") else 0


class Load:
    """So many connections to a port of this computer; used in a with statement."""

    def __init__(self, port: int, connections: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._connections = [_Connection(port) for _ in range(connections)]
        for one in self._connections:
            self._selector.register(one.socket, selectors.EVENT_READ, one)

    def __enter__(self) -> Load:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._selector.close()
        for one in self._connections:
            one.socket.close()

    def always(self, requests: Iterable[Request]) -> Answers:
        """All connections wait for an answer at any time: who has one sends the next request."""
        answers = Answers()
        self._run(iter(requests), answers)
        return answers

    def bursts(self, requests: Sequence[Request], pause_s: float) -> Answers:
        """All connections send at once; when all have their answer there is a pause, and then the next burst."""
        answers, size = Answers(), len(self._connections)
        for start in range(0, len(requests), size):
            self._run(iter(requests[start : start + size]), answers)
            time.sleep(pause_s)
        return answers

    def _run(self, requests: Iterator[Request], answers: Answers) -> None:
        began = time.perf_counter()
        waiting = sum(_next(one, requests) for one in self._connections)
        while waiting:
            ready = self._selector.select(PATIENCE_S)
            if not ready:
                raise TimeoutError(f"{waiting} requests had no answer within {PATIENCE_S:g} s")
            for key, _ in ready:
                if _took(key.data, answers):
                    waiting -= not _next(key.data, requests)
        answers.seconds += time.perf_counter() - began


def _next(connection: _Connection, requests: Iterator[Request]) -> bool:
    """Whether there was another request to send."""
    request = next(requests, None)
    if request is not None:
        connection.send(request)
    return request is not None


def _took(connection: _Connection, answers: Answers) -> bool:
    """Whether its answer is complete; then it is counted."""
    status = connection.status()
    if status:
        answers.statuses[connection.kind, status] += 1
        answers.times.setdefault(connection.kind, []).append(time.perf_counter() - connection.began)
    return status > 0
