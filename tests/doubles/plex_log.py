"""The request log of the Plex double."""

from __future__ import annotations

import threading
from collections import Counter
from typing import NamedTuple, Optional
from urllib.parse import parse_qsl


class LogEntry(NamedTuple):
    """One request and its answer. ``status`` 0: no answer was sent. ``query`` is as it came, still encoded.

    ``page`` is the part of a listing that was asked for: start and size, None what was not said.
    """

    method: str
    path: str
    query: str
    status: int
    bytes_in: int
    bytes_out: int
    at: float
    page: tuple[Optional[int], Optional[int]] = (None, None)

    @property
    def args(self) -> dict[str, str]:
        """Return the decoded query arguments."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


class RequestLog:
    """Keeps every entry in order, and totals that cost nothing to read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[LogEntry] = []
        self._methods: Counter[str] = Counter()

    def add(self, entry: LogEntry) -> None:
        """Append an entry."""
        with self._lock:
            self._entries.append(entry)
            self._methods[entry.method] += 1

    def entries(self) -> list[LogEntry]:
        """Return a copy of the log, oldest first."""
        with self._lock:
            return list(self._entries)

    def count(self, method: Optional[str] = None, path_contains: Optional[str] = None) -> int:
        """Count entries; only ``path_contains`` has to walk through them."""
        with self._lock:
            if path_contains is None:
                return len(self._entries) if method is None else self._methods[method]
            return sum(1 for entry in self._entries if path_contains in entry.path and method in (None, entry.method))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries = []
            self._methods = Counter()
