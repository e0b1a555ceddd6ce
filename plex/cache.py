"""What may be forgotten at any time, on disk: diskcache, with everything shut off that reads or runs foreign bytes.

As it comes, diskcache runs pickles found in its database (CVE-2025-69872, and its JSONDisk does not stop that), reads
and even deletes whatever file a row names, and takes attributes of its own objects from a table. Seen in 5.6.3.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

import diskcache

DATABASE = diskcache.core.DBNAME
SIDE_FILES = ("-journal", "-wal", "-shm")
SIZE_LIMIT_BYTES = 64 << 20
LOCKED_S = 1.0
TRY_AGAIN_S = 30.0

# No memory map, and so no WAL either: a mapped file that somebody cuts off kills the process. Nothing is synced: what a
# power cut takes is asked for again.
SETTINGS = {
    **diskcache.DEFAULT_SETTINGS,
    "size_limit": SIZE_LIMIT_BYTES,
    "disk_pickle_protocol": 0,
    "sqlite_cache_size": 512,
    "sqlite_journal_mode": "truncate",
    "sqlite_mmap_size": 0,
    "sqlite_synchronous": 0,
}
COUNTERS = ("count", "size", "hits", "misses")

# What a damaged database, a vanished folder or a foreign row makes SQLite, diskcache and the system raise.
FAULTS = (
    sqlite3.Error, diskcache.Timeout, OSError, ValueError, TypeError, AttributeError, KeyError, AssertionError,
    OverflowError,
)  # fmt: skip

UNUSABLE = "Cache cannot be used ({}); everything works without it, with more questions to Plex"
DAMAGED = "Cache was damaged ({}) and is made anew; nothing is lost"

Result = TypeVar("Result")


class Cache:
    """JSON values by key in a folder of their own. Never raises for what is on the disk: then it is empty.

    Nothing is opened before the first use. ``hits`` and ``misses`` count what `get` found and did not find.
    ``clock`` tells, in seconds, when a folder that could not be used is tried again.
    """

    def __init__(self, folder: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.hits = self.misses = 0
        self._folder, self._clock = os.path.abspath(folder), clock
        self._path = os.path.join(self._folder, DATABASE)
        self._open: Any = None  # a diskcache.Cache, which has no types
        self._file: tuple[int, int] | None = None
        self._try_at = float("-inf")
        self._lock = threading.RLock()
        self._said: dict[str, str] = {}

    def get(self, key: str) -> Any | None:
        """The value, None when there is none or it expired."""
        value = self._try(lambda opened: opened.get(key))
        if value is None:
            self.misses += 1
        else:
            self.hits += 1
        return value

    def set(self, key: str, value: Any, expire_s: float | None) -> None:
        """Keep the value for so long (None: until there is no room). Raises TypeError for what is not JSON."""
        text = json.dumps(value, separators=(",", ":"))
        self._try(lambda opened: opened.set(key, text, expire=expire_s))

    def delete(self, key: str) -> None:
        """Forget one value."""
        self._try(lambda opened: opened.delete(key))

    def clear(self) -> None:
        """Forget everything."""
        self._try(lambda opened: opened.clear())

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = self._file = None

    def trouble(self) -> str:
        """A sentence for the log when something went wrong, once for each kind of trouble; "" otherwise."""
        with self._lock:
            news = [template for template, sentence in self._said.items() if sentence]
            sentence = self._said[news[0]] if news else ""
            self._said.update(dict.fromkeys(news[:1], ""))
            return sentence

    def _try(self, act: Callable[[Any], Result]) -> Result | None:
        with self._lock:
            opened = self._opened()
            try:
                return act(opened) if opened is not None else None
            except FAULTS as error:
                self._give_up(error)
                return None

    def _opened(self) -> Any:
        if self._open is not None and self._file == _identity(self._path):
            return self._open
        self.close()  # somebody deleted the folder: what we hold is a file without a name
        if self._clock() < self._try_at:
            return None
        try:
            self._set_up()
        except FAULTS as error:
            self.close()
            deleted_meanwhile = isinstance(error, (FileNotFoundError, sqlite3.Error)) and not os.path.exists(self._path)
            if not deleted_meanwhile:
                self._leave_alone(error)
        return self._open

    def _set_up(self) -> None:
        # Without its parent it is not made: the data folder may just be on its way out.
        if not os.path.isdir(self._folder):
            os.mkdir(self._folder, 0o700)
        if os.path.expandvars(os.path.expanduser(self._folder)) != self._folder:
            raise OSError(None, "its path looks like a variable, which diskcache would replace")
        try:
            self._connect()
        except FAULTS as error:
            self.close()
            if not os.path.exists(self._path):
                raise
            self._remove_files()
            self._say(DAMAGED, error)
            self._connect()

    def _connect(self) -> None:
        _make_private(self._folder, self._path)
        self._file = _identity(self._path)
        _check(self._path)
        self._open = diskcache.Cache.__new__(diskcache.Cache)  # so that it can be closed when the next line fails
        self._open.__init__(self._folder, timeout=LOCKED_S, disk=_TextOnly, **SETTINGS)
        if self._file != _identity(self._path):
            raise FileNotFoundError("deleted while it was opened")

    def _give_up(self, error: Exception) -> None:
        """Start anew; without a word when the file was only deleted."""
        was_there = self._file == _identity(self._path)
        self.close()
        if not was_there:
            return
        try:
            self._remove_files()
            self._say(DAMAGED, error)
        except OSError as refusal:
            self._leave_alone(refusal)

    def _leave_alone(self, error: Exception) -> None:
        self._say(UNUSABLE, error)
        self._try_at = self._clock() + TRY_AGAIN_S

    def _remove_files(self) -> None:
        for name in (self._path, *(self._path + suffix for suffix in SIDE_FILES)):
            if os.path.lexists(name):
                os.unlink(name)

    def _say(self, template: str, error: Exception) -> None:
        reason = (error.strerror if isinstance(error, OSError) else "") or type(error).__name__  # never its path
        self._said.setdefault(template, template.format(reason))


class _TextOnly(diskcache.Disk):  # type: ignore[misc]
    """Stores JSON text inside the row. Whatever else a row holds is absent, and no file is read, made or deleted."""

    def put(self, key: str) -> tuple[str, bool]:
        return json.dumps(key), True

    def get(self, key: Any, raw: Any) -> Any:
        return json.loads(key) if isinstance(key, str) and raw == 1 else None

    def store(self, value: str, read: bool, key: Any = None) -> tuple[int, int, None, str]:
        return 0, diskcache.core.MODE_RAW, None, value

    def fetch(self, mode: Any, filename: Any, value: Any, read: bool) -> Any:
        """Raise OSError, which makes diskcache say that there is no such key, unless it is JSON text in the row."""
        if mode != diskcache.core.MODE_RAW or filename is not None or not isinstance(value, str):
            raise OSError("not a row of ours")
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise OSError("not JSON") from None

    def filename(self, key: Any = None, value: Any = None) -> tuple[str, str]:
        raise OSError("no files here")

    def remove(self, file_path: Any) -> None:
        """A row's file name leads anywhere; ours have none."""


def _check(path: str) -> None:
    """Raise for a database that is not ours alone: diskcache would take over whatever its settings table says."""
    if os.path.getsize(path) == 0:
        return
    with closing(sqlite3.connect(path, timeout=LOCKED_S, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")  # diskcache would wait a minute for whoever locks it
        rows = db.execute("SELECT key, value FROM Settings").fetchall()
    counters = {(name, value) for name, value in rows if name in COUNTERS and isinstance(value, int)}
    if not set(rows) <= {*SETTINGS.items(), *counters}:
        raise sqlite3.DatabaseError("foreign settings")


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _make_private(folder: str, path: str) -> None:
    """For the owner only, before SQLite makes it for everybody; its journal inherits that."""
    if not os.path.islink(folder):
        os.chmod(folder, 0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    os.chmod(path, 0o600)
