"""The buttons on the task page, with and without a living worker."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest
import yaml

from sync_queue import inbox, lease
from tests.processes.world import PLUGIN, ROOT
from tests.waiting import until

TASKS = [task["name"] for task in yaml.safe_load((ROOT / "Stash2Plex.yml").read_text("utf-8"))["tasks"]]
LAUNCHER = PLUGIN + "Launcher"


def run(world, name, **args):
    """Run a task that has to succeed; its output."""
    ended = world.run_task(name, **args)
    assert (ended["status"], ended["error"]) == ("FINISHED", None)
    assert all(0 <= fraction <= 1 for fraction in ended["progress"]) and ended["progress"][-1] == 1
    return ended["output"]


def change_unheard(world, *ids, **fields):
    """What was changed while no hook ran, and is behind the sweep's cursor."""
    for id in ids:
        world.stash.change(id, touch=False, **fields)


def put_marks(world, *ids):
    """What hooks would have left, without waking anybody."""
    for id in ids:
        inbox.put(world.data, {"kind": "scene", "id": int(id)})


class Played:
    """One world through which every task goes in turn; each step sees what the ones before it left."""

    def __init__(self, world):
        self.world = world
        self.missing = world.add(90, in_plex=False, details="not in Plex")
        self.double = world.add(91, in_plex=False, details="twice in Plex")
        self.items = [
            world.plex.add_item(world._section, f"/media/{folder}/scene 91.mp4", 10_091, title="a file")
            for folder in ("a", "b")
        ]
        world.stash.save("1", code="X")
        world.stash.save(self.missing, code="X")
        world.stash.save(self.double, code="X")
        world.synced(only=["1"])
        until(lambda: world.logged(f"Scene {self.missing} waits"), what="the scene to wait")
        until(lambda: world.logged(f"Scene {self.double} is given up"), what="the dead letter")

    def view_queue_status(self):
        before, asked = settled(self.world.data), self.world.plex.count()
        status = run(self.world, "View Queue Status")
        assert set(dump(self.world.data)) == set(before)
        assert (status["state"], status["waiting"], status["dead_letters"]) == ("ok", {"missing": 1}, {"ambiguous": 1})
        assert self.world.plex.count() == asked
        assert self.world.logged(f"Scene {self.missing} waits until") and self.world.logged(" (in ")

    def outage_summary(self):
        before, asked = settled(self.world.data), self.world.plex.count()
        output = run(self.world, "Outage Summary")
        assert (output["state"], output["outages"], output["breaker"]["state"]) == ("ok", [], "closed")
        assert set(dump(self.world.data)) == set(before) and self.world.plex.count() == asked
        assert self.world.logged("Plex was never away")

    def explain_scene(self):
        change_unheard(self.world, "2", studio="S")
        before, sent = settled(self.world.data), self.world.plex.count("PUT")
        assert run(self.world, "Explain Scene", scene_id=2)["changes"]
        assert self.world.logged("studio: from nothing to S")
        assert self.world.run_task("Explain Scene")["error"].startswith("Operation explain_scene needs")
        assert "no argument 'force'" in self.world.run_task("Explain Scene", scene_id="2", force="yes")["error"]
        assert set(dump(self.world.data)) == set(before) and self.world.plex.count("PUT") == sent

    def health_check(self):
        output = run(self.world, "Health Check")
        todo = [row["check"] for row in output["checks"] if not row["ok"]]
        launcher = all(plugin["enabled"] for plugin in plugins(self.world) if plugin["id"] == LAUNCHER)
        assert todo == ([] if launcher else ["Launcher"])
        assert self.world.logged("Token: ok, Plex accepts it")

    def process_queue(self):
        put_marks(self.world, "2")
        output = run(self.world, "Process Queue")
        assert (output["queued"], output["waiting"]) == (0, {"missing": 1})
        assert self.world.differences(["1", "2"]) == []
        assert self.world.logged("next due: ")

    def recover_outage_jobs(self):
        error = self.world.run_task("Recover Outage Jobs", kinds="mising")["error"]
        assert error.startswith("There is no kind of dead letter 'mising'")
        output = run(self.world, "Recover Outage Jobs")
        assert (output["recovered"], output["not_chosen"]) == ({}, {"ambiguous": 1})
        before = self.world.logged(f"Scene {self.double} is given up")
        output = run(self.world, "Recover Outage Jobs", kinds="missing, ambiguous")
        assert (output["recovered"], output["done"]["ambiguous"]) == ({"ambiguous": 1}, 1)
        assert len(self.world.logged(f"Scene {self.double} is given up")) == len(before) + 1

    def retry_dead_letters(self):
        self.world.plex.remove_item(self.items[0])
        self.world.keys[self.double] = self.items[1]
        output = run(self.world, "Retry Dead Letters")
        assert (output["retried"], output["done"].get("synced"), output["dead_letters"]) == (1, 1, {})
        assert self.world.differences([self.double]) == []

    def sync_recent_scenes(self):
        change_unheard(self.world, "3", studio="S")
        assert sum(run(self.world, "Sync Recent Scenes")["done"].values()) >= 11
        assert self.world.differences(["3"]) == []

    def clear_pending_queue(self):
        self.world.plex.maintenance = True
        change_unheard(self.world, "4", "5", studio="S")
        put_marks(self.world, "4", "5")
        assert run(self.world, "Clear Pending Queue")["cleared"] == 3  # the scene that waits too
        self.world.plex.maintenance = False
        assert run(self.world, "Process Queue")["done"] == {}
        assert len(self.world.differences(["4", "5"])) >= 2

    def clear_match_cache(self):
        assert run(self.world, "Clear Match Cache")["match_cache"] == "cleared"

    def sync_all_scenes(self):
        self.world.plex.remove_item(self.world.keys["6"])
        self.world.keys["6"] = self.world.plex.add_item(self.world._section, "/media/scene 6.mp4", 10_006, title="file")
        output = run(self.world, "Sync All Scenes")
        assert output["done"] == {"synced": 3, "unchanged": 8, "missing": 1}
        assert self.world.differences() == []

    def purge_old_dlq_entries(self):
        self.world.plex.add_item(self.world._section, "/media/b/c/scene 91.mp4", 10_091, title="a file")
        self.world.plex.remove_item(self.items[1])
        self.world.plex.add_item(self.world._section, "/media/a/c/scene 91.mp4", 10_091, title="a file")
        put_marks(self.world, self.double)
        change_unheard(self.world, self.double, studio="S")
        assert run(self.world, "Process Queue")["dead_letters"] == {"ambiguous": 1}
        output = run(self.world, "Purge Old DLQ Entries")
        assert (output["purged_dead_letters"], output["dead_letters_kept"], output["older_than_days"]) == (0, 1, 30)

    def clear_dead_letter_queue(self):
        assert run(self.world, "Clear Dead Letter Queue")["cleared_dead_letters"] == 1
        assert [row for row in dump(self.world.data) if row.startswith('INSERT INTO "dead_letters"')] == []


STEPS = {
    "View Queue Status": Played.view_queue_status,
    "Outage Summary": Played.outage_summary,
    "Explain Scene": Played.explain_scene,
    "Health Check": Played.health_check,
    "Process Queue": Played.process_queue,
    "Recover Outage Jobs": Played.recover_outage_jobs,
    "Retry Dead Letters": Played.retry_dead_letters,
    "Sync Recent Scenes": Played.sync_recent_scenes,
    "Clear Pending Queue": Played.clear_pending_queue,
    "Clear Match Cache": Played.clear_match_cache,
    "Sync All Scenes": Played.sync_all_scenes,
    "Purge Old DLQ Entries": Played.purge_old_dlq_entries,
    "Clear Dead Letter Queue": Played.clear_dead_letter_queue,
}


def test_every_task_of_the_manifest_is_tested_here_or_among_the_comparisons():
    assert {name for name in TASKS if not name.startswith("Reconcile")} == set(STEPS)


@pytest.mark.proves(
    "task:queue_status",
    "task:outage_summary",
    "task:recover_outage_jobs",
    "task:explain_scene",
    "task:health_check",
    "task:process_queue",
    "task:retry_dead_letters",
    "task:sync_recent",
    "task:clear_queue",
    "task:clear_match_cache",
    "task:sync_all",
    "task:purge_dead_letters",
    "task:clear_dead_letters",
)
@pytest.mark.parametrize("worker_lives", [True, False], ids=["with a worker", "without a worker"])
def test_every_task_does_what_it_says(world, worker_lives):
    played = Played(world)
    record = world.worker()
    if not worker_lives:
        world.stash.set_enabled(
            LAUNCHER, False
        )  # else a task that leaves something would see to it that somebody works
        world.kill_worker(signal.SIGTERM)
    for name, step in STEPS.items():
        try:
            step(played)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}; {world.errors()[-3:]}") from error
    assert [error for error in world.errors() if "given up" not in error and "scene_id" not in error] == []
    assert world.living == ([record] if worker_lives else [])
    assert lease.held(world.data) == worker_lives


def plugins(world):
    return world.stash.gql("{plugins{id enabled}}")["plugins"]


def test_process_queue_takes_marks_that_no_worker_saw(world):
    world.stash.set_enabled(LAUNCHER, False)
    for id in world.keys:
        world.stash.change(id, touch=False, code="Y")
    put_marks(world, *world.keys)
    output = run(world, "Process Queue")
    assert output["done"] == {"synced": 10}
    assert (world.differences(), world.marks()) == ([], [])


def _made(folder):
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


def test_an_unknown_mode_is_an_error_and_never_another_task(world):
    for mode in ("frobnicate", "", "Process Queue", "worker.run", "dry_run"):
        ended = world.run_task(None, mode=mode)
        assert ended["error"].startswith("Unknown mode")
        assert "process_queue" in ended["error"]
    assert not lease.held(world.data)
    assert world.plex.requests() == []


def test_status_in_a_fresh_world_leaves_no_trace(world):
    before = world.plex.count()
    output = run(world, "View Queue Status")
    assert (output["queued"], output["inbox"], output["synced"]) == (0, 0, 0)
    assert world.plex.count() == before and world.workers == []
    assert sorted(os.listdir(world.data)) == ["worker.lock"]


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


OF_ITS_OWN = ('INSERT INTO "counters"', "INSERT INTO \"facts\" VALUES('stash_updated_at'")


def settled(data):
    """The rows, once none is about to go and the worker is at rest."""
    return until(lambda: _settled(data), what="the worker to be at rest")


def _settled(data):
    rows = dump(data)
    time.sleep(0.3)
    return not any(row.startswith('INSERT INTO "ack_queue') for row in rows) and rows == dump(data) and rows


def dump(data):
    """All rows of both databases but what a worker writes of its own accord; a reader does not disturb it."""
    rows = []
    for name in ("stash2plex.db", os.path.join("queue", "data.db")):
        with closing(sqlite3.connect(os.path.join(data, name))) as db:
            rows += [row for row in db.iterdump() if not row.startswith(OF_ITS_OWN)]
    return rows
