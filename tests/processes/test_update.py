"""A new version over a running worker: the old one ends, the new one takes over, and nothing is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing

import pytest

from sync_queue import lease
from tests.processes.package_store import build_other_zip, build_zip, install
from tests.waiting import until

NEW = {"worker__session": 'COMPONENT = "Worker NEW"', "worker__serve": 'COMPONENT = "Worker NEW"'}


@pytest.fixture
def plugins(tmp_path):
    return tmp_path / "plugins" / "a source"


@pytest.fixture
def world(build, tmp_path, plugins):
    install(build_zip(tmp_path), plugins)
    return build(plugin=plugins)


def test_an_update_from_the_source_loses_nothing(world, plugins, tmp_path):
    ids = world.seed(16)
    world.stash.save(ids[0], code="X")
    old = world.worker()
    until(lambda: world.logged("Worker started"), what="the worker to serve")
    world.plex.latency_s = 0.02  # so that the old one is in the middle of something
    world.stash.bulk_save(ids[:8], code="before")
    left = iter(ids[8:])
    in_window = []

    def save_one(moment):
        in_window.append(next(left))
        world.stash.save(in_window[-1], code=moment)

    install(build_other_zip(tmp_path, **NEW), plugins, pause=save_one)
    world.stash.plugins.reload()
    for id in left:
        world.stash.save(id, code="after")
    until(lambda: old.exit_code is not None, what="the old worker to end")
    world.synced()
    assert len(in_window) == 4
    assert world.worker().pid != old.pid
    assert world.logged("Worker ends: the plugin was updated")
    assert world.logged("Worker NEW] Worker started")


def test_a_hook_that_misses_a_module_waits_for_it(world, plugins, tmp_path):
    """An update has written the entry file and not yet the rest."""
    ids = world.seed(1)
    protocol = plugins / "Stash2Plex" / "stash" / "protocol.py"
    lease_module = plugins / "Stash2Plex" / "sync_queue" / "lease.py"
    hidden = {path: path.with_suffix(".hidden") for path in (protocol, lease_module)}
    for path, aside in hidden.items():
        path.rename(aside)
    job = world.stash.run_task("Stash2Plex", "View Queue Status", {})
    until(lambda: any(record.kind == "task" for record in world.stash.processes), what="the task to start")
    for path, aside in hidden.items():
        aside.rename(path)
    assert world.stash.wait_job(job, 60)["error"] is None
    world.stash.save(ids[0], code="X")
    world.synced()


def test_a_database_of_a_newer_version_is_left_as_it_is(world, plugins):
    """Somebody went back to an older version of the plugin."""
    ids = world.seed(2)
    world.stash.save(ids[0], code="X")
    world.synced(only=[ids[0]])
    world.stash.set_enabled("Stash2PlexLauncher", False)
    world.kill_worker(signal.SIGTERM)
    path = os.path.join(world.data, "stash2plex.db")
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE of_the_future (x)")
        db.execute("INSERT INTO of_the_future VALUES (1)")
        db.execute("PRAGMA user_version = 9999")
        db.commit()
    ended = world.run_task("Process Queue")
    assert "newer version" in str(ended["error"])
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (9999,)
        assert db.execute("SELECT x FROM of_the_future").fetchall() == [(1,)]
        assert db.execute("SELECT count(*) FROM sync_log").fetchone() == (1,)
    assert not [name for name in os.listdir(world.data) if "corrupt" in name]
    assert not lease.held(world.data)
