"""Small rules for the files that we keep: private from the first byte, replaced whole, set aside when damaged."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from typing import Any, TypeVar

Opened = TypeVar("Opened")


class NewerVersion(sqlite3.OperationalError):
    """The file was written by a newer version of us, and what it means we cannot know."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} was written by a newer version of Stash2Plex; install that version again")


def private_file(path: str) -> None:
    """Make the file for its owner only before a library makes it for everybody; SQLite's side files inherit it."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def write_json(path: str, value: Any) -> None:
    """Replace the file by this value, whole, for its owner only."""
    temporary = f"{path}.{os.getpid()}.tmp"
    with os.fdopen(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(temporary, path)


def read_json(path: str) -> Any:
    """The value in the file, None when there is none or it is damaged."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (FileNotFoundError, ValueError, RecursionError):
        return None


def check_database(path: str) -> None:
    """Raise sqlite3.DatabaseError when the file is no sound database; an absent one is sound."""
    if not os.path.exists(path):
        return
    db = sqlite3.connect(path)
    try:
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    finally:
        db.close()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def check_not_emptied(path: str) -> None:
    """Raise sqlite3.DatabaseError when the file has not one byte: it lost what it held, and SQLite would not notice."""
    if os.path.exists(path) and os.path.getsize(path) == 0:
        raise sqlite3.DatabaseError("the file is empty")


def open_or_set_aside(path: str, opener: Callable[[], Opened]) -> tuple[Opened, str]:
    """Open a database; a damaged one is renamed to ``…corrupt-<time>`` and a fresh one opened in its place.

    Returns what the opener gave and where the damaged file went ("" when it was sound).
    """
    try:
        return opener(), ""
    except sqlite3.OperationalError:
        raise  # a full disk or a missing permission is no damage
    except (sqlite3.DatabaseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        aside = f"{path}.corrupt-{int(time.time())}"
        while os.path.exists(aside):
            aside += "-again"
        os.replace(path, aside)
        for suffix in ("-wal", "-shm"):
            if os.path.exists(path + suffix):
                os.unlink(path + suffix)
        return opener(), aside


def clock_of(folder: str) -> float:
    """The file system's own time, against which the age of files in the folder is told."""
    probe = os.path.join(folder, ".clock")
    with open(probe, "w", encoding="utf-8"):
        pass
    return os.stat(probe).st_mtime
