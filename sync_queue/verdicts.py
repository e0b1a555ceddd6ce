"""The part of the store that writes what was decided about a batch: a few statements, however many scenes it has."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sync_queue.settlement import LogEntry, Settlement, Verdict

LOG_COLUMNS = "scene, item, section, fingerprint, owned, updated_at, cover, etag, pictures, intended, place"


class Verdicts:
    """What `sync_queue.store.Store` knows of settling."""

    _db: sqlite3.Connection
    _many: Callable[..., list[Any]]
    _transaction: Callable[[], Any]

    def settle(self, settlements: Sequence[Settlement], now: float, counts: Mapping[str, int] | None = None) -> None:
        """Write all verdicts, log rows and counters of a batch in one transaction; ``counts`` are counters besides."""
        failed = [one.scene for one in settlements if one.verdict in (Verdict.LATER, Verdict.DEAD) and one.log is None]
        with self._transaction():
            self._many("DELETE FROM attempts WHERE scene IN (%s)", [one.scene for one in settlements])
            self._replace_logs({one.scene: one.log for one in settlements if one.log is not None}, now)
            # Compared again even if the same was pushed before.
            self._many("UPDATE sync_log SET fingerprint = '' WHERE scene IN (%s)", failed)
            self._write_waits([one for one in settlements if one.verdict is Verdict.LATER], now)
            self._write_ends([one for one in settlements if one.verdict in (Verdict.DONE, Verdict.DEAD)], now)
            self.count(Counter(one.counter for one in settlements) + Counter(counts or {}))

    def intend(self, entries: Sequence[LogEntry], now: float) -> None:
        """Write which tags a push is about to add, so that a crash after it cannot make them look like a person's."""
        with self._transaction():
            self._write_log(entries, now)

    def count(self, counts: Mapping[str, int]) -> None:
        """Let counters grow."""
        sql = "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"
        with self._transaction():
            self._db.executemany(sql, [(name, by) for name, by in counts.items() if by])

    def _replace_logs(self, logs: Mapping[int, Sequence[LogEntry]], now: float) -> None:
        """An item belongs to one scene: it is taken over from others, and left behind for who comes next."""
        owners = {entry.item: scene for scene, entries in logs.items() for entry in entries}
        kept = {(scene, entry.item) for scene, entries in logs.items() for entry in entries}
        before = self._many("SELECT scene, item FROM sync_log WHERE scene IN (%s)", list(logs))
        left = [row for row in before if row not in kept]
        self._db.executemany("UPDATE OR REPLACE sync_log SET scene = 0 WHERE scene = ? AND item = ?", left)
        self._db.executemany("DELETE FROM sync_log WHERE item = ? AND scene <> ?", owners.items())
        rows = [entry for entries in logs.values() for entry in entries if owners[entry.item] == entry.scene]
        self._write_log(rows, now)

    def _write_waits(self, settlements: Sequence[Settlement], now: float) -> None:
        sql = (
            "INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scene) DO UPDATE SET due = excluded.due, "
            "attempts = attempts + excluded.attempts, kind = excluded.kind, reason = excluded.reason, "
            "file = excluded.file"
        )
        rows = [(o.scene, o.due, int(o.charged), now, o.result, o.reason, o.file) for o in settlements]
        self._db.executemany(sql, rows)
        self._many("DELETE FROM dead_letters WHERE scene IN (%s)", [one.scene for one in settlements])

    def _write_ends(self, settlements: Sequence[Settlement], now: float) -> None:
        dead = [one for one in settlements if one.verdict is Verdict.DEAD]
        tries = dict(self._many("SELECT scene, attempts FROM waiting WHERE scene IN (%s)", [o.scene for o in dead]))
        for table in ("waiting", "dead_letters"):
            sql = f"DELETE FROM {table} WHERE scene IN (%s)"  # noqa: S608 - our own names
            self._many(sql, [one.scene for one in settlements])
        rows = [(o.scene, o.result, o.reason, 1 + tries.get(o.scene, 0), now, o.file) for o in dead]
        self._db.executemany("INSERT OR REPLACE INTO dead_letters VALUES (?, ?, ?, ?, ?, ?)", rows)

    def _write_log(self, entries: Iterable[LogEntry], now: float) -> None:
        rows = [_row(entry, now) for entry in entries]
        marks = ", ".join("?" * (LOG_COLUMNS.count(",") + 2))
        sql = f"INSERT OR REPLACE INTO sync_log ({LOG_COLUMNS}, at) VALUES ({marks})"  # noqa: S608 - our own names
        self._db.executemany(sql, rows)


def _row(entry: LogEntry, now: float) -> tuple[Any, ...]:
    return (
        entry.scene,
        entry.item,
        entry.section,
        entry.fingerprint,
        json.dumps(entry.owned),
        entry.updated_at,
        entry.cover,
        entry.etag,
        json.dumps(dict(entry.pictures)),
        json.dumps(entry.intended),
        entry.place,
        now,
    )
