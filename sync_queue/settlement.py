"""What is decided about a scene after an attempt: a value, built once, then written once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(str, Enum):
    """The four ends of an attempt."""

    DONE = "done"  # nothing more to do for this scene
    AGAIN = "again"  # nobody's fault of the scene: back into the queue, nothing charged
    LATER = "later"  # wait until a due time
    DEAD = "dead"  # a person must look


@dataclass(frozen=True)
class LogEntry:
    """What we know of one scene on one Plex item: the sync log's row.

    ``owned`` names the tags that we added, as (kind, tag) pairs; ``fingerprint`` is "" until a push was seen to end.
    """

    scene: int
    item: str
    section: str
    fingerprint: str = ""
    owned: tuple[tuple[str, str], ...] = ()
    updated_at: str = ""


@dataclass(frozen=True)
class Settlement:
    """One scene's verdict, with all that the store writes for it in one transaction.

    ``due`` is a Unix time for LATER. ``charged`` says whether the attempt counts against the scene. ``log`` replaces
    the scene's rows in the sync log unless it is None; ``result`` names the counter that grows.
    """

    scene: int
    verdict: Verdict
    result: str
    reason: str = ""
    due: float = 0.0
    charged: bool = False
    file: str = ""
    log: tuple[LogEntry, ...] | None = None
