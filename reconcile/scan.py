"""One run through both sides, page by page: it finds gaps and repairs nothing.

Three depths. ``sent`` compares Stash with what was last pushed, and asks Plex nothing. ``quick`` walks Plex's listings
first and reads whole only the items whose row is another one than when they were last seen to be right. ``deep`` reads
every item whole, because listings cut off tags and show no locks. Memory is bounded by a page of scenes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from plex.client import PlexClient
from plex.model import PlexItem, Section
from reconcile import gaps
from reconcile.compare import Comparer
from reconcile.gaps import Gap, Shown
from reconcile.sweep import stamp
from reconcile.work import Found, Work
from stash.client import StashClient
from sync_queue.settlement import LogEntry
from sync_queue.store import Store
from validation.errors import Trouble
from validation.scene import Scene
from validation.text import private

PAGE_SCENES = 200
PAGE_ROWS = 1_000  # of the sync log: there may be many whose scenes are gone
DEPTHS = SENT, QUICK, DEEP = "sent", "quick", "deep"
ALL = "all"
SCOPES_S = {ALL: 0.0, "24h": 86_400.0, "7days": 7 * 86_400.0}
SCOPE_WORDS = {ALL: "all scenes", "24h": "the last 24 hours", "7days": "the last 7 days"}
UPDATED, CREATED = "updated_at", "created_at"

STAGES = LISTING, SCENES, REST, DONE = "listing", "scenes", "rest", "done"


@dataclass(frozen=True)
class Plan:
    """What a run looks at: ``scope`` of SCOPES_S by the scenes' ``by`` date, how deep, and ``why`` it began.

    A ``dry`` one writes nothing, not even what it saw.
    """

    scope: str = ALL
    depth: str = DEEP
    by: str = UPDATED
    why: str = "asked for"
    dry: bool = False

    @property
    def lists(self) -> bool:
        """Whether it walks Plex's listings, to know what looks as it did."""
        return self.scope == ALL and self.depth != SENT and not self.dry


@dataclass(frozen=True)
class Cursor:
    """Where a run is: enough to go on after a kill.

    ``after`` is the date from which on scenes are recent enough, as text; for the rest of the log, the last item.
    """

    stage: str = LISTING
    section: int = 0
    start: int = 0
    scene: int = 0
    after: str = ""
    total: int = 0


@dataclass
class Page:
    """What one step found: how many scenes it checked, by what came of them, and the gaps."""

    checked: int = 0
    healthy: int = 0
    skipped: int = 0
    doubts: list[Gap] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


class Finding(Protocol):
    """What a scan needs to find the items of scenes."""

    def find(self, works: Sequence[Work], expected: int, now: float, wide: bool) -> dict[int, Found | Trouble]:
        """The items of each scene, whole, by scene id; ``wide`` looks for more than those that are known."""


class Scan:
    """One run. ``run`` is its number, under which rows of the listing are noted in the sync log.

    ``sections`` gives the chosen libraries. Nothing is written but what was seen of items, and never by a dry one.
    """

    def __init__(
        self,
        run: int,
        plan: Plan,
        stash: StashClient,
        store: Store,
        plex: PlexClient,
        finder: Finding,
        comparer: Comparer,
        sections: Callable[[float], list[Section]],
    ) -> None:
        self.run, self.plan = run, plan
        self._stash, self._store, self._plex = stash, store, plex
        self._finder, self._comparer, self._sections = finder, comparer, sections

    def step(self, cursor: Cursor, now: float) -> tuple[Cursor, Page]:
        """Do the next part; returns where the run is after it. Raises Trouble, and then nothing is done."""
        if cursor.stage == LISTING:
            return self._list(cursor, now), Page()
        if cursor.stage == SCENES:
            return self._compare_page(cursor, now)
        return self._left_behind(cursor)

    # Plex's side

    def _list(self, cursor: Cursor, now: float) -> Cursor:
        """One page of a library: what its items look like there is noted beside what we know of them."""
        sections = self._sections(now) if self.plan.lists else []
        if cursor.section >= len(sections):
            return Cursor(SCENES, after=self._recent(now))
        looks, total = self._plex.looks(sections[cursor.section].key, cursor.start)
        self._store.note_looks(looks, self.run)
        start = cursor.start + len(looks)
        if not looks or start >= total:
            return Cursor(LISTING, cursor.section + 1)
        return Cursor(LISTING, cursor.section, start)

    def _recent(self, now: float) -> str:
        """Stash compares dates as text in its own offset, which the newest scene shows."""
        seconds = SCOPES_S[self.plan.scope]
        return stamp(now - seconds, like=self._stash.newest()) if seconds else ""

    # Stash's side

    def _compare_page(self, cursor: Cursor, now: float) -> tuple[Cursor, Page]:
        rows, left = self._stash.scenes_after(cursor.scene, PAGE_SCENES, self.plan.by, cursor.after)
        last, ended, total = max(rows, default=cursor.scene), not rows or len(rows) >= left, cursor.total or left
        logged = self._store.logged(cursor.scene, None if ended else last, PAGE_ROWS) if self._whole else []
        if len(logged) == PAGE_ROWS:
            last, ended = logged[-1], False
            rows = {scene: row for scene, row in rows.items() if scene <= last}
        page = Page(checked=len(rows))
        self._compare(rows, left, now, page)
        self._gone([scene for scene in logged if scene not in rows], page)
        if ended:
            return Cursor(REST if self._whole else DONE, scene=last, total=total), page
        return Cursor(SCENES, scene=last, after=cursor.after, total=total), page

    @property
    def _whole(self) -> bool:
        return self.plan.scope == ALL

    def _compare(self, rows: Mapping[int, Scene | Trouble], left: int, now: float, page: Page) -> None:
        logged = self._store.log(list(rows))
        scenes = [scene for scene in rows.values() if isinstance(scene, Scene)]
        works = [self._comparer.work(scene, logged.get(scene.id, ())) for scene in scenes]
        worth = [work for work in works if work.files and not self._comparer.skips(work.scene)]
        page.skipped += len(rows) - len(worth)
        if self.plan.depth == SENT:
            self._against_the_log(worth, page)
            return
        seen = self._store.seen_right([work.scene.id for work in worth], self.run) if self.plan.depth == QUICK else {}
        suspect = [work for work in worth if not _right(work, seen.get(work.scene.id, 0))]
        page.healthy += len(worth) - len(suspect)
        if suspect:
            self._against_plex(suspect, left, now, page)

    def _against_the_log(self, works: Sequence[Work], page: Page) -> None:
        """A scene that was never pushed is none of this comparison's business."""
        for work in works:
            gap = gaps.of_sent(work.scene.id, work.moved, not work.unchanged, work.scene.files[0].path)
            if work.known and gap:
                page.gaps.append(gap)
            else:
                page.healthy += 1

    def _against_plex(self, works: Sequence[Work], left: int, now: float, page: Page) -> None:
        found = self._finder.find(works, left, now, wide=True)
        right: list[int] = []
        for work in works:
            result = found[work.scene.id]
            gap = self._gap(work, result)
            if gap is not None:
                page.gaps.append(gap)
            elif isinstance(result, Trouble):
                page.doubts.append(Gap(work.scene.id, gaps.DOUBTFUL, result.message))
            else:
                page.healthy += 1
                right.append(work.scene.id)
        if self.plan.lists:
            self._store.looked_right(right, self.run)

    def _gap(self, work: Work, result: Found | Trouble) -> Gap | None:
        if isinstance(result, Trouble):
            return gaps.of_trouble(work.scene.id, result)
        return gaps.of_items(result, [self._beside(work, result, item) for item in result.items])

    def _beside(self, work: Work, found: Found, item: PlexItem) -> Shown:
        before = work.before(item.key)
        locks = self._comparer.picture_locks(work, item) if before and before.cover and before.etag else []
        push = self._comparer.compare(work.heir(found.inherited), item)
        return Shown(push, tuple(self._comparer.other_pictures(work, item)), tuple(locks))

    # what Stash has no more

    def _left_behind(self, cursor: Cursor) -> tuple[Cursor, Page]:
        """Items whose scene has its file no more: their rows stand under no scene."""
        page, rows = Page(), self._store.left_behind(cursor.after, PAGE_ROWS)
        self._report(rows, page)
        if len(rows) < PAGE_ROWS:
            return Cursor(DONE, scene=cursor.scene, total=cursor.total), page
        return Cursor(REST, scene=cursor.scene, after=rows[-1].item, total=cursor.total), page

    def _gone(self, presumed: Sequence[int], page: Page) -> None:
        """These scenes have rows and were not on their page; one that is new to Stash may just come after it."""
        for start in range(0, len(presumed), PAGE_SCENES):
            asked = presumed[start : start + PAGE_SCENES]
            there = self._stash.scenes(asked)
            gone = self._store.log([scene for scene in asked if scene not in there])
            self._report([row for rows in gone.values() for row in rows], page)

    def _report(self, rows: Sequence[LogEntry], page: Page) -> None:
        """Of these rows, whose scenes are gone, the items that Plex still has; the others are forgotten."""
        if not rows or self.plan.depth == SENT:
            return
        items = self._plex.items(list(dict.fromkeys(row.item for row in rows)))
        if not self.plan.dry:
            self._store.drop([row for row in rows if row.item not in items])
        for row in rows:
            if row.item in items:
                who = (
                    f"scene {row.scene}, which is gone from Stash" if row.scene else "a scene that has its file no more"
                )
                reason = f"item {row.item} {private(items[row.item].title)} shows {who}"
                page.gaps.append(Gap(row.scene, gaps.ORPHANED, reason))


def _right(work: Work, seen_right: int) -> bool:
    """Whether both sides are as they were when they were last seen to agree."""
    return bool(work.known) and work.unchanged and work.cover_unchanged and seen_right == len(work.known)
