"""A Stash with a login: the hook's cookie, or Stash's API key, opens it for the worker."""

from __future__ import annotations

import os

import pytest

from tests.canaries import API_KEY, LOGIN
from tests.processes.world import copy_of_plugin
from tests.waiting import until

LAUNCH = 'mutation{runPluginOperation(plugin_id:"Stash2PlexLauncher")}'


@pytest.fixture
def locked(build):
    world = build(credentials=LOGIN)
    world.seed(3)
    return world


def test_a_save_reaches_plex_through_the_cookie_of_the_hook(locked):
    locked.stash.change("1", touch=False, studio="Before")
    locked.stash.save("1", code="X")
    locked.synced(only=["1"])
    assert not os.path.exists(os.path.join(locked.data, "cookie"))
    locked.stash.rename("studio", "Before", "Renamed")
    locked.synced(only=["1"])
    assert locked.errors() == []


def test_a_save_reaches_plex_through_the_api_key(locked):
    locked.stash.api_key = API_KEY
    locked.stash.save("1", code="X")
    locked.synced(only=["1"])
    assert locked.errors() == []


def test_a_successor_of_a_killed_worker_gets_a_cookie_of_its_own(locked):
    locked.stash.save("1", code="X")
    locked.synced(only=["1"])
    locked.kill_worker()
    locked.stash.save("2", code="Y")
    locked.synced(only=["1", "2"])


def test_a_worker_without_a_session_rests_until_a_task_has_one(build, tmp_path):
    """Started by hand, as through a JS plugin: its cookie logs nobody in, and no hook left it another."""
    world = build(plugin=copy_of_plugin(tmp_path / "plugins", worker__loop="REFUSED_S = 0.2"), credentials=LOGIN)
    world.seed(2)
    note = os.path.join(world.data, "resting")
    world.stash.sessions.issue, issue = lambda user: "nobody", world.stash.sessions.issue
    world.stash.gql(LAUNCH, cookie=issue(LOGIN[0]), drop_after=0.2)
    until(lambda: os.path.exists(note) and not world.living, what="the worker to rest")
    world.stash.sessions.issue = issue
    world.stash.save("1", code="X")
    assert (len(world.workers), len(world.marks())) == (1, 1)
    assert world.run_task("Process Queue")["error"] is None
    world.synced(only=["1"])
    assert not os.path.exists(note)


def test_the_tasks_work_with_a_login(locked):
    assert locked.run_task("Sync All Scenes")["output"]["done"] == {"synced": 3}
    assert locked.run_task("View Queue Status")["output"]["state"] == "ok"
    locked.stash.save("1", code="X")
    until(lambda: not locked.differences(), what="Plex to show the change")
