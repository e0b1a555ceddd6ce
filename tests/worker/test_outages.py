"""What outages on record amount to, and the names of kinds that a person gives."""

from __future__ import annotations

import pytest

from validation.errors import Kind
from worker import outages

NOW = 1_000_000.0


def row(started_s, ended_s=None):
    ended = None if ended_s is None else NOW + ended_s
    return {"started": NOW + started_s, "ended": ended, "cause": "refused", "scenes": 3}


def test_without_outages_there_are_no_figures():
    assert set(outages.figures([], NOW).values()) == {None}


def test_one_outage_has_a_duration_and_nothing_to_be_between():
    figures = outages.figures([row(0, 60)], NOW + 1_000)
    assert (figures["mean_time_between_failures_s"], figures["mean_time_to_repair_s"]) == (None, 60)


def test_the_time_between_is_from_an_end_to_the_next_beginning():
    rows = [row(10_000, 10_300), row(1_000, 1_060), row(0, 30)]
    figures = outages.figures(rows, NOW + 20_000)
    assert figures["mean_time_between_failures_s"] == (970 + 8_940) / 2
    assert figures["mean_time_to_repair_s"] == (30 + 60 + 300) / 3
    assert figures["longest_outage_s"] == 300


def test_an_outage_that_goes_on_is_not_repaired_but_counts_as_a_failure():
    figures = outages.figures([row(1_000), row(0, 100)], NOW + 5_000)
    assert figures["mean_time_between_failures_s"] == 900
    assert figures["mean_time_to_repair_s"] == 100
    assert figures["longest_outage_s"] == 4_000
    assert [one["duration_s"] for one in outages.described([row(1_000)], NOW + 5_000)] == [4_000]


def test_a_clock_that_was_set_back_makes_nothing_negative():
    figures = outages.figures([row(0, -50), row(-100, 20)], NOW - 1_000)
    assert all(value >= 0 for value in figures.values() if value is not None)


@pytest.mark.parametrize("damage", [{"started": "x"}, {"ended": b"x"}, {"started": float("nan")}, {"started": None}])
def test_a_damaged_row_is_left_out(damage):
    rows = [{**row(0, 60), **damage}, row(100, 160)]
    assert len(outages.described(rows, NOW)) == 1
    assert outages.figures(rows, NOW)["mean_time_to_repair_s"] == 60


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("missing", {Kind.MISSING}),
        (" Unexpected , stash_away,too large", {Kind.UNEXPECTED, Kind.STASH_AWAY, Kind.TOO_LARGE}),
        ("all", set(Kind)),
        ("missing,ALL", set(Kind)),
    ],
)
def test_kinds_are_read_as_people_write_them(text, kinds):
    assert outages.kinds_problem(text) == "" and outages.kinds(text) == kinds


@pytest.mark.parametrize("text", ["", "mising", "missing,", "missing;gone", "missing,alle", "x" * 500])
def test_an_unknown_kind_is_named_with_those_that_there_are(text):
    said = outages.kinds_problem(text)
    assert "There is no kind of dead letter" in said and "failed part, gone, missing" in said and len(said) < 400


def test_what_an_outage_can_cause_is_what_is_never_charged_and_what_is_unexpected():
    assert {kind.value for kind in outages.BY_OUTAGE} == {
        "unreachable", "busy", "refused", "stash away", "stash refused", "unexpected"
    }  # fmt: skip
