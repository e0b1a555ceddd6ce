"""What the last comparison found, as a value, as JSON, and the words for it. The page is made in `provider.page`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Optional

from provider import gaps
from provider.gaps import Found, Gap
from provider.heal import IN_A_ROW, NO_AGENT, NOT_TAKEN, STASH_AWAY, Failed, Healing
from provider.misses import Miss, Missed
from stash import log
from validation.text import PRIVATE, PUBLIC

TITLES = {
    gaps.NOT_IN_STASH: "In Plex, unknown to Stash",
    gaps.NOT_IN_PLEX: "In Stash, not shown by Plex",
    gaps.UNMATCHED: "In both, but not matched",
    gaps.FOREIGN: "In both, but matched by another agent",
    gaps.AMBIGUOUS: "In both, but not one to one",
}
WORDS = {
    gaps.UNKNOWN_FILE: "No scene in Stash has this file",
    (gaps.NOT_IN_STASH, gaps.NO_FILE): "Plex shows no file of this item",
    (gaps.NOT_IN_PLEX, gaps.NO_FILE): "The scene has no file",
    gaps.NOT_COVERED: "No Plex library covers its folder",
    gaps.NOT_FOUND: "A Plex library covers its folder, but Plex has not found the file",
    gaps.NEVER_MATCHED: "No agent has matched it",
    gaps.OTHER_SCENE: "Matched to another scene",
    gaps.VANISHED_SCENE: "Matched to a scene that Stash no longer has",
    gaps.OTHER_AGENT: "Another agent has matched it; left alone, since somebody may have wanted that",
    gaps.SEVERAL_SCENES: "Several scenes have files of this item",
    gaps.SEVERAL_ITEMS: "Several items have files of this scene",
    NOT_TAKEN: "Plex accepted the match but does not show it",
}
STOPPED = {
    NO_AGENT: "No chosen library of Plex is set to an agent in which this provider comes first",
    STASH_AWAY: "Stash went away; the rest follows in a later run",
    IN_A_ROW: "Too many items in a row failed; the rest follows in a later run",
}
NEEDS_PLEX = "To compare Plex with Stash, set S2P_PLEX_URL and S2P_PLEX_TOKEN"


@dataclass(frozen=True)
class Compared:
    """A complete comparison: when it began and how long it took (seconds), and what healing made of it.

    ``libraries`` are Plex's by their key.
    """

    began_at: float
    took_s: float
    found: Found
    libraries: dict[str, str] = field(default_factory=dict)
    healing: Optional[Healing] = None


@dataclass(frozen=True)
class Failure:
    """A run that did not get through."""

    at: float
    why: str


@dataclass(frozen=True)
class Progress:
    """The run under way: what it is doing, and how much of that is done."""

    stage: str
    done: int


@dataclass(frozen=True)
class Report:
    """All that is known about gaps. Times are Unix times, None for what never was and for no next run.

    ``possible`` says whether Plex can be asked at all, ``heal`` whether runs heal.
    """

    missed: Missed
    compared: Optional[Compared] = None
    failure: Optional[Failure] = None
    running: Optional[Progress] = None
    next_at: Optional[float] = None
    interval: str = ""
    heal: bool = False
    possible: bool = True


def why(gap: Gap) -> str:
    """A gap's reason in a sentence."""
    return because(gap.kind, gap.why)


def because(kind: str, reason: str) -> str:
    """The sentence for a reason; what is none of ours is a sentence already."""
    return WORDS.get((kind, reason)) or WORDS.get(reason) or plain(reason)


def plain(text: str) -> str:
    """A sentence of ours without secrets, and without the marks around what a log has to hide."""
    return log.redact(text.replace(PRIVATE, "").replace(PUBLIC, ""))


def moment(at: float | None) -> str | None:
    """A Unix time in UTC, as ``2026-01-31T12:00:00Z``."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, timezone.utc).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def as_json(report: Report) -> bytes:
    """The report as JSON in ASCII, whatever a file is called."""
    values = {
        "comparison_possible": report.possible,
        **({} if report.possible else {"needed": NEEDS_PLEX}),
        "interval": report.interval,
        "next_run": moment(report.next_at),
        "running": _running(report.running),
        "last_run": _compared(report.compared),
        "last_failure": _failure(report.failure),
        "heal": report.heal,
        "misses": _missed(report.missed),
    }
    return json.dumps(values, indent=1).encode("ascii")


def summary(report: Report) -> list[str]:
    """A few lines for a terminal, without any title or path."""
    lines = []
    if report.compared:
        lines += _counted(report.compared)
    if report.failure:
        lines.append(f"The comparison failed: {plain(report.failure.why)}")
    if not report.possible:
        lines.append(NEEDS_PLEX)
    return lines


def _counted(compared: Compared) -> list[str]:
    found = compared.found
    lines = [
        f"{found.scenes:,} scenes in Stash and {found.items:,} items in Plex, compared in {compared.took_s:.1f} s",
        f"{found.matched:,} are matched to their scene",
    ]
    for kind, title in TITLES.items():
        lines.append(f"{found.count(kind):,}  {title}")
        lines += [f"    {number:,}  {because(kind, reason)}" for reason, number in reasons(found, kind)]
    if compared.healing:
        lines += healed(compared.healing)
    return lines


def reasons(found: Found, kind: str) -> Iterable[tuple[str, int]]:
    """The reasons of one kind, the most frequent first."""
    counted = [(reason, number) for (each, reason), number in found.reasons.items() if each == kind]
    return sorted(counted, key=lambda one: -one[1])


def healed(healing: Healing) -> list[str]:
    """What healing came to, in sentences."""
    lines = [f"Of what was not matched, {healing.healed:,} healed and {healing.failed:,} failed"]
    if healing.stopped:
        lines.append(STOPPED.get(healing.stopped) or plain(healing.stopped))
    return lines


def _running(running: Progress | None) -> dict[str, Any] | bool:
    return {"stage": running.stage, "done": running.done} if running else False


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    return {"at": moment(failure.at), "why": plain(failure.why)} if failure else None


def _compared(compared: Compared | None) -> dict[str, Any] | None:
    if compared is None:
        return None
    found = compared.found
    return {
        "began": moment(compared.began_at),
        "took_s": round(compared.took_s, 1),
        "scenes": found.scenes,
        "items": found.items,
        "counts": {**{kind: found.count(kind) for kind in gaps.KINDS}, gaps.MATCHED: found.matched},
        "reasons": {kind: dict(reasons(found, kind)) for kind in gaps.KINDS},
        "examples": {
            kind: [_gap(gap, compared.libraries) for gap in found.examples.get(kind, ())] for kind in gaps.KINDS
        },
        "healing": _healing(compared.healing),
    }


def _gap(gap: Gap, libraries: dict[str, str]) -> dict[str, Any]:
    values = {
        "title": gap.title,
        "path": gap.path,
        "expected_in_plex": gap.expected,
        "item": gap.item,
        "library": libraries.get(gap.section, ""),
        "guid": gap.guid,
        "scenes": list(gap.scenes),
        "reason": gap.why,
        "why": why(gap),
    }
    return {name: value for name, value in values.items() if value}


def _healing(healing: Healing | None) -> dict[str, Any] | None:
    if healing is None:
        return None
    return {
        "healed": healing.healed,
        "failed": healing.failed,
        "examples": [_failed(one) for one in healing.examples],
        "stopped": STOPPED.get(healing.stopped) or plain(healing.stopped),
    }


def _failed(failed: Failed) -> dict[str, Any]:
    reason = because(gaps.UNMATCHED, failed.why)
    return {"item": failed.item, "scenes": [failed.scene], "title": failed.title, "why": reason}


def _missed(missed: Missed) -> dict[str, Any]:
    return {
        "total": missed.total,
        "held": missed.held,
        "by_reason": {plain(reason): number for reason, number in missed.by_reason.items()},
        "newest": [_miss(miss) for miss in missed.newest],
    }


def _miss(miss: Miss) -> dict[str, Any]:
    first, last = moment(miss.first_at), moment(miss.last_at)
    return {"asked": miss.asked, "why": plain(miss.reason), "count": miss.count, "first": first, "last": last}
