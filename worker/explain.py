"""What would be sent of a scene, and why: read from both sides, with nothing sent and nothing written.

Every method may raise Trouble. Paths, titles and names in what it returns are marked as private.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plex import matcher
from plex.edits import Edit
from plex.model import Listed, PlexItem, word
from reconcile.work import Found, Work
from sync_queue.settlement import LogEntry
from validation.errors import Trouble
from validation.scene import Scene
from validation.text import folded, private
from worker.finder import of_work
from worker.pictures import NAMES, Cover
from worker.tools import Tools

SHOWN_AS_THEY_ARE = ("originallyAvailableAt",)
KNOWN = "it is the item to which the scene was sent before"
HOW = {
    matcher.BY_PATH: "its path is the scene's",
    matcher.BY_SIZE: "its file name and its size in bytes are the scene's",
    matcher.BY_NAME: "its file name is the scene's",
}

DOES = {
    "choose": "choose the scene's cover, which Plex has already",
    "send": "send the scene's cover",
}

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Plan:
    """What would be done about a scene: one sentence, and one row per field and item."""

    decision: str
    changes: tuple[dict[str, Any], ...] = ()


class Explainer:
    """Compares scenes as a pass of the worker would, for reading only."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._settings = tools.settings

    def work(self, scene: Scene, known: Sequence[LogEntry]) -> Work:
        """The scene with its mapped files."""
        return self._tools.comparer.work(scene, known)

    def candidates(self, work: Work, now: float) -> Rows:
        """Every item in Plex with one of the scene's file names, one row per file."""
        listed = of_work(work, self._tools.index.candidates([file.path for file in work.files], 1, now))
        libraries = {section.key: section.title for section in self._tools.index.sections(now)}
        unique = {item.key: item for item in listed}
        return [row for item in unique.values() for row in _candidate(item, libraries)]

    def reason(self, work: Work, found: Found, now: float) -> str:
        """Why these items are the scene's."""
        if {entry.item for entry in work.known} == {item.key for item in found.items}:
            return KNOWN
        listed = of_work(work, self._tools.index.candidates([file.path for file in work.files], 1, now))
        result = matcher.match(work.files, listed, self._settings.strict_matching)
        return found.why or (HOW[result.how] if isinstance(result, matcher.Match) else "")

    def find(self, works: Sequence[Work], now: float) -> dict[int, Found | Trouble]:
        """The items of these scenes, by scene id."""
        return self._tools.finder.find(works, len(works), now) if works else {}

    def skipped(self, work: Work) -> str:
        """Why nothing is sent of the scene whatever Plex has, "" when something may be."""
        return self._tools.comparer.skips(work.scene) if work.scene.files else "the scene has no file in Stash"

    def plan(self, work: Work, found: Found | Trouble) -> Plan:
        """What would be done with the items that were found."""
        if isinstance(found, Trouble):
            return Plan(f"nothing would be sent ({found.kind.value}): {found.message}")
        changes = tuple(row for item in found.items for row in self._changes(work.heir(found.inherited), item))
        keys = ", ".join(item.key for item in found.items)
        if not changes:
            return Plan(f"nothing would be sent: Plex shows it already (item {keys})")
        fields = ", ".join(dict.fromkeys(row["field"] for row in changes))
        return Plan(f"would be sent to item {keys}: {fields}", changes)

    def _changes(self, work: Work, item: PlexItem) -> Rows:
        cover = self._tools.sync.cover(work)
        edit = self._tools.comparer.compare(work, item).edit
        rows = [*_scalars(edit, item), *_lists(edit, item)]
        if edit.rating is not None:
            rows.append({"item": item.key, "field": "rating", "from": item.rating, "to": edit.rating})
        rows += self._pictures(work, item, cover)
        locks = [*edit.locks, *(self._tools.comparer.picture_locks(work, item) if cover.sha1 else ())]
        if locks:
            rows.append({"item": item.key, "field": "locks", "does": f"lock {', '.join(map(word, locks))}"})
        return rows

    def _pictures(self, work: Work, item: PlexItem, cover: Cover) -> Rows:
        kinds = work.projection.pictures if cover.sha1 else ()
        before = work.before(item.key)
        plans = {kind: self._tools.pictures.plan(item, kind, cover, before, False) for kind in kinds}
        return [{"item": item.key, "field": NAMES[k], "does": DOES[plan.act]} for k, plan in plans.items() if plan.act]


def files(work: Work) -> Rows:
    """The scene's files as Stash has them, and where Plex should have them."""
    pairs = zip(work.scene.files, work.files)
    return [
        {"path": private(own.path), "size_bytes": own.size, "in_plex_as": private(mapped.path)} for own, mapped in pairs
    ]


def _candidate(item: Listed, libraries: dict[str, str]) -> Rows:
    about = {"item": item.key, "title": private(item.title), "library": libraries.get(item.section, item.section)}
    return [{**about, "path": private(file.path), "size_bytes": file.size} for file in item.files]


def _scalars(edit: Edit, item: PlexItem) -> Rows:
    return [
        {"item": item.key, "field": word(name), "from": _said(name, item.scalars[name]), "to": _said(name, value)}
        for name, value in edit.scalars.items()
    ]


def _lists(edit: Edit, item: PlexItem) -> Rows:
    rows = []
    for kind, wanted in edit.wanted.items():
        have = {folded(tag) for tag in item.lists[kind]}
        new = [private(tag) for tag in wanted if folded(tag) not in have]
        gone = [private(tag) for tag in edit.dropped.get(kind, ())]
        rows.append({"item": item.key, "field": word(kind), "add": new, "remove": gone})
    return rows


def _said(name: str, value: str) -> str:
    return private(value) if value and name not in SHOWN_AS_THEY_ARE else value
