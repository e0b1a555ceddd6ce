"""What the outages on record amount to, and which dead letters an outage can cause. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from validation.errors import Kind
from worker.policy import NOT_CHARGED

Row = Mapping[str, Any]

EVERY = "all"
SHOWN = 60  # letters of what a person wrote
# Kinds that can come from Plex or Stash being away: those that never make a dead letter, and the one that does when
# Plex fails at some requests while others go through.
BY_OUTAGE = NOT_CHARGED | {Kind.UNEXPECTED}


def described(rows: Sequence[Row], now: float) -> list[dict[str, Any]]:
    """The store's outages, each with ``duration_s``: up to now for one that goes on. Unreadable rows are left out."""
    sound = [row for row in rows if _is_time(row["started"]) and (row["ended"] is None or _is_time(row["ended"]))]
    return [{**row, "duration_s": _duration_s(row, now)} for row in sound]


def figures(rows: Sequence[Row], now: float) -> dict[str, float | None]:
    """Of the outages, in seconds, None where there are too few: mean time between failures, and to repair.

    The first is how long Plex was there from the end of one outage to the beginning of the next, the second how long
    an outage took that is over.
    """
    outages = sorted(described(rows, now), key=lambda row: float(row["started"]))
    ended = [row for row in outages if row["ended"] is not None]
    between = [
        max(0.0, later["started"] - earlier["ended"])
        for earlier, later in zip(outages, outages[1:])
        if earlier["ended"] is not None
    ]
    return {
        "mean_time_between_failures_s": _mean(between),
        "mean_time_to_repair_s": _mean([row["duration_s"] for row in ended]),
        "longest_outage_s": max((row["duration_s"] for row in outages), default=None),
    }


def kinds(text: str) -> frozenset[Kind]:
    """The kinds of trouble that a person named, separated by commas, or all of them; `kinds_problem` finds others."""
    names = _names(text)
    return frozenset(kind for kind in Kind if kind.value in names or EVERY in names)


def kinds_problem(text: str) -> str:
    """One sentence about kinds that cannot be read, "" when all is well."""
    known = sorted(kind.value for kind in Kind)
    for name in _names(text):
        if name not in (*known, EVERY):
            return f"There is no kind of dead letter {name[:SHOWN]!r}; there are {', '.join(known)}, and {EVERY}"
    return ""


def _names(text: str) -> list[str]:
    return [name.strip().casefold().replace("_", " ") for name in text.split(",")]


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < float("inf")


def _duration_s(row: Row, now: float) -> float:
    """A clock that was set back makes no outage shorter than nothing."""
    until = now if row["ended"] is None else row["ended"]
    return max(0.0, float(until) - float(row["started"]))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
