"""The library of the convergence storm: some scenes of every kind, in both doubles, and a worker whose clock can jump.

The plugin runs from a copy. Its entry file is reached through a small script that moves `time.time` by what a file
says; pauses that fit a night with Plex away are short in it, so that a storm of half a minute has many of them.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

from tests.processes.living import cover
from tests.processes.world import World, copy_of_plugin

# What is shorter than at people's homes. What a scene itself is charged with (policy.RETRY…) stays as it is.
HURRIED = {
    "worker/policy": {"BUSY_S": 1.0, "BUSY_SHORTEST_S": 0.3, "BUSY_LONGEST_S": 5.0},
    "worker/breaker": {"PROBE_FIRST_S": 0.2, "PROBE_LONGEST_S": 1.0, "BETWEEN_FAILURES_S": 0.1},
    "worker/ramp": {"RAMP_S": 2.0, "DOUBLING_S": 0.2},
    "worker/gate": {"REFUSED_S": 1.0, "STASH_PAUSE_S": 0.5},
    "worker/arrivals": {"NOTICE_NEW_S": 3.0},
    "reconcile/watch": {"SETTLED_S": 2.0},
    "worker/changes": {"SWEEP_S": 5.0, "AGAIN_S": 1.0},
    "worker/session": {"SETTINGS_IDLE_S": 2.0, "SETTINGS_BUSY_S": 1.0, "STASH_AGAIN_S": 1.0},
}
SHIFTED = '''"""The real entry file, in a process whose clock is off by what a file says."""
import sys
import time

plain_s, plain_ns = time.time, time.time_ns


def off_s():
    try:
        with open({clock!r}) as file:
            return float(file.read())
    except (OSError, ValueError):
        return 0.0


time.time = lambda: plain_s() + off_s()
time.time_ns = lambda: plain_ns() + int(off_s() * 1e9)
with open({entry!r}, "rb") as file:
    code = compile(file.read(), {entry!r}, "exec")
exec(code, {{"__name__": "__main__", "__file__": {entry!r}}})
'''
FOLDERS = 20
STUDIOS = ("Ardent", "Blue Door", "Comma, Inc.", "R&B", "Straße", "Échelle", "100% Film", "Kite's")
PERFORMERS = tuple(f"{first} {last}" for first in ("Ann", "Bea", "Cleo", "Dée", "Eva") for last in "ABCDEFGH")
TAGS = tuple(f"{colour} {thing}" for colour in ("red", "blue", "grün", "a,b") for thing in "abcdefghij")


def stormy_plugin(folder: Path) -> Path:
    """A copy of the plugin as described above; the file ``clock`` beside it tells by how many seconds it is off."""
    named = {module.replace("/", "__"): lines for module, lines in HURRIED.items()}
    made = copy_of_plugin(folder, **{name: _assigned(lines) for name, lines in named.items()})
    for module, lines in HURRIED.items():
        text = (made / f"{module}.py").read_text("utf-8")
        unknown = [name for name in lines if len(re.findall(rf"^{name}\b", text, re.MULTILINE)) < 2]
        assert not unknown, f"{module} knows no {unknown}"
    entry, manifest = made / "shifted.py", made / "Stash2Plex.yml"
    entry.write_text(SHIFTED.format(clock=str(folder / "clock"), entry=str(made / "Stash2Plex.py")), "utf-8")
    before = manifest.read_text("utf-8")
    manifest.write_text(before.replace('{pluginDir}/Stash2Plex.py"', '{pluginDir}/shifted.py"'), "utf-8")
    assert before != manifest.read_text("utf-8")
    return made


def _assigned(lines: dict[str, float]) -> str:
    return "\n".join(f"{name} = {value}" for name, value in lines.items())


class Library:
    """The world of a storm, with ``scenes`` scenes at the beginning, and what its happenings share.

    ``told`` is one line per happening; ``later`` are things that Plex has still to see. Whoever changes which files
    there are, or restarts Stash, holds ``layout``.
    """

    def __init__(self, world: World, plugin: Path, scenes: int, seed: int) -> None:
        self.world, self.stash, self.plex = world, world.stash, world.plex
        self.scenes, self.seed = scenes, seed
        self._clock_file = plugin.parent / "clock"
        self.sections = (world._section, self.plex.add_section("More", ["/media"]))
        self.layout = threading.Lock()
        self.told: list[str] = []
        self.later: list[Callable[[], object]] = []
        self.studios = set(STUDIOS)  # all that there ever were
        self.shelves: set[tuple[str, str]] = set()  # collections that people made, with the key of the item
        self._numbers = iter(range(scenes + 1, 1_000_000))
        self._names = iter(range(1, 1_000_000))

    # the beginning

    def fill(self) -> None:
        """Some of each kind: most with an item, some with two or none, with two files, or with nothing to say."""
        random = Random(f"{self.seed} library")
        for kind, names in (("studio", STUDIOS), ("performer", PERFORMERS), ("tag", TAGS)):
            self.stash.library.ensure_named(kind, names)
        self.world._clock.behind_s = 3_000.0
        key = ""
        for number in range(1, self.scenes + 1):
            key = self._one(number, random, key)
        self.world._clock.behind_s = 0.0
        rules = "/data => /media" if self.seed % 2 else ""
        self.world.configure(poll_interval="0.2", read_timeout=5, sync_rating=bool(self.seed % 2), path_rules=rules)

    def _one(self, number: int, random: Random, before: str) -> str:
        """The scene of this number; ``before`` and the result are the keys of the latest items."""
        path, size = self.path(number), 10_000 + number
        fields = {} if number % 30 == 11 else random_fields(random)
        picture = cover(f"{number}") if number % 3 == 0 else None
        scene = self.stash.add_scene(path=path, size=size, cover=picture, title=f"Title {number}", **fields)
        if number % 50 == 8:  # its item shows the scene before it too
            self._second_version(before, in_plex(path), size)
        elif number % 20 != 3:
            before = self.plex.add_item(self.sections[0], in_plex(path), size, title="a file")
        if number % 25 == 0:
            self.plex.add_item(self.sections[1], in_plex(path), size, title="a copy")
        if number % 40 == 5:
            second = path.replace(".mp4", " second.mp4")
            self.stash.library.new_file(self.stash.library.scene(scene), second, size + 500_000)
            self.plex.add_item(self.sections[0], in_plex(second), size + 500_000, title="the second file")
        return before

    def _second_version(self, key: str, path: str, size: int) -> None:
        state, item = self.plex._state, self.plex._find(key)
        with state.lock:
            item.section.unindex(item)
            item.files.append(state._media_file({"file": path, "size": size}))
            item.section.index(item)

    def path(self, number: int) -> str:
        return f"/data/folder {number % FOLDERS}/clip {number}.mp4"

    # what happenings ask for

    def number(self) -> int:
        """Of a scene that is new."""
        return next(self._numbers)

    def name(self, kind: str) -> str:
        """One that nobody has had yet."""
        name = f"New {kind} {next(self._names)}"
        if kind == "studio":
            self.studios.add(name)
        return name

    def tell(self, text: str) -> None:
        self.told.append(text)

    def shift(self, seconds: float, of_stash_too: bool) -> None:
        """From now on the clock of our processes is off by so much, and perhaps that of Stash."""
        text = self._clock_file.with_suffix(".new")
        text.write_text(str(seconds), "utf-8")
        os.replace(text, self._clock_file)
        self.world._clock.behind_s = -seconds if of_stash_too else 0.0

    def some_scenes(self, random: Random, most: int = 1, with_file: bool = False) -> list[str]:
        """As many of the scenes that there are."""
        with self.stash.core.lock:
            ids = [scene.id for scene in self.stash.library.scenes.values() if scene.files or not with_file]
        return random.sample(ids, min(most, len(ids)))

    def some_named(self, random: Random, kind: str) -> str:
        """The name of a performer, studio or tag; one that scenes have, or are given when a long storm left none."""
        with self.stash.core.lock:
            names = [one.name for one in self.stash.library.named[kind].values() if one.scene_ids]
        if names:
            return random.choice(names)
        new = self.name(kind)
        for scene in self.some_scenes(random, 20):
            self.stash.change(scene, **({"studio": new} if kind == "studio" else {f"{kind}s": [new]}))
        return new


def in_plex(path: str) -> str:
    """A path of Stash as Plex sees it."""
    return path.replace("/data", "/media", 1)


def random_fields(random: Random) -> dict[str, Any]:
    """What a scene may hold, with names; nearly always something to say."""
    number = random.randrange(1_000_000)
    return {
        "details": random.choice(["", f"Details {number}"]),
        "code": random.choice(["", f"C-{number}"]),
        "director": random.choice(["", "Dee", "Director, the"]),
        "date": random.choice([None, "2021", "2022-03", f"20{number % 24:02d}-0{1 + number % 9}-1{number % 10}"]),
        "rating100": random.choice([None, None, random.randint(1, 100)]),
        "studio": random.choice([None, *STUDIOS]),
        "performers": random.sample(PERFORMERS, random.randint(0, 3)),
        "tags": random.sample(TAGS, random.randint(0, 6)),
    }


def folds(names: Iterable[str]) -> set[str]:
    """Names as Plex compares them."""
    return {name.casefold() for name in names}
