"""How fast scenes are sent after an outage: tables of times, without a clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.ramp import ENDLESS, RAMP_S, Ramp, ramping

NOW = 1_000_000.0


def sent_by(seconds, queued=100_000, step_s=0.0):
    """The times at which how many scenes are sent, while there is always something to send."""
    ramp, now, sent = Ramp(NOW, NOW), NOW, []
    while True:
        now += max(step_s, ramp.wait_s(now, queued))
        if now - NOW > seconds:
            return sent
        scenes = ramp.allowed(now)
        assert scenes >= 1
        sent.append((now - NOW, scenes))
        ramp = ramp.spent(scenes, now)


def total(seconds, **how):
    return sum(scenes for _, scenes in sent_by(seconds, **how))


def test_it_begins_with_one_scene_at_once_and_one_per_second():
    assert sent_by(2.5)[0] == (0.0, 1)
    assert 2 <= total(2.0) <= 4


def test_the_rate_doubles_every_five_seconds():
    totals = [total(seconds) for seconds in (5, 10, 15, 20, 25)]
    gained = [later - earlier for earlier, later in zip(totals, totals[1:])]
    assert all(1.6 <= later / earlier <= 2.4 for earlier, later in zip(gained, gained[1:])), totals
    assert totals[0] <= 10


def test_there_is_no_limit_in_the_end():
    ramp = Ramp(NOW, NOW)
    assert ramp.allowed(NOW + RAMP_S) == ENDLESS and ramp.wait_s(NOW + RAMP_S, 100_000) == 0
    assert ramp.spent(50, NOW + RAMP_S).allowed(NOW + RAMP_S) == ENDLESS


def test_time_without_work_does_not_end_in_a_flood():
    ramp = Ramp(NOW, NOW)
    for elapsed_s in (1.0, 10.0, 20.0, 40.0):
        assert 1 <= ramp.allowed(NOW + elapsed_s) <= 2 ** (elapsed_s / 5)


@pytest.mark.parametrize("elapsed_s", [0.0, 1.0, 12.3, 44.9])
def test_a_single_scene_after_a_while_of_silence_does_not_wait(elapsed_s):
    assert Ramp(NOW, NOW).wait_s(NOW + elapsed_s, 1) == 0


def test_a_single_scene_after_others_waits_for_its_own_token_only():
    ramp = Ramp(NOW, NOW).spent(1, NOW)
    assert 0.5 < ramp.wait_s(NOW, 1) <= 1.0
    late = Ramp(NOW, NOW + 30.0).spent(1_000, NOW + 30.0)
    assert late.wait_s(NOW + 30.0, 1) < 0.02 < late.wait_s(NOW + 30.0, 1_000) < 0.6


@pytest.mark.parametrize("jump_s", [-3_600.0, 3_600.0, -1e9, 1e9])
def test_a_clock_that_jumps_ends_it(jump_s):
    ramp = Ramp(NOW, NOW).spent(1, NOW)
    assert ramp.allowed(NOW + jump_s) == ENDLESS and ramp.wait_s(NOW + jump_s, 10) == 0
    assert not ramping(NOW, NOW + jump_s)


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 600), st.integers(1, 10_000)), max_size=30))
def test_whatever_happens_no_wait_is_longer_than_a_scene_takes_at_first(moves):
    ramp, now = Ramp(NOW, NOW), NOW
    for passed_s, scenes, queued in moves:
        now += passed_s
        wait_s = ramp.wait_s(now, queued)
        assert 0 <= wait_s <= 1.1
        assert ramp.allowed(now + wait_s) >= 1
        ramp = ramp.spent(min(scenes, ramp.allowed(now)), now)


@given(st.floats(0, 1.0))
def test_the_rate_holds_however_often_it_is_looked(step_s):
    assert 0.5 <= total(20, step_s=step_s) / total(20) <= 1.5
