"""The store: what waits, what was given up, what was pushed, and what is counted."""

from __future__ import annotations

import os
import sqlite3

import pytest

from sync_queue import store as module
from sync_queue.settlement import LogEntry, Settlement, Verdict
from sync_queue.store import Store

NOW = 1_700_000_000.0
OWNED = (("collection", "Studio"), ("genre", "a,b"))


@pytest.fixture
def path(data_dir):
    return os.path.join(data_dir, "stash2plex.db")


@pytest.fixture
def store(path):
    opened = Store(path)
    yield opened
    opened.close()


def entry(scene=1, item="10", fingerprint="f"):
    return LogEntry(scene, item, "1", fingerprint, OWNED, "2024-01-01T00:00:00Z")


def later(scene, due=NOW + 30, kind="missing", file="a.mp4", charged=True):
    return Settlement(scene, Verdict.LATER, kind, "why", due, charged, file)


def dead(scene, kind="missing", file="a.mp4"):
    return Settlement(scene, Verdict.DEAD, kind, "why", file=file)


def done(scene, log=None):
    return Settlement(scene, Verdict.DONE, "synced", log=log)


# waiting, attempts, dead letters


def test_a_waiting_scene_is_due_at_its_time_and_not_before(store):
    store.settle([later(1, NOW + 30), later(2, NOW + 10)], NOW)
    assert (store.due(NOW + 9, 10), store.due(NOW + 10, 10), store.due(NOW + 30, 10)) == ([], [2], [2, 1])
    assert (store.due(NOW + 30, 1), store.next_due()) == ([2], NOW + 10)


def test_nothing_waits_in_a_new_store(store):
    assert (store.next_due(), store.due(NOW, 10), store.waits([1])) == (None, [], {})


def test_waiting_again_counts_and_keeps_the_first_time(store):
    for turn in range(3):
        store.settle([later(1, NOW + turn, charged=turn != 1)], NOW + turn)
    assert store.waits([1, 2]) == {1: (2, NOW)}


def test_a_snoozed_scene_is_due_later(store):
    store.settle([later(1, NOW), later(2, NOW)], NOW)
    store.snooze([1], NOW + 100)
    assert store.due(NOW, 10) == [2] and store.due(NOW + 100, 10) == [2, 1]


def test_attempts_are_counted_until_they_are_settled(store):
    store.begin([1, 2], NOW)
    store.begin([1], NOW)
    assert store.begun([1, 2, 3]) == {1: 2, 2: 1}
    store.settle([done(1), Settlement(2, Verdict.AGAIN, "unreachable")], NOW)
    assert store.begun([1, 2]) == {}


def test_what_goes_back_into_the_queue_still_waits_as_before(store):
    store.settle([later(1), dead(2)], NOW)
    store.settle([Settlement(1, Verdict.AGAIN, "unreachable"), Settlement(2, Verdict.AGAIN, "unreachable")], NOW)
    assert store.numbers()["waiting"] == {"missing": 1} and store.numbers()["dead_letters"] == {"missing": 1}


def test_a_dead_letter_says_why_and_how_often_it_was_tried(store):
    store.settle([later(1)], NOW)
    store.settle([later(1)], NOW)
    store.settle([dead(1)], NOW + 9)
    assert store.dead_letters(5) == [{"scene": 1, "kind": "missing", "reason": "why", "attempts": 3, "at": NOW + 9}]
    assert store.next_due() is None


def test_the_newest_dead_letters_come_first(store):
    for scene in (1, 2, 3):
        store.settle([dead(scene)], NOW + scene)
    assert [letter["scene"] for letter in store.dead_letters(2)] == [3, 2]


@pytest.mark.parametrize("verdict", [done(1), later(1)], ids=["done", "later"])
def test_a_scene_that_goes_on_is_no_dead_letter_any_more(store, verdict):
    store.settle([dead(1)], NOW)
    store.settle([verdict], NOW)
    assert store.numbers()["dead_letters"] == {}


def test_a_revived_scene_neither_waits_nor_is_dead_but_what_was_pushed_is_remembered(store):
    store.settle([done(1, (entry(1),)), done(2, (entry(2, "20"),))], NOW)
    store.settle([later(1), dead(2), later(3)], NOW)
    store.revive([1, 2])
    assert (store.waits([1, 2, 3]), store.dead_letters(5)) == ({3: (1, NOW)}, [])
    assert set(store.log([1, 2])) == {1, 2}


def test_of_a_forgotten_scene_nothing_is_left_but_its_items(store, path):
    store.settle([done(1, (entry(1),)), later(1)], NOW)
    store.begin([1], NOW)
    store.settle([done(2, (entry(2, "20"),)), dead(2)], NOW)
    store.forget(1)
    store.forget(2)
    db = sqlite3.connect(path)
    left = [db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES[:4]]
    db.close()
    assert left == [0, 0, 0, 2]


TABLES = ("waiting", "dead_letters", "attempts", "sync_log", "outages", "facts", "counters")


def test_scenes_whose_file_plex_lacks_are_found_by_the_file(store):
    store.settle([later(1), dead(2), later(3, file="b.mp4"), later(4, kind="unexpected"), later(5, file="")], NOW)
    assert store.missing_files() == {"a.mp4": [1, 2], "b.mp4": [3]}


def test_more_scenes_than_one_statement_takes(store):
    scenes = list(range(1, 2 * module.MANY + 10))
    store.settle([later(scene, NOW) for scene in scenes], NOW)
    assert len(store.waits(scenes)) == len(scenes)
    store.snooze(scenes, NOW + 5)
    assert store.next_due() == NOW + 5
    store.revive(scenes)
    assert store.next_due() is None


# sync log


def test_the_sync_log_gives_back_what_was_written(store):
    store.settle([done(1, (entry(1, "10"), entry(1, "11")))], NOW)
    assert store.log([1, 2]) == {1: [entry(1, "10"), entry(1, "11")]}


def test_a_settlement_replaces_the_log_of_its_scene_only_when_it_has_one(store):
    store.settle([done(1, (entry(1, "10"),)), done(2, (entry(2, "20"),))], NOW)
    store.settle([done(1), done(2, (entry(2, "21"),))], NOW)
    assert store.log([1, 2]) == {1: [entry(1, "10")], 2: [entry(2, "21")]}
    store.settle([done(2, ())], NOW)
    assert store.log([2]) == {}


@pytest.mark.parametrize("turn", [1, -1], ids=["who leaves it first", "who takes it first"])
def test_an_item_that_one_scene_of_a_batch_leaves_and_another_takes_is_the_others(store, turn):
    store.settle([done(1, (entry(1, "10"), entry(1, "11"))), done(2, (entry(2, "20"),))], NOW)
    batch = [done(1, (entry(1, "10"),)), done(2, (entry(2, "20"), entry(2, "11")))]
    store.settle(batch[::turn], NOW)
    assert store.log([0, 1, 2]) == {1: [entry(1, "10")], 2: [entry(2, "11"), entry(2, "20")]}


def test_of_two_scenes_of_a_batch_with_the_same_item_the_last_has_it(store):
    store.settle([done(1, (entry(1, "10"),)), done(2, (entry(2, "10"), entry(2, "11")))], NOW)
    assert store.log([0, 1, 2]) == {2: [entry(2, "10"), entry(2, "11")]}


def test_a_batch_of_all_verdicts_writes_each(store):
    store.settle([later(2), later(3), dead(4)], NOW)
    again = Settlement(5, Verdict.AGAIN, "busy")
    store.settle([done(1, (entry(1),)), later(2), dead(3), done(4), again, later(6), dead(7)], NOW + 1)
    assert store.waits(range(1, 8)) == {2: (2, NOW), 6: (1, NOW + 1)}
    assert {letter["scene"]: letter["attempts"] for letter in store.dead_letters()} == {3: 2, 7: 1}
    assert set(store.log(range(1, 8))) == {1}


def test_an_intention_is_kept_before_the_push_and_replaced_after(store):
    store.intend([entry(1, fingerprint="")], NOW)
    assert store.log([1])[1][0].fingerprint == "" and store.numbers()["synced"] == 0
    store.settle([done(1, (entry(1),))], NOW)
    assert store.numbers()["synced"] == 1


def test_another_plex_server_voids_all_keys(store):
    store.settle([done(1, (entry(1),))], NOW)
    store.forget_items()
    assert store.log([1]) == {}


# facts, counters


@pytest.mark.parametrize("value", [None, 0, "", {"a": [1, None]}, "text", 1.5])
def test_a_fact_is_remembered_and_overwritten(store, value):
    store.remember("name", "before")
    store.remember("name", value)
    assert store.fact("name") == value and store.fact("other") is None


def test_a_fact_that_cannot_be_read_is_none(store, path):
    store.remember("name", 1)
    db = sqlite3.connect(path)
    db.execute("UPDATE facts SET value = '{'")
    db.commit()
    db.close()
    assert store.fact("name") is None


def test_counters_grow_with_what_was_decided_and_with_what_else_is_counted(store):
    store.settle([done(1), done(2), later(3), dead(4), Settlement(5, Verdict.AGAIN, "busy")], NOW, {"plex_requests": 3})
    store.count({"synced": 5, "plex_requests": 1, "cache_hits": 0})
    assert store.counters() == {"again": 1, "dead:missing": 1, "plex_requests": 4, "synced": 7, "waiting": 1}
