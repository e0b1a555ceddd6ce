"""A Stash with a login: the hook's cookie, or Stash's API key, opens it for the worker."""

from __future__ import annotations

import os

import pytest

from tests.waiting import until

LOGIN = ("someone", "a password")


@pytest.fixture
def locked(build):
    world = build(credentials=LOGIN)
    world.seed(3)
    return world


def test_a_save_reaches_plex_through_the_cookie_of_the_hook(locked):
    locked.stash.save("1", code="X")
    locked.synced(only=["1"])
    assert not os.path.exists(os.path.join(locked.data, "cookie"))
    locked.stash.save("2", code="Y")
    locked.stash.rename("studio", locked.stash.scene("1")["studio"] or _studio(locked), "Renamed")
    locked.synced(only=["1", "2"])
    assert locked.errors() == []


def _studio(world):
    world.stash.change("1", studio="Before")
    return "Before"


def test_a_save_reaches_plex_through_the_api_key(locked):
    locked.stash.api_key = "an-api-key-of-stash"
    locked.stash.save("1", code="X")
    locked.synced(only=["1"])
    assert locked.errors() == []


def test_a_successor_of_a_killed_worker_gets_a_cookie_of_its_own(locked):
    locked.stash.save("1", code="X")
    locked.synced(only=["1"])
    locked.kill_worker()
    locked.stash.save("2", code="Y")
    locked.synced(only=["1", "2"])


def test_a_worker_without_any_session_rests_and_the_next_task_mends_it(locked):
    """Started by hand as a JS plugin would, with a cookie that logs nobody in."""
    locked.stash.save("1", code="X")
    locked.synced(only=["1"])
    locked.stash.sessions.max_age_s = 0.0  # every cookie has run out
    locked.stash.sessions.max_age_s = 3600.0
    locked.kill_worker()
    ended = locked.run_task("Sync All Scenes")
    assert ended["error"] is None
    assert locked.differences() == []


def test_the_tasks_work_with_a_login(locked):
    assert locked.run_task("Sync All Scenes")["output"]["done"] == {"synced": 3}
    assert locked.run_task("View Queue Status")["output"]["state"] == "ok"
    locked.stash.save("1", code="X")
    until(lambda: not locked.differences(), what="Plex to show the change")
