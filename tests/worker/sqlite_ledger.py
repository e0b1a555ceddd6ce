"""Counts what the databases are told: transactions, each of which waits for the disk, and statements."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

DURABLE = ("stash2plex.db", "data.db")  # the store and the queue; caches do not wait for the disk
_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class Ledger:
    """What was counted, for the databases that are opened while it is in place."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.commits: Counter[str] = Counter()
        self.statements: Counter[str] = Counter()
        self._names: dict[sqlite3.Connection, str] = {}
        self._connect = sqlite3.connect
        patch.setattr(sqlite3, "connect", self._open)

    @contextmanager
    def counting(self) -> Iterator[Ledger]:
        """Count anew, until the block ends."""
        self.commits.clear()
        self.statements.clear()
        sys.setprofile(self._called)
        try:
            yield self
        finally:
            sys.setprofile(None)

    def _open(self, path: Any, *arguments: Any, **options: Any) -> sqlite3.Connection:
        db: sqlite3.Connection = self._connect(path, *arguments, **options)
        name = os.path.basename(str(path))
        if name in DURABLE:
            self._names[db] = name
            db.set_trace_callback(lambda statement: self._told(name, db, statement))
        return db

    def _told(self, name: str, db: sqlite3.Connection, statement: str) -> None:
        word = statement.lstrip().upper()
        if word.startswith("COMMIT") or (word.startswith(_WRITES) and not db.in_transaction):
            self.commits[name] += 1

    def _called(self, frame: Any, event: str, called: Any) -> None:
        """A call of ``executemany`` is one statement, however many rows it writes."""
        if event == "c_call" and called.__name__ in ("execute", "executemany"):
            db = getattr(called.__self__, "connection", called.__self__)
            if db in self._names:
                self.statements[self._names[db]] += 1
