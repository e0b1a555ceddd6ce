"""When a comparison begins that nobody asked for: often enough, never twice in a row, whatever the clock does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile import schedule
from reconcile.scan import ALL, DEEP, QUICK, SCOPES_S, SENT
from reconcile.schedule import BEGAN, DAILY, DEEP_S, DELETED, INTERVAL, INTERVALS_S, NEVER, SETTLED_S, START, next_due

NOW = 1_700_000_000.0
HOUR_S = 3_600.0
DAY_S = 86_400.0
EVERY = [name for name in INTERVALS_S if name != NEVER]
SCOPES = list(SCOPES_S)

# Whole seconds, so that sums and differences are exact; negative ages are times to come.
AGES = st.integers(-30, 30).map(lambda days: days * 86_400) | st.integers(-100_000, 100_000)
DONE = st.dictionaries(st.sampled_from([*SCOPES, DEEP, BEGAN]), AGES.map(lambda age: NOW - age))
WANTED = st.none() | AGES.map(lambda age: NOW - age)


def due(interval, scope, done, wanted, starting, now):
    """The run that is due besides that of every day."""
    return schedule.due(interval, scope, {**done, SENT: now}, wanted, starting, now)


def ended(done, plan, at):
    """The ends of the last runs after this one, as they are kept."""
    if plan.depth == SENT:
        return done
    deep = {DEEP: at} if (plan.scope, plan.depth) == (ALL, DEEP) else {}
    return {**done, plan.scope: at, **deep}


# by interval


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("interval", EVERY)
def test_a_run_is_due_when_the_interval_is_over_and_not_before(interval, scope):
    last = {BEGAN: 0.0, scope: NOW}
    end = NOW + INTERVALS_S[interval]
    assert due(interval, scope, last, None, False, end - 1) is None
    plan = due(interval, scope, last, None, False, end)
    assert (plan.scope, plan.why, plan.dry) == (scope, INTERVAL, False)
    assert next_due(interval, scope, last, NOW + 1) == end


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("interval", EVERY)
def test_the_first_run_is_due_at_once(interval, scope):
    done = {BEGAN: NOW}
    assert due(interval, scope, done, None, False, NOW).depth == DEEP
    assert next_due(interval, scope, done, NOW) == NOW


def test_without_an_interval_nothing_is_due():
    assert due(NEVER, ALL, {BEGAN: 0.0}, None, False, NOW) is None
    assert next_due(NEVER, ALL, {BEGAN: 0.0}, NOW) is None


@pytest.mark.parametrize(
    ("scope", "run", "covers"),
    [
        ("24h", "7days", True),
        ("24h", ALL, True),
        ("7days", ALL, True),
        ("7days", "24h", False),
        (ALL, "7days", False),
        (ALL, DEEP, False),
    ],
)
def test_a_run_that_looked_at_more_puts_off_the_next_one(scope, run, covers):
    assert (due("hourly", scope, {run: NOW - 60}, None, False, NOW) is None) is covers


@pytest.mark.parametrize(("age_s", "depth"), [(DEEP_S - 1, QUICK), (DEEP_S, DEEP), (-1, DEEP), (None, DEEP)])
def test_everything_is_compared_deeply_about_once_a_day_and_quickly_in_between(age_s, depth):
    done = {ALL: NOW - 86_400} if age_s is None else {ALL: NOW - 86_400, DEEP: NOW - age_s}
    assert due("hourly", ALL, done, None, False, NOW).depth == depth


@pytest.mark.parametrize("scope", ["24h", "7days"])
def test_recent_scenes_are_always_compared_deeply(scope):
    assert due("hourly", scope, {ALL: NOW - 86_400, DEEP: NOW - 60}, None, False, NOW).depth == DEEP


# by deletions


@pytest.mark.parametrize(("age_s", "begins"), [(0, False), (SETTLED_S - 1, False), (SETTLED_S, True), (-60, True)])
def test_deletions_are_compared_with_what_was_sent_once_they_have_settled(age_s, begins):
    plan = due(NEVER, "24h", {BEGAN: NOW}, NOW - age_s, False, NOW)
    assert (plan is not None) is begins
    assert plan is None or (plan.scope, plan.depth, plan.why) == (ALL, SENT, DELETED)


# at start-up


@pytest.mark.parametrize(("age_s", "begins"), [(0, False), (HOUR_S - 1, False), (HOUR_S, True), (-2 * HOUR_S, True)])
@pytest.mark.parametrize("last", [*SCOPES, BEGAN])
def test_a_worker_that_starts_looks_back_a_day_when_nobody_did_for_an_hour(last, age_s, begins):
    done = {BEGAN: NOW - 30 * 86_400, last: NOW - age_s}
    plan = due(NEVER, ALL, done, None, True, NOW)
    assert (plan is not None) is begins and (plan is None or (plan.scope, plan.why) == ("24h", START))
    assert due(NEVER, ALL, done, None, False, NOW) is None


# whatever the clock does


def test_after_the_clock_was_set_back_a_run_that_ended_is_not_due_again_at_once():
    """A wider run that ended in what is now the future must not hide that this one has just ended."""
    done = {BEGAN: 0.0, ALL: NOW + HOUR_S, DEEP: NOW + HOUR_S}
    plan = due("hourly", "24h", done, None, False, NOW)
    after = ended(done, plan, NOW + 1)
    assert due("hourly", "24h", after, None, False, NOW + 2) is None
    assert next_due("hourly", "24h", after, NOW + 2) == NOW + 1 + HOUR_S


@given(st.sampled_from(EVERY), st.sampled_from(SCOPES), DONE, WANTED, st.integers(0, 3_000))
def test_no_run_is_due_right_after_the_one_that_was(interval, scope, done, wanted, took_s):
    """Deletions, interval, and start: each brings one run, and after these there is rest."""
    began = []
    now, starting = NOW, True
    while (plan := due(interval, scope, done, wanted, starting, now)) is not None:
        assert plan.why not in began
        began.append(plan.why)
        now += took_s
        done, starting = ended(done, plan, now), False
        if plan.why == DELETED:
            wanted = None
    if wanted is None or now - wanted >= SETTLED_S:
        assert due(interval, scope, done, None, False, now + 1) is None


@given(st.sampled_from([NEVER, *EVERY]), st.sampled_from(SCOPES), DONE)
def test_what_is_told_of_the_next_run_is_when_it_begins(interval, scope, done):
    told = next_due(interval, scope, done, NOW)
    if told is None:
        assert interval == NEVER
        return
    assert (told <= NOW) is (due(interval, scope, done, None, False, NOW) is not None)
    past = {name: at for name, at in done.items() if at <= NOW}
    assert due(interval, scope, past, None, False, told) is not None
    assert told <= NOW or due(interval, scope, past, None, False, told - 1) is None


@given(st.sampled_from(EVERY), st.sampled_from(SCOPES), st.lists(st.integers(-200_000, 200_000), max_size=30))
def test_however_the_clock_jumps_runs_never_begin_more_often_than_they_should(interval, scope, jumps):
    """At most one run for each jump; and after an interval without jumps there is one."""
    now, done, runs = NOW, {BEGAN: NOW}, 0
    for jump in [*jumps, 0]:
        now += jump
        for _ in range(3):  # three looks, a second apart
            now += 1
            plan = due(interval, scope, done, None, False, now)
            if plan is not None:
                runs, done = runs + 1, ended(done, plan, now)
    assert runs <= len(jumps) + 1
    assert due(interval, scope, done, None, False, now + INTERVALS_S[interval]) is not None


# once a day


@pytest.mark.parametrize("last", [SENT, ALL, BEGAN])
def test_stash_is_compared_with_what_was_sent_once_a_day(last):
    assert schedule.due(NEVER, ALL, {last: NOW}, None, False, NOW + DAY_S - 1) is None
    plan = schedule.due(NEVER, ALL, {last: NOW}, None, False, NOW + DAY_S)
    assert (plan.scope, plan.depth, plan.why) == (ALL, SENT, DAILY)


def test_a_run_of_every_day_is_no_look_back_over_the_last_day_of_plex():
    done = {BEGAN: NOW - DAY_S, SENT: NOW}
    assert schedule.due(NEVER, ALL, done, None, True, NOW).why == START
