"""A new version over a running worker: the old one ends, the new one takes over, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
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
    with ThreadPoolExecutor(1) as person:
        saves = []

        def save_one(moment):
            started = len(world.stash.processes)
            saves.append(person.submit(world.stash.save, next(left), code=moment))
            until(lambda: len(world.stash.processes) > started or saves[-1].done(), what="the hook to start or not to")
            if moment != "writing":  # that one waits for the files that are missing
                saves[-1].result(60)

        install(build_other_zip(tmp_path, **NEW), plugins, pause=save_one)
        for save in saves:
            save.result(60)
    assert len(saves) == 4
    world.stash.plugins.reload()
    for id in left:
        world.stash.save(id, code="after")
    until(lambda: old.exit_code is not None, what="the old worker to end")
    world.synced()
    assert world.worker().pid != old.pid
    assert world.logged("Worker ends: the plugin was updated")
    assert world.logged("Worker NEW] Worker started")


@pytest.mark.parametrize("missing", ["stash/protocol.py", "sync_queue/lease.py"])
def test_a_hook_that_misses_a_module_waits_for_it(world, plugins, tmp_path, missing):
    """An update has written the entry file and not yet the rest."""
    ids = world.seed(1)
    module, aside, tried = plugins / "Stash2Plex" / missing, tmp_path / "aside", tmp_path / "tried"
    shutil.copy2(module, aside)
    module.write_text(f"open({str(tried)!r}, 'w').close()\nraise ImportError\n")
    with ThreadPoolExecutor(1) as person:
        save = person.submit(world.stash.save, ids[0], code="X")
        until(tried.exists, what="the hook to miss it")
        os.replace(aside, module)
        save.result(60)
    assert world.errors() == []
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
    assert "newer version of Stash2Plex" in str(ended["error"])
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (9999,)
        assert db.execute("SELECT x FROM of_the_future").fetchall() == [(1,)]
        assert db.execute("SELECT count(*) FROM sync_log WHERE scene = ?", (ids[0],)).fetchone() == (1,)
    assert not [name for name in os.listdir(world.data) if "corrupt" in name]
    assert not lease.held(world.data)
