"""One record for each outage, whatever happens between its beginning and its end."""

from __future__ import annotations

import pytest

from sync_queue.outages import KEPT
from sync_queue.store import Store

NOW = 1_000_000.0


@pytest.fixture
def store(tmp_path):
    store = Store(str(tmp_path / "stash2plex.db"))
    yield store
    store.close()


def test_an_outage_is_one_record(store):
    store.outage_began(NOW, "refused")
    assert store.outages() == [{"started": NOW, "ended": None, "cause": "refused", "scenes": 0}]
    store.outage_ended(NOW + 60, 7)
    store.outage_ended(NOW + 90, 9)
    assert store.outages() == [{"started": NOW, "ended": NOW + 60, "cause": "refused", "scenes": 7}]


def test_an_outage_whose_beginning_is_written_twice_is_one_record(store):
    store.outage_began(NOW, "refused")
    store.outage_began(NOW + 5, "no answer")
    assert [(row["started"], row["cause"]) for row in store.outages()] == [(NOW, "refused")]


def test_an_outage_that_goes_on_is_the_same_record_and_keeps_the_most_scenes(store):
    store.outage_began(NOW, "refused")
    store.outage_ended(NOW + 60, 70)
    store.outage_goes_on(NOW, "refused again")
    assert [row["ended"] for row in store.outages()] == [None]
    store.outage_ended(NOW + 90, 9)
    assert store.outages() == [{"started": NOW, "ended": NOW + 90, "cause": "refused", "scenes": 70}]


def test_an_outage_that_goes_on_without_its_record_gets_one(store):
    store.outage_goes_on(NOW, "refused")
    store.outage_ended(NOW + 1, 0)
    store.outage_began(NOW + 500, "another")
    store.outage_ended(NOW + 600, 0)
    store.outage_goes_on(NOW, "refused")
    assert [row["started"] for row in store.outages()] == [NOW, NOW + 500, NOW]


def test_an_outage_that_ends_on_a_clock_set_back_is_no_shorter_than_nothing(store):
    store.outage_began(NOW, "refused")
    store.outage_ended(NOW - 3_600, 1)
    assert store.outages()[0]["ended"] == NOW


def test_only_the_last_outages_are_kept(store):
    for turn in range(KEPT + 5):
        store.outage_began(NOW + turn, "refused")
        store.outage_ended(NOW + turn + 0.5, 0)
    kept = [outage["started"] for outage in store.outages()]
    assert kept == [NOW + turn for turn in range(KEPT + 4, 4, -1)]
