"""A result in words: one line per fact, for Stash's log and for a terminal. Times are local, and say how far away."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from reconcile.scan import SCOPE_WORDS

TIMES = frozenset(
    ("next_due", "due", "at", "since", "started", "ended", "next_reconcile", "next_probe", "paused_until")
)
SPANS = frozenset(("mean_time_between_failures_s", "mean_time_to_repair_s", "longest_outage_s"))
LABELS = {
    "duration_s": "seconds per scene",
    "inbox": "unread changes",
    **{name: name[:-2].replace("_", " ") for name in SPANS},
}
LONG_S = 60  # shown in seconds up to here

Row = Mapping[str, Any]


def lines(result: Mapping[str, Any], now: float) -> list[str]:
    """One line per fact of an operation's result; what is empty is left out, a zero is not."""
    said = []
    for name, value in result.items():
        if _empty(value):
            continue
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            said += [ROWS.get(name, _any_row(name))(row, now) for row in value]
        elif isinstance(value, list):
            said += [f"{_words(name)}: {one}" for one in value]
        else:
            said.append(f"{_words(name)}: {_value(name, value, now)}")
    return said


def moment(at: float, now: float) -> str:
    """A Unix time as local time, and how far away it is."""
    away = at - now
    distance = f"in {span(away)}" if away > 0 else f"{span(-away)} ago"
    try:
        return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(at))} ({distance})"
    except (OverflowError, ValueError, OSError):  # beyond what the system's calendar knows
        return distance


def span(seconds: float) -> str:
    """A duration in its largest fitting unit."""
    if seconds < 1.5 * LONG_S:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.0f} h" if seconds < 36 * 3_600 else f"{seconds / 86_400:.0f} days"


def _value(name: str, value: Any, now: float) -> str:
    if name in TIMES and isinstance(value, (int, float)):
        return moment(value, now)
    if name in SPANS and isinstance(value, (int, float)):
        return span(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, Mapping):
        return _counts(value, now)
    return str(value)


def _counts(held: Mapping[str, Any], now: float) -> str:
    """``12 (missing 10, ambiguous 2)`` for numbers by reason, else the parts one after the other."""
    numbers = all(type(value) is int for value in held.values())
    parts = [
        f"{_words(name)} {_value(name, value, now)}" for name, value in held.items() if value and not _empty(value)
    ]
    return f"{sum(held.values())} ({', '.join(parts)})" if numbers else ", ".join(parts) or "none"


def _empty(value: Any) -> bool:
    """Whether there is nothing to say; a zero is something, an empty text or list, or one of nothing, is not."""
    if isinstance(value, Mapping):
        return all(_empty(held) for held in value.values())
    return value is None or value in ("", [])


def _words(name: str) -> str:
    return LABELS.get(name, name.replace("_", " "))


def _any_row(name: str) -> Callable[[Row, float], str]:
    return lambda row, now: f"{_words(name)}: {_counts(row, now)}"


def _waiting(row: Row, now: float) -> str:
    return f"Scene {row['scene']} waits until {moment(row['due'], now)} ({row['kind']}): {row['reason']}"


def _dead_letter(row: Row, now: float) -> str:
    tries = "1 attempt" if row["attempts"] == 1 else f"{row['attempts']} attempts"
    return f"Scene {row['scene']} was given up {moment(row['at'], now)} after {tries} ({row['kind']}): {row['reason']}"


def _outage(row: Row, now: float) -> str:
    began = f"Plex was away from {moment(row['started'], now)}"
    if row["ended"] is None:
        return f"{began} and still is: {row['cause']}"
    return f"{began} for {span(row['ended'] - row['started'])}; {row['scenes']} scenes waited: {row['cause']}"


def _check(row: Row, now: float) -> str:
    return f"{row['check']}: {'ok' if row['ok'] else 'TO DO'}, {row['says']}"


def _would(row: Row, now: float) -> str:
    return f"Scene {row['scene']}: {row['decision']}"


def _example(row: Row, now: float) -> str:
    who = f"Scene {row['scene']}" if row["scene"] else "An item"
    return f"{who} is {row['kind']}: {row['reason']}"


def _run(row: Row, now: float) -> str:
    scenes = SCOPE_WORDS.get(row.get("scope", ""), "?")
    began = f"Reconcile of {scenes} ({row.get('why')}) began {moment(row['started'], now)}"
    ended = "goes on" if row["ended"] is None else f"took {span(row['duration_s'])}"
    found = ", ".join(f"{count} {kind}" for kind, count in row.get("gaps", {}).items()) or "no gaps"
    note = f" ({row['note']})" if row.get("note") else ""
    return f"{began}, {ended}{note}: {row.get('checked', 0)} checked, {found}, {row.get('repairs', 0)} queued"


def _file(row: Row, now: float) -> str:
    size = f"{row['size_bytes']:,} bytes" if row["size_bytes"] else "size unknown"
    return f"File in Stash: {row['path']}, {size}; Plex should have it as {row['in_plex_as']}"


def _candidate(row: Row, now: float) -> str:
    size = f"{row['size_bytes']:,} bytes" if row["size_bytes"] else "size unknown"
    return f"Candidate in Plex: item {row['item']} {row['title']} in {row['library']}: {row['path']}, {size}"


def _change(row: Row, now: float) -> str:
    """``from`` and ``to`` of a text, ``add`` and ``remove`` of a list, ``does`` of anything else."""
    where = f"Item {row['item']}, {row['field']}"
    if "does" in row:
        return f"{where}: {row['does']}"
    if "to" in row:
        return f"{where}: from {row['from'] or 'nothing'} to {row['to'] or 'nothing'}"
    acts = [f"{act} {', '.join(row[act])}" for act in ("add", "remove") if row[act]]
    return f"{where}: {'; '.join(acts) or 'only its order or spelling'}"


ROWS: dict[str, Callable[[Row, float], str]] = {
    "next_waiting": _waiting,
    "newest_dead_letters": _dead_letter,
    "outages": _outage,
    "checks": _check,
    "scenes": _would,
    "files": _file,
    "examples": _example,
    "reconcile_runs": _run,
    "candidates": _candidate,
    "changes": _change,
}
