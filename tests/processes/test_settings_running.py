"""Settings of the running worker: how often it looks, how often it tries, how long it keeps what it gave up."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from tests.processes.living import Living, quick_plugin
from tests.processes.world import PLUGIN
from tests.waiting import until

DAY_S = 86_400.0


def task(world, name):
    """Run a task to its end, which has to come before a worker that looks once a minute would look by itself."""
    ended = world.stash.wait_job(world.stash.run_task(PLUGIN, name), 30)
    assert ended["error"] is None
    return ended["output"]


def stays(world, **fields):
    """Save scene 2; whether nobody takes the change up for two seconds."""
    world.stash.save("2", **fields)
    try:
        until(lambda: not world.differences(["2"]), 2.0, "the change to be taken")
    except AssertionError:
        return True
    return False


@pytest.mark.proves("setting:poll_interval")
def test_the_worker_looks_for_changes_as_often_as_is_set_and_at_once_when_a_task_asks(world):
    world.configure(poll_interval="60")
    world.stash.save("1", code="X")
    world.synced(only=["1"])
    # The first one may come while the worker is not yet at rest.
    assert any(stays(world, code=f"X{number}") for number in range(4)), "a look once a minute leaves it lying"
    task(world, "View Queue Status")
    world.synced(only=["2"], timeout_s=30)
    world.configure(poll_interval=0.1)
    task(world, "Process Queue")
    world.stash.save("3", code="X")
    world.synced(only=["3"], timeout_s=30)
    assert len(world.workers) == 1


@pytest.mark.proves("setting:max_retries")
def test_a_scene_that_fails_for_reasons_of_its_own_is_tried_again_as_often_as_is_set(build, tmp_path):
    often = "RETRY_FIRST_S = RETRY_LONGEST_S = 0.05"
    living = Living(build(quick_plugin(tmp_path / "plugins", worker__policy=often)))
    living.plex.faults.add("status", times=None, method="POST", match="/posters", status=400)
    for most in (1, 3):
        scene, key = living.scene()
        living.apply(max_retries=most)
        until(lambda id=scene: living.world.logged(f"Scene {id} is given up"), what="the scene to be given up")
        assert living.plex.count("POST", f"/metadata/{key}/posters") == 1 + most


PURGE = pytest.param("Purge Old DLQ Entries", marks=pytest.mark.proves("task:purge_dead_letters"))


@pytest.mark.proves("setting:dlq_retention_days")
@pytest.mark.parametrize("name", ["Process Queue", PURGE])
def test_dead_letters_are_forgotten_when_they_are_older_than_is_set(build, name):
    world = build()
    world.stash.set_enabled(PLUGIN + "Launcher", False)
    world.seed(1)
    world.plex.move_item(world.keys["1"], "/media/a/scene 1.mp4")
    world.plex.add_item(world._section, "/media/b/scene 1.mp4", 10_001)
    assert task(world, "Sync All Scenes")["dead_letters"] == {"ambiguous": 1}
    for days, left in ((3, 1), (1, 0)):
        grow_old(world, 2 if left else 0)
        world.configure(dlq_retention_days=days)
        task(world, name)
        assert len(world.rows("dead_letters")) == left


def grow_old(world, days):
    """Let the dead letters be so many days older, and the last look for old ones too."""
    with closing(sqlite3.connect(os.path.join(world.data, "stash2plex.db"))) as db, db:
        db.execute("UPDATE dead_letters SET at = at - ?", (days * DAY_S,))
        db.execute("DELETE FROM facts WHERE name = 'purged_at'")
