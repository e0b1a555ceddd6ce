"""One item, one scene: who has an item when several scenes of Stash lead to it.

Plex shows two files as versions of one item where Stash may have two scenes; and a file that was assigned to another
scene takes its item along. The living scene with the lowest id has the item; what others left there is handed to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from plex import matcher
from plex.model import PlexItem
from reconcile.compare import Comparer
from reconcile.work import Found, Work
from stash.client import StashClient
from sync_queue.settlement import LogEntry
from sync_queue.store import Store
from validation.errors import Kind, Trouble
from validation.scene import Scene


class Rivals:
    """Knows which scenes had items, and asks Stash whether they still do. Methods may raise Trouble."""

    def __init__(self, store: Store, stash: StashClient, comparer: Comparer) -> None:
        self._store, self._stash, self._comparer = store, stash, comparer

    def settle(self, works: Sequence[Work], found: Mapping[int, Found | Trouble]) -> dict[int, Found | Trouble]:
        """The same findings, without the items that are another scene's."""
        items = {item.key: item for one in found.values() if isinstance(one, Found) for item in one.items}
        wanted: dict[str, set[int]] = {key: set() for key in items}
        for scene, one in found.items():
            for item in one.items if isinstance(one, Found) else ():
                wanted[item.key].add(scene)
        rows: dict[str, list[LogEntry]] = {key: [] for key in items}
        for row in self._store.claims(list(items)):
            rows[row.item].append(row)
        contested = {key for key, scenes in wanted.items() if len(scenes) > 1 or {r.scene for r in rows[key]} - scenes}
        if not contested:
            return dict(found)
        here = {work.scene.id for work in works}
        strangers = {row.scene for key in contested for row in rows[key]} - here - {0}
        others = self._alive(sorted(strangers))
        owners = {key: min(wanted[key] | _showing(items[key], rows[key], others)) for key in contested}
        return {scene: self._share(scene, one, owners, rows) for scene, one in found.items()}

    def _alive(self, scenes: Sequence[int]) -> dict[int, Work]:
        """Those of the scenes that Stash still has and that are sent to Plex."""
        return {
            id: self._comparer.work(scene, ())
            for id, scene in self._stash.scenes(scenes).items()
            if isinstance(scene, Scene) and not self._comparer.skips(scene)
        }

    def _share(
        self, scene: int, one: Found | Trouble, owners: Mapping[str, int], rows: Mapping[str, list[LogEntry]]
    ) -> Found | Trouble:
        if isinstance(one, Trouble):
            return one
        lost = [item for item in one.items if owners.get(item.key, scene) != scene]
        kept = tuple(item for item in one.items if item not in lost)
        if lost and not kept:
            key = lost[0].key
            why = f"item {key} of Plex shows this file together with that of scene {owners[key]}, which it follows"
            return Trouble(Kind.AMBIGUOUS, f"{why}; split the item in Plex, or merge the two scenes in Stash")
        left = [row for item in kept if item.key in owners for row in rows[item.key] if row.scene != scene]
        return replace(one, items=kept, inherited=tuple(left))


def _showing(item: PlexItem, rows: Sequence[LogEntry], others: Mapping[int, Work]) -> set[int]:
    """The other scenes whose file the item shows."""
    claimed = {row.scene for row in rows} & others.keys()
    return {scene for scene in claimed if matcher.still_fits(item, others[scene].files)}
