"""Opens what survives. A damaged database is set aside and begun anew: Stash itself is the backup."""

from __future__ import annotations

import os

from sync_queue.files import check_not_emptied, open_or_set_aside
from sync_queue.queue import JobQueue
from sync_queue.store import Store


def open_both(data_dir: str) -> tuple[Store, JobQueue, list[str]]:
    """The store, the queue, and where damaged ones went. Raises OSError and sqlite3.Error when they cannot be used."""
    os.makedirs(data_dir, mode=0o700, exist_ok=True)
    path, folder = os.path.join(data_dir, "stash2plex.db"), os.path.join(data_dir, "queue")
    store, lost_store = open_or_set_aside(path, lambda: _open_store(path))
    try:
        queue, lost_queue = open_or_set_aside(folder, lambda: _open_queue(folder))
    except BaseException:
        store.close()
        raise
    return store, queue, [lost for lost in (lost_store, lost_queue) if lost]


def _open_store(path: str) -> Store:
    check_not_emptied(path)
    return Store(path)


def _open_queue(folder: str) -> JobQueue:
    check_not_emptied(os.path.join(folder, "data.db"))
    return JobQueue(folder)
