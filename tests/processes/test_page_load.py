"""A person opens Stash: whatever no hook and no task reminds of goes on, and nobody notices anything."""

from __future__ import annotations

import os
import signal
import time

import pytest

from sync_queue import lease
from tests.canaries import LOGIN
from tests.processes.world import PLUGIN, copy_of_plugin
from tests.waiting import until

LAUNCHER = "Stash2PlexLauncher"


def asked_for_a_worker(world):
    """How often a page did."""
    return len([r for r in world.stash.processes if (r.kind, r.trigger) == ("operation", "wake")])


def load(world, *tab, **options):
    """Load a page; neither the person nor Stash's log sees anything of what ours does."""
    start = len(world.stash.log)
    page = world.stash.load_page(*tab, **options)
    said = [text for level, _, text in world.stash.log[start:] if level in ("error", "warning")]
    # Stash says so of every request that is dropped, the launcher's too.
    assert (page.uncaught, page.said, set(said) - {"operation cancelled"}) == ([], [], set())
    return page


@pytest.fixture
def left_over(world):
    """Work that is queued, and no worker: the last one was killed over it."""
    world.plex.down()
    world.stash.save("1", title="New")
    until(lambda: world.worker() and not world.marks(), what="the mark to be taken")
    world.kill_worker()
    until(lambda: world.logged("signal: killed"), what="Stash to say so")
    world.plex.up()
    return world


@pytest.fixture
def quiet(world):
    """Nothing runs and nothing is to be done, but a page load that is none of the exceptions starts a worker."""
    os.makedirs(world.data)
    return world


def test_a_page_load_starts_a_worker_that_goes_on_with_what_is_left(left_over):
    load(left_over)
    left_over.synced(only=["1"])


def test_a_page_load_starts_a_worker_behind_a_path_prefix(left_over):
    page = load(left_over, left_over.stash.tab(prefix="/stash"))
    assert set(page.asked) == {"/stash/graphql"}
    left_over.synced(only=["1"])


def test_a_page_load_finds_what_hooks_lost(world):
    world.stash.save("1", code="X")
    world.synced(only=["1"])
    world.kill_worker(signal.SIGTERM)
    for id in world.keys:
        world.stash.change(id, tags=["auto-tagged"])
    load(world)
    world.synced()


def test_with_a_login_the_worker_gets_the_session_of_who_opened_the_page(build):
    world = build(credentials=LOGIN)
    world.seed(1)
    world.stash.save("1", code="X")
    world.synced()
    world.kill_worker(signal.SIGTERM)
    world.stash.change("1", title="Changed without a hook")
    load(world)
    world.synced()
    assert not os.path.exists(os.path.join(world.data, "cookie"))


def test_without_a_login_nothing_is_asked(build):
    world = build(credentials=LOGIN)
    world.seed(1)
    os.makedirs(world.data)
    page = load(world, cookie="")
    assert (page.login, page.asked, world.stash.processes) == (True, [], [])


@pytest.mark.parametrize("answer", [401, 403, 500, "drop"])
def test_an_answer_that_is_none_is_no_error(quiet, answer):
    """The page's own question for plugins is answered, ours is not."""
    faults = quiet.stash.faults
    take, count = faults.take, iter([None, answer])
    faults.take = lambda: next(count, None)
    page = load(quiet)
    faults.take = take
    assert (page.asked, asked_for_a_worker(quiet)) == (["/graphql"], 0)


def test_a_page_does_not_wait_for_a_stash_that_does_not_answer(quiet):
    quiet.stash.faults.latency_s = 0.3
    page = load(quiet, patience_s=0.1)
    assert page.asked == ["/graphql"]


def test_a_reload_within_minutes_asks_nothing_and_one_after_that_asks_again(quiet):
    tab = quiet.stash.tab()
    quiet.stash.load_page(tab)
    assert quiet.stash.load_page(tab).asked == []
    (name,) = tab.kept
    tab.kept[name] = str((time.time() - 300) * 1000)
    assert len(quiet.stash.load_page(tab).asked) == 2
    tab.kept[name] = str((time.time() + 300) * 1000)  # the clock was set back
    assert len(quiet.stash.load_page(tab).asked) == 2
    assert quiet.worker()


@pytest.mark.parametrize("options", [{"framed": True}, {"storage_blocked": True}])
def test_a_frame_and_a_browser_without_storage_ask_nothing(quiet, options):
    assert load(quiet, quiet.stash.tab(**options)).asked == []


def test_a_page_load_leaves_a_living_worker_alone(world):
    world.stash.save("1", code="X")
    record = world.worker()
    load(world)
    assert (asked_for_a_worker(world), world.workers) == (1, [record])


def test_a_page_load_lets_a_worker_rest(quiet):
    note = os.path.join(quiet.data, lease.RESTING)
    with open(note, "w") as file:
        file.write("{}")
    load(quiet)
    assert (asked_for_a_worker(quiet), quiet.living) == (1, [])
    os.utime(note, (time.time() - 700,) * 2)
    load(quiet)
    assert quiet.worker()


def test_a_plugin_that_was_never_used_gets_no_worker(world):
    load(world)
    assert (asked_for_a_worker(world), world.workers, os.path.exists(world.data)) == (1, [], False)


@pytest.mark.parametrize(("plugin", "asked"), [(PLUGIN, ["/graphql"]), (LAUNCHER, [])])
def test_a_disabled_plugin_is_not_called(quiet, plugin, asked):
    quiet.stash.set_enabled(plugin, False)
    assert load(quiet).asked == asked
    assert asked_for_a_worker(quiet) == 0


def test_a_launcher_that_starts_nothing_does_not_put_a_task_into_stash_s_queue(build, tmp_path):
    folder = copy_of_plugin(tmp_path / "plugins")
    (folder / "launcher" / "launch.js").write_text("(function () { return {Output: 'nothing'}; })();")
    world = build(plugin=folder)
    world.seed(1)
    os.makedirs(world.data)
    load(world)
    assert asked_for_a_worker(world) == 1
    assert not [record for record in world.stash.processes if record.kind == "task"]
