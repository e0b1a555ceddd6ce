"""What is kept of comparisons: what items looked like, who has an item, and the last runs."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace

import pytest

from sync_queue.reconciled import KEPT_RUNS
from sync_queue.settlement import LogEntry, Settlement, Verdict
from sync_queue.store import MANY, Store

NOW = 1_700_000_000.0


@pytest.fixture
def path(data_dir):
    return os.path.join(data_dir, "stash2plex.db")


@pytest.fixture
def store(path):
    opened = Store(path)
    yield opened
    opened.close()


def entry(scene, item, fingerprint="f"):
    return LogEntry(scene, item, "1", fingerprint, (("genre", "Blue"),), "2024-01-01T00:00:00Z")


def push(store, scene, *items, fingerprint="f"):
    """The scene was pushed to these items, and to no others."""
    log = tuple(entry(scene, item, fingerprint) for item in items)
    store.settle([Settlement(scene, Verdict.DONE, "synced", log=log)], NOW)


def see(store, run, **looks):
    """Plex's listing shows items so in this run; ``i10="a"`` is item 10."""
    store.note_looks([(name[1:], look) for name, look in looks.items()], run)


def left(store):
    return store.left_behind("", 100)


def rows(store, *scenes):
    return {(row.scene, row.item) for found in store.log(list(scenes)).values() for row in found}


# looks


def test_an_item_that_was_read_and_looks_the_same_since_is_right(store):
    push(store, 1, "10")
    see(store, 7, i10="a")
    assert store.seen_right([1], 7) == {}
    store.looked_right([1], 7)
    assert store.seen_right([1], 7) == {1: 1}
    see(store, 8, i10="a")
    assert store.seen_right([1], 8) == {1: 1}


def test_an_item_that_looks_otherwise_is_suspect(store):
    push(store, 1, "10")
    see(store, 7, i10="a")
    store.looked_right([1], 7)
    see(store, 8, i10="b")
    assert store.seen_right([1], 8) == {}


def test_an_item_that_this_listing_lacks_is_suspect(store):
    push(store, 1, "10")
    see(store, 7, i10="a")
    store.looked_right([1], 7)
    see(store, 8, i99="a")
    assert store.seen_right([1], 8) == {}
    store.looked_right([1], 8)
    assert store.seen_right([1], 8) == {}


def test_each_of_several_items_counts(store):
    push(store, 1, "10", "11")
    push(store, 2, "20")
    see(store, 7, i10="a", i11="b", i20="c")
    store.looked_right([1, 2], 7)
    assert store.seen_right([1, 2, 3], 7) == {1: 2, 2: 1}
    see(store, 8, i10="a", i11="other", i20="c")
    assert store.seen_right([1, 2], 8) == {1: 1, 2: 1}


def test_what_is_pushed_has_to_be_read_again(store):
    push(store, 1, "10")
    see(store, 7, i10="a")
    store.looked_right([1], 7)
    push(store, 1, "10", fingerprint="g")
    see(store, 8, i10="a")
    assert store.seen_right([1], 8) == {}


def test_items_that_nobody_knows_leave_nothing_behind(store):
    see(store, 7, i10="a")
    assert store.claims(["10"]) == []


# who has an item


def test_an_item_goes_over_to_the_scene_that_was_pushed_to_it_last(store):
    push(store, 1, "10", "11")
    push(store, 2, "10")
    assert rows(store, 1, 2) == {(1, "11"), (2, "10")}
    assert [row.scene for row in store.claims(["10"])] == [2]


def test_an_item_that_a_scene_shows_no_more_is_left_behind_with_what_is_ours_on_it(store):
    push(store, 1, "10", "11")
    push(store, 1, "11")
    (row,) = left(store)
    assert (row.scene, row.item, row.owned) == (0, "10", (("genre", "Blue"),))
    assert store.claims(["10"]) == [row] and rows(store, 1) == {(1, "11")}


def test_what_was_left_behind_is_taken_over_by_the_next_scene(store):
    push(store, 1, "10")
    push(store, 1)
    push(store, 2, "10")
    assert left(store) == [] and rows(store, 2) == {(2, "10")}


def test_an_item_that_is_left_behind_twice_is_left_behind_once(store):
    push(store, 1, "10")
    push(store, 1)
    store.intend([replace(entry(2, "10"), intended=(("genre", "Red"),))], NOW)
    assert {row.scene for row in store.claims(["10"])} == {0, 2}
    push(store, 2, "11")
    assert [row.item for row in left(store)] == ["10"]


def test_what_a_push_was_about_to_add_claims_the_item_beside_the_scene_that_has_it(store):
    push(store, 1, "10")
    store.intend([replace(entry(2, "10", ""), intended=(("genre", "Red"),))], NOW)
    assert {row.scene for row in store.claims(["10"])} == {1, 2}


def test_a_forgotten_scene_keeps_its_items(store):
    push(store, 1, "10")
    store.forget(1)
    assert [row.scene for row in store.claims(["10"])] == [1]


def test_only_the_rows_that_are_named_are_dropped(store):
    push(store, 1, "10", "11")
    push(store, 2, "20")
    store.drop([entry(1, "10"), entry(2, "11"), entry(3, "30")])
    assert rows(store, 1, 2) == {(1, "11"), (2, "20")}


def test_many_items_and_scenes_are_asked_for_at_once(store):
    scenes = list(range(1, 2 * MANY + 2))
    store.settle([Settlement(s, Verdict.DONE, "synced", log=(entry(s, f"{s}0"),)) for s in scenes], NOW)
    store.note_looks([(f"{scene}0", "a") for scene in scenes], 1)
    store.looked_right(scenes, 1)
    assert store.seen_right(scenes, 1) == dict.fromkeys(scenes, 1)
    assert len(store.claims([f"{scene}0" for scene in scenes])) == len(scenes)


@pytest.mark.parametrize(
    ("after", "until", "found"), [(0, None, [2, 3, 9]), (2, None, [3, 9]), (0, 3, [2, 3]), (3, 8, []), (9, None, [])]
)
def test_scenes_with_items_are_told_in_order_and_what_is_left_behind_belongs_to_none(store, after, until, found):
    for scene in (9, 3, 2, 1):
        push(store, scene, f"{scene}0", f"{scene}1")
    push(store, 1)
    assert store.logged(after, until, 100) == found and len(left(store)) == 2


def test_scenes_with_items_and_what_was_left_behind_are_told_page_by_page(store):
    for scene in range(1, 8):
        push(store, scene, *[f"{scene}{number}" for number in range(3)])
    assert (store.logged(0, None, 5), store.logged(5, None, 5)) == ([1, 2, 3, 4, 5], [6, 7])
    for scene in range(1, 8):
        push(store, scene)
    seen, page = [], store.left_behind("", 4)
    while page:
        seen += [row.item for row in page]
        page = store.left_behind(seen[-1], 4)
    assert sorted(seen) == seen and len(seen) == 21 == len(set(seen))


# runs


def test_a_run_is_kept_from_its_beginning_to_its_end(store):
    number = store.run_begins(NOW, {"scope": "all"})
    assert store.runs() == [{"id": number, "started": NOW, "ended": None, "content": {"scope": "all"}}]
    store.run_goes_on(number, {"scope": "all", "checked": 5})
    assert store.runs()[0]["content"]["checked"] == 5 and store.runs()[0]["ended"] is None
    store.run_goes_on(number, {"scope": "all", "checked": 9}, ended=NOW + 60)
    assert (store.runs()[0]["ended"], store.runs()[0]["content"]["checked"]) == (NOW + 60, 9)


def test_the_last_thirty_are_kept_the_newest_first(store):
    numbers = [store.run_begins(NOW + turn, {"turn": turn}) for turn in range(KEPT_RUNS + 5)]
    assert [run["id"] for run in store.runs()] == numbers[::-1][:KEPT_RUNS]
    assert [run["content"]["turn"] for run in store.runs()][-1] == 5


def test_a_new_run_never_has_the_number_of_an_old_one(store, path):
    """Items are noted under the number of the run in whose listing they were seen."""
    first = store.run_begins(NOW, {})
    store.close()
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM runs")
    db.close()
    again = Store(path)
    assert again.run_begins(NOW, {}) > first
    again.close()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "5", '"text"', "[" * 100_000, b"\xff"])
def test_a_run_whose_content_cannot_be_read_is_there_all_the_same(store, path, content):
    number = store.run_begins(NOW, {"checked": 1})
    with sqlite3.connect(path) as db:
        db.execute("UPDATE runs SET content = CAST(? AS TEXT)", (content,))
    db.close()
    assert store.runs() == [{"id": number, "started": NOW, "ended": None, "content": {}}]
