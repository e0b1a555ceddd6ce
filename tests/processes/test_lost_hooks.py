"""Hooks that never ran: what they would have said is found by the scenes' own dates."""

from __future__ import annotations

import os
import signal

from sync_queue import lease
from tests.processes.world import copy_of_plugin
from tests.waiting import until


def test_a_bulk_edit_whose_client_leaves_converges_at_the_next_wake_up(build):
    world = build()
    ids = world.seed(60)
    world.stash.save(ids[0], code="X")
    world.synced(only=ids[:1])
    world.kill_worker(signal.SIGTERM)

    edit = "mutation($i:BulkSceneUpdateInput!){bulkSceneUpdate(input:$i){id}}"
    world.stash.gql(edit, {"i": {"ids": ids, "code": "bulk", "director": "D"}}, drop_after=0.05)
    hooks = until(lambda: quiet(world), what="the hooks to end")
    assert len(hooks) < len(ids)  # the rest never ran
    world.stash.save(ids[-1], title="the next wake-up")
    world.synced()
    assert {world.plex.item(key)["tagline"] for key in world.keys.values()} == {"bulk"}
    assert world.errors() == []


def quiet(world):
    hooks = [record for record in world.stash.processes if record.trigger == "mark"]
    return hooks if all(record.exit_code is not None for record in hooks) else None


def test_edits_that_fire_no_hook_are_found_at_the_next_wake_up(build):
    world = build()
    ids = world.seed(20)
    world.stash.save(ids[0], code="X")
    world.synced(only=ids[:1])
    world.kill_worker(signal.SIGTERM)
    for id in ids:
        world.stash.change(id, tags=["auto-tagged"])  # as Stash's own auto-tag does
    assert not lease.held(world.data)
    world.stash.save(ids[1], code="Y")
    world.synced()


def test_a_hook_that_stash_kills_leaves_its_scene_to_the_next_wake_up(build):
    world = build()
    ids = world.seed(3)
    world.stash.save(ids[0], code="X")
    world.synced(only=ids[:1])
    world.kill_worker(signal.SIGTERM)
    world.stash.hooks_enabled = False
    world.stash.save(ids[1], code="Y")
    world.stash.hooks_enabled = True
    world.stash.save(ids[2], code="Z")
    world.synced()


# Kills the process as often as the file says; each kill takes one point of its sweep away.
DYING = """
import os as _os, signal as _signal, time as _time
_data = _os.environ.get("STASH_PLUGIN_DATA", "")
_left = _os.path.join(_data, "kills")
def _die_at(point):
    try:
        with open(_left, encoding="utf-8") as file:
            points = file.read().split()
    except OSError:
        return
    if points[:1] == [point]:
        with open(_left + ".new", "w", encoding="utf-8") as file:
            file.write(" ".join(points[1:]))
        _os.replace(_left + ".new", _left)  # whoever looks sees the whole file
        _os.kill(_os.getpid(), getattr(_signal, "SIGKILL", _signal.SIGTERM))
        _time.sleep(60)  # another thread may take the signal, and this one come to the next point meanwhile
"""
SMALL_PAGES = "PAGE_SCENES = 100"
WATCH = """
SETTLED_S = 0.5
_pages, _confirm = pages, Watch._confirm
def pages(stash, after):
    _die_at("before-the-query")
    for number, page in enumerate(_pages(stash, after)):
        _die_at("before-page-%d" % number)
        yield page
        _die_at("after-page-%d" % number)
def _confirm_and_die(self, *arguments):
    _die_at("before-the-announcement")
    _confirm(self, *arguments)
    _die_at("after-the-announcement")
Watch._confirm = _confirm_and_die
"""
STORE = """
_remember = Store.remember
def _remember_and_die(self, name, value):
    if name == "stash_updated_at":
        _die_at("before-the-cursor")
    _remember(self, name, value)
    if name == "stash_updated_at":
        _die_at("after-the-cursor")
Store.remember = _remember_and_die
"""
HOOK = """
_receive = receive
def receive(request):
    _die_at("hook")
    _receive(request)
"""


POINTS = ["before-the-query", "before-page-0", "after-page-1", "before-page-2"]
POINTS += ["before-the-announcement", "after-the-announcement", "before-the-cursor", "after-the-cursor"]


def test_a_bulk_edit_whose_hooks_are_all_killed_converges_though_workers_are_killed_at_each_point(build, tmp_path):
    appended = {"reconcile__watch": WATCH, "sync_queue__store": STORE, "hooks__receive": HOOK}
    dying = {name: DYING + text for name, text in appended.items()}
    world = build(plugin=copy_of_plugin(tmp_path / "plugins", **dying, reconcile__sweep=SMALL_PAGES))
    ids = world.seed(300)
    world.stash.save(ids[0], code="X")
    world.synced(only=ids[:1])
    world.kill_worker(signal.SIGTERM)
    kills = os.path.join(world.data, "kills")
    with open(kills, "w", encoding="utf-8") as file:
        file.write(" ".join(["hook"] * len(ids) + POINTS))

    world.stash.bulk_save(ids, code="lost")
    hooks = [record for record in world.stash.processes if record.trigger == "mark"][-len(ids) :]
    assert {record.exit_code for record in hooks} == {-signal.SIGKILL}
    assert (world.marks(), world.living, world.plex.count("PUT")) == ([], [], 1)

    started = len(world.workers)
    while os.path.getsize(kills):  # a killed worker is replaced, but not for ever
        world.stash.load_page()
        until(lambda: not (world.living and os.path.getsize(kills)), 60, "the next kill")
    world.synced()
    ends = lambda: [record.exit_code for record in world.workers[started:]]  # noqa: E731 - the last one may be dying
    until(lambda: ends().count(-signal.SIGKILL) == len(POINTS), what="a death at each point")
    assert world.plex.count("PUT") == len(ids) + 1
    assert world.errors() == []
