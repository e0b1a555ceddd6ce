"""The life of a worker: one at a time, a child of Stash, gone when it should be, and nothing lost in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sync_queue import lease
from tests.doubles.stash_client import RemoteStashDouble
from tests.hooks.hook_process import payload
from tests.processes.world import PLUGIN, ROOT, copy_of_plugin
from tests.waiting import until

FREE = "the lease to be free"
SOON = "SETTINGS_IDLE_S = SETTINGS_BUSY_S = 0.2"


def proves(setting):
    return pytest.mark.proves(f"setting:{setting}")


def free(world):
    return until(lambda: not lease.held(world.data), what=FREE)


def ended(record):
    return until(lambda: record.exit_code is not None, what="the worker to end")


def test_a_save_changes_plex(world):
    world.stash.save("1", title="New", date="2024-02", director="D", code="X-1")
    world.synced(only=["1"])
    item = world.plex.item(world.keys["1"])
    assert (item["title"], item["originallyAvailableAt"], item["tagline"]) == ("New", "2024-02-01", "X-1")


def test_many_saves_at_once_start_one_worker(world):
    with ThreadPoolExecutor(8) as people:
        list(people.map(lambda id: world.stash.save(id, code=f"C{id}"), world.keys))
    world.synced()
    serving = [record for record in world.workers if record.exit_code is None]
    assert len(serving) == 1
    assert len(world.logged("Worker started")) == 1


def test_the_worker_ends_when_stash_is_killed(world):
    world.stash.save("1", code="X")
    record = world.worker()
    world.stash.kill()
    ended(record)
    free(world)


def test_the_worker_does_not_keep_stash_from_ending(world):
    world.stash.save("1", code="X")
    record = world.worker()
    assert world.stash.stop(grace_s=20)
    ended(record)
    free(world)


def test_sigterm_to_the_process_of_stash_ends_the_worker_too(plex, data_dir):
    command = [sys.executable, "-m", "tests.doubles.stash_server", "--plugins", str(ROOT), "--python", sys.executable]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        stash = RemoteStashDouble(json.loads(process.stdout.readline())["url"])
        stash.add_scene(path="/data/a.mp4", details="x")
        stash.configure(PLUGIN, {"plex_url": plex.url, "plex_token": plex.token})
        stash.save("1", title="A")
        until(lambda: lease.held(data_dir), what="a worker")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    until(lambda: not lease.held(data_dir), what=FREE)


def test_sigkill_to_the_process_of_stash_ends_the_worker_too(plex, data_dir):
    command = [sys.executable, "-m", "tests.doubles.stash_server", "--plugins", str(ROOT), "--python", sys.executable]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        stash = RemoteStashDouble(json.loads(process.stdout.readline())["url"])
        stash.add_scene(path="/data/a.mp4", details="x")
        stash.save("1", title="A")
        until(lambda: lease.held(data_dir), what="a worker")
        process.kill()
        process.wait(30)
    until(lambda: not lease.held(data_dir), what=FREE)


def test_a_new_version_on_disk_takes_over_and_nothing_is_lost(build, tmp_path):
    folder = copy_of_plugin(tmp_path / "plugins")
    world = build(plugin=folder)
    ids = world.seed(20)
    world.stash.save(ids[0], code="X")
    old = world.worker()
    until(lambda: world.logged("Worker started"), what="the worker to serve")
    world.plex.latency_s = 0.02  # so that the old one is in the middle of something
    world.stash.bulk_save(ids[:10], code="Y")
    with open(folder / "Stash2Plex.yml", "a", encoding="utf-8") as manifest:
        manifest.write("# another version\n")
    for id in ids[10:]:
        world.stash.save(id, code="Z")
    ended(old)
    world.synced()
    assert world.worker().pid != old.pid
    assert world.logged("Worker ends: the plugin was updated")
    assert world.errors() == []


def test_an_update_while_the_worker_still_imports_is_not_overlooked(build, tmp_path):
    slow = """
_ensure = ensure
def ensure(plugin_dir, data_dir):
    import time
    open(os.path.join(data_dir, "importing"), "w").close()
    time.sleep(1.0)
    return _ensure(plugin_dir, data_dir)
"""
    folder = copy_of_plugin(tmp_path / "plugins", worker__deps=slow)
    world = build(plugin=folder)
    world.seed(2)
    world.stash.save("1", code="X")
    old = world.worker()
    until(lambda: os.path.exists(os.path.join(world.data, "importing")), what="the worker to import")
    with open(folder / "Stash2Plex.yml", "a", encoding="utf-8") as manifest:
        manifest.write("# another version\n")
    ended(old)
    world.synced(only=["1"])


def test_the_worker_ends_when_the_plugin_is_disabled(build, tmp_path):
    world = build(plugin=copy_of_plugin(tmp_path / "plugins", worker__session=SOON))
    world.seed(2)
    world.stash.save("1", code="X")
    record = world.worker()
    world.stash.set_enabled(PLUGIN, False)
    ended(record)
    assert world.logged("Worker ends: the plugin is disabled")
    world.stash.save("2", code="Y")  # no hook runs
    assert not lease.held(world.data)
    world.stash.set_enabled(PLUGIN, True)
    world.stash.save("1", code="Z")
    world.synced()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        pytest.param({"enabled": False}, "Setting enabled is off", marks=proves("enabled")),
        pytest.param({"plex_url": None}, "Setting plex_url is missing", marks=proves("plex_url")),
        pytest.param({"plex_token": ""}, "Setting plex_token is missing", marks=proves("plex_token")),
    ],
)
def test_a_worker_that_may_not_send_stays_keeps_changes_and_sends_them_later(build, tmp_path, settings, sentence):
    world = build(plugin=copy_of_plugin(tmp_path / "plugins", worker__session=SOON))
    world.seed(5)
    world.configure(**settings)
    world.stash.bulk_save(list(world.keys), code="X")
    record = world.worker()
    until(lambda: not world.marks(), what="the marks to be taken")
    status = world.status()
    assert (status["queued"], sentence in status["state"]) == (5, True)
    assert world.plex.count("PUT") == 0
    world.configure()
    world.synced()
    assert world.living == [record]
    assert len([text for text in world.logged(sentence) if "Worker]" in text]) == ("enabled" not in settings)


def test_an_idle_worker_leaves_and_the_next_change_starts_another(build, tmp_path):
    world = build(plugin=copy_of_plugin(tmp_path / "plugins", worker__loop="IDLE_S = 0.3\nPOLL_S = 0.05"))
    world.seed(3)
    for number in range(3):
        world.stash.save("1", code=f"X{number}")
        world.synced(only=["1"])
        record = world.workers[-1]
        ended(record)
        assert record.exit_code == 0
    assert len(world.logged("Worker started")) == 3


def test_a_mark_that_falls_into_the_moment_of_leaving_is_not_missed(build, tmp_path):
    """The leaving worker still holds the lease, so the hook starts none: the worker has to look once more."""
    slow = "_release = lease.release\nlease.release = lambda held: (time.sleep(1.5), _release(held))"
    appended = {"worker__loop": "IDLE_S = 0.3\nPOLL_S = 0.05", "worker__serve": slow}
    world = build(plugin=copy_of_plugin(tmp_path / "plugins", **appended))
    world.seed(2)
    world.stash.save("1", code="X")
    until(lambda: world.logged("Worker ends: nothing to do"), what="the worker to leave")
    world.stash.save("2", code="late")
    assert len(world.marks()) == 1
    assert len(world.workers) == 1
    world.synced()
    assert len(world.workers) == 1


def test_two_workers_started_together_are_never_both_inside(build, tmp_path):
    alone = """
def _serve(request, held):
    import os, time
    path = request.data_dir + "/inside"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL))  # fails while another one is inside
    time.sleep(0.02)
    os.unlink(path)
    lease.release(held)
    return "was inside"
"""
    folder = copy_of_plugin(tmp_path / "plugins", worker__run=alone)
    (tmp_path / "data").mkdir()
    stdin = payload(None).replace(b'"hookContext": null', b'"mode": "worker"')
    answers = []
    for _ in range(30):
        barrier = threading.Barrier(2)
        with ThreadPoolExecutor(2) as pair:
            answers += pair.map(_be_worker, [folder] * 2, [stdin] * 2, [barrier] * 2)
    assert set(answers) <= {"was inside", "another worker is running"}
    assert answers.count("was inside") >= 30


def _be_worker(folder, stdin, barrier):
    command = [sys.executable, "-I", "-S", str(folder / "Stash2Plex.py")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        barrier.wait(30)
        stdout, stderr = process.communicate(stdin, timeout=60)
    assert stderr == b""
    return json.loads(stdout)["output"]


def test_a_second_worker_gives_way_to_the_living_one(world):
    world.stash.save("1", code="X")
    record = world.worker()
    assert world.stash.operation(PLUGIN, {"mode": "worker"}) == "another worker is running"
    assert world.living == [record]
