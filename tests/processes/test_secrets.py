"""No secret is left where it can be read: not in logs, answers, files or command lines."""

from __future__ import annotations

import glob
import os
import threading
from urllib.parse import quote

import pytest

from tests.hooks.hook_process import event, payload, run, server_of
from tests.processes.world import PLUGIN
from tests.waiting import until

TOKEN = "canary/token+of=plex"
API_KEY = "canary.api-key.of.stash"


class CommandLines(threading.Thread):
    """Reads the command line of every process, again and again, where there is a /proc."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen, self._over = set(), threading.Event()

    def run(self):
        while not self._over.wait(0.005):
            for name in glob.glob("/proc/[0-9]*/cmdline"):
                try:
                    with open(name, "rb") as file:
                        self.seen.add(file.read())
                except OSError:
                    pass

    def stop(self):
        self._over.set()
        self.join(30)
        return self.seen


@pytest.fixture
def world(build):
    """A Stash with a login whose every cookie is remembered, and a Plex with a token that stands out."""
    made = build(credentials=("someone", "canary password"))
    made.plex.token = TOKEN
    made.seed(4)
    made.cookies = []
    issue = made.stash.sessions.issue

    def remember(user):
        made.cookies.append(issue(user))
        return made.cookies[-1]

    made.stash.sessions.issue = remember
    return made


def secrets(world):
    return [form.encode() for secret in [TOKEN, API_KEY, *world.cookies] for form in (secret, quote(secret, safe=""))]


def found_in(world, *texts):
    return [secret for secret in secrets(world) for text in texts if secret in text]


def log_of(world):
    return "\n".join(text for _, _, text in list(world.stash.log)).encode()


def files_of(world):
    held = []
    for folder, _, names in os.walk(world.data):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                held.append(file.read())
    return held


@pytest.mark.parametrize("with_api_key", [False, True])
def test_no_secret_shows_in_logs_answers_files_or_command_lines(world, with_api_key, tmp_path):
    watch = CommandLines()
    watch.start()
    if with_api_key:
        world.stash.api_key = API_KEY
    answers = live_through_a_lot(world) if not with_api_key else [world.run_task("Sync All Scenes")]
    if with_api_key:
        world.stash.save("1", code="X")
        world.synced()
        (tmp_path / "key").write_text(API_KEY)
        answers += world.shell("--json", "--stash-api-key-file", str(tmp_path / "key"))[1:]
    seen = watch.stop()
    assert len(world.cookies) > 4
    assert not os.path.isdir("/proc/self") or any(b"Stash2Plex.py" in line for line in seen)
    assert found_in(world, log_of(world), *seen, *[str(answer).encode() for answer in answers]) == []
    assert found_in(world, *files_of(world)) == []


def live_through_a_lot(world):
    """Success, Plex away, a refused token, a fault of Plex, all tasks; what the tasks answered."""
    ids = list(world.keys)
    world.stash.save(ids[0], code="X")
    world.synced(only=ids[:1])
    world.plex.token = "another"
    world.stash.save(ids[1], code="Y")
    until(lambda: world.logged("Sending pauses"), what="the token to be refused")
    answers = [world.run_task("View Queue Status")]
    world.plex.token = TOKEN
    answers += [world.run_task("Process Queue")]
    world.plex.down()
    world.stash.save(ids[2], code="Z")
    answers += [world.run_task("Process Queue"), world.run_task(None, mode=TOKEN[:6])]
    world.plex.up()
    answers += [world.run_task("Sync All Scenes")]
    return answers


def test_a_cookie_that_waits_for_a_worker_is_for_its_owner_only(world):
    world.stash.set_enabled(PLUGIN, False)
    server = server_of(world.stash.url, world.stash.cookie())
    ended = run(payload(event("Scene.Update.Post", 1, ["title"]), server), world.data)
    assert ended.code == 0
    path = os.path.join(world.data, "cookie")
    assert os.stat(path).st_mode & 0o777 == 0o600
    os.unlink(path)
    assert found_in(world, ended.stdout, ended.stderr, *files_of(world)) == []
