"""The lease: one holder, no keeper needed, gone with its process."""

from __future__ import annotations

import os
import signal

import pytest

from sync_queue import lease
from tests.sync_queue.other_process import end, run, start
from tests.waiting import until

needs_unix = pytest.mark.skipif(os.name == "nt", reason="signals, and a Windows made of Unix parts")

TAKE_AND_KEEP = """
from sync_queue import lease
sys.stdin.readline()
print("none" if lease.take(sys.argv[1]) is None else "taken", flush=True)
sys.stdin.read()
"""
LOOK_ON_AND_ON = """
from sync_queue import lease
print("looking", flush=True)
while True:
    lease.held(sys.argv[1])
"""
TAKE_AND_HAVE_A_CHILD = """
from sync_queue import lease
lease.take(sys.argv[1])
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, close_fds=False)
print(child.pid, flush=True)
sys.stdin.read()
"""
SAY_WHETHER_HELD = "from sync_queue import lease\nprint(lease.held(sys.argv[1]))"
WINDOWS_OR_NOT = [False, pytest.param(True, marks=needs_unix)]
ROUNDS, TAKERS = 4, 6


def held_elsewhere(data_dir, windows=False):
    return run(SAY_WHETHER_HELD, data_dir, windows=windows).strip() == "True"


def keeper(data_dir, windows=False):
    process = start(TAKE_AND_KEEP, data_dir, windows=windows)
    process.stdin.write("go\n")
    assert process.stdout.readline() == "taken\n"
    return process


def test_nobody_holds_a_lease_whose_folder_does_not_exist(tmp_path):
    assert not lease.held(str(tmp_path / "none"))


def test_what_is_taken_is_held_until_it_is_released(data_dir):
    taken = lease.take(data_dir)
    assert held_elsewhere(data_dir)
    lease.release(taken)
    assert not held_elsewhere(data_dir)


def test_two_locks_of_different_names_do_not_know_each_other(data_dir):
    taken = lease.take(data_dir, lease.WORKER)
    other = lease.take(data_dir, lease.LAUNCH)
    assert other is not None
    lease.release(taken)
    lease.release(other)


@needs_unix
def test_the_lock_file_is_private(data_dir):
    before = os.umask(0)
    try:
        lease.release(lease.take(data_dir))
    finally:
        os.umask(before)
    assert os.stat(os.path.join(data_dir, lease.WORKER)).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("windows", WINDOWS_OR_NOT)
def test_only_one_of_many_takers_gets_it(data_dir, windows):
    for _ in range(ROUNDS):
        takers = [start(TAKE_AND_KEEP, data_dir, windows=windows) for _ in range(TAKERS)]
        for taker in takers:
            taker.stdin.write("go\n")
            taker.stdin.flush()
        answers = sorted(taker.stdout.readline().strip() for taker in takers)
        end(*takers)
        assert answers == ["none"] * (TAKERS - 1) + ["taken"]


@pytest.mark.parametrize("windows", WINDOWS_OR_NOT)
def test_lookers_do_not_keep_a_taker_out(data_dir, windows):
    lookers = [start(LOOK_ON_AND_ON, data_dir, windows=windows) for _ in range(3)]
    try:
        for looker in lookers:
            assert looker.stdout.readline() == "looking\n"
        code = """
from sync_queue import lease
for _ in range(60):
    taken = lease.take(sys.argv[1])
    assert taken is not None
    lease.release(taken)
"""
        run(code, data_dir, windows=windows)
    finally:
        end(*lookers)


@pytest.mark.parametrize("windows", WINDOWS_OR_NOT)
def test_it_dies_with_its_process(data_dir, windows):
    process = keeper(data_dir, windows)
    assert held_elsewhere(data_dir, windows)
    end(process)
    taken = lease.take(data_dir)
    assert taken is not None
    lease.release(taken)


@needs_unix
def test_a_stopped_holder_still_holds_it(data_dir):
    process = keeper(data_dir)
    process.send_signal(signal.SIGSTOP)
    try:
        assert lease.held(data_dir) and lease.take(data_dir) is None
    finally:
        end(process)


@needs_unix
def test_a_child_of_the_holder_does_not_keep_it_alive(data_dir):
    process = start(TAKE_AND_HAVE_A_CHILD, data_dir)
    child = int(process.stdout.readline())
    os.kill(child, signal.SIGSTOP)  # it cannot end by itself now: whatever it holds, it keeps
    process.kill()
    process.wait()
    try:
        until(lambda: not lease.held(data_dir), what="the lease of a killed worker whose child lives")
    finally:
        os.kill(child, signal.SIGKILL)
        end(process)


@needs_unix
def test_on_windows_a_lease_is_taken_looked_at_and_released(data_dir):
    code = """
from sync_queue import lease
print(lease.system.__name__, lease.held(sys.argv[1]))
taken = lease.take(sys.argv[1])
print(taken in binary, lease.held(sys.argv[1]), lease.take(sys.argv[1]))
lease.release(taken)
print(lease.held(sys.argv[1]), locked)
"""
    assert run(code, data_dir, windows=True).split("\n")[:3] == ["nt False", "True True None", "False set()"]
