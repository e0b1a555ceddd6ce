"""The store after a killed process and with a damaged file: whole, or set aside once and fresh."""

from __future__ import annotations

import os
import sqlite3

import pytest

from sync_queue.files import open_or_set_aside
from sync_queue.settlement import Settlement, Verdict
from sync_queue.store import Store
from tests.sync_queue.other_process import run
from tests.sync_queue.test_store import NOW, dead, done, entry, later

needs_unix = pytest.mark.skipif(os.name == "nt", reason="fork and signals of Unix")
SCENES = 6

# Settles a batch and kills itself before its n-th statement, for n = 1, 2, 3 … until a batch gets through.
KILL_AT_EVERY_STATEMENT = """
import os, signal
from sync_queue.settlement import LogEntry, Settlement, Verdict
from sync_queue.store import Store
folder, scenes = sys.argv[1], int(sys.argv[2])
batch = []
for scene in range(1, scenes + 1):
    verdict = (Verdict.DONE, Verdict.LATER, Verdict.DEAD)[scene % 3]
    row = LogEntry(scene, str(scene), "1", "new")
    batch.append(Settlement(scene, verdict, "result", "why", 5.0, True, "f", (row,)))
number, killed = 0, True
while killed:
    number += 1
    path = "%s/%d.db" % (folder, number)
    store = Store(path)
    store.begin(range(1, scenes + 1), 1.0)
    store.close()
    child = os.fork()
    if child == 0:
        store, seen = Store(path), []
        def count(statement):
            seen.append(statement)
            if len(seen) == number:
                os.kill(os.getpid(), signal.SIGKILL)
        store._db.set_trace_callback(count)
        store.settle(batch, 2.0)
        os.kill(os.getpid(), signal.SIGTERM)
    killed = os.waitpid(child, 0)[1] == signal.SIGKILL
print(number)
"""


COUNTED = {"dead:result": SCENES // 3, "result": SCENES // 3, "waiting": SCENES // 3}


def state(path):
    store = Store(path)
    scenes = range(1, SCENES + 1)
    found = (len(store.begun(scenes)), len(store.log(scenes)), len(store.waits(scenes)), len(store.dead_letters(99)))
    counted = store.counters()
    store.close()
    return found, counted


@needs_unix
def test_a_kill_at_any_statement_leaves_all_of_a_batch_or_nothing(tmp_path):
    statements = int(run(KILL_AT_EVERY_STATEMENT, str(tmp_path), str(SCENES)))
    assert statements > 4 * SCENES
    before, after = ((SCENES, 0, 0, 0), {}), ((0, SCENES, SCENES // 3, SCENES // 3), COUNTED)
    for number in range(1, statements):
        assert state(str(tmp_path / f"{number}.db")) == before
    assert state(str(tmp_path / f"{statements}.db")) == after


@pytest.fixture
def sound(tmp_path):
    """The bytes of a store with many rows, all of them in the main file."""
    path = str(tmp_path / "sound.db")
    store = Store(path)
    store.settle([done(scene, (entry(scene, str(scene)),)) for scene in range(1, 300)], NOW)
    store.settle([later(scene) for scene in range(300, 600)] + [dead(scene) for scene in range(600, 900)], NOW)
    store.close()
    with open(path, "rb") as file:
        return file.read()


def damaged_in(kind, sound):
    page = 4096
    return {
        "header": b"\x00" * 100 + sound[100:],
        "first page": b"\xff" * page + sound[page:],
        "half": sound[: len(sound) // 2],
        "last page cut": sound[: -page // 2],
        "text": b"this is not a database\n" * 500,
    }[kind]


@pytest.mark.parametrize("kind", ["header", "first page", "half", "last page cut", "text"])
def test_a_damaged_file_is_set_aside_once_and_a_fresh_store_works(data_dir, sound, kind):
    path = os.path.join(data_dir, "stash2plex.db")
    with open(path, "wb") as file:
        file.write(damaged_in(kind, sound))
    store, aside = open_or_set_aside(path, lambda: Store(path))
    assert aside.startswith(path + ".corrupt-")
    store.settle([later(1)], NOW)
    store.close()
    again, aside = open_or_set_aside(path, lambda: Store(path))
    assert aside == "" and again.waits([1]) == {1: (1, NOW)}
    again.close()


def test_any_zeroed_page_is_noticed_or_does_no_harm(data_dir, sound):
    path = os.path.join(data_dir, "stash2plex.db")
    noticed = 0
    for start in range(0, len(sound), 4096):
        with open(path, "wb") as file:
            file.write(sound[:start] + b"\x00" * 4096 + sound[start + 4096 :])
        store, aside = open_or_set_aside(path, lambda: Store(path))
        noticed += bool(aside)
        store.settle([Settlement(scene, Verdict.DONE, "synced", log=()) for scene in range(1, 900)], NOW)
        assert store.numbers() == {"waiting": {}, "dead_letters": {}, "synced": 0}
        store.close()
        for name in os.listdir(data_dir):
            os.unlink(os.path.join(data_dir, name))
    assert noticed > 5


def test_a_write_ahead_log_full_of_garbage_does_no_harm(data_dir, sound):
    path = os.path.join(data_dir, "stash2plex.db")
    for suffix, content in (("", sound), ("-wal", b"\x37\x7f\x06\x82" + b"\xff" * 9_000), ("-shm", b"\xff" * 32_768)):
        with open(path + suffix, "wb") as file:
            file.write(content)
    store, _ = open_or_set_aside(path, lambda: Store(path))
    store.settle([later(1)], NOW)
    assert 1 in store.waits([1])
    store.close()


def test_a_folder_in_its_place_is_no_damage_but_an_error(data_dir):
    path = os.path.join(data_dir, "stash2plex.db")
    os.mkdir(path)
    with pytest.raises((sqlite3.OperationalError, OSError)):
        open_or_set_aside(path, lambda: Store(path))
    assert os.path.isdir(path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="modes of Unix, which root does not mind")
def test_a_file_that_may_not_be_written_is_no_damage_but_an_error(data_dir, sound):
    path = os.path.join(data_dir, "stash2plex.db")
    with open(path, "wb") as file:
        file.write(sound)
    os.chmod(path, 0o400)
    with pytest.raises((sqlite3.OperationalError, OSError)):
        open_or_set_aside(path, lambda: Store(path))
    assert os.path.getsize(path) == len(sound)
