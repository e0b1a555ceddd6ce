"""Starting small processes and timing them from start to end, with as little of our own in between as possible.

`os.posix_spawn` does not copy this process (glibc and macOS share its memory until the program starts), and the end
is taken from `wait`, so neither our size nor a thread of ours is in the figures. Windows falls back on `subprocess`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import perf_counter
from typing import NamedTuple

FITS_A_PIPE_BYTES = 16 << 10
SPAWNS = hasattr(os, "posix_spawn") and hasattr(os, "wait4")


class Ran(NamedTuple):
    """A process that ended: seconds from before its start to its end, and what it wrote on stdout."""

    seconds: float
    exit_code: int
    output: bytes


class _Started(NamedTuple):
    pid: int
    at: float
    stdin: int
    stdout: int


def base_python() -> str:
    """The interpreter outside any virtual environment, which is the one that a Stash finds."""
    base = getattr(sys, "_base_executable", "") or sys.executable
    return base if os.name == "nt" else os.path.realpath(base)


def run(command: list[str], payload: bytes, env: dict[str, str]) -> Ran:
    """Run one process to its end, with this on stdin."""
    if not SPAWNS:
        return _run_anywhere(command, payload, env)
    started = _start(command, payload, env)
    if len(payload) > FITS_A_PIPE_BYTES:
        _write_all(started.stdin, payload)
    _, status, _ = os.wait4(started.pid, 0)
    return _ended(started, status, perf_counter())


def run_at_once(command: list[str], payloads: list[bytes], env: dict[str, str]) -> list[Ran]:
    """Start one process per payload without waiting, and time each from the start of the first.

    Payloads must fit a pipe. Nobody else may wait for children meanwhile.
    """
    if not SPAWNS:
        with ThreadPoolExecutor(len(payloads)) as pool:
            return list(pool.map(lambda payload: _run_anywhere(command, payload, env), payloads))
    running = {started.pid: started for started in [_start(command, payload, env) for payload in payloads]}
    first = min(started.at for started in running.values())
    ended = []
    while running:
        pid, status, _ = os.wait4(-1, 0)
        now = perf_counter()
        if pid in running:
            ended.append(_ended(running.pop(pid)._replace(at=first), status, now))
    return ended


def _start(command: list[str], payload: bytes, env: dict[str, str]) -> _Started:
    stdin, to_stdin = os.pipe()
    from_stdout, stdout = os.pipe()
    silence = os.open(os.devnull, os.O_WRONLY)
    if len(payload) <= FITS_A_PIPE_BYTES:
        os.write(to_stdin, payload)
        os.close(to_stdin)
        to_stdin = -1
    moves = [(os.POSIX_SPAWN_DUP2, ours, theirs) for ours, theirs in ((stdin, 0), (stdout, 1), (silence, 2))]
    at = perf_counter()
    pid = os.posix_spawn(command[0], command, env, file_actions=moves)
    for descriptor in (stdin, stdout, silence):
        os.close(descriptor)
    return _Started(pid, at, to_stdin, from_stdout)


def _ended(started: _Started, status: int, now: float) -> Ran:
    """A hook's answer fits a pipe, so it may be read after the end."""
    with os.fdopen(started.stdout, "rb") as stdout:
        output = stdout.read()
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    return Ran(now - started.at, code, output)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    with suppress(BrokenPipeError):  # a bare interpreter ends without reading
        while view:
            view = view[os.write(descriptor, view) :]
    os.close(descriptor)


def _run_anywhere(command: list[str], payload: bytes, env: dict[str, str]) -> Ran:
    at = perf_counter()
    ended = subprocess.run(command, input=payload, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return Ran(perf_counter() - at, ended.returncode, ended.stdout)
