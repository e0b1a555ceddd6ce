"""Real processes among neighbours with a login, in good times and bad, show no secret: `tests.secret_net` looks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest

from tests import secret_net
from tests.canaries import API_KEY, LOGIN, PLEX_TOKEN, secret
from tests.hooks.hook_process import run, server_of
from tests.processes.world import PLUGIN, copy_of_plugin
from tests.waiting import until


class CommandLines(threading.Thread):
    """Reads our processes' command lines again and again, for those that live only for moments."""

    def __init__(self):
        super().__init__(daemon=True)
        self._over = threading.Event()

    def run(self):
        while not self._over.wait(0.005):
            secret_net.heard.extend(secret_net.command_lines())

    def stop(self):
        self._over.set()
        self.join(30)


@pytest.fixture
def watched():
    """While this lasts, no command line is missed."""
    watch = CommandLines()
    watch.start()
    yield
    watch.stop()


@pytest.fixture
def world(build):
    """A Stash with a login; ``presented`` is the credential that came with the last request to it."""
    made = build(credentials=LOGIN)
    made.seed(4)
    made.presented = ""
    admit = made.stash.sessions.admit

    def remember(api_key, cookie):
        made.presented = api_key or cookie or ""
        return admit(api_key, cookie)

    made.stash.sessions.admit = remember
    return made


def test_success_trouble_and_all_tasks_with_a_session_show_no_secret(world, watched):
    ids = list(world.keys)
    world.stash.save(ids[0], code="X")
    world.synced(only=ids[:1])
    world.plex.token = secret("another")
    world.stash.save(ids[1], code="Y")
    until(lambda: world.logged("Sending pauses"), what="the token to be refused")
    assert world.run_task("View Queue Status")["output"]["queued"] == 1
    world.plex.token = PLEX_TOKEN
    assert world.run_task("Process Queue")["error"] is None
    world.plex.down()
    world.stash.save(ids[2], code="Z")
    assert "Plex is away" in world.run_task("Process Queue")["output"]["state"]
    assert "Unknown mode" in world.run_task(None, mode="none")["error"]
    world.plex.up()
    for task in ("Sync All Scenes", "Health Check"):
        assert world.run_task(task)["error"] is None
    assert world.differences() == []


def test_the_api_key_shows_nowhere(world, watched, tmp_path):
    world.stash.api_key = API_KEY
    assert world.run_task("Sync All Scenes")["output"]["done"] == {"synced": 4}
    world.stash.save("1", code="X")
    world.synced()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").write_text(API_KEY)
    code, *_ = world.shell("--json", "--stash-api-key-file", str(tmp_path / "secrets" / "key"))
    assert code == 0 and world.presented == API_KEY


@pytest.mark.parametrize("with_api_key", [False, True])
def test_what_stash_repeats_of_our_credential_shows_nowhere(world, with_api_key):
    world.stash.api_key = API_KEY if with_api_key else ""
    world.stash.save("1", code="X")
    world.synced(only=["1"])
    execute = world.stash.execute

    def echo(query, variables, operation, call):
        if "findScene" not in query:
            return execute(query, variables, operation, call)
        return True, {"errors": [{"message": f"{world.presented} may not see scenes"}], "data": None}

    world.stash.execute = echo
    world.stash.save("2", code="Y")
    until(lambda: world.logged("*** may not see scenes"), what="the worker to say what Stash said")
    assert "*** may not see scenes" in world.status()["state"]


def test_a_token_of_the_environment_shows_nowhere(build, monkeypatch, watched):
    token = secret("of-the-environment")
    monkeypatch.setenv("PLEX_TOKEN", token)
    world = build()
    world.plex.token = token
    world.seed(1)
    world.configure(plex_token=None)
    world.stash.save("1", code="X")
    world.synced()
    assert world.run_task("Health Check")["error"] is None
    assert world.errors() == []


FAULT = """
def {}(*args, **options):
    import os
    raise RuntimeError(os.environ["PLEX_TOKEN"])
"""


def test_the_text_of_a_fault_shows_nowhere_but_its_place_does(build, tmp_path, monkeypatch):
    faulty = {"worker__foreground": FAULT.format("carry_out"), "worker__serve": FAULT.format("serve")}
    plugin = copy_of_plugin(tmp_path / "plugins", **faulty)
    monkeypatch.setenv("PLEX_TOKEN", PLEX_TOKEN)
    world = build(plugin)
    world.seed(1)
    said = "a fault in Stash2Plex: RuntimeError in "
    assert world.run_task("Process Queue")["error"].startswith(said + "carry_out")
    world.stash.save("1", code="X")
    until(lambda: world.logged(f"Worker met {said}serve"), what="the worker to meet its fault")
    command = [sys.executable, str(plugin / "process_queue.py"), "--stash-url", world.stash.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.startswith(said + "carry_out")


def test_a_cookie_that_waits_for_a_worker_is_for_its_owner_only(world):
    world.stash.set_enabled(PLUGIN, False)
    cookie = world.stash.cookie()
    os.makedirs(world.data)
    asked = {"server_connection": server_of(world.stash.url), "args": {"mode": "wake", "session": cookie}}
    ended = run(json.dumps(asked).encode(), world.data)
    assert ended.code == 0
    path = os.path.join(world.data, "cookie")
    with open(path) as file:
        assert file.read() == cookie
    assert os.name == "nt" or os.stat(path).st_mode & 0o777 == 0o600
