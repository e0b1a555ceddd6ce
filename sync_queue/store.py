"""Everything we remember besides ready work: one SQLite file, and the only module that knows its SQL.

Opened by the holder of the lease alone. To *settle* a batch is one transaction.
"""

from __future__ import annotations

import glob
import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from sync_queue.files import NewerVersion, check_database, private_file
from sync_queue.lists import Lists
from sync_queue.outages import Outages
from sync_queue.reconciled import Reconciled
from sync_queue.settlement import LogEntry
from sync_queue.verdicts import LOG_COLUMNS, Verdicts

MIGRATIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "migrations")
MANY = 500  # placeholders in one statement; SQLite before 3.32 takes 999


class Store(Lists, Outages, Reconciled, Verdicts):
    """Waiting scenes, attempts, dead letters, sync log, outages, facts and counters."""

    def __init__(self, path: str) -> None:
        check_database(path)
        private_file(path)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA trusted_schema=OFF")
            self._migrate(path)
        except BaseException:
            self._db.close()  # else it stays locked, and Windows cannot set it aside
            raise

    def close(self) -> None:
        """Close the file; the store must not be used after."""
        self._db.close()

    # waiting scenes and attempts

    def due(self, now: float, limit: int) -> list[int]:
        """Waiting scenes whose time has come, the longest due first."""
        rows = self._db.execute("SELECT scene FROM waiting WHERE due <= ? ORDER BY due LIMIT ?", (now, limit))
        return [scene for (scene,) in rows]

    def next_due(self) -> float | None:
        """When the next waiting scene is due, None when none waits."""
        (due,) = self._db.execute("SELECT min(due) FROM waiting").fetchone()
        return None if due is None else float(due)

    def snooze(self, scenes: Sequence[int], due: float) -> None:
        """Move the due time of waiting scenes; used when they are queued, so that they are not queued twice."""
        self._many("UPDATE waiting SET due = ? WHERE scene IN (%s)", scenes, due)

    def waits(self, scenes: Sequence[int]) -> dict[int, tuple[int, float]]:
        """How often each of these scenes was tried in vain, and since when; absent ones never waited."""
        rows = self._many("SELECT scene, attempts, since FROM waiting WHERE scene IN (%s)", scenes)
        return {scene: (attempts, since) for scene, attempts, since in rows}

    def missing_files(self) -> dict[str, list[int]]:
        """Scenes that wait or were given up because Plex lacks their file, by the file's base name."""
        files: dict[str, list[int]] = {}
        sql = "SELECT file, scene FROM {} WHERE kind = 'missing' AND file <> ''"
        for table in ("waiting", "dead_letters"):
            for file, scene in self._db.execute(sql.format(table)):
                files.setdefault(file, []).append(scene)
        return files

    def begun(self, scenes: Sequence[int]) -> dict[int, int]:
        """How many attempts at each scene were begun and never settled: signs of a killed worker."""
        rows = self._many("SELECT scene, started FROM attempts WHERE scene IN (%s)", scenes)
        return dict(rows)

    def begin(self, scenes: Iterable[int], now: float) -> None:
        """Write that an attempt at these scenes starts, before it does."""
        sql = (
            "INSERT INTO attempts VALUES (?, 1, ?) "
            "ON CONFLICT (scene) DO UPDATE SET started = started + 1, at = excluded.at"
        )
        with self._transaction():
            self._db.executemany(sql, [(scene, now) for scene in scenes])

    # what is void

    def revive(self, scenes: Sequence[int]) -> None:
        """Forget that these scenes wait or were given up: something new is known about them."""
        with self._transaction():
            for table in ("waiting", "dead_letters"):
                self._many(f"DELETE FROM {table} WHERE scene IN (%s)", scenes)  # noqa: S608 - our own names

    def forget(self, scene: int) -> None:
        """The scene is gone from Stash: forget all about it but the items that still show it."""
        with self._transaction():
            for table in ("waiting", "dead_letters", "attempts"):
                self._db.execute(f"DELETE FROM {table} WHERE scene = ?", (scene,))  # noqa: S608 - our own names

    # sync log

    def log(self, scenes: Sequence[int]) -> dict[int, list[LogEntry]]:
        """What was last pushed for these scenes."""
        entries: dict[int, list[LogEntry]] = {}
        for entry in self._entries("scene IN (%s)", scenes):
            entries.setdefault(entry.scene, []).append(entry)
        return entries

    def forget_items(self) -> None:
        """Rating keys mean nothing on another Plex server: forget all of them."""
        self._db.execute("DELETE FROM sync_log")

    # facts, counters

    def fact(self, name: str) -> Any:
        """A remembered single value, None when there is none or it cannot be read."""
        row = self._db.execute("SELECT CAST(value AS BLOB) FROM facts WHERE name = ?", (name,)).fetchone()
        try:
            return json.loads(row[0]) if row else None
        except (ValueError, RecursionError):
            return None

    def remember(self, name: str, value: Any) -> None:
        """Keep a single value."""
        sql = "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        self._db.execute(sql, (name, json.dumps(value)))

    def counters(self) -> dict[str, int]:
        """All counters; `worker.statistics.totals` gives them a shape."""
        return dict(self._db.execute("SELECT name, value FROM counters ORDER BY name").fetchall())

    def numbers(self) -> dict[str, Any]:
        """Waiting scenes and dead letters by kind, and how many scenes the sync log knows."""
        by_kind = "SELECT kind, count(*) FROM {} GROUP BY kind ORDER BY kind"
        sql = "SELECT count(DISTINCT scene) FROM sync_log WHERE fingerprint <> '' AND scene > 0"
        (synced,) = self._db.execute(sql).fetchone()
        return {
            "waiting": dict(self._db.execute(by_kind.format("waiting")).fetchall()),
            "dead_letters": dict(self._db.execute(by_kind.format("dead_letters")).fetchall()),
            "synced": synced,
        }

    # inside

    def _entries(self, condition: str, values: Sequence[Any]) -> list[LogEntry]:
        sql = f"SELECT {LOG_COLUMNS} FROM sync_log WHERE {condition}"  # noqa: S608 - our own names
        return [_log_entry(row) for row in self._many(sql, values)]

    def _many(self, sql: str, scenes: Sequence[Any], *before: Any) -> list[Any]:
        rows: list[Any] = []
        for start in range(0, len(scenes), MANY):
            part = scenes[start : start + MANY]
            marks = ",".join("?" * len(part))
            rows += self._db.execute(sql % marks, (*before, *part)).fetchall()
        return rows

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)

    def _migrate(self, file: str) -> None:
        """Apply the numbered steps that this file has not seen; each is one transaction with its number."""
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        steps = {
            int(os.path.basename(path)[:4]): path for path in glob.glob(os.path.join(glob.escape(MIGRATIONS), "*.sql"))
        }
        if version > max(steps):
            raise NewerVersion(file)
        for number in sorted(step for step in steps if step > version):
            with open(steps[number], encoding="utf-8") as script:
                self._db.executescript(f"BEGIN; {script.read()} PRAGMA user_version = {number}; COMMIT;")


def _log_entry(row: Sequence[Any]) -> LogEntry:
    scene, item, section, fingerprint, owned, updated_at, cover, etag, pictures, intended, place = row
    shown = {str(kind): str(mark) for kind, mark in json.loads(pictures).items()}
    ours, maybe = _pairs(owned), _pairs(intended)
    return LogEntry(scene, item, section, fingerprint, ours, updated_at, cover, etag, shown, maybe, place)


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(kind), str(tag)) for kind, tag in json.loads(text))


class _Transaction:
    """BEGIN … COMMIT, or ROLLBACK when the body raises; inside another one it is part of that."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._outer = db.in_transaction

    def __enter__(self) -> None:
        if not self._outer:
            self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *rest: object) -> None:
        if not self._outer:
            self._db.execute("ROLLBACK" if kind else "COMMIT")
