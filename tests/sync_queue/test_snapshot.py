"""A copy to look at: whole, private, and gone afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sync_queue import inbox, marks
from sync_queue.queue import JobQueue
from sync_queue.snapshot import snapshot
from sync_queue.store import Store


def files_of(folder):
    paths = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_what_is_done_to_the_copy_leaves_the_original_alone(data_dir):
    store, queue = Store(os.path.join(data_dir, "stash2plex.db")), JobQueue(os.path.join(data_dir, "queue"))
    store.remember("fact", "original")
    queue.put([1, 2, 3], "test", 1.0)
    inbox.put(data_dir, {"kind": "scene", "id": 4})
    store.close()
    queue.close()
    before = files_of(data_dir)
    with snapshot(data_dir) as copy:
        copied = Store(os.path.join(copy, "stash2plex.db"))
        assert copied.fact("fact") == "original"
        copied.remember("fact", "changed")
        copied.close()
        jobs = JobQueue(os.path.join(copy, "queue"))
        assert jobs.clear() == 3
        jobs.close()
        found, _ = marks.read(copy, 10)
        marks.remove(copy, found)
        assert len(found) == 1
    assert files_of(data_dir) == before and not os.path.exists(copy)


def test_a_copy_has_what_a_killed_worker_wrote_last(data_dir):
    store = Store(os.path.join(data_dir, "stash2plex.db"))
    store.remember("fact", "only in the write-ahead log")
    with snapshot(data_dir) as copy:
        copied = Store(os.path.join(copy, "stash2plex.db"))
        assert copied.fact("fact") == "only in the write-ahead log"
        copied.close()
    store.close()


def test_a_folder_without_anything_gives_an_empty_copy(data_dir):
    with snapshot(data_dir) as copy:
        assert files_of(copy) == {}


@pytest.mark.skipif(os.name == "nt", reason="modes of Unix")
def test_a_copy_is_private(data_dir):
    inbox.put(data_dir, {"kind": "scene", "id": 4})
    with snapshot(data_dir) as copy:
        assert os.stat(copy).st_mode & 0o077 == 0
