"""What Plex asked for in vain is remembered, newest first, in bounded memory."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from provider.misses import AWAY, LONGEST_ASKED, LONGEST_REASON, Misses
from tests.provider.surveyed import Clock


def test_the_newest_come_first_with_their_reasons_and_times():
    clock = Clock(100.0)
    misses = Misses(clock=clock)
    misses.record("/a.mp4", "no scene")
    clock.now = 200.0
    misses.record("/b.mp4", "two scenes")
    told = misses.missed(10)
    assert [(miss.asked, miss.reason, miss.last_at) for miss in told.newest] == [
        ("/b.mp4", "two scenes", 200.0),
        ("/a.mp4", "no scene", 100.0),
    ]


def test_what_is_asked_twice_counts_once_and_says_how_often():
    clock = Clock(100.0)
    misses = Misses(clock=clock)
    misses.record("/a.mp4", AWAY)
    misses.record("/b.mp4", "no scene")
    clock.now = 200.0
    misses.record("/a.mp4", "no scene")
    told = misses.missed(10)
    again = told.newest[0]
    assert (again.asked, again.count, again.first_at, again.last_at, again.reason) == (
        "/a.mp4",
        2,
        100.0,
        200.0,
        "no scene",
    )
    assert (told.total, told.held, told.by_reason) == (3, 2, {"no scene": 2})


def test_reasons_are_counted_the_most_frequent_first():
    misses = Misses()
    for number in range(5):
        misses.record(f"/{number}.mp4", "rare" if number == 0 else "often")
    assert list(misses.missed(0).by_reason.items()) == [("often", 4), ("rare", 1)]


def test_what_could_not_be_looked_up_is_counted_for_good():
    misses = Misses(size=1)
    misses.record("/a.mp4", AWAY)
    misses.record("/b.mp4", AWAY)
    misses.record("/c.mp4", "no scene")
    assert misses.away == 2


def test_a_storm_of_long_requests_takes_no_more_than_a_few_megabytes():
    misses = Misses(size=50)
    for number in range(1_000):
        misses.record(f"{number:04}" + "\N{PILE OF POO}" * 60_000, "r" * 60_000)
    told = misses.missed(1_000)
    assert (told.total, told.held, len(told.newest)) == (1_000, 50, 50)
    assert sum(sys.getsizeof(miss.asked) + sys.getsizeof(miss.reason) for miss in told.newest) < 50 * 5_000


@given(st.lists(st.tuples(st.text(max_size=2), st.sampled_from(["one", "two", AWAY])), max_size=30))
def test_the_last_so_many_different_ones_are_remembered(asked):
    misses = Misses(size=4)
    for text, reason in asked:
        misses.record(text, reason)
    different = list(dict.fromkeys(text for text, _ in reversed(asked)))
    told = misses.missed(100)
    assert [miss.asked for miss in told.newest] == different[:4]
    assert sum(told.by_reason.values()) == told.held == min(4, len(different))


def test_the_beginning_of_what_is_too_long_is_kept():
    misses = Misses()
    misses.record("a" * 5_000, "b" * 5_000)
    (miss,) = misses.missed(1).newest
    assert (miss.asked, miss.reason) == ("a" * LONGEST_ASKED, "b" * LONGEST_REASON)
