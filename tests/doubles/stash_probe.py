"""Tiny throw-away plugins that note what happens to them, for the tests of the double itself."""

import os
import time
from pathlib import Path
from typing import Any, Callable

import pytest

PROBE = """\
name: Probe
version: "1.0"
exec: [python3, -I, -S, "{pluginDir}/probe.py"]
hooks:
  - name: scenes
    triggeredBy: [Scene.Update.Post]
tasks:
  - name: Slow
    defaultArgs: {mode: slow, given: default}
"""
# Notes what it saw beside itself: `begin` and `end` lines of each process. Answers with its cookie written backwards,
# since Stash logs what a hook answers, and in no test a secret may be there.
SCRIPT = """\
import json, os, select, signal, sys, time
body = json.loads(sys.stdin.buffer.read())
args = body["args"]
here = os.path.dirname(__file__)

def note(*words):
    with open(os.path.join(here, "notes"), "a") as notes:
        notes.write(" ".join(str(word) for word in words) + "\\n")

def say(level, text):
    os.write(2, b"\\x01" + level.encode() + b"\\x02" + text.encode() + b"\\n")

def worker():
    note("worker", os.getpid(), os.getppid())
    say("i", "worker is up")
    poll = select.poll()
    poll.register(1, 0)
    note("worker saw", poll.poll(10000)[0][1] & select.POLLERR)

def shout():
    say("w", "short")
    try:
        os.write(2, b"x" * 70000 + b"\\n")
        for _ in range(100):
            time.sleep(0.01)
            say("i", "unheard")
        note("the pipe stayed open")
    except BrokenPipeError:
        note("the pipe was closed")

def slow():
    say("p", "0.5")
    time.sleep(float(args.get("seconds", 0.2)))
    say("p", "7")

hook = args.get("hookContext")
mode = args.get("mode", "hook")
ident = hook["id"] if hook else mode
note("begin", ident, time.time())
if hook:
    time.sleep(float(os.environ.get("PROBE_SLEEP", "0.02")))
else:
    {"worker": worker, "shout": shout, "slow": slow, "say": lambda: os.write(2, args["text"].encode("latin-1")),
     "fail": lambda: None, "echo": lambda: None}[mode]()
note("end", ident, time.time())
if mode == "fail":
    print(json.dumps({"error": "it failed"}))
else:
    print(json.dumps({"output": {"cookie": body["server_connection"]["SessionCookie"]["Value"][::-1], "args": args}}))
"""
LAUNCHER = """\
name: Launcher
interface: js
exec: [launch.js]
"""
LAUNCH = """\
log.Info('launching');
gql.Do('mutation($id:ID!,$args:Map){runPluginOperation(plugin_id:$id,args:$args)}',
       {id: 'Probe', args: {mode: input.Args.mode || 'worker'}});
({Output: 'back'})
"""
posix_only = pytest.mark.skipif(os.name == "nt", reason="poll and SIGKILL are POSIX")


class Probe:
    """A plugins folder with the probe and its launcher, and what they noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        files = {"Probe.yml": PROBE, "probe.py": SCRIPT, "Launcher.yml": LAUNCHER, "launch.js": LAUNCH}
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")

    def notes(self, start: str = "") -> list[str]:
        path = self.folder / "notes"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [line for line in lines if line.startswith(start)]

    def wait_note(self, start: str, timeout_s: float = 5.0) -> str:
        return wait(lambda: self.notes(start), timeout_s)[0]


def wait(condition: Callable[[], Any], timeout_s: float = 5.0) -> Any:
    """What `condition` gives once it is true; fails when that takes too long."""
    until = time.monotonic() + timeout_s
    while True:
        found = condition()
        if found or time.monotonic() > until:
            assert found, "it did not happen in time"
            return found
        time.sleep(0.01)
