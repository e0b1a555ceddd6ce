"""What the launcher's script can see of a worker: on Linux a folder by way of its process, elsewhere one that ages."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.waiting import until
from worker.presence import Presence

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
FIRST, SECOND = "2026-11-21T11:00:00+01:00", "2026-11-21T11:00:05+01:00"
SHOWN = {FIRST: "2026-11-21T11.00.00+01.00", SECOND: "2026-11-21T11.00.05+01.00"}
ANNOUNCE = "import sys, time; sys.path.insert(0, sys.argv[1]); from worker.presence import Presence; "
ANNOUNCE += "Presence(sys.argv[2], sys.argv[2] + '/data').announce(sys.argv[3]); time.sleep(60)"


@pytest.fixture
def plugin(tmp_path):
    """A plugin folder with its data in the usual place."""
    (tmp_path / "launcher").mkdir()
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture
def presence(plugin):
    made = Presence(str(plugin), str(plugin / "data"))
    yield made
    made.retract()


def seen(plugin):
    """The sub-folders of ``alive``, as Stash lists them; None when it leads nowhere."""
    alive = plugin / "launcher" / "alive"
    return sorted(os.listdir(alive)) if alive.is_dir() else None


@LINUX
def test_the_announced_date_is_the_name_of_the_one_sub_folder(plugin, presence):
    presence.announce(FIRST)
    assert seen(plugin) == [SHOWN[FIRST]]
    presence.announce(SECOND)
    assert seen(plugin) == [SHOWN[SECOND]]


@LINUX
def test_an_announcement_of_the_same_date_changes_nothing(plugin, presence):
    presence.announce(FIRST)
    presence.announce(FIRST)
    assert seen(plugin) == [SHOWN[FIRST]]


@LINUX
def test_what_was_retracted_leaves_nothing_and_can_be_announced_again(plugin, presence):
    presence.announce(FIRST)
    presence.retract()
    assert (os.listdir(plugin / "launcher"), os.listdir(plugin / "data")) == ([], [])
    presence.announce(SECOND)
    assert seen(plugin) == [SHOWN[SECOND]]


@LINUX
def test_of_a_killed_worker_nothing_is_seen_and_the_next_one_takes_its_place(plugin, presence):
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with subprocess.Popen([sys.executable, "-c", ANNOUNCE, root, str(plugin), FIRST]) as worker:
        until(lambda: seen(plugin) == [SHOWN[FIRST]], what="the announcement")
        worker.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)  # dead, and nobody has taken note of it yet
        assert seen(plugin) is None
    assert os.path.islink(plugin / "launcher" / "alive")
    presence.announce(SECOND)
    assert seen(plugin) == [SHOWN[SECOND]]


@LINUX
def test_another_process_of_the_same_number_with_another_folder_open_is_not_taken_for_it(plugin, presence):
    presence.announce(FIRST)
    target = os.readlink(plugin / "launcher" / "alive")
    presence.retract()
    os.symlink(target, plugin / "launcher" / "alive")  # as a killed worker leaves it
    other = os.open(plugin, os.O_RDONLY)
    try:
        assert seen(plugin) is None
    finally:
        os.close(other)


@LINUX
def test_stash_looks_for_plugins_wherever_a_link_leads_so_it_leads_into_our_folder_alone(plugin, presence):
    presence.announce(FIRST)
    assert os.path.realpath(plugin / "launcher" / "alive").startswith(os.path.realpath(plugin / "data"))


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_the_folder_tells_the_time_and_a_beat_renews_it(plugin, presence, monkeypatch, platform):
    monkeypatch.setattr("worker.presence.sys.platform", platform)
    monkeypatch.setattr("worker.presence.time.time", lambda: 1_000.9)
    presence.announce(FIRST)
    assert seen(plugin) == [SHOWN[FIRST] + "~1000"]
    presence.beat()
    assert seen(plugin) == [SHOWN[FIRST] + "~1000"]
    monkeypatch.setattr("worker.presence.time.time", lambda: 1_002.0)
    presence.beat()
    assert seen(plugin) == [SHOWN[FIRST] + "~1002"]
    presence.announce(SECOND)
    assert seen(plugin) == [SHOWN[SECOND] + "~1002"]
    presence.retract()
    assert seen(plugin) is None
    presence.announce(FIRST)
    assert seen(plugin) == [SHOWN[FIRST] + "~1002"]


def test_on_linux_a_beat_writes_nothing(plugin, presence):
    presence.announce(FIRST)
    if "~" in seen(plugin)[0]:
        pytest.skip("this system needs the beat")
    before = os.stat(plugin / "data" / "announced").st_mtime_ns
    time.sleep(0.01)
    presence.beat()
    assert os.stat(plugin / "data" / "announced").st_mtime_ns == before


def test_with_the_data_elsewhere_nothing_is_shown_since_the_script_would_not_know_whose_worker_it_is(plugin, tmp_path):
    elsewhere = Presence(str(plugin), str(tmp_path / "elsewhere"))
    elsewhere.announce(FIRST)
    assert seen(plugin) is None


def test_a_plugin_folder_that_cannot_be_written_shows_nothing(tmp_path):
    (tmp_path / "launcher").write_text("no folder")
    (tmp_path / "data").mkdir()
    presence = Presence(str(tmp_path), str(tmp_path / "data"))
    presence.announce(FIRST)
    presence.beat()
    presence.retract()
    assert os.listdir(tmp_path / "data") == []
