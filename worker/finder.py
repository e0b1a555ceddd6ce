"""Which items are a scene's: by the keys we know, then by its files. Whole items, read in batches.

Methods may raise Trouble.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from plex import matcher, paths
from plex.client import PlexClient
from plex.index import PathIndex
from plex.model import Listed, PlexItem
from reconcile.work import Found, Work
from validation.errors import Kind, Trouble
from validation.text import private
from worker.rivals import Rivals

LOOK_WIDER_S = 600.0
WIDER_LOOKUPS = 20


class Finder:
    """Looks in one Plex. ``strict`` refuses what is only likely."""

    def __init__(self, plex: PlexClient, index: PathIndex, rivals: Rivals, strict: bool) -> None:
        self._plex, self._index, self._rivals, self._strict = plex, index, rivals, strict
        self._looked_wider: dict[tuple[int, tuple[str, ...]], float] = {}

    def find(self, works: Sequence[Work], expected: int, now: float, wide: bool = False) -> dict[int, Found | Trouble]:
        """The items of each scene, by scene id: known keys first, then paths; whole items, read in batches.

        ``expected`` estimates how many such questions are still to come. ``wide`` looks for more items of known scenes
        however recently that was done.
        """
        known = self._by_keys(works, now)
        rest = [work for work in works if work.scene.id not in known]
        found: dict[int, Found | Trouble] = {**known, **self._wider(works, known, expected, now, wide)}
        if rest:
            found.update(self._by_paths(rest, expected, now))
        return self._rivals.settle(works, found)

    def ask_again(self, work: Work, now: float) -> None:
        """What the path index says of this scene's files proved wrong."""
        self._index.anew(_files([work]), now)

    def _by_keys(self, works: Sequence[Work], now: float) -> dict[int, Found]:
        keys = list(dict.fromkeys(entry.item for work in works for entry in work.known))
        items = self._plex.items(keys) if keys else {}
        chosen = {section.key for section in self._index.sections(now)} if keys else set()
        found: dict[int, Found] = {}
        for work in works:
            shown = [items.get(entry.item) for entry in work.known]
            fitting = tuple(i for i in shown if i and i.section in chosen and matcher.still_fits(i, work.files))
            if fitting and len(fitting) == len(work.known):
                found[work.scene.id] = Found(fitting)
        return found

    def _wider(
        self, works: Sequence[Work], known: Mapping[int, Found], expected: int, now: float, wide: bool
    ) -> dict[int, Found | Trouble]:
        """Known scenes that may have more items than we know.

        They have a file that none of these shows (a merge, a copy), or the settings named another library since.
        """
        chosen = {section.key for section in self._index.sections(now)} if known else set()
        new = [
            work
            for work in works
            if work.scene.id in known and _may_have_more(work, known[work.scene.id], chosen)
            if wide or not 0 <= now - self._looked_wider.get(_asked(work), float("-inf")) < LOOK_WIDER_S
        ]
        candidates, patience = {}, self._index.misses + WIDER_LOOKUPS
        for work in new:  # one by one: of many names that an index lacks at once it would ask for none
            if self._index.misses >= patience and not wide:
                break  # the others at their next turn
            candidates.update(self._index.candidates(_files([work]), expected, now))
            self._looked_wider[_asked(work)] = now
        if wide:
            self._looked_wider.clear()  # what is found now is for the drain to find again
        more = [work for work in new if {one.key for one in of_work(work, candidates)} - _keys(known[work.scene.id])]
        wider = self._among(more, candidates) if more else {}
        sure = {scene: one for scene, one in wider.items() if isinstance(one, Found) and not one.why}
        return {scene: _both(known[scene], one) for scene, one in sure.items()}

    def _by_paths(self, works: Sequence[Work], expected: int, now: float) -> dict[int, Found | Trouble]:
        candidates = self._index.candidates(_files(works), expected, now)
        found = self._among(works, candidates)
        doubtful = [work for work in works if _doubtful(found[work.scene.id])]
        told = self._index.anew(_files(doubtful), now)
        again = [work for work in doubtful if not told.keys().isdisjoint(_names(work))]
        found.update(self._among(again, {**candidates, **told}))
        return {scene: _final(one) for scene, one in found.items()}

    def _among(self, works: Sequence[Work], candidates: Mapping[str, list[Listed]]) -> dict[int, Found | Trouble]:
        results = {work.scene.id: self._match(work, of_work(work, candidates)) for work in works}
        keys = [
            listed.key for result in results.values() if isinstance(result, matcher.Match) for listed in result.items
        ]
        items = self._plex.items(list(dict.fromkeys(keys)))
        found: dict[int, Found | Trouble] = {}
        for work in works:
            result = results[work.scene.id]
            if isinstance(result, matcher.Match):
                found[work.scene.id] = self._whole(work, result, items)
            else:
                found[work.scene.id] = result
        return found

    def _whole(self, work: Work, listed: matcher.Match, items: Mapping[str, PlexItem]) -> Found | Trouble:
        """The matched items as Plex shows them now: a listing may be old, and the file may have moved since."""
        now_shown = [items[one.key] for one in listed.items if one.key in items]
        again = matcher.match(work.files, now_shown, self._strict)
        if isinstance(again, matcher.Match):
            found = tuple(items[one.key] for one in again.items)
            return Found(found, listed.why, partly=len(now_shown) < len(listed.items))
        return Trouble(Kind.STALE_MATCH, "Plex lists an item with this file but does not show it any more")

    def _match(self, work: Work, candidates: Sequence[Listed]) -> matcher.Match | Trouble:
        result = matcher.match(work.files, candidates, self._strict)
        if isinstance(result, matcher.Match):
            return result
        if isinstance(result, matcher.Ambiguous):
            return Trouble(Kind.AMBIGUOUS, result.why)
        name = private(paths.base_name(work.files[0].path))
        return Trouble(Kind.MISSING, f"Plex has no item with the file {name}")


def _may_have_more(work: Work, found: Found, chosen: set[str]) -> bool:
    unseen = any(not any(matcher.still_fits(item, [file]) for item in found.items) for file in work.files)
    return unseen or bool(chosen - {item.section for item in found.items})


def _both(known: Found, wider: Found) -> Found:
    """The items that we know still fit: what was found is added to them."""
    keys = _keys(known)
    return Found((*known.items, *(item for item in wider.items if item.key not in keys)))


def _asked(work: Work) -> tuple[int, tuple[str, ...]]:
    return work.scene.id, tuple(file.path for file in work.files)


def _keys(found: Found | Trouble) -> set[str]:
    return {item.key for item in found.items} if isinstance(found, Found) else set()


def _names(work: Work) -> list[str]:
    return [paths.name_key(file.path) for file in work.files]


def _final(found: Found | Trouble) -> Found | Trouble:
    """What Plex still lists and does not show will be missing for a while, like a file that is on its way."""
    if isinstance(found, Trouble) and found.kind is Kind.STALE_MATCH:
        return Trouble(Kind.MISSING, found.message)
    return found


def _files(works: Sequence[Work]) -> list[str]:
    return [file.path for work in works for file in work.files]


def _doubtful(found: Found | Trouble) -> bool:
    """Whether this may only look so because the index is old: Plex may have got the right item, or moved this one."""
    if isinstance(found, Found):
        return bool(found.why) or found.partly
    return found.kind in (Kind.AMBIGUOUS, Kind.STALE_MATCH)


def of_work(work: Work, candidates: Mapping[str, list[Listed]]) -> list[Listed]:
    """Those candidates of the index that are meant for this scene's files."""
    return [item for name in _names(work) for item in candidates.get(name, [])]
