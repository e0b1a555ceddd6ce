"""Results in words."""

from __future__ import annotations

import time

import pytest

from worker import wording

NOW = 1_700_000_000.0


def test_each_fact_is_one_line_and_what_is_empty_is_left_out() -> None:
    result = {"state": "ok", "queued": 0, "waiting": {}, "next_due": None, "outages": [], "note": ""}
    assert wording.lines(result, NOW) == ["state: ok", "queued: 0"]


def test_numbers_by_reason_are_summed_up() -> None:
    assert wording.lines({"dead_letters": {"missing": 10, "too large": 2}}, NOW) == [
        "dead letters: 12 (missing 10, too large 2)"
    ]


@pytest.mark.parametrize(
    ("away_s", "says"), [(300, "(in 5 min)"), (45, "(in 45 s)"), (-7_200, "(2 h ago)"), (-200_000, "(2 days ago)")]
)
def test_a_time_is_local_and_says_how_far_away_it_is(away_s: float, says: str) -> None:
    local = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(NOW + away_s))
    assert wording.lines({"next_due": NOW + away_s}, NOW) == [f"next due: {local} {says}"]


def test_a_time_beyond_the_calendar_does_no_harm() -> None:
    assert "days" in wording.lines({"next_due": 1e300}, NOW)[0]


def test_nested_values_are_told_in_words_and_never_as_json() -> None:
    result = {
        "next_waiting": [
            {"scene": 3, "due": NOW + 60, "attempts": 1, "since": NOW, "kind": "missing", "reason": "why"}
        ],
        "newest_dead_letters": [{"scene": 4, "kind": "ambiguous", "reason": "two", "attempts": 1, "at": NOW - 60}],
        "outages": [{"started": NOW - 600, "ended": NOW - 300, "cause": "refused", "scenes": 7}],
        "checks": [{"check": "Token", "ok": False, "says": "enter a new one"}],
        "totals": {"synced": 5, "duration_s": {"median": 0.0123, "p95": None}},
        "unheard_of": [{"a": 1, "b": "x"}],
    }
    said = wording.lines(result, NOW)
    assert len(said) == 6 and not any(mark in line for line in said for mark in "{}[]\"'")
    assert said[0].startswith("Scene 3 waits until ") and said[0].endswith("(in 60 s) (missing): why")
    assert "given up" in said[1] and "after 1 attempt (ambiguous): two" in said[1]
    assert "for 5 min; 7 scenes waited: refused" in said[2]
    assert said[3] == "Token: TO DO, enter a new one"
    assert "median 0.0123" in said[4] and "p95" not in said[4]
