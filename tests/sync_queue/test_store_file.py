"""The store's file: private, migrated in numbered steps, and whole after a fault."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_queue import store as module
from sync_queue.files import NewerVersion, open_or_set_aside
from sync_queue.settlement import LogEntry, Settlement, Verdict
from sync_queue.store import Store
from tests.sync_queue.test_store import NOW, dead, done, entry, later


@pytest.fixture
def path(data_dir):
    return os.path.join(data_dir, "stash2plex.db")


@pytest.fixture
def store(path):
    opened = Store(path)
    yield opened
    opened.close()


@pytest.mark.skipif(os.name == "nt", reason="modes of Unix")
@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_the_files_are_private(path, data_dir, mask):
    before = os.umask(mask)
    try:
        store = Store(path)
        store.remember("a", 1)
        modes = {name: os.stat(os.path.join(data_dir, name)).st_mode & 0o777 for name in os.listdir(data_dir)}
        store.close()
    finally:
        os.umask(before)
    assert set(modes) == {"stash2plex.db", "stash2plex.db-wal", "stash2plex.db-shm"} and set(modes.values()) == {0o600}


def test_what_is_written_survives_a_new_start(path):
    first = Store(path)
    first.settle([later(1), done(2, (entry(2),))], NOW)
    first.close()
    again = Store(path)
    assert (again.waits([1]), again.log([2])) == ({1: (1, NOW)}, {2: [entry(2)]})
    again.close()


def test_a_fault_in_the_middle_of_settling_leaves_nothing_of_it(store):
    store.settle([later(1)], NOW)
    impossible = LogEntry(2, "10", "1", "f", (("a", object()),), "")  # no JSON
    with pytest.raises(TypeError):
        store.settle([done(1, (entry(1),)), dead(3), done(2, (impossible,))], NOW)
    assert (store.waits([1]), store.dead_letters(5), store.log([1])) == ({1: (1, NOW)}, [], {})
    store.settle([dead(3)], NOW)
    assert len(store.dead_letters(5)) == 1


def version(path):
    db = sqlite3.connect(path)
    try:
        return db.execute("PRAGMA user_version").fetchone()[0]
    finally:
        db.close()


def test_a_database_without_tables_becomes_a_store(path):
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE passing (a)")
    db.execute("DROP TABLE passing")
    db.close()
    store, aside = open_or_set_aside(path, lambda: Store(path))
    store.settle([later(1)], NOW)
    store.close()
    assert aside == "" and version(path) == len(os.listdir(module.MIGRATIONS))


def test_a_file_without_one_byte_becomes_a_store(path):
    with open(path, "wb"):
        pass
    store = Store(path)
    store.settle([later(1)], NOW)
    store.close()
    assert version(path) == len(os.listdir(module.MIGRATIONS))


def test_migrations_are_numbered_without_a_gap():
    names = sorted(name for name in os.listdir(module.MIGRATIONS) if name.endswith(".sql"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


@pytest.fixture
def migrations(tmp_path, monkeypatch):
    """A folder of steps that a test may add to, at first those that we ship."""
    folder = tmp_path / "migrations [1]"  # brackets mean something to glob
    shutil.copytree(module.MIGRATIONS, folder)
    monkeypatch.setattr(module, "MIGRATIONS", str(folder))
    return folder


def test_an_older_file_gets_the_steps_that_it_lacks_and_keeps_its_rows(path, migrations):
    old = Store(path)
    old.settle([later(1)], NOW)
    old.close()
    last = version(path)
    (migrations / f"{last + 1:04}.sql").write_text("ALTER TABLE waiting ADD COLUMN extra TEXT NOT NULL DEFAULT 'x';")
    (migrations / f"{last + 2:04}.sql").write_text(
        "-- a step\nCREATE TABLE more (a TEXT); INSERT INTO more VALUES (1);"
    )
    for _ in range(2):  # the second time there is nothing to do
        store = Store(path)
        assert store.waits([1]) == {1: (1, NOW)}
        store.close()
    db = sqlite3.connect(path)
    assert db.execute("SELECT extra FROM waiting").fetchall() == [("x",)]
    assert db.execute("SELECT a FROM more").fetchall() == [("1",)]
    db.close()
    assert version(path) == last + 2


def test_a_step_that_fails_leaves_the_file_as_it_was(path, migrations):
    Store(path).close()
    last = version(path)
    broken = migrations / f"{last + 1:04}.sql"
    broken.write_text("CREATE TABLE half (a TEXT); CREATE TABLE waiting (a TEXT);")
    with pytest.raises(sqlite3.OperationalError):
        open_or_set_aside(path, lambda: Store(path))
    assert version(path) == last
    broken.write_text("CREATE TABLE half (a TEXT);")
    Store(path).close()
    assert version(path) == last + 1


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(path):
    Store(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 999")
    db.close()
    before = Path(path).read_bytes()
    with pytest.raises(NewerVersion, match="newer version of Stash2Plex"):
        open_or_set_aside(path, lambda: Store(path))
    assert Path(path).read_bytes() == before


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["done", "later", "dead", "again", "revive", "forget"]))))
def test_a_scene_is_never_waiting_and_dead_at_once(tmp_path_factory, moves):
    path = str(tmp_path_factory.mktemp("store") / "a.db")
    store = Store(path)
    expected = {}
    for scene, move in moves:
        if move in ("revive", "forget"):
            store.revive([scene]) if move == "revive" else store.forget(scene)
            expected.pop(scene, None)
            continue
        made = {"done": done, "later": later, "dead": dead}.get(move)
        store.begin([scene], NOW)
        store.settle([made(scene) if made else Settlement(scene, Verdict.AGAIN, "busy")], NOW)
        if move == "done":
            expected.pop(scene, None)
        elif move != "again":
            expected[scene] = move
    waiting = set(store.waits([1, 2, 3, 4]))
    buried = {letter["scene"] for letter in store.dead_letters(10)}
    store.close()
    assert waiting == {scene for scene, move in expected.items() if move == "later"}
    assert buried == {scene for scene, move in expected.items() if move == "dead"}
