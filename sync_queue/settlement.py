"""What is decided about a scene after an attempt: a value, built once, then written once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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

    ``owned`` names the tags that we added, as (kind, tag) pairs, ``intended`` those that a push without a known end was
    about to add, and as (kind, SHA-1) pictures that gave way or will: what Plex shows of them is ours too.
    ``fingerprint`` is "" until a push was seen to end.
    ``cover`` is the SHA-1 of the cover that was sent and ``etag`` Stash's name for it, "" when Stash has none any more;
    ``pictures`` are the kinds of pictures that it became, each with its address in Plex ("" when that is not known).
    ``place`` is a digest of where Stash had the scene's files, "" when that is not known. Scene 0 stands for one that
    has its file no more.
    """

    scene: int
    item: str
    section: str
    fingerprint: str = ""
    owned: tuple[tuple[str, str], ...] = ()
    updated_at: str = ""
    cover: str = ""
    etag: str = ""
    pictures: Mapping[str, str] = field(default_factory=dict)
    intended: tuple[tuple[str, str], ...] = ()
    place: str = ""


@dataclass(frozen=True)
class Settlement:
    """One scene's verdict, with all that the store writes for it in one transaction.

    ``due`` is a Unix time for LATER. ``charged`` says whether the attempt counts against the scene. ``log`` replaces
    the scene's rows in the sync log; with None they stay, and those of a scene that failed lose their fingerprint.
    ``result`` is a success by name, or the kind of trouble.
    """

    scene: int
    verdict: Verdict
    result: str
    reason: str = ""
    due: float = 0.0
    charged: bool = False
    file: str = ""
    log: tuple[LogEntry, ...] | None = None

    @property
    def counter(self) -> str:
        """The counter that grows with it: its result when that is done with, else the verdict; a dead letter's kind."""
        if self.verdict is Verdict.DONE:
            return self.result
        return {Verdict.AGAIN: "again", Verdict.LATER: "waiting", Verdict.DEAD: f"dead:{self.result}"}[self.verdict]
