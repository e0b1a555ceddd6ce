"""The part of the store that remembers when Plex was away: one record for each outage, however long."""

from __future__ import annotations

import sqlite3
from typing import Any

KEPT = 30


class Outages:
    """What `sync_queue.store.Store` knows of outages. What is written with two statements is right after the first."""

    _db: sqlite3.Connection

    def outage_began(self, started: float, cause: str) -> None:
        """Open one outage record unless one is open; the oldest beyond 30 are dropped."""
        sql = "INSERT INTO outages (started, cause) SELECT ?, ? WHERE NOT EXISTS (%s)"
        self._db.execute(sql % "SELECT 1 FROM outages WHERE ended IS NULL", (started, cause))
        self._db.execute("DELETE FROM outages WHERE id <= (SELECT max(id) FROM outages) - ?", (KEPT,))

    def outage_goes_on(self, started: float, cause: str) -> None:
        """Open the last outage's record again if it began then; else open one, as `outage_began` does."""
        sql = "UPDATE outages SET ended = NULL WHERE started = ? AND id = (SELECT max(id) FROM outages)"
        self._db.execute(sql, (started,))
        self.outage_began(started, cause)

    def outage_ended(self, ended: float, scenes: int) -> None:
        """Close the open outage record, if any. ``scenes`` waited for its end; of several ends the most count."""
        sql = "UPDATE outages SET ended = max(started, ?), scenes = max(scenes, ?) WHERE ended IS NULL"
        self._db.execute(sql, (ended, scenes))

    def outages(self) -> list[dict[str, Any]]:
        """The last outages, newest first."""
        rows = self._db.execute("SELECT started, ended, cause, scenes FROM outages ORDER BY id DESC")
        return [dict(zip(("started", "ended", "cause", "scenes"), row)) for row in rows]
