"""Waiting scenes and dead letters, as people see and clear them."""

from __future__ import annotations

import os

import pytest

from sync_queue.settlement import Settlement, Verdict
from sync_queue.store import Store


@pytest.fixture
def store(data_dir):
    opened = Store(os.path.join(data_dir, "stash2plex.db"))
    for scene, at in ((1, 10.0), (2, 20.0), (3, 30.0)):
        opened.settle([Settlement(scene, Verdict.DEAD, "ambiguous", "two")], at)
    for scene, due in ((4, 200.0), (5, 100.0)):
        opened.settle([Settlement(scene, Verdict.LATER, "missing", "none", due, True)], 40.0)
    yield opened
    opened.close()


def test_waiting_scenes_are_listed_the_earliest_due_first(store):
    assert [(row["scene"], row["due"], row["kind"]) for row in store.waiting(10)] == [
        (5, 100.0, "missing"),
        (4, 200.0, "missing"),
    ]
    assert len(store.waiting(1)) == 1


def test_only_dead_letters_from_before_a_time_are_purged(store):
    assert store.purge_dead_letters(20.0) == 1
    assert [row["scene"] for row in store.dead_letters(10)] == [3, 2]
    assert store.purge_dead_letters() == 2 and store.dead_letters(10) == []


def test_clearing_what_waits_leaves_the_dead_letters(store):
    assert store.clear_waiting() == 2
    assert store.waiting(10) == [] and store.next_due() is None and len(store.dead_letters(10)) == 3


def test_where_a_scene_stands(store):
    assert store.standing(4)["waiting"]["due"] == 200.0 and store.standing(4)["dead_letter"] is None
    assert store.standing(1)["dead_letter"]["reason"] == "two" and store.standing(1)["waiting"] is None
    assert store.standing(99) == {"waiting": None, "dead_letter": None}
