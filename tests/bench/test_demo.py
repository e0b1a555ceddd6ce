"""The demo ends well, by itself, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_it_kills_the_worker_twice_and_says_so(demo):
    assert re.search(r"Workers: \d+ started, 2 killed\.", demo[0].stdout)


def test_it_shows_what_the_worker_says_in_the_log_of_stash(demo):
    assert re.search(r"info +\[Stash2Plex Worker\] Worker started", demo[0].stdout)
    assert re.search(r"warning +\[Stash2Plex Worker\] Plex .*Nothing is lost", demo[0].stdout)


def test_it_writes_no_colours_into_a_pipe_and_no_errors_at_all(demo):
    ran, _ = demo
    assert "\x1b" not in ran.stdout
    assert ran.stderr == ""


def test_it_leaves_no_folder_behind(demo):
    assert [path.name for path in demo[1].iterdir()] == []
