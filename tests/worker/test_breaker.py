"""The breaker: a table of times, without a clock."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.breaker import CLOSED, FAILURES_TO_OPEN, PROBE_FIRST_S, PROBE_LONGEST_S, Breaker, recall

NOW = 1_000_000.0


def failing(times, start=NOW, step_s=1.0):
    breaker = CLOSED
    for number in range(times):
        breaker = breaker.failed(start + number * step_s, f"cause {number}")
    return breaker


def test_a_closed_breaker_holds_nothing():
    assert not CLOSED.holds(NOW) and not CLOSED.opened


@pytest.mark.parametrize(("times", "opened"), [(1, False), (4, False), (5, True), (6, True), (100, True)])
def test_it_opens_after_five_failures_in_a_row(times, opened):
    assert failing(times).opened is opened


def test_a_success_in_between_starts_the_count_anew():
    breaker = failing(4).succeeded(NOW)
    for _ in range(4):
        breaker = breaker.failed(NOW, "again")
    assert not breaker.opened and breaker.failed(NOW, "again").opened


@pytest.mark.parametrize(
    ("failures", "delay_s"), [(1, 1), (4, 1), (5, 5), (6, 10), (7, 20), (8, 40), (9, 60), (10, 60), (1_000, 60)]
)
def test_when_plex_is_tried_again(failures, delay_s):
    breaker = failing(failures)
    last = NOW + failures - 1
    assert breaker.probe_at == last + delay_s
    assert breaker.holds(last) and breaker.holds(last + delay_s - 0.001) and not breaker.holds(last + delay_s)


def test_one_outage_begins_with_the_first_failure_and_has_the_latest_cause():
    breaker = failing(20)
    assert (breaker.since, breaker.cause, breaker.failures) == (NOW, "cause 19", 20)


def test_a_success_closes_it():
    breaker = failing(20).succeeded(NOW + 50)
    assert not breaker.opened and not breaker.holds(NOW + 50) and breaker.ramping(NOW + 50)
    assert failing(4).succeeded(NOW + 50) == CLOSED


def test_a_failure_soon_after_an_outage_opens_it_at_once_and_the_outage_goes_on():
    breaker = failing(20).succeeded(NOW + 50).succeeded(NOW + 60).failed(NOW + 70, "again")
    assert breaker.opened and (breaker.since, breaker.probe_at, breaker.cause) == (NOW, NOW + 75, "again")


def test_a_failure_long_after_an_outage_is_one_of_five():
    breaker = failing(20).succeeded(NOW + 50)
    assert breaker.succeeded(NOW + 100) == CLOSED
    breaker = breaker.failed(NOW + 100, "new")
    assert (breaker.opened, breaker.failures, breaker.since) == (False, 1, NOW + 100)


def test_a_plex_that_comes_and_goes_is_asked_more_and_more_rarely():
    breaker, now, delays = failing(5), NOW + 10, []
    for _ in range(6):
        breaker = breaker.succeeded(now).failed(now + 1, "again")
        delays.append(breaker.probe_at - now - 1)
        now = breaker.probe_at
    assert delays == [5, 10, 20, 40, 60, 60] and breaker.since == NOW


@pytest.mark.parametrize("back_s", [3_600.0, 1e9])
def test_a_clock_that_was_set_back_does_not_hold_it_for_ever(back_s):
    assert not failing(20).holds(NOW - back_s)


@pytest.mark.parametrize("forward_s", [3_600.0, 1e9])
def test_a_clock_that_was_set_forward_lets_it_probe(forward_s):
    assert not failing(20).holds(NOW + forward_s)


def test_an_outage_of_a_day_costs_at_most_one_probe_a_minute_once_it_is_long():
    breaker, now, probes = failing(FAILURES_TO_OPEN), NOW + FAILURES_TO_OPEN, 0
    while now < NOW + 86_400:
        now = max(now, breaker.probe_at)
        breaker, probes = breaker.failed(now, "away"), probes + 1
    assert probes <= 86_400 / PROBE_LONGEST_S + 10


@pytest.mark.parametrize("times", [0, 1, 5, 50])
@pytest.mark.parametrize("recovered", [False, True])
def test_it_is_the_same_after_it_was_kept_as_json(times, recovered):
    breaker = failing(times).succeeded(NOW + 100) if recovered else failing(times)
    assert recall(json.loads(json.dumps(breaker.remembered()))) == breaker


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        "text",
        [],
        {"unknown": 1},
        {"failures": "5"},
        {"since": None},
        {"opened": 1},
        {"probes": "x"},
        {"probe_at": "x"},
        {"opened": True},
        {"failures": 5},
        {"failures": True},
        {"failures": -1},
        {"failures": 10**400},
        {"probes": 1.5},
        {"probes": -(10**9)},
        {"relapses": None},
        {"since": True},
        {"since": float("nan")},
        {"since": 10**400},
        {"probe_at": float("inf")},
        {"probe_at": -1},
        {"recovered": float("nan")},
        {"recovered": -2},
        {"recovered": []},
        {"cause": 5},
        {"cause": None},
    ],
)
def test_what_cannot_be_read_is_a_closed_breaker(value):
    assert recall(value) == CLOSED


DAMAGED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sets(st.sampled_from(sorted(CLOSED.remembered())), max_size=3), st.data())
def test_whatever_is_damaged_it_can_be_used_and_lets_plex_be_asked_within_a_minute(fields, data):
    kept = {**failing(7).remembered(), **{name: data.draw(DAMAGED, name) for name in sorted(fields)}}
    breaker = recall(json.loads(json.dumps(kept)))
    assert not breaker.holds(NOW + PROBE_LONGEST_S) or breaker.probe_at <= NOW + 2 * PROBE_LONGEST_S
    assert breaker.opened == (breaker.failures >= FAILURES_TO_OPEN)
    again = breaker.failed(NOW, "x")
    assert again.probe_at <= NOW + PROBE_LONGEST_S and not again.holds(NOW + PROBE_LONGEST_S)
    assert not breaker.succeeded(NOW).opened and NOW - breaker.since < float("inf")
    assert recall(json.loads(json.dumps(breaker.remembered()))) == breaker


@given(DAMAGED)
def test_any_value_at_all_can_be_recalled(value):
    assert not recall(value).succeeded(NOW).opened


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 120)), max_size=40))
def test_it_never_holds_longer_than_the_longest_pause(moves):
    breaker, now = CLOSED, NOW
    for failed, passed_s in moves:
        now += passed_s
        breaker = breaker.failed(now, "x") if failed else breaker.succeeded(now)
        assert isinstance(breaker, Breaker) and not breaker.holds(now + PROBE_LONGEST_S)
        assert breaker.opened == (breaker.failures >= FAILURES_TO_OPEN)
        assert not breaker.opened or breaker.probe_at >= now + PROBE_FIRST_S
