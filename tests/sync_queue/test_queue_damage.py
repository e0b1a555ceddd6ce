"""The queue with rows that are no jobs, and with a damaged file: set aside once, and never run as code."""

from __future__ import annotations

import os
import sqlite3

import pytest

from sync_queue.files import open_or_set_aside
from sync_queue.queue import JobQueue

NOW = 1_700_000_000.0


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "data" / "queue")


NOT_JOBS = {
    "scenes of other types": b'{"scenes":[0,-1,"2",null,true,9223372036854775808,7.0,[8]],"why":5,"at":"x","force":1}',
    "scenes that are no list": b'{"scenes":"123"}',
    "nothing in it": b"{}",
}


def open_with_row(folder, data):
    JobQueue(folder).close()
    db = sqlite3.connect(os.path.join(folder, "data.db"))
    db.execute("INSERT INTO ack_queue_default (data, timestamp, status) VALUES (?, ?, 1)", (data, NOW))
    db.commit()
    db.close()
    return open_or_set_aside(folder, lambda: JobQueue(folder))


@pytest.mark.parametrize("kind", NOT_JOBS)
def test_a_row_without_scenes_is_an_empty_job(folder, kind):
    queue, aside = open_with_row(folder, NOT_JOBS[kind])
    job = queue.claim()
    assert (job.scenes, job.force, aside) == ((), False, "")
    queue.acknowledge(job)
    assert queue.claim() is None
    queue.close()


NOT_EVEN_OBJECTS = [b"[1]", b"5", b"null", b"{", b"", b"\x80\x04K\x01.", b"\xff\xfe", 5, None, 1.5, b"[" * 100_000]


@pytest.mark.parametrize("data", NOT_EVEN_OBJECTS, ids=lambda data: repr(data)[:12])
def test_a_row_that_is_no_job_sets_the_queue_aside_once(folder, data):
    queue, aside = open_with_row(folder, data)
    assert aside and queue.claim() is None
    queue.put([1], "saved", NOW)
    assert queue.claim().scenes == (1,)
    queue.close()
    again, aside = open_or_set_aside(folder, lambda: JobQueue(folder))
    assert aside == ""
    again.close()


def test_a_row_made_by_pickle_runs_nothing(folder, tmp_path):
    victim = tmp_path / "ran"
    code = b"cos\nmkdir\n(V" + str(victim).encode() + b"\ntR."
    queue, aside = open_with_row(folder, code)
    queue.close()
    assert aside and not victim.exists()


@pytest.mark.parametrize("damage", ["garbage", "half", "zeroed page"])
def test_a_damaged_queue_is_set_aside_and_a_fresh_one_works(folder, damage):
    queue = JobQueue(folder)
    for scene in range(1, 400):
        queue.put([scene], "saved" * 20, NOW)
    queue.close()
    path = os.path.join(folder, "data.db")
    with open(path, "rb") as file:
        content = file.read()
    made = {
        "garbage": b"garbage" * 1_000,
        "half": content[: len(content) // 2],
        "zeroed page": content[:4096] + b"\x00" * 4096 + content[8192:],
    }
    with open(path, "wb") as file:
        file.write(made[damage])
    fresh, aside = open_or_set_aside(folder, lambda: JobQueue(folder))
    assert aside and fresh.put([1], "saved", NOW) == 1 and fresh.claim().scenes == (1,)
    fresh.close()
