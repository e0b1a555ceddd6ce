"""The demo ends well, by itself, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.picture import jpeg
from bench.stage import TOKEN

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo, run once as a process; its temporary folders fall into one of ours."""
    folder = tmp_path_factory.mktemp("demo")
    env = {**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)}
    command = [sys.executable, "-m", "bench.demo"]
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100)
    return ran, folder


def test_plex_shows_in_the_end_what_stash_holds(demo):
    ran, _ = demo
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "25 of 25 items in Plex show exactly what Stash holds." in ran.stdout


def test_it_shows_an_item_before_and_after(demo):
    assert re.search(r"title +clip-01 +Harbour at Dawn", demo[0].stdout)


def test_it_shows_that_covers_arrive_as_posters(demo):
    assert re.search(r"poster +a frame of the file +the scene's cover", demo[0].stdout)
    assert "Covers: 25 of 25 are poster and background of their item" in demo[0].stdout


def test_its_pictures_are_small_jpegs_of_which_no_two_are_alike():
    pictures = {jpeg(number) for number in range(30)}
    assert len(pictures) == 30 and all(len(one) < 1_000 and one.startswith(b"\xff\xd8\xff\xe0") for one in pictures)
    assert all(one.endswith(b"\xff\xd9") and one.count(b"\xff\xd9") == 1 for one in pictures)


def test_it_kills_the_worker_twice_and_says_so(demo):
    assert re.search(r"Workers: \d+ started, 2 killed\.", demo[0].stdout)


def test_it_shows_what_the_worker_says_in_the_log_of_stash(demo):
    assert re.search(r"info +\[Stash2Plex Worker\] Worker started", demo[0].stdout)
    assert re.search(r"warning +\[Stash2Plex Worker\] Plex .*Nothing is lost", demo[0].stdout)


def test_it_writes_no_colours_into_a_pipe_and_no_errors_at_all(demo):
    ran, _ = demo
    assert "\x1b" not in ran.stdout and TOKEN not in ran.stdout
    assert ran.stderr == ""


def test_it_leaves_no_folder_behind(demo):
    assert [path.name for path in demo[1].iterdir()] == []
