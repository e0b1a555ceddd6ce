"""When the next comparison is due, on a clock of the test's."""

from __future__ import annotations

import asyncio

import pytest

from provider.schedule import FIRST_S, INTERVALS_S, LONGEST_AGAIN_S, LOOK_S, SOON_S, Schedule, forever
from tests.provider.surveyed import Clock

TIMED = [name for name, every_s in INTERVALS_S.items() if every_s]


@pytest.mark.parametrize("interval", TIMED)
def test_the_first_run_comes_some_minutes_after_the_start_and_the_next_after_the_interval(interval):
    schedule = Schedule(interval, 0.0)
    assert not schedule.due(FIRST_S - 1)
    assert schedule.due(FIRST_S)
    schedule.done(1_000.0)
    assert not schedule.due(1_000.0 + INTERVALS_S[interval] - 1)
    assert schedule.due(1_000.0 + INTERVALS_S[interval])


def test_the_intervals_are_what_they_are_called():
    assert INTERVALS_S == {"manual": 0, "hourly": 3_600, "daily": 86_400, "weekly": 604_800}


def test_left_to_people_nothing_is_ever_due():
    schedule = Schedule("manual", 0.0)
    schedule.done(5.0)
    schedule.failed(6.0)
    assert not schedule.due(10.0**9)


def pauses(schedule: Schedule, failures: int) -> list[float]:
    found, now = [], 0.0
    for _ in range(failures):
        schedule.failed(now)
        found.append(schedule.next_at - now)
        now = schedule.next_at
    return found


def test_a_failed_run_is_tried_again_after_pauses_that_double_up_to_an_hour():
    schedule = Schedule("weekly", 0.0)
    assert pauses(schedule, 8) == [60, 120, 240, 480, 960, 1_920, LONGEST_AGAIN_S, LONGEST_AGAIN_S]
    schedule.done(0.0)
    assert pauses(schedule, 1) == [60]


@pytest.mark.parametrize("interval", list(INTERVALS_S))
def test_what_can_be_healed_is_not_left_waiting_for_the_interval(interval):
    schedule = Schedule(interval, 0.0)
    schedule.done(0.0)
    schedule.soon(100.0)
    schedule.soon(100.0 + SOON_S / 2)
    assert not schedule.due(99.0 + SOON_S)
    assert schedule.due(100.0 + SOON_S)
    schedule.done(200.0)
    assert not schedule.due(201.0 + SOON_S)


@pytest.mark.parametrize("interval", list(INTERVALS_S))
def test_runs_that_fail_keep_their_pauses_however_much_there_is_to_heal(interval):
    schedule = Schedule(interval, 0.0)
    schedule.soon(0.0)
    for _ in range(3):
        schedule.failed(schedule.next_at)
    waits_until = schedule.next_at
    schedule.soon(waits_until - 100.0)
    assert schedule.next_at == waits_until


def test_it_goes_on_after_runs_until_it_is_cancelled():
    clock = Clock(0.0)
    schedule, runs = Schedule("hourly", clock()), []

    async def run():
        runs.append(clock())
        schedule.done(clock())

    async def until(end):
        clock.stop_at = end
        with pytest.raises(asyncio.CancelledError):
            await forever(schedule, run, lambda: False, clock, clock.sleep)

    asyncio.run(until(3 * 3_600.0))
    assert [at // LOOK_S for at in runs] == [(FIRST_S + n * 3_600) // LOOK_S for n in range(3)]
