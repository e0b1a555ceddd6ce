"""Whether a worker should still live: every sign that it should not, and none where there is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import until
from worker.life import ABSENT_S, REMOVED, SETTLED_S, STASH_GONE, STOPPED, UPDATED, Life

ROOT = str(Path(__file__).resolve().parents[2])
NOW = 1_000_000.0
needs_unix = pytest.mark.skipif(os.name == "nt", reason="pipes and signals of Unix")


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "Stash2Plex.yml"
    path.write_text("version: 1")
    return path


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    ends = {"reader": reader, "writer": writer}
    yield ends
    for descriptor in ends.values():
        os.close(descriptor)


@pytest.fixture
def life(manifest, pipe):
    return Life(str(manifest), pipe["writer"])


def test_while_nothing_happens_it_lives(life):
    for later in range(100):
        life.look(NOW + later)
    assert life.over == "" and not life.changed.is_set()


@needs_unix
def test_it_ends_when_nobody_reads_its_stdout_any_more(life, pipe):
    os.close(pipe.pop("reader"))
    life.look(NOW)
    assert life.over == STASH_GONE and life.changed.is_set()


def test_a_full_pipe_is_no_sign(life, pipe):
    os.set_blocking(pipe["writer"], False)
    try:
        while True:
            os.write(pipe["writer"], b"x" * 4096)
    except BlockingIOError:
        pass
    life.look(NOW)
    assert life.over == ""


def test_it_ends_when_the_plugin_was_updated(life, manifest):
    manifest.write_text("version: 2")
    life.look(NOW)
    life.look(NOW + SETTLED_S)
    assert life.over == UPDATED


def test_an_update_that_is_still_being_written_is_no_sign(life, manifest):
    for second in range(20):
        manifest.write_text(f"version: {second} of many")
        life.look(NOW + second)
    assert life.over == ""


def test_an_update_that_is_taken_back_is_no_sign(life, manifest):
    manifest.write_text("version: 2")
    life.look(NOW)
    manifest.write_text("version: 1")
    for second in range(20):
        life.look(NOW + 1 + second)
    assert life.over == ""


def test_it_ends_when_the_plugin_stays_away(life, manifest):
    manifest.unlink()
    life.look(NOW)
    life.look(NOW + ABSENT_S - 0.1)
    assert life.over == ""
    life.look(NOW + ABSENT_S)
    assert life.over == REMOVED


def test_a_manifest_that_is_away_for_a_moment_is_no_sign(life, manifest):
    for turn in range(5):
        manifest.unlink()
        life.look(NOW + turn * 60)
        manifest.write_text("version: 1")
        life.look(NOW + turn * 60 + 1)
    assert life.over == ""


def test_after_the_clock_was_set_back_it_does_not_wait_for_ever(life, manifest):
    manifest.unlink()
    life.look(NOW)
    life.look(NOW - 86_400)
    assert life.over == REMOVED


def test_the_first_reason_counts(life, manifest):
    life.leave(STOPPED)
    manifest.write_text("version: 2")
    life.look(NOW)
    assert life.over == STOPPED


@needs_unix
def test_this_system_shows_when_stash_dies(life):
    assert life.sees_stash


WAIT_FOR_A_SIGNAL = """
import sys; sys.path.insert(0, sys.argv[1])
from worker.life import Life
life = Life(sys.argv[2])
life.listen_to_signals()
print("ready", flush=True)
while not life.over:
    life.changed.wait(0.05)
print(life.over, flush=True)
"""
BE_AN_ORPHAN = """
import subprocess, sys
child = '''
import sys, time; sys.path.insert(0, sys.argv[1])
from worker.life import Life
life = Life(sys.argv[2])
print("ready", flush=True)
while not life.over:
    life.look(time.time())
    time.sleep(0.02)
with open(sys.argv[3], "w") as file:
    file.write(life.over)
'''
process = subprocess.Popen([sys.executable, "-c", child, *sys.argv[1:]])
sys.stdin.read()
"""


@needs_unix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to(manifest, number):
    command = [sys.executable, "-c", WAIT_FOR_A_SIGNAL, ROOT, str(manifest)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.communicate(timeout=60)[0] == STOPPED + "\n"
    assert process.returncode == 0


@needs_unix
def test_it_ends_when_its_parent_is_killed(manifest, tmp_path):
    said = tmp_path / "said"
    command = [sys.executable, "-c", BE_AN_ORPHAN, ROOT, str(manifest), str(said)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "ready\n"
        parent.kill()
        parent.wait()
        until(lambda: said.exists() and said.read_text() == STASH_GONE, what="the orphan's last word")
