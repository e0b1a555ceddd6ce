"""A copy of what we keep, for whoever wants to look and must change nothing. Made by the holder of the lease."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from sync_queue.inbox import FOLDER, SUFFIX

DATABASES = ("stash2plex.db", "queue/data.db")


@contextmanager
def snapshot(data_dir: str) -> Iterator[str]:
    """A private temporary folder with the databases and the marks of the data folder; gone afterwards.

    Raises OSError when something cannot be read or copied.
    """
    copy = tempfile.mkdtemp(prefix="stash2plex-")
    try:
        for name in DATABASES:
            for path in (name, f"{name}-wal"):  # of a worker that was killed, the last writes are in the second
                _copy(os.path.join(data_dir, path), os.path.join(copy, path))
        inbox = os.path.join(data_dir, FOLDER)
        for name in os.listdir(inbox) if os.path.isdir(inbox) else []:
            if name.endswith(SUFFIX):
                _copy(os.path.join(inbox, name), os.path.join(copy, FOLDER, name))
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _copy(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        pass  # there is none yet, or a mark was taken back
