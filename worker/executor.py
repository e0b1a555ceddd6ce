"""Runs one group of scenes and turns whatever happens into outcomes. The only place where exceptions end.

As soon as Plex or Stash turns out to be away, the rest of the group is not tried: it is nobody's fault of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from plex import paths
from plex.model import word
from reconcile.watch import Read
from reconcile.work import Found, Push, Pushed, Work
from stash import log
from stash.client import StashClient
from sync_queue.settlement import LogEntry
from sync_queue.store import Store
from validation.errors import Kind, Trouble
from validation.scene import Scene
from worker.policy import NOT_CHARGED, PUSHED, SKIPPED, UNCHANGED, Outcome
from worker.sync import intent
from worker.tools import Tools

COMPONENT = "Worker"
MACHINE = "plex_machine"


class Executor:
    """Brings groups of scenes up to date in Plex."""

    def __init__(
        self,
        stash: StashClient,
        tools: Tools,
        store: Store,
        on_other_server: Callable[[], object],
        on_read: Callable[[Sequence[int], Read], object],
    ) -> None:
        self._stash, self._store = stash, store
        self._plex, self._finder, self._comparer, self._sync = tools.plex, tools.finder, tools.comparer, tools.sync
        self._on_other_server, self._on_read = on_other_server, on_read
        self._server_checked = False

    def check_server_again(self) -> None:
        """Plex was away: it may come back as another server."""
        self._plex.close()
        self._server_checked = False

    def execute(
        self,
        scenes: Sequence[int],
        force: bool,
        expected: int,
        now: float,
        tried: Callable[[], object] = lambda: None,
    ) -> list[Outcome]:
        """Try these scenes; one outcome each, and a call of ``tried`` after each that went to Plex.

        ``expected`` estimates how many more are to come after them.
        """
        outcomes: dict[int, Outcome] = {}
        try:
            works = self._works(scenes, force, outcomes)
            if works and self._other_server():
                outcomes.clear()
                works = self._works(scenes, force, outcomes)
            if works:
                self._push_all(works, force, expected, now, outcomes, tried)
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

    # before Plex

    def _works(self, scenes: Sequence[int], force: bool, outcomes: dict[int, Outcome]) -> list[Work]:
        """The scenes that need Plex; the others get their outcome here, without a single request to Plex."""
        read, logged = self._stash.scenes(scenes), self._store.log(scenes)
        self._on_read(scenes, read)
        works = []
        for id in scenes:
            scene = read.get(id)
            if scene is None:
                outcomes[id] = Outcome(id, trouble=Kind.GONE, reason="the scene is no longer in Stash")
            elif isinstance(scene, Trouble):
                outcomes[id] = Outcome(id, trouble=scene.kind, reason=scene.message)
            else:
                work = self._comparer.work(scene, logged.get(id, ()))
                early = self._early(work, force)
                if early is None:
                    works.append(work)
                else:
                    outcomes[id] = early
        return works

    def _early(self, work: Work, force: bool) -> Outcome | None:
        """The outcome of a scene that needs no request to Plex."""
        scene = work.scene
        if not scene.files:
            return Outcome(scene.id, trouble=Kind.PERMANENT, reason="the scene has no file in Stash")
        skipped = self._comparer.skips(scene)
        if skipped:
            return Outcome(scene.id, SKIPPED, reason=skipped)
        if work.unchanged and not force and self._sync.same_cover(work):
            return Outcome(scene.id, UNCHANGED, log=_still(work))
        return None

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

    # in Plex

    def _push_all(
        self,
        works: list[Work],
        force: bool,
        expected: int,
        now: float,
        outcomes: dict[int, Outcome],
        tried: Callable[[], object],
    ) -> None:
        pushes = self._compare(works, self._finder.find(works, expected, now), now, outcomes)
        for work in works:
            if work.scene.id in pushes:
                outcomes[work.scene.id] = self._push(work, pushes[work.scene.id], force, now)
                if outcomes[work.scene.id].trouble in NOT_CHARGED:
                    break  # the rest stays without an outcome and is filled in as not tried
                tried()
        away = [outcome for outcome in outcomes.values() if outcome.trouble in NOT_CHARGED]
        if not away:
            self._learn_addresses(outcomes)
        else:
            trouble = Trouble(away[0].trouble or Kind.UNREACHABLE, away[0].reason, away[0].retry_after_s)
            _fill(outcomes, [work.scene.id for work in works], trouble)

    def _compare(
        self, works: Sequence[Work], found: Mapping[int, Found | Trouble], now: float, outcomes: dict[int, Outcome]
    ) -> dict[int, list[Push]]:
        """What differs; written down what we are about to add, so that a crash cannot make it look like a person's."""
        pushes: dict[int, list[Push]] = {}
        for work in works:
            result = found[work.scene.id]
            if isinstance(result, Trouble):
                outcomes[work.scene.id] = _failed(work.scene, result)
                continue
            if result.why:
                log.info(COMPONENT, f"Scene {work.scene.id} {result.why}")
            heir = work.heir(result.inherited)
            pushes[work.scene.id] = [self._comparer.compare(heir, item) for item in result.items]
        new = [push for row in pushes.values() for push in row if push.edit.owned - push.work.owned(push.item)]
        if new:
            self._store.intend([intent(push) for push in new], now)
        return pushes

    def _push(self, work: Work, pushes: list[Push], force: bool, now: float, again: bool = True) -> Outcome:
        try:
            return _outcome(work, [self._sync.apply(push, force) for push in pushes])
        except Trouble as trouble:
            if trouble.kind is not Kind.STALE_MATCH:
                return _failed(work.scene, trouble)
            if again:
                return self._push_anew(work, force, now)
            return _failed(work.scene, Trouble(Kind.MISSING, trouble.message))

    def _push_anew(self, work: Work, force: bool, now: float) -> Outcome:
        """Plex forgot the item: match anew at once, and once only."""
        outcomes: dict[int, Outcome] = {}
        try:
            self._finder.ask_again(work, now)
            found = self._finder.find([replace(work, known=())], 1, now)
            work = replace(work, known=tuple(self._store.log([work.scene.id]).get(work.scene.id, ())))  # as intended
            pushes = self._compare([work], found, now, outcomes)
        except Trouble as trouble:
            return _failed(work.scene, trouble)
        if work.scene.id in outcomes:
            return outcomes[work.scene.id]
        return self._push(work, pushes[work.scene.id], force, now, again=False)

    def _learn_addresses(self, outcomes: dict[int, Outcome]) -> None:
        """Of the pictures that were just sent, for the whole group at once."""
        rows = [row for outcome in outcomes.values() for row in outcome.log or () if "" in row.pictures.values()]
        for learned in self._sync.learn_addresses(rows):
            outcome = outcomes[learned.scene]
            log = tuple(learned if row.item == learned.item else row for row in outcome.log or ())
            outcomes[learned.scene] = replace(outcome, log=log)


def _outcome(work: Work, pushed: Sequence[Pushed]) -> Outcome:
    rows = tuple(one.entry for one in pushed)
    failed = {name: reason for one in pushed for name, reason in one.failed.items()}
    if failed:
        by_reason: dict[str, list[str]] = {}
        for name, why in failed.items():
            by_reason.setdefault(why, []).append(word(name))
        reason = "; ".join(f"{', '.join(names)}: {why}" for why, names in by_reason.items())
        return replace(_failed(work.scene, Trouble(Kind.PARTIAL, reason)), log=rows)
    changed = sorted({word(field) for one in pushed for field in one.fields})
    return Outcome(work.scene.id, PUSHED if changed else UNCHANGED, reason=", ".join(changed), log=rows)


def _still(work: Work) -> tuple[LogEntry, ...] | None:
    """The log's rows of an unchanged scene that was saved all the same, None when there is nothing new to write."""
    rows = tuple(replace(entry, updated_at=work.scene.updated_at) for entry in work.known)
    return rows if rows != work.known else None


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
