"""The cursor look: which scenes changed since we last looked, by Stash's ``updated_at``.

Hooks are lossy by construction; this finds what they lost, for one cheap query. The cursor is a text of Stash's own
making, because Stash compares these times as text in its own offset.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterator
from typing import Protocol

PAGE_SCENES = 500
SETTLING_S = 2.0  # Stash's times have whole seconds: a younger scene may change again under the same stamp


class ChangedScenes(Protocol):
    """What the sweep needs of Stash."""

    def changed(self, after: str, size: int) -> list[tuple[int, str]]:
        """Scenes later than the stamp, the earliest first."""

    def newest(self) -> str:
        """The latest stamp."""


def sweep(stash: ChangedScenes, cursor: str, put: Callable[[list[int]], object], now: float) -> str:
    """Hand every scene changed after the cursor to ``put`` and return the new cursor.

    ``put`` must have made them durable when it returns: only then the cursor moves. An empty cursor starts at the
    newest scene, since what was there before we came is for Sync All. Raises what ``stash`` and ``put`` raise.
    """
    if not cursor:
        newest, settled = stash.newest(), now - SETTLING_S
        return newest if newest and seconds(newest) <= settled else stamp(settled, like=newest)
    moved = cursor = _not_ahead(cursor, now)
    for page in pages(stash, cursor):
        if page:
            put([scene for scene, _ in page])
        moved = max([moved, *(stamp for _, stamp in page if seconds(stamp) <= now - SETTLING_S)])
    return moved


def pages(stash: ChangedScenes, after: str) -> Iterator[list[tuple[int, str]]]:
    """All scenes later than the stamp, the earliest first; what shares the last stamp of a full page comes twice."""
    size = PAGE_SCENES
    while True:
        page = stash.changed(after, size)
        yield page
        if len(page) < size:
            return
        earlier = [stamp for _, stamp in page if stamp != page[-1][1]]
        # A bulk edit gives thousands of scenes one stamp: then only a larger page gets past it.
        after, size = (earlier[-1], PAGE_SCENES) if earlier else (after, size * 2)


def _not_ahead(cursor: str, now: float) -> str:
    """After a clock was set back, changes carry stamps before the cursor: go back to before now."""
    return cursor if seconds(cursor) <= now else stamp(now - SETTLING_S, like=cursor)


def seconds(stamp: str) -> float:
    """A stamp as Unix time; one that cannot be read counts as long ago, so that nothing waits for it."""
    try:
        return datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0


def stamp(seconds: float, like: str = "") -> str:
    """A Unix time as Stash would write it, in the offset of another stamp of its making if that can be read."""
    zone: datetime.tzinfo = datetime.timezone.utc
    with contextlib.suppress(ValueError):
        zone = datetime.datetime.fromisoformat(like.replace("Z", "+00:00")).tzinfo or zone
    text = datetime.datetime.fromtimestamp(seconds, zone).replace(microsecond=0).isoformat()
    return text.replace("+00:00", "Z")
