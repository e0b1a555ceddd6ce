"""Stash restarts, is set up or migrated, or loses its database: the worker waits or leaves, and nothing is lost."""

from __future__ import annotations

import signal

import pytest

from sync_queue import inbox, lease
from tests.processes.world import PLUGIN, copy_of_plugin
from tests.waiting import until

SOON = "SETTINGS_IDLE_S = SETTINGS_BUSY_S = 0.2\nSTASH_AGAIN_S = 0.2"
PANIC = "nil pointer dereference"


def quick(tmp_path):
    """A copy of the plugin that looks at Stash several times a second, so that its waits take no time."""
    return copy_of_plugin(tmp_path / "plugins", worker__session=SOON, worker__gate="STASH_PAUSE_S = 0.2")


def gone(world, record):
    until(lambda: record.exit_code is not None and not lease.held(world.data), what="the worker to leave")


def ready(world):
    return until(world.worker, what="a worker")


# a restart


def bring_page(world):
    assert world.stash.load_page().asked


def bring_save(world):
    world.stash.save("10", code="after the restart")


@pytest.mark.parametrize(("end", "bring"), [("stop", bring_page), ("kill", bring_page), ("stop", bring_save)])
def test_a_restart_of_stash_with_work_queued_loses_none_of_it(world, end, bring):
    world.plex.latency_s = 0.15  # so that it is in the middle of it
    ids = list(world.keys)
    world.stash.bulk_save(ids, code="before the restart")
    record = ready(world)
    until(lambda: not world.marks() and world.plex.count("PUT"), what="the work to begin")
    getattr(world.stash, end)()
    gone(world, record)
    assert world.differences()
    world.plex.latency_s = 0.0
    world.stash.start()
    bring(world)
    world.synced()
    assert world.errors() == [] and world.worker().pid != record.pid


# set up or migrated


@pytest.mark.parametrize(("status", "sign"), [("NEEDS_MIGRATION", PANIC), ("SETUP", "is missing: changes are kept")])
def test_a_worker_waits_while_stash_has_no_database_and_then_goes_on(build, tmp_path, status, sign):
    """In SETUP Stash does not even know our settings."""
    world = build(plugin=quick(tmp_path))
    ids = world.seed(6)
    settings = dict(world.stash.core.settings[PLUGIN])
    world.stash.save(ids[0], code="X")
    world.synced(only=ids[:1])
    record = ready(world)
    world.stash.set_status(status)
    for id in ids:
        world.stash.change(id, title=f"After {id}")
        inbox.put(world.data, {"kind": "scene", "id": int(id)})
    until(lambda: world.logged(sign) and not world.marks(), what="the worker to notice")
    done = world.status()
    assert (done["queued"] > 0, done["dead_letters"], done["waiting"]) == (True, {}, {})
    assert (world.living, world.plex.count("PUT")) == ([record], 1)
    world.stash.set_status("OK")
    world.synced()
    assert (world.living, world.errors()) == ([record], [])
    assert settings.items() <= world.stash.core.settings[PLUGIN].items()
    world.kill_worker(signal.SIGTERM)
    assert (world.rows("waiting"), world.rows("dead_letters")) == ([], [])


def test_a_page_of_a_stash_that_is_to_be_migrated_starts_a_worker_that_waits(build, tmp_path):
    """Its pages are loaded too, with the scripts of plugins."""
    world = build(plugin=quick(tmp_path))
    ids = world.seed(3)
    world.stash.save(ids[0], code="X")
    world.synced(only=ids[:1])
    record = ready(world)
    world.stash.kill()
    gone(world, record)
    for id in ids:
        world.stash.change(id, code="before the update")
    world.stash.set_status("NEEDS_MIGRATION")
    world.stash.start()
    bring_page(world)
    successor = ready(world)
    until(lambda: world.logged(PANIC), what="the worker to ask")
    world.stash.set_status("OK")
    world.synced()
    assert world.living == [successor] and world.errors() == []


# another database


def lose(world, count):
    """Stash begins anew with other files: the ids are those of the old scenes, in another order. Ids by number."""
    world.stash.lose_database()
    old, world.keys = dict(world.keys), {}
    for number in range(100 + count, 100, -1):
        world.add(number, details=f"New {number}", tags=["new"])
    assert set(world.keys) <= set(old)
    return old


def shown(world, keys):
    return {key: world.plex.item(key) for key in keys}


def test_a_stash_that_lost_its_database_sends_nothing_of_new_scenes_to_the_items_of_old_ones(build, tmp_path):
    world = build(plugin=quick(tmp_path))
    ids = world.seed(8)
    for id in ids:
        world.stash.save(id, code="old", tag_ids=[])
    world.synced()
    world.plex.latency_s = 0.05
    world.stash.bulk_save(ids, director="queued when it happened")
    record = ready(world)
    until(lambda: not world.marks(), what="the marks to be taken")
    world.stash.kill()
    gone(world, record)
    world.plex.latency_s = 0.0
    old = lose(world, 5)
    before = shown(world, old.values())
    world.stash.start()
    bring_page(world)
    world.stash.bulk_save(list(world.keys), code="new")
    world.synced()
    assert shown(world, old.values()) == before
    assert {world.plex.item(key)["summary"] for key in world.keys.values()} == {f"New {n}" for n in range(101, 106)}
    assert world.errors() == []


def test_a_database_that_is_lost_under_a_living_worker_confuses_it_no_more(build, tmp_path):
    world = build(plugin=quick(tmp_path))
    ids = world.seed(8)
    for id in ids:
        world.stash.save(id, code="old")
    world.synced()
    record = ready(world)
    old = lose(world, 5)
    before = shown(world, old.values())
    world.stash.bulk_save(list(world.keys), code="new")
    world.synced()
    assert shown(world, old.values()) == before
    assert (world.living, world.errors()) == ([record], [])


def test_a_database_that_is_made_anew_from_the_same_files_gives_each_item_its_own_scene(build, tmp_path):
    world = build(plugin=quick(tmp_path))
    for id in world.seed(8):
        world.stash.change(id, tags=["old"], code="old")
    assert world.run_task("Sync All Scenes")["error"] is None
    world.synced()
    items = {name: world.keys[name] for name in world.keys}
    world.stash.lose_database()
    world.keys = {}
    for number in range(8, 0, -1):  # scene 1 has the file of what was scene 8
        id = world.add(number, in_plex=False, details=f"New {number}", tags=["new"])
        world.keys[id] = items[str(number)]
    world.stash.bulk_save(list(world.keys), code="new")
    world.synced()
    assert {tuple(world.plex.item(key)["genres"]) for key in items.values()} == {("new",)}
    assert world.errors() == []


def test_work_for_scenes_that_are_no_more_is_done_with(build, tmp_path):
    world = build(plugin=quick(tmp_path))
    ids = world.seed(8)
    world.configure(enabled=False)
    world.stash.bulk_save(ids, code="never sent")
    ready(world)
    until(lambda: not world.marks(), what="the marks to be taken")
    until(lambda: world.logged("now show their defaults"), what="the defaults to be written")  # and not over ours
    world.stash.lose_database()
    world.keys = {}
    world.configure()
    until(lambda: world.status()["queued"] == 0, what="the queue to be empty")
    done = world.status()
    assert (done["dead_letters"], done["waiting"]) == ({}, {})
    assert world.plex.count("PUT") == 0 and world.errors() == []
