"""The operations that say what would be sent and send nothing: of one scene in full, of all that is queued in brief."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconcile.work import Work
from sync_queue import marks
from validation.errors import Trouble
from validation.scene import Scene
from validation.text import private
from worker.drain import Step
from worker.explain import Explainer, Plan, files
from worker.ingest import EXPANDED, OF_SCENES
from worker.policy import NOT_CHARGED
from worker.session import Session
from worker.tasks_base import AtOnce

GROUP = 50
LISTED = 1_000
BEFORE = "The same was sent before under the same settings: only Sync All Scenes compares it with Plex again"


class ExplainScene(AtOnce):
    """What happens to one scene: paths, candidates, decision, and the edit that would be sent."""

    looks = True

    def act(self, now: float) -> dict[str, Any]:
        """As much as can be said; ``state`` is "ok" unless Plex or a setting keeps us from saying all."""
        scene = int(self._args["scene_id"])
        try:
            found = self._session.stash.scenes([scene]).get(scene)
        except Trouble as trouble:
            return {"error": trouble.message}
        if found is None:
            return {"error": f"Scene {scene} is not in Stash"}
        if isinstance(found, Trouble):
            return {"error": f"Scene {scene}: {found.message}"}
        return self._explain(found, now)

    def _explain(self, scene: Scene, now: float) -> dict[str, Any]:
        said: dict[str, Any] = {"scene": scene.id, "title": private(scene.title), "state": "ok"}
        tools = self._session.tools
        if tools is None:
            return {**said, "state": self._session.state, **self._standing(scene.id)}
        explainer = Explainer(tools)
        work = explainer.work(scene, self._session.store.log([scene.id]).get(scene.id, ()))
        said.update(files=files(work), path_rules=[self._session.rules.explain(file.path) for file in scene.files])
        try:
            said.update(self._compared(explainer, work, now))
        except Trouble as trouble:
            said["decision"] = f"nothing can be said: {trouble.message}"
            said["state"] = trouble.message if trouble.kind in NOT_CHARGED else "ok"
        return {**said, **self._standing(scene.id)}

    def _compared(self, explainer: Explainer, work: Work, now: float) -> dict[str, Any]:
        skipped = explainer.skipped(work)
        said: dict[str, Any] = {"candidates": explainer.candidates(work, now) if work.files else []}
        if skipped:
            return {**said, "decision": f"nothing would be sent: {skipped}"}
        found = explainer.find([work], now)[work.scene.id]
        plan = explainer.plan(work, found)
        reason = "" if isinstance(found, Trouble) else explainer.reason(work, found, now)
        note = BEFORE if work.unchanged and work.cover_unchanged else ""
        return {**said, "decision": plan.decision, "reason": reason, "changes": list(plan.changes), "note": note}

    def _standing(self, scene: int) -> dict[str, Any]:
        """Whether the scene is queued, waits or was given up, as far as that is so."""
        standing = self._session.store.standing(scene)
        waiting, dead = standing["waiting"], standing["dead_letter"]
        return {
            "queued": scene in self._session.queue,
            "next_waiting": [waiting] if waiting else [],
            "newest_dead_letters": [dead] if dead else [],
        }


class DryRun:
    """What would be sent of all that is queued or waits. Of changes that nobody read yet too, unless a worker lives."""

    drains = False
    looks = True

    def __init__(self, session: Session, args: Mapping[str, str]) -> None:
        self.accepted = False
        self._session = session
        self._scenes: list[dict[str, Any]] = []
        self._would = 0
        self._state = "ok"
        try:
            self._left = self._ids()
        except Trouble as trouble:
            self._state, self._left = trouble.message, []
        self._all = max(1, len(self._left))

    def advance(self, now: float) -> None:
        """Compare the next scenes."""
        group, self._left = self._left[:GROUP], self._left[GROUP:]
        try:
            for scene, plan in self._plans(group, now).items():
                self._would += bool(plan.changes)
                self._scenes.append({"scene": scene, "decision": plan.decision, "changes": list(plan.changes)})
        except Trouble as trouble:
            self._state, self._left = trouble.message, []
        self.accepted = not self._left

    def finished(self, step: Step) -> bool:
        """Once every scene was compared, or when Plex or Stash is away."""
        return self.accepted

    def fraction(self) -> float:
        """Compared scenes."""
        return 1.0 - len(self._left) / self._all

    def result(self) -> dict[str, Any]:
        """The first thousand scenes one by one, and how many there are."""
        return {
            "state": self._state,
            "compared": len(self._scenes),
            "would_be_sent": self._would,
            "scenes": self._scenes[:LISTED],
            "note": "Nothing was sent and nothing was changed",
        }

    def _ids(self) -> list[int]:
        """The scenes to compare; raises Trouble when Stash does not say which a performer, studio or tag has."""
        session = self._session
        unread, _ = marks.read(session.data_dir, marks.EVERY)
        waiting = [row["scene"] for row in session.store.waiting()]
        new = [mark.id for mark in unread if mark.kind in OF_SCENES]
        of_others = [
            scene
            for mark in unread
            if mark.kind in EXPANDED
            for page in session.stash.scenes_of(mark.kind, mark.id)
            for scene in page
        ]
        return list(dict.fromkeys([*session.queue.forced, *new, *of_others, *waiting]))

    def _plans(self, group: Sequence[int], now: float) -> dict[int, Plan]:
        tools = self._session.tools
        if tools is None or not group:
            self._state, self._left = (self._session.state or "ok") if group else self._state, []
            return {}
        explainer = Explainer(tools)
        read, logged = self._session.stash.scenes(group), self._session.store.log(group)
        works = {
            id: explainer.work(scene, logged.get(id, ())) for id, scene in read.items() if isinstance(scene, Scene)
        }
        early = {id: self._early(explainer, works.get(id), read.get(id)) for id in group}
        found = explainer.find([works[id] for id in group if not early[id]], now)
        return {
            id: Plan(f"nothing would be sent: {early[id]}") if early[id] else explainer.plan(works[id], found[id])
            for id in group
        }

    def _early(self, explainer: Explainer, work: Work | None, read: Scene | Trouble | None) -> str:
        """Why Plex need not be asked about the scene, "" when it has to be."""
        if work is None:
            return read.message if isinstance(read, Trouble) else "it is no longer in Stash"
        return explainer.skipped(work) or self._unchanged(work)

    def _unchanged(self, work: Work) -> str:
        forced = self._session.queue.forced.get(work.scene.id, False)
        return "" if forced or not (work.unchanged and work.cover_unchanged) else "the same was sent before"
