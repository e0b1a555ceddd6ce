"""The part of the store that people look into and clear: waiting scenes and dead letters, as whole lists."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

ALL = 1 << 31
WAITING = ("scene", "due", "attempts", "since", "kind", "reason")
DEAD = ("scene", "kind", "reason", "attempts", "at")


class Lists:
    """What `sync_queue.store.Store` knows of scenes that are not synced."""

    _db: sqlite3.Connection
    _many: Callable[..., list[Any]]

    def waiting(self, limit: int = ALL) -> list[dict[str, Any]]:
        """The waiting scenes, the earliest due first; times are Unix times."""
        return self._rows("waiting", WAITING, "ORDER BY due LIMIT ?", limit)

    def dead_letters(self, limit: int = ALL) -> list[dict[str, Any]]:
        """The newest dead letters; ``at`` is when the scene was given up."""
        return self._rows("dead_letters", DEAD, "ORDER BY at DESC LIMIT ?", limit)

    def held_up(self, scenes: Sequence[int]) -> dict[int, str]:
        """Those of the scenes that wait or were given up, each with the kind of its trouble."""
        kinds: dict[int, str] = {}
        for table in ("dead_letters", "waiting"):
            sql = f"SELECT scene, kind FROM {table} WHERE scene IN (%s)"  # noqa: S608 - our own names
            kinds.update(self._many(sql, scenes))
        return kinds

    def standing(self, scene: int) -> dict[str, Any]:
        """What holds this scene up: its row under ``waiting`` and under ``dead_letter``, None without one."""
        waiting = self._rows("waiting", WAITING, "WHERE scene = ?", scene)
        dead = self._rows("dead_letters", DEAD, "WHERE scene = ?", scene)
        return {"waiting": waiting[0] if waiting else None, "dead_letter": dead[0] if dead else None}

    def clear_waiting(self) -> int:
        """Let no scene wait any more; returns how many did."""
        return self._db.execute("DELETE FROM waiting").rowcount

    def purge_dead_letters(self, before: float = float("inf")) -> int:
        """Forget the dead letters that were given up before this time; returns how many."""
        return self._db.execute("DELETE FROM dead_letters WHERE at < ?", (before,)).rowcount

    def _rows(self, table: str, columns: tuple[str, ...], rest: str, value: float) -> list[dict[str, Any]]:
        sql = f"SELECT {', '.join(columns)} FROM {table} {rest}"  # noqa: S608 - our own names
        return [dict(zip(columns, row)) for row in self._db.execute(sql, (value,))]
