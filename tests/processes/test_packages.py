"""Without its libraries the worker rests, marks pile up, and all is sent once the libraries are there."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.doubles.stash_plugins import base_python
from tests.waiting import until


class Bare:
    """A Python without our libraries, whose pip finds none either."""

    def __init__(self, folder):
        subprocess.run([base_python(), "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
        self.python = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
        ask = [self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
        self.site = Path(subprocess.run(ask, check=True, capture_output=True, text=True, timeout=60).stdout.strip())
        ours = Path(sysconfig.get_path("purelib"), "pip")
        if ours.is_dir():
            (self.site / "pip").symlink_to(ours)

    def gain_packages(self):
        """As if somebody had installed them."""
        (self.site / "found.pth").write_text(sysconfig.get_path("purelib") + "\n")


@pytest.fixture
def bare(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    return Bare(tmp_path / "bare")


def test_without_packages_marks_pile_up_and_all_is_sent_later(build, bare):
    world = build(python=bare.python)
    ids = world.seed(5)
    world.stash.save(ids[0], code="X")
    note = os.path.join(world.data, "resting")
    until(lambda: os.path.exists(note), what="the worker to rest")
    until(lambda: not world.living, what="the worker to end")
    (line,) = world.errors()
    target = os.path.join(world.data, "deps-")
    assert f'Run: "{bare.python}" -m pip install --target "{target}' in line
    assert line.endswith('requirements.txt"')

    world.stash.bulk_save(ids[1:], code="Y")
    assert len(world.workers) == 1  # nobody tries again for ten minutes
    assert len(world.marks()) == 5
    assert world.plex.requests() == []
    refused = world.run_task("Process Queue")
    assert refused["error"].startswith("Python packages are missing")
    assert len(world.marks()) == 5

    bare.gain_packages()
    ended = world.run_task("Process Queue")
    assert (ended["error"], ended["output"]["done"]) == (None, {"synced": 5})
    assert (world.differences(), world.marks()) == ([], [])
    assert not os.path.exists(note)
    world.stash.save(ids[0], code="Z")
    world.synced()


def test_a_worker_that_is_launched_again_finds_the_packages(build, bare):
    world = build(python=bare.python)
    ids = world.seed(2)
    world.stash.save(ids[0], code="X")
    note = os.path.join(world.data, "resting")
    until(lambda: os.path.exists(note) and not world.living, what="the worker to rest")
    bare.gain_packages()
    os.utime(note, (1, 1))  # ten minutes later
    world.stash.save(ids[1], code="Y")
    world.synced()
    assert not os.path.exists(note)
