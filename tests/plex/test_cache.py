"""The cache may be damaged, deleted, planted with foreign rows or forbidden: it is empty then, and never in the way."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import sqlite3
import stat
import threading
from contextlib import closing

import diskcache
import pytest

from plex import cache as module
from plex.cache import TRY_AGAIN_S, Cache
from tests.waiting import until

DAY = 86_400.0
VALUES = [{"a": [1, 2.5, None, True, "é\ud800\0"]}, [], "", 0, False, "x" * 500_000]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def database(folder):
    return folder / "cache.db"


@pytest.fixture
def start(folder, clock):
    """Makes caches on the same folder, as one worker after the other does."""
    made = []

    def start():
        made.append(Cache(str(folder), clock))
        return made[-1]

    yield start
    for cache in made:
        cache.close()


@pytest.fixture
def cache(start):
    return start()


def works(cache):
    cache.set("new", [1], DAY)
    return cache.get("new") == [1]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_a_value_is_there_also_for_the_next_worker(cache, start, value):
    cache.set("ké\ud800\0y", value, DAY)
    assert cache.get("ké\ud800\0y") == value
    cache.close()
    assert start().get("ké\ud800\0y") == value


def test_a_value_ends_with_its_time_and_without_one_stays(cache):
    for key, expire_s in (("past", -1.0), ("later", DAY), ("open", None)):
        cache.set(key, 1, expire_s)
    assert [cache.get(key) for key in ("past", "later", "open", "never")] == [None, 1, 1, None]


def test_hits_and_misses_are_counted(cache):
    cache.set("a", 1, DAY)
    for key in ("a", "a", "b"):
        cache.get(key)
    assert (cache.hits, cache.misses) == (2, 1)


def test_what_is_deleted_or_cleared_is_gone(cache):
    for key in "abc":
        cache.set(key, key, None)
    cache.delete("a")
    cache.delete("a")
    assert [cache.get(key) for key in "abc"] == [None, "b", "c"]
    cache.clear()
    assert [cache.get(key) for key in "abc"] == [None, None, None] and works(cache)


def test_what_is_no_json_is_refused(cache):
    with pytest.raises(TypeError):
        cache.set("a", object(), None)
    assert cache.trouble() == "" and works(cache)


def test_nothing_is_made_before_the_first_use(cache, folder):
    assert not folder.exists() and works(cache) and folder.exists()


def test_it_stays_within_its_size(cache, database, monkeypatch):
    monkeypatch.setitem(module.SETTINGS, "size_limit", 1 << 20)
    for number in range(100):
        cache.set(str(number), "x" * 50_000, None)
    assert database.stat().st_size < 1.2 * (1 << 20)
    assert cache.get("99") and not cache.get("0")


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # a thread's connection ends with the thread
def test_threads_may_share_it(cache):
    def work(name):
        for number in range(50):
            cache.set(f"{name}{number}", number, None)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [cache.get(f"{name}{number}") for name in "abc" for number in range(50)] == 3 * list(range(50))
    assert cache.trouble() == ""
    del threads, thread
    cache.close()
    gc.collect()


# private


@pytest.mark.skipif(os.name == "nt", reason="modes of Unix")
@pytest.mark.parametrize("left_open", [False, True])
def test_folder_and_files_are_for_the_owner_only(cache, folder, database, left_open):
    before = os.umask(0)
    try:
        if left_open:
            folder.mkdir(0o777)
            database.touch(0o666)
        works(cache)
    finally:
        os.umask(before)
    names = os.listdir(folder)
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in names} == {0o600} and "cache.db" in names
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_whose_name_looks_like_a_variable_leads_nowhere_else(tmp_path, clock, monkeypatch):
    (tmp_path / "$ELSEWHERE").mkdir()
    monkeypatch.setenv("ELSEWHERE", "elsewhere")
    cache = Cache(str(tmp_path / "$ELSEWHERE"), clock)
    assert not works(cache) and cache.trouble()
    assert os.listdir(tmp_path) == ["$ELSEWHERE"]


# foreign rows


class Bomb:
    """Leaves a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "it-ran"


@pytest.fixture
def planted(start, tmp_path, database, marker):
    """A database of ours with rows that run or read something in plain diskcache, by key."""
    bomb = pickle.dumps(Bomb(marker))
    (tmp_path / "bomb").write_bytes(bomb)
    (tmp_path / "secret").write_text('"secret"')
    rows = {
        "pickle": (4, None, bomb),
        "pickle in a file": (4, "../bomb", None),
        "text in a file": (3, "../secret", None),
        "bytes in a file": (2, "../secret", None),
        "value and file": (0, "../secret", '"secret"'),
        "bytes": (0, None, b'"secret"'),
        "a number": (0, None, 5),
        "no JSON": (0, None, "{"),
        "too deep": (0, None, "[" * 200_000),
        "no mode": (None, None, '"secret"'),
        "another mode": ("4", None, bomb),
    }
    cache = start()
    for key in rows:
        cache.set(key, "ours", None)
    cache.close()
    with closing(sqlite3.connect(database)) as db, db:
        for key, (mode, filename, value) in rows.items():
            where = "UPDATE Cache SET mode = ?, filename = ?, value = ? WHERE key = ?"
            assert db.execute(where, (mode, filename, value, f'"{key}"')).rowcount == 1
        insert = "INSERT INTO Cache (key, raw, mode, store_time, expire_time, filename) VALUES (?, 0, 0, 0, 0, ?)"
        db.execute(insert, (bomb, "../secret"))
    return list(rows)


def test_the_planted_rows_are_live_in_plain_diskcache(planted, folder, marker):
    with diskcache.Cache(str(folder)) as plain:
        assert plain.get('"text in a file"') == '"secret"' and not marker.exists()
        plain.get('"pickle"').close()
        assert marker.exists()


def test_foreign_rows_run_nothing_and_are_absent(planted, start, marker):
    cache = start()
    assert {key: cache.get(key) for key in planted} == dict.fromkeys(planted)
    assert not marker.exists() and cache.trouble() == ""


def test_foreign_rows_are_replaced_or_cleared_and_the_files_they_name_stay(planted, start, tmp_path, marker):
    cache = start()
    for key in planted[:6]:
        cache.set(key, "new", None)  # this also clears away the expired row
    assert [cache.get(key) for key in planted[:6]] == ["new"] * 6
    cache.clear()
    assert (tmp_path / "secret").exists() and (tmp_path / "bomb").exists() and not marker.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_directory", "elsewhere"),
        ("sqlite_user_version", 5),
        ("disk_x", 1),
        ("cull_limit", "x"),
        ("size", "x"),
        (b"", 1),
    ],
)
def test_a_foreign_setting_is_not_taken_over(cache, start, tmp_path, database, name, value):
    (tmp_path / "elsewhere").mkdir()
    cache.set("a", 1, None)
    cache.close()
    with closing(sqlite3.connect(database)) as db, db:
        db.execute(
            "INSERT OR REPLACE INTO Settings VALUES (?, ?)",
            (name, str(tmp_path / value) if name == "_directory" else value),
        )
    again = start()
    assert again.get("a") is None and works(again)
    assert os.listdir(tmp_path / "elsewhere") == []


# damaged, deleted, forbidden


def garbage(path):
    path.write_bytes(b"\0garbage\xff" * 4_000)


def half(path):
    os.truncate(path, path.stat().st_size // 2)


def nothing(path):
    os.truncate(path, 0)


def spoilt(path):
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 3)
        file.write(b"\xa5" * (path.stat().st_size // 2))


def without_tables(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE Settings (key, value)")
        db.execute("CREATE TABLE Cache (key)")


DAMAGES = (garbage, half, nothing, spoilt, without_tables)


@pytest.mark.parametrize("under_way", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_made_anew_and_told_once(cache, start, database, damage, under_way):
    if os.name == "nt" and under_way:
        pytest.skip("Windows lets nobody change a file in use")
    for number in range(200):
        cache.set(str(number), "x" * 1_000, None)
    if not under_way:
        cache.close()
    damage(database)
    again = cache if under_way else start()
    for number in range(200):
        assert again.get(str(number)) in (None, "x" * 1_000)
        again.set(str(number), [number], None)
    assert works(again) and works(again)
    assert again.trouble().count("made anew") <= 1 and again.trouble() == ""


def test_damage_is_told_in_a_sentence_without_paths(cache, folder, database):
    folder.mkdir()
    garbage(database)
    assert works(cache)
    assert cache.trouble() == "Cache was damaged (DatabaseError) and is made anew; nothing is lost"
    assert cache.trouble() == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody delete a file in use")
def test_deleting_the_folder_is_harmless_and_makes_it_empty(cache, folder):
    cache.set("a", 1, None)
    shutil.rmtree(folder)
    assert (cache.get("a"), works(cache), folder.exists(), cache.trouble()) == (None, True, True, "")


def test_deleting_it_over_and_over_under_load_is_harmless(cache, folder, clock):
    over, deleted = threading.Event(), []

    def delete():
        while not over.is_set():
            shutil.rmtree(folder, ignore_errors=True)
            deleted.append(1)

    thread = threading.Thread(target=delete)
    thread.start()
    try:
        for number in range(400):
            clock.now += TRY_AGAIN_S
            cache.set(str(number % 7), number % 7, None)
            assert cache.get(str(number % 5)) in (None, number % 5)
        until(lambda: len(deleted) > 50, what="the folder to be deleted often")
    finally:
        over.set()
        thread.join()
    clock.now += TRY_AGAIN_S
    cache.get("set up")
    assert works(cache)
    while cache.trouble():
        pass
    shutil.rmtree(folder, ignore_errors=True)
    assert works(cache) and cache.trouble() == ""


def in_the_way(folder):
    folder.write_text("no folder")
    return folder.unlink


def database_is_a_folder(folder):
    (folder / "cache.db").mkdir(parents=True)
    return (folder / "cache.db").rmdir


def forbidden(folder):
    if os.name == "nt" or os.geteuid() == 0:
        pytest.skip("nothing is forbidden to this user")
    folder.parent.chmod(0o500)
    return lambda: folder.parent.chmod(0o700)


@pytest.mark.parametrize("obstacle", [in_the_way, database_is_a_folder, forbidden])
def test_a_folder_that_cannot_be_used_is_told_once_and_tried_again_later(cache, folder, clock, obstacle):
    remove = obstacle(folder)
    assert not works(cache) and not works(cache)
    sentence = cache.trouble()
    assert sentence.startswith("Cache cannot be used (") and str(folder) not in sentence
    remove()
    clock.now += TRY_AGAIN_S - 1
    assert not works(cache)
    clock.now += 1
    assert works(cache) and cache.trouble() == ""


def test_without_the_data_folder_nothing_is_made(tmp_path, clock):
    cache = Cache(str(tmp_path / "data" / "cache"), clock)
    assert not works(cache) and cache.trouble() == "" and os.listdir(tmp_path) == []
    (tmp_path / "data").mkdir()
    assert works(cache)
    cache.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody delete a file in use")
def test_a_file_that_somebody_keeps_locked_is_left_to_them(cache, start, database, monkeypatch):
    monkeypatch.setattr(module, "LOCKED_S", 0.01)
    works(cache)
    cache.close()
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        assert works(start())
