"""The watch: how a living worker finds a save by its date, within a second and without a mark.

`launcher/launcher.js` lets a save go when the scene's date is later than the one announced here, since a later look
finds it. That holds however long Stash's commit took: a date is announced *before* the query that finds everything up
to it. Whoever still saw the date before committed before that query; whoever sees the new one puts a mark, unless the
scene is later than that too. Dates are compared as text, because Stash compares them so (it turns back an hour a year).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional, Protocol, Union

from reconcile.sweep import ChangedScenes, pages, seconds, stamp
from validation.errors import Trouble
from validation.scene import Scene

SETTLED_S = 30.0  # a date is announced when it is so old: the hooks of a bulk edit are over then
RUNNING_S = 1.0  # what is read while the second of its date still runs may change again under the same date
LATE_S = 3.0
GROUP_SCENES = 50

Read = Mapping[int, Union[Scene, Trouble]]


class Scenes(ChangedScenes, Protocol):
    """What the watch needs of Stash."""

    def scenes(self, ids: Sequence[int]) -> Read:
        """The scenes by id; absent ones are gone."""


class Pending(Protocol):
    """The scenes that are queued and not claimed."""

    def __contains__(self, scene: int, /) -> bool: ...


@dataclass(frozen=True)
class _Seen:
    """When a scene was last read to be sent, and what it was like then."""

    at: float = float("-inf")
    content: Optional[int] = None


NEVER = _Seen()


class Watch:
    """``cursor``: every scene with a date up to it has been queued and read; at the beginning it is announced already.

    Methods may raise Trouble.
    """

    def __init__(
        self, stash: Scenes, cursor: str, put: Callable[[list[int]], object], announce: Callable[[str], object]
    ) -> None:
        self._stash, self._put, self._announce = stash, put, announce
        self.cursor = self._newest = self._target = cursor
        self._noted: dict[int, str] = {}  # scenes later than the cursor, each with its date
        self._seen: dict[int, _Seen] = {}  # those of them that were read, and what was read lately for other reasons
        self._doubtful: list[int] = []
        self._looked_at = self._confirmed_at = float("-inf")

    def look(self, now: float, pending: Pending) -> None:
        """Queue what is new. ``pending`` holds the scenes that are queued, which are read later in any case."""
        unsure = []
        self._forget_reads(now - LATE_S)
        for scene, since, is_new in self._take(self._recently()):
            over = seconds(since) + RUNNING_S
            if self._last_seen(scene).at < over and (is_new or over <= now) and scene not in pending:
                unsure.append(scene)
        self._looked_at = now
        self._read_again(unsure, now)
        target = self._settled(now)
        if target > self.cursor:
            self._confirm(target, now)

    def go_on(self, now: float, pending: Pending) -> None:
        """The next part of what has to be read again before the cursor may move."""
        group, self._doubtful = self._doubtful[:GROUP_SCENES], self._doubtful[GROUP_SCENES:]
        try:
            self._read_again([scene for scene in group if scene not in pending], now)
        except Trouble:
            self._doubtful += group
            raise
        if not self._doubtful and self._target > self.cursor:
            self.cursor = self._target
            self._noted = {scene: since for scene, since in self._noted.items() if since > self.cursor}

    def read(self, scenes: Iterable[int], found: Read, now: float) -> None:
        """These scenes were just read, to be sent; ``now`` is a time before that."""
        self._seen.update((scene, _Seen(now, _content(found.get(scene)))) for scene in scenes)

    def _forget_reads(self, before: float) -> None:
        self._seen = {scene: seen for scene, seen in self._seen.items() if seen.at >= before or scene in self._noted}

    def _recently(self) -> str:
        """From where to look: the newest second once more, unless it was over for all at the last look."""
        if self._looked_at - seconds(self._newest) > LATE_S:
            return self._newest
        return max(self.cursor, stamp(seconds(self._newest) - 1, like=self._newest))

    def _take(self, after: str) -> list[tuple[int, str, bool]]:
        """Note all scenes after this date, and queue what was not read since; returns them, and which were new."""
        taken = []
        for page in pages(self._stash, after):
            new = {scene: since for scene, since in page if self._is_new(scene, since)}
            taken += [(scene, since, scene in new) for scene, since in page]
            unread = [scene for scene, since in new.items() if self._last_seen(scene).at < seconds(since)]
            if unread:
                self._put(unread)
            for scene in unread:
                self._seen.pop(scene, None)
            self._noted.update(new)
            self._newest = max([self._newest, *new.values()])
        return taken

    def _is_new(self, scene: int, since: str) -> bool:
        return self._noted.get(scene) != since

    def _last_seen(self, scene: int) -> _Seen:
        return self._seen.get(scene, NEVER)

    def _settled(self, now: float) -> str:
        """The date that may be announced now: the latest old enough, if the last announcement is so old too."""
        if self._doubtful or 0 <= now - self._confirmed_at < SETTLED_S:
            return self.cursor
        self._confirmed_at = now
        dates = set(self._noted.values())
        return max((since for since in dates if now - seconds(since) >= SETTLED_S), default=self.cursor)

    def _confirm(self, target: str, now: float) -> None:
        """Announce the date, and only then ask for everything up to it; what was read before is doubtful."""
        self._announce(target)
        self._take(self.cursor)
        self._doubtful = [
            scene for scene, since in self._noted.items() if since <= target and self._last_seen(scene).at <= now
        ]
        self._target = target

    def _read_again(self, scenes: Sequence[int], now: float) -> None:
        """Queue those of these scenes that are not any more as they were when they were sent."""
        if scenes:
            found = self._stash.scenes(scenes)
            changed = [scene for scene in scenes if self._differs(scene, found)]
            if changed:
                self._put(changed)
            self.read(scenes, found, now)

    def _differs(self, scene: int, found: Read) -> bool:
        """What was queued and never read is a dead letter unread, and stays one: it had killed the worker before."""
        content = self._last_seen(scene).content
        return content is not None and content != _content(found.get(scene))


def _content(scene: Scene | Trouble | None) -> int:
    return hash(scene.message if isinstance(scene, Trouble) else scene)
