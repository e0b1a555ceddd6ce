"""Without its libraries the worker rests, marks pile up, and all is sent once the libraries are there."""

from __future__ import annotations

import os

import pytest

from tests.canaries import secret
from tests.processes.world import copy_of_plugin
from tests.waiting import until
from tests.worker.bare_python import BarePython

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the bare Python is made of links")


SECRET = secret("of-the-index", "")


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A Python without our libraries, whose pip reaches no index."""
    made = BarePython(tmp_path / "bare")
    made.gain_pip()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://someone:{SECRET}@127.0.0.1:1/simple")
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    monkeypatch.setenv("PATH", str(tmp_path))
    return made


def test_without_packages_marks_pile_up_and_all_is_sent_later(build, bare):
    world = build(python=bare.python)
    ids = world.seed(5)
    world.stash.save(ids[0], code="X")
    note = os.path.join(world.data, "resting")
    until(lambda: os.path.exists(note), what="the worker to rest")
    until(lambda: not world.living, what="the worker to end")
    (line,) = world.errors()
    target = os.path.join(world.data, "deps-")
    assert "could not be installed: the package index cannot be reached. " in line
    assert f'Run: "{bare.python}" -m pip install' in line and f'--target "{target}' in line
    assert line.endswith('requirements.lock"')

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
    assert SECRET not in str(world.stash.log)


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


def test_packages_that_are_there_and_broken_are_named_once_and_hooks_only_write_marks(build, tmp_path):
    world = build(plugin=copy_of_plugin(tmp_path / "plugins", worker__sync="import a_part_that_is_missing"))
    ids = world.seed(3)
    world.stash.save(ids[0], code="X")
    until(lambda: os.path.exists(os.path.join(world.data, "resting")), what="the worker to rest")
    until(lambda: not world.living, what="the worker to end")
    (line,) = world.errors()
    assert "The Python packages are damaged (ModuleNotFoundError" in line and "deps-" in line
    world.stash.bulk_save(ids[1:], code="Y")
    assert len(world.workers) == 1 and len(world.marks()) == 3
