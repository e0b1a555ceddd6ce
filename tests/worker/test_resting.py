"""The note of a worker that cannot work."""

from __future__ import annotations

import os
import time

from sync_queue.files import read_json
from sync_queue.lease import RESTING
from worker.resting import rest, wake_up


def test_the_note_says_why_and_since_when(data_dir):
    before = time.time()
    rest(data_dir, "packages are missing")
    note = read_json(os.path.join(data_dir, RESTING))
    assert note["why"] == "packages are missing" and before <= note["since"] <= time.time()


def test_a_new_note_replaces_the_old_one_and_leaves_nothing_else(data_dir):
    rest(data_dir, "one")
    rest(data_dir, "two")
    assert read_json(os.path.join(data_dir, RESTING))["why"] == "two" and os.listdir(data_dir) == [RESTING]


def test_waking_up_removes_the_note_and_needs_none(data_dir):
    rest(data_dir, "one")
    wake_up(data_dir)
    wake_up(data_dir)
    assert os.listdir(data_dir) == []
