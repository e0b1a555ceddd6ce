"""Runs one group of scenes and turns whatever happens into outcomes. The only place where exceptions end.

As soon as Plex or Stash turns out to be away, the rest of the group is not tried: it is nobody's fault of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plex import paths
from plex.client import PlexClient
from stash import log
from stash.client import StashClient
from sync_queue.settlement import LogEntry
from sync_queue.store import Store
from validation.errors import Kind, Trouble
from validation.scene import Scene
from worker.policy import NOT_CHARGED, PUSHED, SKIPPED, UNCHANGED, Outcome
from worker.sync import Push, Sync, Work

COMPONENT = "Worker"
MACHINE = "plex_machine"


class Executor:
    """Brings groups of scenes up to date in Plex."""

    def __init__(
        self, stash: StashClient, plex: PlexClient, sync: Sync, store: Store, on_other_server: Callable[[], object]
    ) -> None:
        self._stash, self._plex, self._sync, self._store = stash, plex, sync, store
        self._on_other_server = on_other_server
        self._server_checked = False

    def check_server_again(self) -> None:
        """Plex was away: it may come back as another server."""
        self._plex.close()
        self._server_checked = False

    def execute(self, scenes: Sequence[int], force: bool, expected: int, now: float) -> list[Outcome]:
        """Try these scenes; one outcome each. ``expected`` estimates how many more are to come after them."""
        outcomes: dict[int, Outcome] = {}
        try:
            works = self._works(scenes, force, outcomes)
            if works and self._other_server():
                outcomes.clear()
                works = self._works(scenes, force, outcomes)
            if works:
                self._push_all(works, expected, now, outcomes)
        except Trouble as trouble:
            _fill(outcomes, scenes, trouble)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not stop the queue: it is charged to its scene
            rest = [scene for scene in scenes if scene not in outcomes]
            if len(scenes) > 1:  # alone, only the scene that meets the fault is charged with it
                outcomes.update((scene, self.execute([scene], force, expected, now)[0]) for scene in rest)
            else:
                log.error(COMPONENT, f"Scene {scenes[0]} met a fault in Stash2Plex: {log.where(error)}")
                _fill(outcomes, scenes, Trouble(Kind.UNEXPECTED, f"a fault in Stash2Plex: {log.where(error)}"))
        return [outcomes[scene] for scene in scenes]

    def _works(self, scenes: Sequence[int], force: bool, outcomes: dict[int, Outcome]) -> list[Work]:
        """The scenes that need Plex; the others get their outcome here, without a single request to Plex."""
        read, logged = self._stash.scenes(scenes), self._store.log(scenes)
        works = []
        for id in scenes:
            scene = read.get(id)
            if scene is None:
                outcomes[id] = Outcome(id, trouble=Kind.GONE, reason="the scene is no longer in Stash", log=())
            elif isinstance(scene, Trouble):
                outcomes[id] = Outcome(id, trouble=scene.kind, reason=scene.message)
            else:
                work = self._sync.work(scene, logged.get(id, ()))
                early = _early(work, force)
                if early is None:
                    works.append(work)
                else:
                    outcomes[id] = early
        return works

    def _other_server(self) -> bool:
        """Rating keys belong to one Plex server: on another one, all that we know of items is void and forgotten."""
        if self._server_checked:
            return False
        machine, known = self._plex.machine(), self._store.fact(MACHINE)
        other = bool(known) and known != machine
        if other:
            log.warning(COMPONENT, "Plex is another server than before; every scene is matched and compared anew")
            self._on_other_server()
            self._store.forget_items()
        if known != machine:
            self._store.remember(MACHINE, machine)
        self._server_checked = True
        return other

    def _push_all(self, works: list[Work], expected: int, now: float, outcomes: dict[int, Outcome]) -> None:
        found = self._sync.find(works, expected, now)
        pushes: dict[int, list[Push]] = {}
        for work in works:
            items = found[work.scene.id]
            if isinstance(items, Trouble):
                outcomes[work.scene.id] = _failed(work.scene, items)
            else:
                pushes[work.scene.id] = [self._sync.compare(work, item) for item in items]
        self._intend(pushes, now)
        for work in works:
            if work.scene.id in pushes:
                outcomes[work.scene.id] = self._push_one(work, pushes[work.scene.id], now)
                if outcomes[work.scene.id].trouble in NOT_CHARGED:
                    break  # the rest stays without an outcome and is filled in as not tried
        away = [outcome for outcome in outcomes.values() if outcome.trouble in NOT_CHARGED]
        if away:
            trouble = Trouble(away[0].trouble or Kind.UNREACHABLE, away[0].reason, away[0].retry_after_s)
            _fill(outcomes, [work.scene.id for work in works], trouble)

    def _intend(self, pushes: dict[int, list[Push]], now: float) -> None:
        """Write what we are about to add, so that after a crash it does not look like a person's own tag."""
        new = []
        for push in (push for row in pushes.values() for push in row):
            before = push.work.owned(push.item.key)
            if push.edit.owned - before:
                known = [entry for entry in push.work.known if entry.item == push.item.key]
                new.append(push.entry(before | push.edit.owned, known[0].fingerprint if known else ""))
        if new:
            self._store.intend(new, now)

    def _push_one(self, work: Work, pushes: list[Push], now: float) -> Outcome:
        try:
            for push in pushes:
                self._sync.apply(push)
        except Trouble as trouble:
            if trouble.kind is Kind.STALE_MATCH:
                return self._again_without_key(work, now)
            return _failed(work.scene, trouble)
        if all(push.edit.empty for push in pushes):
            return Outcome(work.scene.id, UNCHANGED, log=_entries(work, pushes))
        changed = sorted({field for push in pushes for field in push.edit.fields}) or ["locks"]
        return Outcome(work.scene.id, PUSHED, reason=", ".join(changed), log=_entries(work, pushes))

    def _again_without_key(self, work: Work, now: float) -> Outcome:
        """Plex forgot the item: match anew at once, and once only."""
        self._sync.forget_paths()
        try:
            items = self._sync.find([Work(work.scene, work.projection, work.fingerprint, ())], 1, now)[work.scene.id]
            if isinstance(items, Trouble):
                return _failed(work.scene, items)
            pushes = [self._sync.compare(work, item) for item in items]
            self._intend({work.scene.id: pushes}, now)
            for push in pushes:
                self._sync.apply(push)
        except Trouble as trouble:
            kind = Kind.MISSING if trouble.kind is Kind.STALE_MATCH else trouble.kind
            return _failed(work.scene, Trouble(kind, trouble.message, trouble.retry_after_s))
        return Outcome(work.scene.id, PUSHED, reason="found anew", log=_entries(work, pushes))


def _early(work: Work, force: bool) -> Outcome | None:
    """The outcome of a scene that needs no request to Plex."""
    scene = work.scene
    if not scene.files:
        return Outcome(scene.id, trouble=Kind.PERMANENT, reason="the scene has no file in Stash")
    if scene.says_nothing:
        return Outcome(scene.id, SKIPPED, reason="no studio, performers, tags, details or date yet")
    if work.unchanged and not force:
        return Outcome(scene.id, UNCHANGED)
    return None


def _entries(work: Work, pushes: Sequence[Push]) -> tuple[LogEntry, ...]:
    return tuple(push.entry(push.edit.owned, work.fingerprint) for push in pushes)


def _failed(scene: Scene, trouble: Trouble) -> Outcome:
    file = paths.base_name(scene.files[0].path) if scene.files else ""
    return Outcome(
        scene.id, trouble=trouble.kind, reason=trouble.message, retry_after_s=trouble.retry_after_s, file=file
    )


def _fill(outcomes: dict[int, Outcome], scenes: Sequence[int], trouble: Trouble) -> None:
    """The scenes without an outcome were not tried, for this reason."""
    for scene in scenes:
        if scene not in outcomes:
            outcomes[scene] = Outcome(
                scene, trouble=trouble.kind, reason=trouble.message, retry_after_s=trouble.retry_after_s, tried=False
            )
