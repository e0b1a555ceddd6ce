"""What is counted: a histogram that knows its percentiles, totals of one shape, and the lines that sum up a batch."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.worker.steps import Stage
from worker import statistics
from worker.statistics import LAST_BUCKET, LINES_APART_S, SHORTEST_S, Statistics, bucket, durations, percentile, totals

NOW = 50.0
EMPTY = {
    "scenes": 0,
    "synced": 0,
    "unchanged": 0,
    "skipped": 0,
    "gone": 0,
    "waiting": 0,
    "again": 0,
    "dead": {},
    "plex_requests": 0,
    "stash_requests": 0,
    "cache_hits": 0,
    "cache_misses": 0,
    "duration_s": {"median": None, "p95": None},
}

# durations


def histogram(seconds: list[float]) -> dict[int, int]:
    """The histogram of these durations, each of one scene."""
    counters: dict[str, int] = {}
    for one in seconds:
        for name, by in durations(1, one).items():
            counters[name] = counters.get(name, 0) + by
    return {int(name.split(":")[1]): count for name, count in counters.items()}


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=200), st.sampled_from([50, 95, 100]))
@example([0.0] * 19 + [7.0], 95)
@example([0.0] * 18 + [7.0] * 2, 95)
@example([1.0, 2.0], 50)
def test_a_percentile_of_the_histogram_lies_in_the_bucket_of_the_exact_one(seconds: list[float], percent: int) -> None:
    exact = sorted(seconds)[math.ceil(len(seconds) * percent / 100) - 1]
    found = percentile(histogram(seconds), percent)
    assert found is not None and bucket(found) == bucket(exact)


@given(st.floats(SHORTEST_S * 1.01, 1_600.0))
def test_a_percentile_is_right_within_ten_percent(seconds: float) -> None:
    assert percentile(histogram([seconds]), 50) == pytest.approx(seconds, rel=0.1)


@given(st.floats(0, 1e300), st.floats(0, 1e300))
def test_a_longer_duration_is_never_in_a_lower_bucket(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= bucket(low) <= bucket(high) <= LAST_BUCKET


def test_the_scenes_of_a_group_share_its_time_equally() -> None:
    assert durations(50, 10.0) == {f"took:{bucket(0.2)}": 50}
    assert durations(0, 10.0) == {}


# totals


def test_totals_have_the_same_keys_before_anything_happened() -> None:
    assert totals({}) == EMPTY


def test_totals_give_the_counters_their_shape_and_leave_out_what_they_do_not_know() -> None:
    counters = {
        "synced": 3, "unchanged": 2, "waiting": 4, "again": 5, "dead:missing": 1, "dead:poison": 2, "cache_hits": 9,
        "plex_requests": 8, "of an older version": 7, **durations(11, 11 * 0.5), **durations(1, 60.0),
    }  # fmt: skip
    known = {"synced": 3, "unchanged": 2, "waiting": 4, "again": 5, "cache_hits": 9, "plex_requests": 8}
    took = {"median": pytest.approx(0.5, rel=0.1), "p95": pytest.approx(60.0, rel=0.1)}
    expected = {**EMPTY, **known, "scenes": 12, "dead": {"missing": 1, "poison": 2}, "duration_s": took}
    assert totals(counters) == expected


def test_a_counter_of_others_is_counted_on_also_when_it_begins_anew() -> None:
    counted = Statistics()
    for reading in (5, 5, 7, 2, 0, 3):
        counted.meter("plex_requests", reading)
    assert counted.unwritten == {"plex_requests": 7 + 2 + 3}
    counted.written()
    counted.meter("plex_requests", 4)
    assert counted.unwritten == {"plex_requests": 1}


# lines


def lines(*groups: tuple[float, int, str, int], queued: int = 0) -> list[tuple[float, str]]:
    """The lines said after each group (when it ended, scenes, counter, scenes left); each took as long as it could."""
    said, batch, before = [], Statistics(), 0.0
    for at, scenes, counter, left in groups:
        batch.settled([counter] * scenes, at - before, at)
        said.append((at, batch.due_line(at, left)))
        before = at
    return [(at, line) for at, line in said if line]


@pytest.mark.parametrize(
    ("results", "line"),
    [
        (
            {"synced": 37, "unchanged": 80, "waiting": 2, "dead:missing": 1},
            "Batch: 120 of 450 scenes (37 synced, 80 unchanged, 2 waiting, 1 given up), 14 scenes/s, about 24 s left",
        ),
        ({"dead:missing": 1, "dead:poison": 119}, "Batch: 120 of 450 scenes (120 given up), 14 scenes/s"),
        ({"gone": 10, "skipped": 10, "odd": 100}, "Batch: 120 of 450 scenes (10 skipped, 10 gone, 100 odd), 14"),
    ],
)
def test_a_line_tells_how_far_the_batch_is_and_what_came_of_it(results: dict[str, int], line: str) -> None:
    batch = Statistics()
    batch.settled([name for name, count in results.items() for _ in range(count)], 8.7, NOW)
    assert batch.due_line(NOW, 330).startswith(line)


@pytest.mark.parametrize(
    ("took_s", "scenes", "left", "end"),
    [
        (10.0, 500, 100, "50 scenes/s, about 2.0 s left"),
        (10.0, 55, 1_000, "5.5 scenes/s, about 3 min left"),
        (100.0, 10, 1_000, "6 scenes/min, about 2.8 h left"),
        (100.0, 10, 10_000, "6 scenes/min, about 27.8 h left"),
        (0.0, 10, 5, "(10 synced)"),
    ],
)
def test_a_line_ends_with_rate_and_time_left_when_they_are_known(
    took_s: float, scenes: int, left: int, end: str
) -> None:
    batch = Statistics()
    batch.settled([], 0.0, NOW - took_s - 6.0)  # a pause before is not counted
    batch.settled(["synced"] * scenes, took_s, NOW)
    assert batch.due_line(NOW, left).endswith(end)


@pytest.mark.parametrize(
    ("groups", "at"),
    [
        ([(5.0, 9, "synced", 100)], []),
        ([(5.0, 10, "synced", 100)], [5.0]),
        ([(29.0, 1, "synced", 100)], []),
        ([(30.0, 1, "synced", 100)], [30.0]),
        ([(n * 10.0, 1, "synced", 100) for n in range(1, 10)], [30.0, 60.0, 90.0]),
        ([(n * 2.0, 4, "synced", 100) for n in range(1, 7)], [6.0, 12.0]),
        ([(n * 0.1, 50, "synced", 100) for n in range(1, 25)], [1.0, 2.0]),
    ],
)
def test_a_line_is_due_after_ten_scenes_or_thirty_seconds_and_a_second_after_the_last(
    groups: list[tuple[float, int, str, int]], at: list[float]
) -> None:
    assert [when for when, _ in lines(*groups)] == pytest.approx(at)


@given(st.lists(st.tuples(st.floats(0.001, 50), st.integers(0, 50)), max_size=60))
def test_lines_are_at_least_a_second_apart_and_say_only_what_is_new(steps: list[tuple[float, int]]) -> None:
    counted, now, said, told = Statistics(), 0.0, [], 0
    for took_s, scenes in steps:
        now += took_s
        counted.settled(["synced"] * scenes, took_s, now)
        line = counted.due_line(now, 1_000)
        told += scenes
        if line:
            said.append(now)
            assert line.startswith(f"Batch: {told} of {told + 1_000} scenes ")
    assert all(later - earlier >= LINES_APART_S for earlier, later in zip(said, said[1:]))


def test_a_bulk_of_ten_thousand_scenes_writes_a_line_per_second() -> None:
    groups = [(number * 0.5, 50, "synced", 10_000 - number * 50) for number in range(1, 200)]
    assert len(lines(*groups)) == 99


def test_a_slow_group_says_how_far_it_is_before_it_ends() -> None:
    counted = Statistics()
    said = [counted.line_ahead(done, NOW, NOW + 4.0 * done, 100 - done) for done in range(1, 21)]
    lines = {done: line for done, line in enumerate(said, 1) if line}
    assert lines == {
        8: "Batch: 8 of 100 scenes, 15 scenes/min, about 6 min left",
        16: "Batch: 16 of 100 scenes, 15 scenes/min, about 6 min left",
    }
    counted.settled(["synced"] * 20, 80.0, NOW + 80)
    assert counted.due_line(NOW + 112, 80).startswith("Batch: 20 of 100 scenes (20 synced), 15 scenes/min")


def test_while_plex_is_away_nothing_new_is_said() -> None:
    batch = Statistics()
    batch.settled(["synced"] * 20, 5.0, NOW)
    assert batch.due_line(NOW, 100) != "" and [batch.due_line(NOW + s, 100) for s in (10, 60, 3_600)] == [""] * 3


def test_the_batch_ends_a_second_after_the_queue_ran_empty_with_totals_rate_and_duration() -> None:
    batch = Statistics()
    batch.settled(["synced"] * 300, 20.0, NOW)
    batch.settled(["unchanged"] * 150, 12.0, NOW + 12)
    line = "Batch ended: 450 scenes in 32 s (300 synced, 150 unchanged), 14 scenes/s"
    assert [batch.due_line(NOW + at, 0) for at in (12.0, 12.9, 13.0, 14.0)] == ["", "", line, ""]


def test_an_outage_is_no_part_of_the_rate_and_the_last_line_names_it() -> None:
    batch = Statistics()
    batch.settled(["synced"] * 50, 5.0, NOW)
    batch.settled(["synced"] * 50, 5.0, NOW + 3_605)
    assert batch.due_line(NOW + 3_605, 100).endswith(", 10 scenes/s, about 10 s left")
    assert batch.end() == "Batch ended: 100 scenes in 60 min, 60 min of it paused (100 synced), 10 scenes/s"


@pytest.mark.parametrize("results", [[], ["synced"]])
def test_a_batch_of_one_scene_has_said_all_in_the_line_of_that_scene(results: list[str]) -> None:
    batch = Statistics()
    batch.settled(results, 40.0, NOW)
    assert (batch.due_line(NOW + 1, 0), batch.end()) == ("", "")


def test_the_next_scene_after_the_end_begins_another_batch() -> None:
    batch = Statistics()
    batch.settled(["synced"] * 5, 1.0, NOW)
    batch.end()
    batch.settled(["unchanged"] * 2, 1.0, NOW + 100)
    assert batch.end().startswith("Batch ended: 2 scenes in 1.0 s (2 unchanged)")


# with the store, the drain and both neighbours


def written(stage: Stage) -> dict[str, Any]:
    """The totals of what is on the disk now, whatever the session may still hold in memory."""
    db = sqlite3.connect(Path(stage.data_dir, "stash2plex.db"))
    try:
        return statistics.totals(dict(db.execute("SELECT name, value FROM counters").fetchall()))
    finally:
        db.close()


def settled_groups(stage: Stage) -> None:
    good, same = stage.scenes(3), stage.scene()
    missing, empty, ambiguous = stage.scene(in_plex=False), stage.scene(details=""), stage.scene(in_plex=False)
    for folder in ("a", "b"):
        stage.give_plex(ambiguous, file=f"/media/{folder}/s{ambiguous}.mp4")
    stage.settle(same)
    stage.settle(*good, same, missing, empty, ambiguous)


RESULTS = {"scenes": 8, "synced": 4, "unchanged": 1, "skipped": 1, "waiting": 1, "dead": {"ambiguous": 1}}


def test_numbers_survive_a_kill_and_grow_on(stage: Stage) -> None:
    settled_groups(stage)
    before = written(stage)
    assert {name: before[name] for name in RESULTS} == RESULTS
    assert before["plex_requests"] == stage.plex.count() and before["stash_requests"] > 0
    assert stage.reopen().statistics() == before
    stage.settle(stage.scene())
    after = written(stage)
    assert (after["synced"], after["scenes"], after["dead"]) == (5, 9, {"ambiguous": 1})
    assert after["duration_s"]["median"] is not None


def test_a_kill_loses_no_number_of_a_group_that_is_settled(stage: Stage) -> None:
    stage.mark(*stage.scenes(120))
    settled = 0
    while settled < 120:
        settled += stage.step().settled
        now = written(stage)
        assert now["scenes"] == now["synced"] == settled
        assert not settled or now["plex_requests"] == stage.plex.count()


def test_requests_are_counted_across_a_change_of_settings(stage: Stage) -> None:
    stage.settle(*stage.scenes(3))
    stage.configure(max_tags="50")
    stage.run_for(60)
    stage.settle(*stage.scenes(4))
    totals = stage.session.statistics()
    assert totals["plex_requests"] == stage.plex.count() > 7 and totals["stash_requests"] > 0


def test_the_end_of_a_batch_is_said(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    stage.settle(*stage.scenes(4))
    stage.run_for(5)
    stage.step()
    assert "Batch ended: 4 scenes in" in capfd.readouterr().err


def test_a_scene_that_waits_for_the_same_as_before_is_no_news(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    stage.settle(*(stage.scene(in_plex=False) for _ in range(3)))
    stage.run_for(5)
    stage.step()
    assert "Batch ended: 3 scenes in" in capfd.readouterr().err
    for _ in range(60):
        stage.run_for(2)
    assert stage.session.statistics()["waiting"] >= 6 and "Batch" not in capfd.readouterr().err
