"""What a hook loads: built-in modules and our own few, because the user waits for each import."""

from __future__ import annotations

import os
import sysconfig

import pytest

from sync_queue import lease
from tests.doubles.stash_plugins import base_python
from tests.hooks.hook_process import ENTRY, ROOT, event, payload, run

HEAVY = {
    "json", "re", "typing", "os", "socket", "logging", "dataclasses", "pathlib", "subprocess", "ssl", "http", "hashlib",
}  # fmt: skip

# Runs the entry file as Stash does, and tells what was loaded at the moment of its end.
RUNNER = """
import sys
try:
    import posix as system
except ImportError:
    import nt as system
leave = system._exit
def tell(code):
    for name, module in list(sys.modules.items()):
        system.write(2, ("LOADED %s %s\\n" % (name, getattr(module, "__file__", None) or "")).encode())
    leave(code)
system._exit = tell
with open(sys.argv[1], "rb") as file:
    source = file.read()
exec(compile(source, sys.argv[1], "exec"), {"__name__": "__main__", "__file__": sys.argv[1]})
"""


def loaded_by(stdin, data_dir, tmp_path):
    runner = tmp_path / "runner.py"
    runner.write_text(RUNNER)
    ended = run(stdin, data_dir, [base_python(), "-I", "-S", str(runner), str(ENTRY)])
    assert ended.code == 0
    rows = [line.split(" ", 2)[1:] for line in ended.stderr.decode().splitlines() if line.startswith("LOADED ")]
    assert rows
    return dict(rows)


def check(modules):
    ours = {name for name, file in modules.items() if file.startswith(str(ROOT) + os.sep)}
    standard = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
    foreign = {
        name: file
        for name, file in modules.items()
        if name not in ours and name != "__main__" and file and not file.startswith(standard)
    }
    third_party = {name for name, file in modules.items() if "site-packages" in file}
    assert (foreign, third_party) == ({}, set())
    assert HEAVY.isdisjoint(modules)
    return {name for name in ours if not name.startswith("__")}


@pytest.fixture
def change():
    return payload(event("Scene.Update.Post", 7, ["title"]))


def test_a_hook_that_meets_a_worker_loads_the_least(data_dir, tmp_path, change):
    held = lease.take(data_dir)
    ours = check(loaded_by(change, data_dir, tmp_path))
    lease.release(held)
    assert ours <= {
        "stash", "stash.protocol", "stash.log", "hooks", "hooks.events", "hooks.receive",
        "sync_queue", "sync_queue.inbox", "sync_queue.lease",
    }  # fmt: skip


def test_a_hook_that_launches_loads_one_module_more(data_dir, tmp_path, change):
    ours = check(loaded_by(change, data_dir, tmp_path))
    assert "hooks.wake" in ours
    assert not any(name.split(".")[0] in ("worker", "plex", "validation", "reconcile") for name in ours)


def test_a_page_load_costs_no_more_than_a_hook_that_launches(data_dir, tmp_path):
    stdin = payload(None).replace(b'"hookContext": null', b'"mode": "wake"')
    ours = check(loaded_by(stdin, data_dir, tmp_path))
    assert ours <= {
        "stash", "stash.protocol", "stash.log", "hooks", "hooks.page", "hooks.wake", "sync_queue", "sync_queue.lease",
    }  # fmt: skip
