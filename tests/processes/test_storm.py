"""The storm: hooks and workers die at random moments, and every mark that was acknowledged ends in Plex."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from sync_queue import lease
from tests.hooks.hook_process import ENTRY, event, payload, server_of
from tests.waiting import until

SEED = 20_240_501
SCENES = 60
HOOKS = 300
AT_ONCE = 8
WORKER_KILLS = 10
HOOK_LASTS_S = 0.03  # about: most kills come in time, and at every instruction


class Storm:
    """Edits by hook processes of our own; remembers which were acknowledged last for which scene."""

    def __init__(self, world, seed):
        self.world, self.random = world, random.Random(seed)
        self.ids = list(world.keys)
        self.acknowledged = self.killed = self.worker_kills = 0
        self.open = set()  # scenes whose last edit nobody acknowledged
        self._locks = {id: threading.Lock() for id in self.ids}
        self._count = threading.Lock()

    def edit(self, number, kill_after_s):
        """One save: the scene changes in Stash, then its hook runs, and is killed if so wanted."""
        id = self.ids[number % len(self.ids)]
        with self._locks[id]:
            self.world.stash.change(id, touch=False, **edited(number))
            answer = self._hook(id, kill_after_s)
            with self._count:
                (self.open.discard if answer else self.open.add)(id)
                self.acknowledged += bool(answer)

    def _hook(self, id, kill_after_s):
        """What the hook answered, nothing when it was killed before."""
        context = event("Scene.Update.Post", int(id), ["id", "title", "performer_ids"])
        stdin = payload(context, server_of(self.world.stash.url, self.world.stash.cookie()))
        with subprocess.Popen(
            [sys.executable, "-I", "-S", str(ENTRY)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            if kill_after_s is None:
                stdout, stderr = process.communicate(stdin, timeout=60)
                assert (process.returncode, stderr) == (0, b""), stderr
                assert stdout
                return stdout
            process.stdin.write(stdin)
            process.stdin.close()
            process.stdin = None
            threading.Event().wait(kill_after_s)
            process.kill()
            stdout, _ = process.communicate(timeout=60)
            with self._count:
                self.killed += process.returncode == -signal.SIGKILL
            return stdout

    def kill_a_worker(self, after_s):
        """SIGKILL to the worker that holds the lease, at a random moment of its life."""
        record = self.world.worker()
        threading.Event().wait(after_s)
        if record.exit_code is None:
            os.kill(record.pid, signal.SIGKILL)
            until(lambda: record.exit_code is not None, what="the worker to die")
            self.worker_kills += 1

    def rage(self):
        """All hooks, 8 at a time, in rounds with a killed worker each."""
        wanted = [self.random.uniform(0, HOOK_LASTS_S) if n % 3 == 0 else None for n in range(HOOKS)]
        size = HOOKS // WORKER_KILLS
        with ThreadPoolExecutor(AT_ONCE) as hooks, ThreadPoolExecutor(1) as killer:
            for start in range(0, HOOKS, size):
                running = [hooks.submit(self.edit, n, wanted[n]) for n in range(start, start + size)]
                killing = killer.submit(self.kill_a_worker, self.random.uniform(0, 1.0))
                for future in [*running, killing]:
                    future.result(60)


def edited(number):
    """What a scene looks like after the edit of this number: every field differs from before."""
    return {
        "title": f"Title of edit {number}",
        "details": f"Details of edit {number}",
        "studio": f"Studio {number % 7}",
        "date": f"20{number % 24:02d}-0{1 + number % 9}-1{number % 10}",
        "code": f"C-{number}",
        "director": f"Director {number % 11}",
        "performers": [f"Performer {number % 13}", f"Performer {(number + 5) % 13}"],
        "tags": [f"Tag {n}" for n in range(number % 5)],
    }


def test_every_acknowledged_mark_ends_in_plex(world):
    print(f"seed {SEED}")
    world.seed(SCENES - len(world.keys))
    world.stash.save(next(iter(world.keys)), code="first")  # so that the cursor of the first look has a place
    world.synced(only=[next(iter(world.keys))])
    storm = Storm(world, SEED)
    storm.rage()
    print(
        f"{HOOKS} hooks, {storm.acknowledged} acknowledged, {storm.killed} of {HOOKS // 3} kills met one that ran,"
        f" {storm.worker_kills} of {len(world.workers)} workers killed,"
        f" {len(storm.open)} scenes were last edited by a hook that did not answer"
    )
    assert storm.acknowledged >= HOOKS - storm.killed
    assert (storm.worker_kills, storm.killed > 0) == (WORKER_KILLS, True)

    last = storm.ids[-1]
    storm.edit(storm.ids.index(last), None)  # the next save: a worker lives from now on
    world.synced(only=[id for id in storm.ids if id not in storm.open])

    world.kill_worker()
    for id in storm.open:
        world.stash.change(id)  # a real save had moved their date: the cursor look finds them
    storm.edit(storm.ids.index(last), None)
    world.synced()

    status = world.status()
    print(f"status {status}")
    assert (status["state"], status["inbox"], status["queued"]) == ("ok", 0, 0)
    assert (status["dead_letters"], status["waiting"]) == ({}, {})
    world.kill_worker(signal.SIGTERM)
    until(lambda: not lease.held(world.data), what="the lease to be free")
    assert (world.queued_rows(), world.rows("attempts"), world.marks()) == ([], [], [])
    # Ten random kills may well hit the same scene three times; the next save revives it.
    assert [text for text in world.errors() if "(poison)" not in text] == []
