"""How a hook brings a worker to life, and when it does not try."""

from __future__ import annotations

import json
import os
import socket
import threading
import time

import pytest

from sync_queue import lease
from tests.canaries import LOGIN
from tests.doubles.stash_server import StashDouble
from tests.hooks.hook_process import event, marks_in, payload, run, server_of
from tests.waiting import until

TITLED = event("Scene.Update.Post", 7, ["title"])
LAUNCHER = "runPluginOperation"


class Silent:
    """A Stash that takes every request and answers none; remembers what it was sent."""

    def __init__(self):
        self.requests = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                received = b""
                while chunk := connection.recv(65536):  # until the hook drops the connection
                    received += chunk
            self.requests.append(received.decode())

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def silent():
    stash = Silent()
    yield stash
    stash.close()


def wake(server, session):
    """What Stash writes for the operation that launcher.js asks for when a login is needed."""
    return json.dumps({"server_connection": server, "args": {"mode": "wake", "session": session}}).encode()


def grow_old(path, by_s):
    then = time.time() - by_s
    os.utime(path, (then, then))


def test_a_launcher_that_starts_no_worker_costs_a_warning_and_no_mark(data_dir):
    with StashDouble() as stash:  # has no launcher
        ended = run(payload(TITLED, server_of(stash.url)), data_dir)
    assert (ended.answer, ended.errors) == ({"output": "queued scene 7"}, [])
    assert b"Stash2PlexLauncher started no worker" in ended.stderr
    assert len(marks_in(data_dir)) == 1


def test_a_note_from_the_future_holds_nobody_back(data_dir):
    with StashDouble() as stash:
        path = os.path.join(data_dir, "resting")
        with open(path, "w", encoding="utf-8"):
            pass
        grow_old(path, -7200)
        run(payload(TITLED, server_of(stash.url)), data_dir)
        assert stash.count(LAUNCHER) == 1


def test_a_resting_worker_is_left_alone_for_ten_minutes(data_dir):
    note = os.path.join(data_dir, "resting")
    with open(note, "w", encoding="utf-8") as file:
        file.write('{"why": "packages are missing"}')
    with StashDouble() as stash:
        server = server_of(stash.url)
        for _ in range(3):
            assert run(payload(TITLED, server), data_dir).answer == {"output": "queued scene 7"}
        assert stash.requests == []
        grow_old(note, 601)
        run(payload(TITLED, server), data_dir)
        assert stash.count(LAUNCHER) == 1
    assert len(marks_in(data_dir)) == 4


def test_a_hook_that_would_need_a_login_says_so_and_its_mark_is_there(data_dir):
    with StashDouble(credentials=LOGIN) as stash:
        os.makedirs(data_dir, exist_ok=True)
        server = server_of(stash.url, stash.sessions.issue(""))
        assert run(payload(TITLED, server), data_dir).answer == {"output": "login needed"}
        assert len(marks_in(data_dir)) == 1
        assert not os.path.exists(os.path.join(data_dir, "cookie"))


def test_the_session_that_a_wake_brings_is_handed_over_for_the_owner_only(data_dir, silent):
    ended = run(wake(server_of(silent.url, "of-nobody"), "MTc-cookie_of.a=user"), data_dir)
    assert ended.answer == {"output": "launched"}
    path = os.path.join(data_dir, "cookie")
    with open(path, encoding="latin-1") as file:
        assert file.read() == "MTc-cookie_of.a=user"
    assert os.stat(path).st_mode & 0o777 == 0o600
    (request,) = until(lambda: silent.requests, what="the request to arrive")
    assert "Cookie: session=MTc-cookie_of.a=user\r\n" in request


def test_a_cookie_cannot_smuggle_a_header(data_dir, silent):
    ended = run(wake(server_of(silent.url, "a\r\nApiKey: b"), "a\r\nApiKey: b"), data_dir)
    assert ended.answer == {"output": "launched"}
    (request,) = until(lambda: silent.requests, what="the request to arrive")
    assert "ApiKey" not in request
    assert not os.path.exists(os.path.join(data_dir, "cookie"))


def test_only_one_hook_at_a_time_launches(data_dir, silent):
    turn = lease.take(data_dir, lease.LAUNCH)
    for _ in range(3):
        assert run(payload(TITLED, server_of(silent.url)), data_dir).answer == {"output": "queued scene 7"}
    assert silent.requests == []
    lease.release(turn)
    run(payload(TITLED, server_of(silent.url)), data_dir)
    assert until(lambda: silent.requests, what="the request to arrive")
    assert len(marks_in(data_dir)) == 4


def test_a_hook_lets_go_as_soon_as_the_lease_is_held(data_dir, silent):
    """The connection is dropped without an answer: Stash must never wait for it."""
    ended = []
    hook = threading.Thread(target=lambda: ended.append(run(payload(TITLED, server_of(silent.url)), data_dir)))
    hook.start()
    held = lease.take(data_dir)
    hook.join(60)
    lease.release(held)
    assert (ended[0].code, ended[0].answer, ended[0].errors) == (0, {"output": "queued scene 7"}, [])


def test_a_stash_that_cannot_be_reached_costs_a_warning_and_no_mark(data_dir):
    ended = run(payload(TITLED), data_dir)
    assert (ended.code, ended.answer, ended.errors) == (0, {"output": "queued scene 7"}, [])
    assert b"\x01w\x02" in ended.stderr
    assert len(marks_in(data_dir)) == 1
