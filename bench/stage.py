"""What the demo plays on: a Stash and a Plex that remember, 25 scenes in both, and the real plugin between them.

The doubles live in this process, so that whatever ends it takes them along. What is shown runs as it does at home:
Stash runs the launcher's script at each save, starts `Stash2Plex.py` as a process when that asks for it, and speaks to
it by pipes and HTTP only.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.picture import jpeg
from plex.projection import project
from stash.client import StashClient
from tests.doubles.plex_server import PlexDouble
from tests.doubles.stash_server import StashDouble
from tests.processes.world import copy_of_plugin
from validation.scene import Scene
from validation.settings import Settings

TOKEN = "demo-token"
PLUGIN = "Stash2Plex"
LOOK_S = 0.01
PATIENCE_S = 30.0

TITLES = (
    "Harbour at Dawn", "The Long Bridge", "Paper Lanterns", "North of the River", "A Quiet Room", "Salt and Stone",
    "The Last Ferry", "Morning Market", "Blue Hour", "Seven Windows", "The Glass House", "Winter Garden",
    "Across the Dunes", "Second Floor", "The Night Train", "Low Tide", "Orchard Road", "The Red Umbrella", "Halfway",
    "Under the Arches", "Summer Rain", "The Clock Tower", "Open Water", "Copper Street", "Homecoming",
)  # fmt: skip
STUDIOS = ("North Light", "Lantern Hill", "Quayside")
PERFORMERS = ("Ada Vale", "Ben Ortiz", "Cleo Marsh", "Dan Okoro", "Eve Lind", "Finn Abel")
TAGS = ("Outdoor", "City", "Night", "Classic", "Sea", "Interview", "Short", "Favourite")
SCALARS = ("title", "studio", "summary", "tagline", "originallyAvailableAt")
LISTS = {"actor": "actors", "genre": "genres", "director": "directors", "collection": "collections"}
PICTURES = {"poster": "posters", "background": "arts"}


class Late(Exception):
    """Something did not come in time."""


class Stage:
    """Both doubles and what the story does with them. ``keys`` leads from a scene's id to its item in Plex."""

    def __init__(self, stash: StashDouble, plex: PlexDouble) -> None:
        self.stash, self.plex = stash, plex
        self.killed = 0
        self._truth = StashClient(stash.url)
        section = plex.add_section("Movies", ["/media"])
        self.keys = {self._add_scene(n): self._add_item(section, n) for n in range(1, len(TITLES) + 1)}
        stash.configure(PLUGIN, {"plex_url": plex.url, "plex_token": TOKEN})

    def item(self, scene: str) -> dict[str, Any]:
        """What Plex shows of this scene, by Plex's names; lists are lists of names, pictures the SHA-1 of uploads."""
        found = self.plex.item(self.keys[scene])
        pictures = {name: _chosen(found[gallery]) for name, gallery in PICTURES.items()}
        return {**{name: found[LISTS.get(name, name)] for name in (*SCALARS, *LISTS)}, **pictures}

    def wanted(self) -> dict[str, dict[str, Any]]:
        """What Plex should show of each scene: the projection of what Stash answers now."""
        wanted = {}
        for id, scene in self._truth.scenes([int(key) for key in self.keys]).items():
            if not isinstance(scene, Scene):
                raise scene
            projection = project(scene, Settings())
            lists = {kind: list(tags) for kind, tags in projection.lists.items()}
            wanted[str(id)] = {**projection.scalars, **lists, **dict.fromkeys(PICTURES, self.cover(str(id)))}
        return wanted

    def cover(self, scene: str) -> str:
        """The SHA-1 of the scene's cover in Stash."""
        content = self.stash.library.scene(scene).cover or b""
        return hashlib.sha1(content, usedforsecurity=False).hexdigest()

    def with_cover(self) -> int:
        """How many items in Plex show their scene's cover, as poster and as background."""
        items = {scene: self.item(scene) for scene in self.keys}
        return sum({item[name] for name in PICTURES} == {self.cover(scene)} for scene, item in items.items())

    def differing(self) -> list[str]:
        """The scenes that Plex does not show as it should; the order of tags does not count."""
        wanted = self.wanted()
        return [id for id in self.keys if id not in wanted or _sorted(wanted[id]) != _sorted(self.item(id))]

    def ids(self, kind: str, *names: str) -> list[str]:
        """Stash's ids of these tags, performers or studios."""
        return [self.stash.id_of(kind, name) for name in names]

    def saved(self, scene: str, **fields: Any) -> tuple[float, float]:
        """Save a scene in Stash; returns the seconds until Stash answered and until Plex showed it."""
        at = time.monotonic()
        self.stash.save(scene, **fields)
        answered = time.monotonic() - at
        until(lambda: scene not in self.differing(), f"scene {scene} to arrive in Plex")
        return answered, time.monotonic() - at

    def bulk_edit(self, scenes: list[str], **fields: Any) -> threading.Thread:
        """Start one bulk edit in Stash, which goes on while the story does something else."""

        def edit() -> None:
            with suppress(OSError, http.client.HTTPException):  # Stash is gone: somebody ended the demo
                self.stash.bulk_save(scenes, **fields)

        thread = threading.Thread(target=edit, daemon=True)
        thread.start()
        return thread

    def hooks(self) -> list[Any]:
        """The processes that hooks needed, as the Stash double remembers them."""
        return [ran for ran in self.stash.processes if ran.trigger in ("mark", "wake")]

    def workers(self, alive: bool = False) -> list[Any]:
        """The worker processes that were ever started, or those that live."""
        started = [ran for ran in self.stash.processes if ran.trigger == "worker"]
        return [ran for ran in started if ran.exit_code is None] if alive else started

    def kill_worker(self) -> int:
        """End the worker at once, without a chance to tidy up; returns its process id."""
        worker = self.workers(alive=True)[-1]
        with suppress(ProcessLookupError):
            os.kill(worker.pid, getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows ends a process by either
        until(lambda: worker.exit_code is not None, "the worker to die")
        self.killed += 1
        return int(worker.pid)

    def log(self) -> list[tuple[str, str]]:
        """The plugin's lines in Stash's log so far, as (level, text), without those for fault finding."""
        lines = list(self.stash.log)
        return [(level, text) for level, plugin, text in lines if plugin == PLUGIN and level not in ("debug", "trace")]

    def _add_scene(self, number: int) -> str:
        return self.stash.add_scene(
            path=f"/data/clip-{number:02}.mp4",
            size=1_000_000 + number,
            title=TITLES[number - 1],
            date=f"2023-{number % 12 + 1:02}-{number:02}",
            studio=STUDIOS[number % 3],
            performers=[PERFORMERS[number % 6], PERFORMERS[(number + 2) % 6]],
            tags=[TAGS[number % 5]],
            details=f"What happens in {TITLES[number - 1]}.",
            cover=jpeg(number),
        )

    def _add_item(self, section: str, number: int) -> str:
        file, size = f"/media/clip-{number:02}.mp4", 1_000_000 + number
        return self.plex.add_item(section, file=file, size=size, title=f"clip-{number:02}")


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Everything set up in this folder, and gone again afterwards, worker included."""
    before, plugin = os.environ.get("STASH_PLUGIN_DATA"), copy_of_plugin(folder / "plugins")
    os.environ["STASH_PLUGIN_DATA"] = str(plugin / "data")  # its usual place, whatever the environment says
    (folder / "stash").mkdir()
    try:
        with PlexDouble(token=TOKEN) as plex:
            with StashDouble([plugin], python=sys.executable, config_dir=str(folder / "stash")) as stash:
                for kind, names in (("studio", STUDIOS), ("performer", PERFORMERS), ("tag", TAGS)):
                    for name in names:
                        stash.create(kind, name)
                yield Stage(stash, plex)
    finally:
        if before is None:
            del os.environ["STASH_PLUGIN_DATA"]
        else:
            os.environ["STASH_PLUGIN_DATA"] = before


def until(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> float:
    """Wait for a condition; returns the seconds it took, raises Late when it never came."""
    at = time.monotonic()
    while not condition():
        if time.monotonic() - at > patience_s:
            raise Late(f"waited {patience_s:.0f} s in vain for {what}")
        time.sleep(LOOK_S)
    return time.monotonic() - at


def picture_field(content: bytes) -> str:
    """A picture as Stash's edit page sends it."""
    return "data:image/jpeg;base64," + base64.b64encode(content).decode()


def _chosen(gallery: list[dict[str, Any]]) -> str:
    """The name of the upload that is shown, which in Plex is the SHA-1 of its bytes; "" when it is no upload."""
    chosen = [row["ratingKey"] for row in gallery if row["selected"]]
    return chosen[0].rpartition("/")[2] if chosen and chosen[0].startswith("upload://") else ""


def _sorted(values: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(value) if isinstance(value, list) else value for name, value in values.items()}
