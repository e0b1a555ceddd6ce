"""The queue of ready work: a scene is queued once, in flight it may be queued anew, and nothing is lost on the way."""

from __future__ import annotations

import json
import os
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_queue.queue import FORCED_SCENES, JOB_SCENES, Job, JobQueue

NOW = 1_700_000_000.0


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "data" / "queue")


@pytest.fixture
def queue(folder):
    opened = JobQueue(folder)
    yield opened
    opened.close()


def rows(folder):
    db = sqlite3.connect(os.path.join(folder, "data.db"))
    try:
        return db.execute("SELECT data FROM ack_queue_default").fetchall()
    finally:
        db.close()


def claim_all(queue):
    jobs = []
    while True:
        job = queue.claim()
        if job is None:
            return jobs
        jobs.append(job)
        queue.acknowledge(job)


def test_an_empty_queue_has_no_job(queue):
    assert queue.claim() is None and queue.scenes == 0


def test_a_job_comes_back_as_it_was_put(queue):
    assert queue.put([3, 1, 3], "saved", NOW) == 2
    job = queue.claim()
    assert job == Job(job.id, (3, 1), "saved", NOW, False)


def test_many_scenes_make_jobs_of_at_most_fifty_in_their_order(queue):
    assert queue.put(range(1, 121), "all", NOW) == 120
    jobs = claim_all(queue)
    assert [len(job.scenes) for job in jobs] == [JOB_SCENES, JOB_SCENES, 20]
    assert [scene for job in jobs for scene in job.scenes] == list(range(1, 121))


def test_jobs_of_scenes_that_are_compared_all_the_same_hold_a_hundred(queue):
    queue.put(range(1, 121), "all", NOW, force=True)
    assert [len(job.scenes) for job in claim_all(queue)] == [FORCED_SCENES, 20]


def test_a_scene_that_is_queued_is_not_queued_twice(queue):
    queue.put([1, 2], "saved", NOW)
    assert queue.put([2, 3], "saved", NOW) == 1
    assert [job.scenes for job in claim_all(queue)] == [(1, 2), (3,)]


def test_a_mark_for_a_scene_in_flight_makes_a_new_job(queue):
    queue.put([1], "saved", NOW)
    flying = queue.claim()
    assert 1 not in queue
    assert queue.put([1], "saved", NOW) == 1
    queue.acknowledge(flying)
    assert [job.scenes for job in claim_all(queue)] == [(1,)]


def test_a_forced_scene_is_queued_although_it_is_queued_without_force(queue):
    queue.put([1], "saved", NOW)
    assert queue.put([1], "all", NOW, force=True) == 1
    assert queue.put([1], "saved", NOW) == 0 and queue.put([1], "all", NOW, force=True) == 0
    assert [job.force for job in claim_all(queue)] == [False, True]
    assert queue.put([1], "saved", NOW) == 1


def test_claiming_the_job_without_force_leaves_the_forced_one_queued(queue):
    queue.put([1], "saved", NOW)
    queue.put([1], "all", NOW, force=True)
    queue.claim()
    assert 1 in queue and queue.put([1], "saved", NOW) == 0


def test_a_job_given_back_is_ready_again_in_its_old_place(queue):
    queue.put([1], "saved", NOW)
    queue.put([2], "saved", NOW)
    queue.give_back(queue.claim())
    assert 1 in queue and queue.put([1], "saved", NOW) == 0
    assert [job.scenes for job in claim_all(queue)] == [(1,), (2,)]


def test_acknowledged_rows_are_gone_from_the_file(queue, folder):
    for scene in range(1, 30):
        queue.put([scene], "saved", NOW)
    claim_all(queue)
    assert rows(folder) == []


def test_clearing_drops_everything_and_says_how_many_scenes(queue, folder):
    queue.put(range(1, 61), "saved", NOW)
    assert queue.clear() == 60
    assert (queue.scenes, queue.claim(), rows(folder)) == (0, None, [])


@pytest.mark.parametrize("end_well", [True, False])
def test_what_was_queued_or_in_flight_survives_a_new_start(folder, end_well):
    first = JobQueue(folder)
    first.put([1], "saved", NOW)
    first.put([2], "saved", NOW, force=True)
    first.claim()
    if end_well:
        first.close()
    again = JobQueue(folder)
    assert again.scenes == 2 and 1 in again
    assert again.put([1, 2], "saved", NOW) == 0
    assert [(job.scenes, job.force) for job in claim_all(again)] == [((1,), False), ((2,), True)]
    again.close()
    first.close()


def test_jobs_hold_no_metadata_and_are_json(queue, folder):
    queue.put([1], "saved", NOW)
    assert [json.loads(data) for (data,) in rows(folder)] == [
        {"scenes": [1], "why": "saved", "at": NOW, "force": False}
    ]


@pytest.mark.skipif(os.name == "nt", reason="modes of Unix")
def test_the_files_are_private(folder):
    before = os.umask(0)
    try:
        queue = JobQueue(folder)
        queue.put([1], "saved", NOW)
        modes = {name: os.stat(os.path.join(folder, name)).st_mode & 0o777 for name in os.listdir(folder)}
        queue.close()
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600} and "data.db-wal" in modes
    assert os.stat(folder).st_mode & 0o777 == 0o700


MOVES = st.lists(
    st.tuples(st.sampled_from(["put", "force", "claim", "done", "back", "reopen"]), st.integers(1, 4)), max_size=25
)


@settings(max_examples=40)
@given(MOVES)
def test_every_mark_is_served_by_a_job_that_is_claimed_after_it(tmp_path_factory, moves):
    """``owed`` is what no claimed and acknowledged job has served yet, with or without force."""
    folder = str(tmp_path_factory.mktemp("queue"))
    queue, flying, owed = JobQueue(folder), [], {}
    for move, scene in moves:
        if move in ("put", "force"):
            queue.put([scene], "x", NOW, force=move == "force")
            owed[scene] = owed.get(scene, False) or move == "force"
        elif move == "claim":
            job = queue.claim()
            if job is not None:
                flying.append((job, _take_owed(owed, job)))
        elif move == "reopen":
            queue.close()
            queue = JobQueue(folder)
            _owe_again(owed, flying)
        elif flying:
            job, taken = flying.pop()
            if move == "done":
                queue.acknowledge(job)
            else:
                queue.give_back(job)
                _owe_again(owed, [(job, taken)])
    while flying:
        queue.give_back(flying[-1][0])
        _owe_again(owed, [flying.pop()])
    for job in claim_all(queue):
        _take_owed(owed, job)
    assert owed == {} and queue.scenes == 0
    queue.close()


def _take_owed(owed, job):
    """What this job serves: a forced mark only when the job is forced."""
    taken = {scene: owed[scene] for scene in job.scenes if scene in owed and (job.force or not owed[scene])}
    for scene in taken:
        del owed[scene]
    return taken


def _owe_again(owed, given_back):
    while given_back:
        _, taken = given_back.pop()
        for scene, force in taken.items():
            owed[scene] = owed.get(scene, False) or force
