"""Both doubles, one data folder and a session between them, moved step by step on a clock that only tests turn.

The parts are the real ones: SQLite, persist-queue, plexapi, GraphQL. Nothing here sleeps.
"""

from __future__ import annotations

import math
import re
import time
import unicodedata
from collections.abc import Callable
from types import TracebackType
from typing import Any

from stash.client import StashClient
from sync_queue import inbox, marks
from tests.doubles.plex_server import PlexDouble
from tests.doubles.stash_server import StashDouble
from worker.drain import Step
from worker.session import Session

PLUGIN = "Stash2Plex"
SPINS = 5_000
SHOWN_SCALARS = ("title", "studio", "summary", "tagline", "originallyAvailableAt")
SHOWN_LISTS = ("actors", "genres", "directors", "collections")
# A scene that says something in every field.
FULL: dict[str, Any] = {
    "title": "A title",
    "details": "Some details",
    "code": "ABC-1",
    "date": "2024-02-03",
    "director": "Dee Rector",
    "studio": "Studio One",
    "performers": ["Ann", "Bea"],
    "tags": ["Blue", "Green"],
}


class Clock:
    """Seconds since 1970, begun at the real present since Plex's dates are read against it."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        return self.now


class Killed(BaseException):
    """What a SIGKILL is to the code under test: nothing catches it."""


class Stage:
    """A Stash, a Plex and the session that keeps them in step."""

    def __init__(self, data_dir: str, mode: str = "append", **settings: Any) -> None:
        self.clock, self.data_dir = Clock(), data_dir
        self.plex = PlexDouble(mode=mode, now=self.clock)
        self.stash = StashDouble(plugins=[], clock=self.clock)
        self.keys: dict[int, str] = {}
        self._settings = settings
        self.session: Session

    def __enter__(self) -> Stage:
        self.plex.start()
        self.stash.start()
        self.section = self.plex.add_section("Movies", ["/media"])
        self.configure(plex_url=self.plex.url, plex_token=self.plex.token)
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.session.close()
        self.plex.stop()
        self.stash.close()

    def open(self) -> Session:
        """Start a worker."""
        self.session = Session(self.data_dir, StashClient(self.stash.url), clock=self.clock)
        return self.session

    def reopen(self) -> Session:
        """End the worker at once, as SIGKILL does: it settles and acknowledges nothing more. Then start another."""
        self.session.close()
        return self.open()

    def configure(self, **settings: Any) -> None:
        """Change settings in Stash; the session reads them within 30 s."""
        self._settings.update(settings)
        self.stash.configure(PLUGIN, self._settings)

    # both libraries

    def scene(self, in_plex: bool = True, item: dict[str, Any] | None = None, **fields: Any) -> int:
        """A scene of an hour ago in Stash, and its item in Plex under another folder: they match by name and size."""
        number = len(self.stash.library.scenes) + 1
        fields = {"title": f"Title {number}", "details": f"Details {number}", **fields}
        self.clock.now -= 3_600.0
        scene = int(self.stash.add_scene(path=f"/data/s{number}.mp4", size=1_000 + number, **fields))
        self.clock.now += 3_600.0
        if in_plex:
            self.give_plex(scene, **(item or {}))
        return scene

    def scenes(self, count: int, **fields: Any) -> list[int]:
        """Several scenes alike."""
        return [self.scene(**fields) for _ in range(count)]

    def give_plex(self, scene: int, **values: Any) -> str:
        """Let Plex have the scene's file, as an item that only knows its name."""
        self.keys[scene] = self.plex.add_item(
            self.section, **{"file": f"/media/s{scene}.mp4", "size": 1_000 + scene, "title": f"s{scene}", **values}
        )
        return self.keys[scene]

    def refuse_puts_of(self, scene: int, status: int) -> None:
        """From now on Plex refuses every edit of the scene's item."""
        match = f"&id={self.keys[scene]}&"
        self.plex.faults.add("status", times=None, method="PUT", match=match, status=status)

    def item(self, scene: int) -> dict[str, Any]:
        """What Plex holds for the scene."""
        return self.plex.item(self.keys[scene])

    def save(self, *scenes: int, **fields: Any) -> None:
        """Save scenes in Stash; a hook puts a mark for each."""
        for scene in scenes:
            self.stash.change(scene, **fields)
        self.mark(*scenes)

    def mark(self, *ids: int, kind: str = "scene") -> None:
        """Put marks, as hooks do."""
        for id in ids:
            inbox.put(self.data_dir, {"kind": kind, "id": id})

    # time

    def step(self) -> Step:
        """One step now."""
        return self.session.step(self.clock.now)

    def settle(self, *scenes: int, within_s: float = 900.0) -> float:
        """Mark the scenes and run until all is quiet; returns the seconds it took on the virtual clock."""
        self.mark(*scenes)
        return self.run(within_s)

    def run(self, within_s: float = 900.0) -> float:
        """Step until nothing is marked, queued or in the way; scenes may still wait for a time of their own."""
        began = self.clock.now
        self.run_until(lambda step: step.rest_s > 0 and not step.state and not self.ready(), within_s)
        return self.clock.now - began

    def run_until(self, done: Callable[[Step], bool], within_s: float) -> Step:
        """Step, resting as long as each step says, until ``done``; fails after ``within_s`` virtual seconds."""
        until, spins = self.clock.now + within_s, 0
        while True:
            step = self.step()
            if done(step):
                return step
            spins += 1
            assert self.clock.now < until and spins < SPINS, f"not within {within_s} s: {step}, {self.numbers()}"
            self._rest(step, until)

    def run_for(self, seconds: float) -> None:
        """Let that much time pass."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            self._rest(self.step(), until)

    def _rest(self, step: Step, until: float) -> None:
        due = self.session.store.next_due()
        wake = min(step.rest_s, math.inf if due is None or step.state else due - self.clock.now, 60.0)
        if step.rest_s > 0:
            self.clock.now = min(until, self.clock.now + max(0.05, wake))

    # what is remembered

    def ready(self) -> int:
        """Marks unread and scenes queued; requests are for `worker.loop`."""
        return marks.count(self.data_dir) - self.session.ingest.unaccepted + self.session.queue.scenes

    def numbers(self) -> dict[str, Any]:
        """What waits, what is given up, what is queued, and why."""
        return {**self.session.store.numbers(), "ready": self.ready(), "state": self.session.state}

    def dead(self) -> dict[int, dict[str, Any]]:
        """Dead letters by scene."""
        return {letter["scene"]: letter for letter in self.session.store.dead_letters(10_000)}

    def next_due_s(self) -> float | None:
        """In how many seconds the first of the waiting scenes is due, None when none waits."""
        due = self.session.store.next_due()
        return None if due is None else due - self.clock.now

    def uncharged(self, *scenes: int) -> bool:
        """Whether nothing is held against the scenes: no attempt, no wait, no dead letter."""
        store = self.session.store
        return not (store.begun(scenes) or store.waits(scenes) or set(scenes) & set(self.dead()))

    def puts(self, scene: int | None = None) -> int:
        """How many PUTs Plex took, for this scene or in all."""
        wanted = None if scene is None else self.keys[scene]
        return sum(1 for r in self.plex.requests() if r.method == "PUT" and wanted in (None, r.args.get("id")))

    # the promise

    def shown(self, scene: int) -> dict[str, Any]:
        """What Plex shows of the scene, lists without case and order."""
        return _comparable(self.item(scene))

    def wanted(self, scene: int) -> dict[str, Any]:
        """What Plex should show of a scene that has a title and belongs to nobody else's collections."""
        row = self.stash.scene(scene)
        studio, director = _clean(row["studio"]), _clean(row["director"])
        return _comparable(
            {
                "title": _clean(row["title"]),
                "studio": studio,
                "summary": row["details"],
                "tagline": _clean(row["code"]),
                "originallyAvailableAt": (row["date"] or "") + {4: "-01-01", 7: "-01"}.get(len(row["date"] or ""), ""),
                "actors": row["performers"],
                "genres": row["tags"],
                "directors": [director] if director else [],
                "collections": [studio] if studio else [],
            }
        )

    def differing(self, *scenes: int) -> dict[int, Any]:
        """Scenes that Plex shows otherwise than Stash has them; none is the promise kept."""
        pairs = {scene: (self.shown(scene), self.wanted(scene)) for scene in scenes or self.keys}
        return {scene: pair for scene, pair in pairs.items() if pair[0] != pair[1]}


def _comparable(values: dict[str, Any]) -> dict[str, Any]:
    lists = {name: sorted({_clean(tag).casefold() for tag in values[name]} - {""}) for name in SHOWN_LISTS}
    assert all(len(values[name]) == len(lists[name]) for name in SHOWN_LISTS if "key" in values), "a tag is there twice"
    return {**{name: values[name] for name in SHOWN_SCALARS}, **lists}


def _clean(text: str | None) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text or "")).strip()
