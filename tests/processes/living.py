"""A world with a living worker that many tests share: each brings its own scenes, and settings of its own."""

from __future__ import annotations

import re

from tests.processes.world import PLUGIN, copy_of_plugin
from tests.waiting import until
from validation.settings import SWITCHES

SOON = "SETTINGS_IDLE_S = SETTINGS_BUSY_S = 0.05"
LINE = r"Scene {} (synced|unchanged|skipped|is given up|waits)"


def cover(text):
    """Bytes that Stash and Plex take for a picture."""
    return b"\xff\xd8\xff\xe0" + text.encode() * 50


# A scene that says something in every field.
FULL = {
    "details": "Details",
    "studio": "Studio",
    "code": "CODE-1",
    "date": "2024-02-03",
    "performers": ["Ann"],
    "tags": ["Blue"],
    "director": "Dee",
    "rating100": 80,
}


def quick_plugin(folder, **appended):
    """A copy of the plugin that looks at the settings at every step, and not twice a minute."""
    return copy_of_plugin(folder, worker__session=SOON, **appended)


class Living:
    """What tests see of such a world. Nothing is clicked in Stash: the worker finds the settings changed by itself."""

    def __init__(self, world):
        self.world, self.stash, self.plex = world, world.stash, world.plex
        self.section = world._section
        self._number = 0
        self._applied = 0
        world.seed(1)
        world.stash.save("1", code="X")
        world.synced()

    def scene(self, folder="", in_plex=True, **fields):
        """A scene that no hook told of, with the key of its item."""
        self._number += 1
        name, size = f"file {self._number}.mp4", 50_000 + self._number
        values = {**FULL, "title": f"Title {self._number}", "cover": cover(str(self._number)), **fields}
        scene = self.stash.add_scene(path=f"/data/{folder}{name}", size=size, **values)
        key = self.plex.add_item(self.section, f"/media/{name}", size, title="a file") if in_plex else ""
        return scene, key

    def apply(self, **settings):
        """Set all switches, and something that no other call sets: so every scene is compared anew."""
        self._applied += 1
        only_now = {"tag_exclude": f"number {self._applied}", "poll_interval": "0.1"}
        self.world.configure(**{**SWITCHES, **only_now, **settings})

    def judge(self, *scenes, **settings):
        """Apply these settings and wait until the scenes went through; what the log says became of each."""
        start = len(self.stash.log)
        self.apply(**settings)
        return [until(lambda id=id: self._said(id, start), what=f"scene {id} to go through") for id in scenes]

    def _said(self, scene, start):
        lines = [text for _, _, text in self.stash.log[start:]]
        anew = [number for number, text in enumerate(lines) if "all is compared anew" in text]
        if self._applied > 1 and not anew:
            return ""  # what was said so far is about the settings before
        found = (re.search(LINE.format(scene), text) for text in lines[anew[0] if anew else 0 :])
        return next((match.group(1) for match in found if match), "")

    def kept(self):
        """The settings that Stash keeps."""
        return dict(self.stash.core.settings[PLUGIN])
