"""From what happened to what is done about it: tables, without a clock."""

from __future__ import annotations

import pytest

from sync_queue.settlement import LogEntry, Settlement, Verdict
from validation.errors import Kind
from worker import policy
from worker.policy import Outcome, busy_pause_s, retry_delay_s, settle

NOW = 1_000_000.0
DONE, AGAIN, LATER, DEAD = Verdict.DONE, Verdict.AGAIN, Verdict.LATER, Verdict.DEAD

# Kind -> verdict at the first attempt.
FIRST = {
    Kind.UNREACHABLE: AGAIN,
    Kind.BUSY: AGAIN,
    Kind.REFUSED: AGAIN,
    Kind.STASH_AWAY: AGAIN,
    Kind.STASH_REFUSED: AGAIN,
    Kind.MISSING: LATER,
    Kind.STALE_MATCH: LATER,
    Kind.UNEXPECTED: LATER,
    Kind.PARTIAL: LATER,
    Kind.AMBIGUOUS: DEAD,
    Kind.PERMANENT: DEAD,
    Kind.TOO_LARGE: DEAD,
    Kind.POISON: DEAD,
    Kind.GONE: DONE,
}


def verdict(kind, attempts=0, waited_s=0.0):
    return settle(Outcome(1, trouble=kind), attempts, NOW - waited_s, NOW).verdict


def test_every_kind_has_its_row():
    assert set(FIRST) == set(Kind)


@pytest.mark.parametrize("kind", FIRST)
def test_what_follows_from_a_kind_at_first(kind):
    assert verdict(kind) is FIRST[kind]


@pytest.mark.parametrize("kind", [kind for kind, first in FIRST.items() if first is AGAIN])
@pytest.mark.parametrize("attempts", [0, 5, 1000])
def test_whoever_is_away_is_never_charged_to_a_scene_however_long(kind, attempts):
    made = settle(Outcome(1, trouble=kind), attempts, NOW - 1e9, NOW)
    assert made == Settlement(1, AGAIN, kind.value)


@pytest.mark.parametrize(
    ("kind", "attempts", "waited_s", "expected"),
    [
        (Kind.MISSING, 0, 0, LATER),
        (Kind.MISSING, 0, 9_000, LATER),
        (Kind.MISSING, 1, 7_199, LATER),
        (Kind.MISSING, 50, 7_199, LATER),
        (Kind.MISSING, 1, 7_200, DEAD),
        (Kind.MISSING, 50, 1e9, DEAD),
        (Kind.UNEXPECTED, 4, 1e9, LATER),
        (Kind.UNEXPECTED, 5, 0, DEAD),
        (Kind.PARTIAL, 4, 1e9, LATER),
        (Kind.PARTIAL, 5, 0, DEAD),
        (Kind.STALE_MATCH, 4, 0, LATER),
        (Kind.STALE_MATCH, 5, 0, DEAD),
    ],
)
def test_how_long_a_scene_is_tried(kind, attempts, waited_s, expected):
    assert verdict(kind, attempts, waited_s) is expected


@pytest.mark.parametrize("most", [1, 5, 20])
@pytest.mark.parametrize("kind", [Kind.UNEXPECTED, Kind.PARTIAL])
def test_how_often_a_scene_is_tried_again_for_a_reason_of_its_own_is_a_setting(kind, most):
    verdicts = [settle(Outcome(1, trouble=kind), attempts, NOW, NOW, most).verdict for attempts in range(most + 1)]
    assert verdicts == [LATER] * most + [DEAD]


def test_a_clock_that_was_set_back_gives_nobody_up():
    assert settle(Outcome(1, trouble=Kind.MISSING), 3, NOW + 1e9, NOW).verdict is LATER


@pytest.mark.parametrize(
    ("attempts", "delay_s"),
    [(0, 30), (1, 60), (2, 120), (3, 240), (4, 480), (5, 600), (6, 600), (10, 600), (1_000_000, 600)],
)
def test_how_long_a_scene_waits(attempts, delay_s):
    assert retry_delay_s(attempts) == delay_s
    made = settle(Outcome(1, trouble=Kind.MISSING), attempts, NOW, NOW)
    assert (made.due, made.charged) == (NOW + delay_s, True)


@pytest.mark.parametrize(
    ("asked_s", "pause_s"),
    [(None, 30), (0, 5), (-5, 5), (5, 5), (7.5, 7.5), (900, 900), (901, 900), (1e9, 900), (float("inf"), 900)],
)
def test_how_long_a_busy_server_is_left_alone(asked_s, pause_s):
    assert busy_pause_s(asked_s) == pause_s


@pytest.mark.parametrize("result", [policy.PUSHED, policy.UNCHANGED, policy.SKIPPED])
def test_a_success_is_done_under_its_name(result):
    log = (LogEntry(1, "2", "3", "f"),)
    made = settle(Outcome(1, result, reason="title", log=log), 3, NOW, NOW)
    assert made == Settlement(1, DONE, result, "title", log=log)


def test_a_scene_that_is_gone_is_done_and_its_log_goes():
    made = settle(Outcome(1, trouble=Kind.GONE, reason="gone", log=()), 0, NOW, NOW)
    assert (made.verdict, made.result, made.log) == (DONE, "gone", ())


@pytest.mark.parametrize("kind", [Kind.MISSING, Kind.AMBIGUOUS, Kind.UNEXPECTED])
def test_reason_and_file_go_along_and_the_log_stays_as_it_is(kind):
    made = settle(Outcome(7, trouble=kind, reason="why", file="a.mp4"), 0, NOW, NOW)
    assert (made.scene, made.result, made.reason, made.file, made.log) == (7, kind.value, "why", "a.mp4", None)


def test_a_missing_scene_is_tried_about_two_hours_before_it_is_given_up():
    now, attempts, since = NOW, 0, NOW
    while True:
        made = settle(Outcome(1, trouble=Kind.MISSING), attempts, since, now)
        if made.verdict is DEAD:
            break
        attempts, now = attempts + 1, made.due
    assert 7_200 <= now - since <= 7_200 + 600 and 10 <= attempts <= 20
