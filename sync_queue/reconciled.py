"""The part of the store that comparisons of both sides need: looks of items, who has an item, and the runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sync_queue.settlement import LogEntry

KEPT_RUNS = 30


class Reconciled:
    """What `sync_queue.store.Store` knows of comparisons."""

    _db: sqlite3.Connection
    _many: Callable[..., list[Any]]
    _transaction: Callable[[], Any]
    _entries: Callable[..., list[LogEntry]]

    # what items look like in listings

    def note_looks(self, looks: Iterable[tuple[str, str]], run: int) -> None:
        """Note what items, by rating key, look like in Plex's listing, as far as they are in the sync log."""
        sql = "UPDATE sync_log SET seen = ?, seen_in = ? WHERE item = ?"
        with self._transaction():
            self._db.executemany(sql, [(look, run, item) for item, look in looks])

    def seen_right(self, scenes: Sequence[int], run: int) -> dict[int, int]:
        """On how many items each scene looks, in this run's listing, as when it was last found to be right."""
        sql = (
            "SELECT scene, count(*) FROM sync_log WHERE seen_in = ? AND seen <> '' AND seen = look "
            "AND scene IN (%s) GROUP BY scene"
        )
        return dict(self._many(sql, scenes, run))

    def looked_right(self, scenes: Sequence[int], run: int) -> None:
        """These scenes' items were read whole and are right: that is how they look then."""
        with self._transaction():
            self._many("UPDATE sync_log SET look = seen WHERE seen_in = ? AND scene IN (%s)", scenes, run)

    # who has an item

    def claims(self, items: Sequence[str]) -> list[LogEntry]:
        """Every row of these items, whichever scene it stands under; scene 0 stands for one that is there no more."""
        return self._entries("item IN (%s)", items)

    def logged(self, after: int, until: int | None, limit: int) -> list[int]:
        """The first scenes in the sync log with an id above ``after``, up to ``until`` (None: to the end), in order."""
        sql = "SELECT DISTINCT scene FROM sync_log WHERE scene > ? AND scene <= ? ORDER BY scene LIMIT ?"
        last = until if until is not None else (1 << 63) - 1
        return [scene for (scene,) in self._db.execute(sql, (after, last, limit))]

    def left_behind(self, after: str, limit: int) -> list[LogEntry]:
        """The first rows of items above ``after`` whose scene has its file no more, in the order of their keys."""
        sql = "SELECT item FROM sync_log WHERE scene = 0 AND item > ? ORDER BY item LIMIT ?"
        items = [item for (item,) in self._db.execute(sql, (after, limit))]
        rows = self._entries("scene = 0 AND item IN (%s)", items)
        return sorted(rows, key=lambda row: row.item)

    def drop(self, entries: Iterable[LogEntry]) -> None:
        """Forget these rows."""
        with self._transaction():
            rows = [(entry.scene, entry.item) for entry in entries]
            self._db.executemany("DELETE FROM sync_log WHERE scene = ? AND item = ?", rows)

    # runs

    def run_begins(self, started: float, content: dict[str, Any]) -> int:
        """Keep a new run and return its number; the oldest beyond 30 are dropped."""
        with self._transaction():
            row = (started, json.dumps(content))
            number = self._db.execute("INSERT INTO runs (started, content) VALUES (?, ?)", row).lastrowid or 0
            self._db.execute("DELETE FROM runs WHERE id <= ?", (number - KEPT_RUNS,))
        return number

    def run_goes_on(self, number: int, content: dict[str, Any], ended: float | None = None) -> None:
        """Keep how far it is; ``ended`` when it is over."""
        sql = "UPDATE runs SET content = ?, ended = ? WHERE id = ?"
        self._db.execute(sql, (json.dumps(content), ended, number))

    def run_dropped(self, number: int) -> None:
        """Do not keep this run."""
        self._db.execute("DELETE FROM runs WHERE id = ?", (number,))

    def runs(self) -> list[dict[str, Any]]:
        """The last runs, newest first: ``id``, ``started``, ``ended`` (None: it goes on) and ``content``."""
        rows = self._db.execute("SELECT id, started, ended, CAST(content AS BLOB) FROM runs ORDER BY id DESC")
        names = ("id", "started", "ended", "content")
        return [dict(zip(names, (*row[:3], _content(row[3])))) for row in rows]


def _content(text: bytes) -> dict[str, Any]:
    """What was kept, {} when that cannot be read: read as bytes, because SQLite raises for text that is none."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
