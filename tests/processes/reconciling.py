"""What the tests of comparisons share: runs as they are kept, scenes of a certain age, renamed folders."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing

from tests.processes.world import PLUGIN

DAY_S = 86_400.0


def settle_down(world, worker_lives=True):
    """A worker lives and has synced scene 1, or there is none, nor will be."""
    if not worker_lives:
        world.stash.set_enabled(PLUGIN + "Launcher", False)
        return
    world.stash.save("1", code="X")
    world.synced(only=["1"])
    world.worker()


def run(world, name):
    """Run a task that has to succeed; its output. Its progress only grows, and ends with all."""
    ended = world.run_task(name)
    assert (ended["status"], ended["error"]) == ("FINISHED", None)
    assert ended["progress"] == sorted(ended["progress"]) and ended["progress"][-1] == 1
    return ended["output"]


def runs(world):
    """The runs that are kept, the newest first: what is told of them, and ``ended``."""
    with closing(sqlite3.connect(os.path.join(world.data, "stash2plex.db"))) as db:
        rows = db.execute("SELECT content, ended FROM runs ORDER BY id DESC").fetchall()
    return [{**json.loads(content), "ended": ended} for content, ended in rows]


def add_old(world, number, added_days, changed_days):
    """A scene that was added and changed so many days ago, with an item that shows nothing of it."""
    world._clock.behind_s = added_days * DAY_S
    scene = world.stash.add_scene(path=f"/data/scene {number}.mp4", size=10_000 + number, details="Old")
    world._clock.behind_s = changed_days * DAY_S + 60.0
    world.stash.change(scene, title=f"Changed {number}")
    world._clock.behind_s = 0.0
    world.keys[scene] = world.plex.add_item(world._section, f"/media/scene {number}.mp4", 10_000 + number)
    return scene


def rename_folder(world, scene):
    """Stash sees that a folder has another name, and fires no hook; Plex sees one item less and another one more."""
    path, size = f"renamed/scene {scene}.mp4", 10_000 + int(scene)
    world.stash.move_file(scene, f"/data/{path}", with_folder=True)
    world.stash.wait_job(world.stash.scan())
    world.plex.remove_item(world.keys[scene])
    world.keys[scene] = world.plex.add_item(world._section, f"/media/{path}", size, title="a file")
