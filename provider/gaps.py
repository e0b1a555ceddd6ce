"""Which items of Plex have no scene, which scenes no item, and which of the rest Plex did not match. Pure.

Stash's side is held, packed small; Plex's side passes by. Whatever is heavy is fed in pages, so the caller decides how
much of it happens at once.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from plex import paths
from plex.model import Listed
from provider.contract import IDENTIFIER, scene_of
from provider.places import Index, Numbers, Root, Shelf
from provider.scene import Brief

NOT_IN_STASH = "not_in_stash"  # no scene has the item's file
NOT_IN_PLEX = "not_in_plex"  # no item has the scene's file
UNMATCHED = "unmatched"  # both have the file, and Plex shows no scene, or another one: can be healed
FOREIGN = "matched_by_others"  # both have the file, and another agent's match stands: somebody may have wanted that
AMBIGUOUS = "ambiguous"  # several scenes lead to one item, or several items to one scene
MATCHED = "matched"  # as it should be
KINDS = (NOT_IN_STASH, NOT_IN_PLEX, UNMATCHED, FOREIGN, AMBIGUOUS)

UNKNOWN_FILE, NO_FILE = "unknown_file", "no_file"
NOT_COVERED, NOT_FOUND = "not_covered", "not_found"
NEVER_MATCHED, OTHER_SCENE, VANISHED_SCENE = "never_matched", "other_scene", "vanished_scene"
OTHER_AGENT, SEVERAL_SCENES, SEVERAL_ITEMS = "other_agent", "several_scenes", "several_items"

EXAMPLES = 100
MOST_SCENES = 10  # that one example names

# What Plex calls an item that no agent has matched, new and old.
_NOBODYS = re.compile(r"(?:local|none|com\.plexapp\.agents\.none|tv\.plex\.agents\.none)://|$")
_ABSENT = (NO_FILE, NOT_COVERED, NOT_FOUND)
_HEALABLE = (NEVER_MATCHED, OTHER_SCENE, VANISHED_SCENE)


class Rules(Protocol):
    """What is needed of the path rules."""

    def to_stash(self, path: str, /) -> str:
        """What Stash calls a file of Plex."""

    def to_plex(self, path: str, /) -> str:
        """What Plex calls a file of Stash."""


@dataclass(frozen=True)
class Gap:
    """One difference. ``item`` and ``scenes`` are empty where that side lacks it.

    ``path`` is the item's in Plex, or the scene's in Stash; ``expected`` is where the scene's file would be in Plex.
    """

    kind: str
    why: str
    title: str
    path: str
    item: str = ""
    section: str = ""
    guid: str = ""
    scenes: tuple[int, ...] = ()
    expected: str = ""


@dataclass(frozen=True)
class Found:
    """What a whole comparison found: how much of each kind and reason, and some examples by kind."""

    scenes: int
    items: int
    matched: int
    reasons: dict[tuple[str, str], int]
    examples: dict[str, tuple[Gap, ...]]

    def count(self, kind: str) -> int:
        """How many there are of this kind."""
        return sum(number for (each, _), number in self.reasons.items() if each == kind)


@dataclass(frozen=True)
class Wanted:
    """The scene that an item should be matched to."""

    scene: int
    title: str


class Comparison:
    """Feed it all scenes (`know`), then all items (`see`), and `finish`. 100,000 of each take some 15 MB.

    ``roots`` are the folders of Plex's libraries as Plex sees them.
    """

    def __init__(self, rules: Rules, roots: Sequence[str]) -> None:
        self._rules = rules
        self._roots = [Root(root) for root in roots]
        self._by_path, self._by_plex_path = Index(), Index()
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._examples: dict[str, list[Gap]] = {kind: [] for kind in KINDS}
        self._items = self._matched = 0
        # Scenes by their place: id, why Plex may lack it, how many items claim it (2 for more), title and path.
        self._ids, self._absent, self._claims, self._scenes = array("q"), bytearray(), bytearray(), Shelf()
        # Items that may be matched to a scene, if no other item claims that: the scene's place, why, all texts, and
        # their own place by their key.
        self._open, self._whys, self._texts, self._places = array("q"), bytearray(), Shelf(), Numbers()

    @property
    def scenes(self) -> int:
        """How many scenes are known by now."""
        return len(self._ids)

    @property
    def items(self) -> int:
        """How many items were seen by now."""
        return self._items

    @property
    def healable(self) -> int:
        """How many items can be matched, after `finish`."""
        return sum(self._claims[place] == 1 for place in self._open)

    def to_heal(self, sections: Collection[str]) -> Iterator[str]:
        """The keys of the items in these libraries that can be matched, after `finish`."""
        for number, place in enumerate(self._open):
            key, section, *_ = self._texts.get(number) if self._claims[place] == 1 else ("", "")
            if section in sections and key:
                yield key

    def know(self, scenes: Iterable[Brief]) -> None:
        """A page of Stash's scenes, which come in the order of their ids."""
        for scene in scenes:
            plex_paths = [self._rules.to_plex(path) for path in scene.paths]
            for path, plex_path in zip(scene.paths, plex_paths):
                self._by_path.put(path, len(self._ids))
                if plex_path != path:  # the way back may lead elsewhere: two folders of Stash may be one in Plex
                    self._by_plex_path.put(plex_path, len(self._ids))
            path = scene.paths[0] if scene.paths else ""
            self._scenes.put(scene.title or paths.base_name(path), path)
            self._ids.append(scene.id)
            self._claims.append(0)
            self._absent.append(_ABSENT.index(self._absent_because(plex_paths)))

    def see(self, items: Iterable[Listed]) -> None:
        """A page of Plex's items, after all scenes are known."""
        for item in items:
            self._items += 1
            places = self._places_of(item)
            for place in places:
                self._claims[place] = min(2, self._claims[place] + 1)
            if not places:
                self._note(NOT_IN_STASH, UNKNOWN_FILE if item.files else NO_FILE, item)
            elif len(places) > 1:
                self._note(AMBIGUOUS, SEVERAL_SCENES, item, places)
            else:
                self._judge(item, places[0])

    def finish(self) -> Found:
        """What was found. Takes a moment in a large library; nothing else may be called meanwhile."""
        for number, place in enumerate(self._open):
            several = self._claims[place] > 1
            kind, why = (AMBIGUOUS, SEVERAL_ITEMS) if several else (UNMATCHED, _HEALABLE[self._whys[number]])
            if self._counts(kind, why):
                self._examples[kind].append(self._opened(kind, why, number))
        for place, claims in enumerate(self._claims):
            why = _ABSENT[self._absent[place]]
            if not claims and self._counts(NOT_IN_PLEX, why):
                self._examples[NOT_IN_PLEX].append(self._lacking(why, place))
        examples = {kind: tuple(gaps) for kind, gaps in self._examples.items()}
        return Found(self.scenes, self.items, self._matched, dict(self._reasons), examples)

    def wanted(self, item: Listed) -> Wanted | None:
        """What an item, as it is by now, should be matched to, after `finish`; None when that is not ours to do."""
        for number in self._places.get(item.key):
            place = self._open[number]
            ours = self._claims[place] == 1 and self._places_of(item) == (place,)
            if ours and self._unmatched_because(item.guid, self._ids[place]) in _HEALABLE:
                return Wanted(self._ids[place], self._scenes.get(place)[0])
        return None

    def _absent_because(self, plex_paths: Sequence[str]) -> str:
        if not plex_paths:
            return NO_FILE
        covered = not self._roots or any(root.holds(path) for root in self._roots for path in plex_paths)
        return NOT_FOUND if covered else NOT_COVERED

    def _places_of(self, item: Listed) -> tuple[int, ...]:
        """The scenes that have files of this item."""
        found: set[int] = set()
        for file in item.files:
            found.update(self._by_path.get(self._rules.to_stash(file.path)))
            found.update(self._by_plex_path.get(file.path))
        return tuple(sorted(found))

    def _judge(self, item: Listed, place: int) -> None:
        why = self._unmatched_because(item.guid, self._ids[place])
        if why == MATCHED:
            self._matched += 1
        elif why == OTHER_AGENT:
            self._note(FOREIGN, why, item, (place,))
        else:
            self._places.put(item.key, len(self._open))
            self._open.append(place)
            self._whys.append(_HEALABLE.index(why))
            self._texts.put(item.key, item.section, item.guid, item.title, item.files[0].path)

    def _unmatched_because(self, guid: str, scene: int) -> str:
        shown = scene_of(guid)
        if shown == scene:
            return MATCHED
        if shown is not None:
            place = bisect_left(self._ids, shown)
            return OTHER_SCENE if self._ids[place : place + 1] == array("q", [shown]) else VANISHED_SCENE
        if guid.startswith(f"{IDENTIFIER}://"):
            return VANISHED_SCENE
        return NEVER_MATCHED if _NOBODYS.match(guid) else OTHER_AGENT

    def _counts(self, kind: str, why: str) -> bool:
        """Count one more; whether there is room for an example."""
        self._reasons[kind, why] += 1
        return len(self._examples[kind]) < EXAMPLES

    def _note(self, kind: str, why: str, item: Listed, places: Sequence[int] = ()) -> None:
        if self._counts(kind, why):
            path = item.files[0].path if item.files else ""
            scenes = tuple(self._ids[place] for place in places[:MOST_SCENES])
            title = item.title or paths.base_name(path)
            self._examples[kind].append(Gap(kind, why, title, path, item.key, item.section, item.guid, scenes))

    def _opened(self, kind: str, why: str, number: int) -> Gap:
        key, section, guid, title, path = self._texts.get(number)
        scene = self._ids[self._open[number]]
        return Gap(kind, why, title or paths.base_name(path), path, key, section, guid, (scene,))

    def _lacking(self, why: str, place: int) -> Gap:
        title, path = self._scenes.get(place)
        expected = self._rules.to_plex(path) if path else ""
        return Gap(NOT_IN_PLEX, why, title, path, scenes=(self._ids[place],), expected=expected)
