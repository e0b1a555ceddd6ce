"""Asking the living worker: progress and answer come in a file, or the word that nobody will answer."""

from __future__ import annotations

import os
import threading

import pytest

from sync_queue import lease, marks, replies
from tests.sync_queue.other_process import end
from tests.sync_queue.test_lease import keeper


def request(data_dir):
    (mark,) = marks.read(data_dir, 10)[0]
    return mark


def answers_left(data_dir):
    return os.listdir(os.path.join(data_dir, replies.FOLDER))


def test_a_question_waits_in_the_inbox_under_the_id_of_its_answer(data_dir):
    asked = replies.ask(data_dir, "queue_status")
    assert (request(data_dir).operation, request(data_dir).reply) == ("queue_status", asked)


def test_a_question_takes_its_arguments_along(data_dir):
    replies.ask(data_dir, "explain_scene", {"scene_id": "12"})
    assert request(data_dir).args == (("scene_id", "12"),)


def test_an_answer_that_is_there_is_fetched_once_and_deleted(data_dir):
    replies.write(data_dir, "r1", {"done": True, "progress": 1.0, "output": {"state": "ok"}})
    seen = []
    assert replies.follow(data_dir, "r1", seen.append) == {"state": "ok"}
    assert seen == [1.0] and answers_left(data_dir) == []
    assert replies.follow(data_dir, "r1", seen.append) is None


def test_an_answer_that_failed_is_an_error(data_dir):
    replies.write(data_dir, "r1", {"done": True, "error": "unknown"})
    assert replies.follow(data_dir, "r1", lambda fraction: None) == {"error": "unknown"}


@pytest.mark.parametrize("left", [None, {"done": False, "progress": 0.5}], ids=["nothing", "progress"])
def test_nobody_answers_when_the_worker_is_gone(data_dir, left):
    if left:
        replies.write(data_dir, "r1", left)
    assert replies.follow(data_dir, "r1", lambda fraction: None) is None


def test_progress_of_a_living_worker_is_reported_until_it_is_done(data_dir):
    worker = keeper(data_dir)
    steps = [{"done": False, "progress": 0.25}, {"done": False, "progress": 0.5}]
    done = {"done": True, "progress": 1.0, "output": {"state": "ok"}}
    replies.write(data_dir, "r1", steps.pop(0))
    seen = []

    def report(fraction):
        seen.append(fraction)
        replies.write(data_dir, "r1", steps.pop(0) if steps else done)

    try:
        assert lease.held(data_dir)
        assert replies.follow(data_dir, "r1", report) == {"state": "ok"}
    finally:
        end(worker)
    assert seen == [0.25, 0.5, 1.0]


def test_a_reader_never_sees_half_an_answer(data_dir):
    content = {"done": False, "progress": 0.5, "output": {"text": "x" * 200_000}}
    replies.write(data_dir, "r1", content)
    stop, wrong = threading.Event(), []

    def read():
        while not stop.is_set():
            if replies.read_json(replies._file(data_dir, "r1")) != content:
                wrong.append(1)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(100):
        replies.write(data_dir, "r1", content)
    stop.set()
    reader.join()
    assert wrong == []


def test_a_request_without_an_id_gets_no_file(data_dir):
    replies.write(data_dir, "", {"done": True})
    assert not os.path.exists(os.path.join(data_dir, replies.FOLDER))


def test_an_id_cannot_lead_out_of_the_folder(data_dir):
    replies.write(data_dir, "../../outside", {"done": True})
    assert answers_left(data_dir) == ["outside.json"]


@pytest.mark.skipif(os.name == "nt", reason="modes of Unix")
def test_answers_are_private(data_dir):
    before = os.umask(0)
    try:
        replies.write(data_dir, "r1", {"done": True})
    finally:
        os.umask(before)
    folder = os.path.join(data_dir, replies.FOLDER)
    assert [os.stat(path).st_mode & 0o777 for path in (folder, os.path.join(folder, "r1.json"))] == [0o700, 0o600]


def test_an_answer_that_nobody_fetches_goes_after_an_hour(data_dir):
    replies.take_over(data_dir, 1e12)
    replies.write(data_dir, "r1", {"done": True})
    written = os.stat(os.path.join(data_dir, replies.FOLDER, "r1.json")).st_mtime
    replies.take_over(data_dir, written + replies.KEPT_S - 1)
    assert answers_left(data_dir) == ["r1.json"]
    replies.take_over(data_dir, written + replies.KEPT_S + 1)
    assert answers_left(data_dir) == []
