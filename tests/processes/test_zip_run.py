"""What people install is what runs: the zip in an empty folder, without the sources."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from sync_queue import lease
from tests.processes.package_store import LISTING, build_zip, delete, install
from tests.processes.world import PLUGIN
from tests.waiting import until


@pytest.fixture
def plugins(tmp_path):
    return tmp_path / "plugins" / "a source"


@pytest.fixture
def installed(build, tmp_path, plugins, monkeypatch):
    """A world whose plugin was installed from the zip, with its data where Stash's users have it."""
    monkeypatch.delenv("STASH_PLUGIN_DATA")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    folder = install(build_zip(tmp_path), plugins)
    world = build(plugin=plugins)
    world.data = str(folder / "data")
    world.seed(4)
    return world


def test_the_sources_are_out_of_reach(tmp_path):
    """Else the tests here would prove nothing."""
    code = "import site, importlib.util as u; site.main(); print([n for n in ('worker', 'hooks') if u.find_spec(n)])"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "[]\n"


def test_stash_finds_both_plugins_and_can_read_every_file(installed, plugins):
    assert set(installed.stash.plugins.loaded) == {PLUGIN, f"{PLUGIN}Launcher"}
    listed = yaml.safe_load((plugins / PLUGIN / LISTING).read_text())["files"]
    modes = {(plugins / PLUGIN / name).stat().st_mode & 0o444 for name in listed}
    assert modes == {0o444}


def test_hook_worker_and_task_run_from_the_zip(installed):
    installed.stash.save("1", code="X")
    installed.synced(only=["1"])
    installed.worker()
    assert installed.status()["state"] == "ok"
    ended = installed.run_task("Sync All Scenes")
    assert ended["error"] is None
    installed.synced()
    assert installed.errors() == []


def test_the_shell_command_runs_from_the_zip(installed, plugins, tmp_path):
    command = [sys.executable, str(plugins / PLUGIN / "process_queue.py"), "--stash-url", installed.stash.url]
    asked = [*command, "--stats-only", "--json"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "ok"


def test_removing_the_plugin_ends_its_worker_and_keeps_its_data(installed, plugins):
    with open(plugins / PLUGIN / "worker" / "life.py", "a", encoding="utf-8") as file:
        file.write("\n\nABSENT_S = 0.5\n")
    installed.stash.save("1", code="X")
    installed.synced(only=["1"])
    record = installed.worker()
    delete(plugins / PLUGIN)
    installed.stash.plugins.reload()
    until(lambda: record.exit_code is not None, what="the worker to end")
    assert not lease.held(installed.data)
    assert os.path.exists(os.path.join(installed.data, "stash2plex.db"))
