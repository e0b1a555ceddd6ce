"""The buttons on the task page, with and without a living worker."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing

import pytest
import yaml

from sync_queue import lease
from tests.processes.world import PLUGIN, ROOT
from tests.waiting import until

TASKS = [task["name"] for task in yaml.safe_load((ROOT / "Stash2Plex.yml").read_text("utf-8"))["tasks"]]
DOES = {
    "Process Queue": "sends what waits",
    "Sync All Scenes": "sends everything",
    "View Queue Status": "sends nothing",
}


@pytest.fixture(params=["with a worker", "without a worker"])
def worker_lives(request):
    return request.param == "with a worker"


def prepare(world, worker_lives):
    """Scene 1 synced once, by a worker that lives or has ended; then four edits that no hook reported."""
    world.stash.save("1", code="X")
    world.synced(only=["1"])
    if not worker_lives:
        world.kill_worker(signal.SIGTERM)
    for id in ("1", "2", "3", "4"):
        world.stash.change(id, touch=False, code=f"unheard {id}", studio="S")


def test_every_task_of_the_manifest_is_tested_here():
    assert set(TASKS) == set(DOES)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_ends_with_one_document_and_its_progress_is_seen(world, worker_lives, name):
    prepare(world, worker_lives)
    ended = world.run_task(name)
    assert (ended["status"], ended["error"]) == ("FINISHED", None)
    assert isinstance(ended["output"], dict)
    assert ended["output"]["state"] == "ok"
    assert ended["progress"]
    assert all(0 <= fraction <= 1 for fraction in ended["progress"])
    assert world.errors() == []
    if name == "Sync All Scenes":
        assert world.differences() == []
        assert sum(ended["output"]["done"].values()) >= 10  # scene 1 twice when its date is still young
    else:
        assert len(world.differences(["1", "2", "3", "4"])) >= 4


def test_process_queue_sends_what_waits(world, worker_lives):
    world.stash.save("1", code="X")
    world.synced(only=["1"])
    world.configure(enabled=False)
    world.run_task("Process Queue")  # a person did something: the settings are read at once
    world.stash.bulk_save(list(world.keys), code="Y")
    until(lambda: not world.marks(), what="the marks to be taken")
    if not worker_lives:
        world.kill_worker(signal.SIGTERM)
    world.configure()
    ended = world.run_task("Process Queue")
    assert ended["error"] is None
    assert (ended["output"]["queued"], ended["output"]["dead_letters"]) == (0, {})
    assert world.differences() == []
    assert ended["progress"] == sorted(ended["progress"])
    assert ended["progress"][-1] == 1


def test_process_queue_takes_marks_that_no_worker_saw(world):
    world.stash.set_enabled(PLUGIN + "Launcher", False)
    with open(os.path.join(_made(world.data), "asked"), "w", encoding="utf-8"):
        pass  # a task was asked for a moment ago: the hooks below only write marks
    world.stash.bulk_save(list(world.keys), code="Y")
    assert len(world.marks()) == 10
    ended = world.run_task("Process Queue")
    assert ended["output"]["done"] == {"synced": 10}
    assert (world.differences(), world.marks()) == ([], [])


def _made(folder):
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


def test_sync_all_repairs_what_drifted_in_plex(world, worker_lives):
    assert world.run_task("Sync All Scenes")["output"]["done"] == {"synced": 10}
    if worker_lives:
        world.stash.save("1", code="X")
        world.synced()
    other = world.plex.add_item(world._section, "/media/elsewhere.mp4", 1, title="a file")
    world.plex.remove_item(world.keys["2"])
    world.keys["2"] = other
    world.plex.move_item(other, "/media/scene 2.mp4")
    world.plex.remove_item(other)
    world.keys["2"] = world.plex.add_item(world._section, "/media/scene 2.mp4", 10_002, title="a file")
    ended = world.run_task("Sync All Scenes")
    assert ended["output"]["done"] == {"synced": 1, "unchanged": 9}
    assert world.differences() == []


@pytest.mark.parametrize("mode", ["frobnicate", "", "Process Queue", "worker.run"])
def test_an_unknown_mode_is_an_error_and_never_another_task(world, mode):
    ended = world.run_task(None, mode=mode)
    assert ended["error"].startswith("Unknown mode")
    assert "process_queue" in ended["error"]
    assert not lease.held(world.data)
    assert world.plex.requests() == []


def test_a_task_finishes_by_itself_when_its_worker_is_killed(world):
    world.stash.save("1", code="X")
    world.synced(only=["1"])
    record = world.worker()
    world.plex.latency_s = 0.15
    for id in world.keys:
        world.stash.change(id, touch=False, code="unheard")
    job = world.stash.run_task(PLUGIN, "Sync All Scenes")
    until(lambda: os.listdir(_made(os.path.join(world.data, "replies"))), what="the worker to take the task up")
    os.kill(record.pid, signal.SIGKILL)
    world.plex.latency_s = 0.0
    ended = world.stash.wait_job(job, 60)
    assert ended["error"] is None
    assert (ended["output"]["queued"], ended["output"]["state"]) == (0, "ok")
    assert world.differences() == []
    assert world.marks() == []


def test_a_task_that_is_cancelled_leaves_a_queue_that_goes_on(world):
    world.plex.latency_s = 0.15
    job = world.stash.run_task(PLUGIN, "Sync All Scenes")
    until(lambda: world.plex.count("PUT"), what="the first edit")
    world.stash.gql("mutation($j:ID!){stopJob(job_id:$j)}", {"j": job})
    assert world.stash.wait_job(job)["status"] == "CANCELLED"
    world.plex.latency_s = 0.0
    until(lambda: not lease.held(world.data), what="the task's process to be gone")
    world.stash.save("1", code="X")
    world.synced()


def test_status_changes_nothing(world, worker_lives):
    prepare(world, worker_lives)
    missing = world.add(99, in_plex=False, details="not in Plex")
    world.stash.save(missing, code="X")
    until(lambda: world.logged(f"Scene {missing} waits"), what="the scene to wait")
    if not worker_lives:
        until(lambda: world.living, what="a worker")
        world.stash.set_enabled(PLUGIN + "Launcher", False)  # else the task would see to it that somebody waits
        world.kill_worker(signal.SIGTERM)
    before = until(lambda: settled(world.data), what="the job to be acknowledged")
    first, second = world.status(), world.status()
    assert set(dump(world.data)) ^ set(before) == set()
    assert first == second
    assert first["waiting"] == {"missing": 1}


def settled(data):
    """The rows, once none is about to go."""
    rows = dump(data)
    return not any(row.startswith('INSERT INTO "ack_queue') for row in rows) and rows


def dump(data):
    """All rows of both databases; a reader does not disturb the worker that has them open."""
    rows = []
    for name in ("stash2plex.db", os.path.join("queue", "data.db")):
        with closing(sqlite3.connect(os.path.join(data, name))) as db:
            rows += db.iterdump()
    return rows
