"""When the worker's loop leaves, and when it stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stash.client import StashClient
from sync_queue import marks, replies
from sync_queue.files import read_json
from tests.canaries import LOGIN
from tests.doubles.stash_server import StashDouble
from tests.worker.steps import Stage
from worker.life import STOPPED, Life
from worker.loop import DISABLED, IDLE, REFUSED, SILENT, Loop
from worker.session import Session

HOUR_S = 3_600.0


def _loop(stage: Stage, sees_stash: bool = True) -> tuple[Loop, Life]:
    life = Life("no manifest")
    life.sees_stash = sees_stash
    return Loop(stage.session, life, stage.clock), life


def _run(stage: Stage, loop: Loop, life: Life, seconds: float) -> float:
    """Let the loop run that long, or until it leaves; returns how long it stayed."""
    began = stage.clock.now
    while not life.over and stage.clock.now - began < seconds:
        rest_s = loop.step(stage.clock.now)
        stage.clock.now += min(20.0, rest_s)
    return stage.clock.now - began


def test_a_worker_with_nothing_to_do_leaves_after_ten_minutes(stage: Stage) -> None:
    loop, life = _loop(stage)
    assert 600 <= _run(stage, loop, life, HOUR_S) <= 640 and life.over == IDLE


def test_a_change_keeps_the_worker_for_ten_minutes_more(stage: Stage) -> None:
    loop, life = _loop(stage)
    _run(stage, loop, life, 500)
    stage.mark(stage.scene())
    assert 600 <= _run(stage, loop, life, HOUR_S) <= 760 and life.over == IDLE
    assert stage.differing() == {}


def test_a_worker_does_not_leave_while_plex_is_away(stage: Stage) -> None:
    loop, life = _loop(stage)
    stage.plex.down()
    stage.mark(stage.scene())
    _run(stage, loop, life, HOUR_S)
    assert life.over == ""
    stage.plex.up()
    _run(stage, loop, life, 70)
    assert stage.differing() == {}


def test_a_worker_does_not_leave_while_a_scene_waits(stage: Stage) -> None:
    loop, life = _loop(stage)
    stage.mark(stage.scene(in_plex=False))
    _run(stage, loop, life, HOUR_S)
    assert life.over == "" and stage.session.store.next_due() is not None


def test_a_worker_does_not_leave_while_changes_wait_for_a_setting(stage: Stage) -> None:
    loop, life = _loop(stage)
    stage.configure(enabled=False)
    stage.mark(stage.scene())
    _run(stage, loop, life, HOUR_S / 2)
    assert life.over == "" and stage.session.queue.scenes == 1


def test_a_worker_leaves_when_its_plugin_is_disabled(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "Stash2Plex.yml").write_text("name: Stash2Plex\n")
    with StashDouble(plugins=[str(tmp_path / "Stash2Plex.yml")], clock=stage.clock) as stash:
        stage.session.close()
        stage.session = Session(stage.data_dir, StashClient(stash.url))
        loop, life = _loop(stage)
        _run(stage, loop, life, 60)
        assert life.over == ""
        stash.set_enabled("Stash2Plex", False)
        assert _run(stage, loop, life, 600) <= 40 and life.over == DISABLED


def test_a_worker_that_stash_refuses_leaves_after_a_minute(stage: Stage, tmp_path: Path) -> None:
    with StashDouble(plugins=[], credentials=LOGIN, clock=stage.clock) as stash:
        session = Session(str(tmp_path / "other"), StashClient(stash.url))
        life = Life("no manifest")
        loop = Loop(session, life, stage.clock)
        stayed = _run(stage, loop, life, HOUR_S)
        assert life.over == REFUSED and 60 <= stayed <= 80 and "login" in session.state
        session.close()


def test_a_stash_that_only_restarts_keeps_its_worker(stage: Stage) -> None:
    loop, life = _loop(stage)
    scene = stage.scene()
    _run(stage, loop, life, 60)
    stage.stash.faults.status(503, times=8)
    stage.save(scene, title="Edited")
    _run(stage, loop, life, 200)
    assert life.over == "" and stage.differing() == {}


@pytest.mark.parametrize("sees_stash", [True, False])
def test_a_silent_stash_ends_the_worker_only_where_its_death_cannot_be_seen(stage: Stage, sees_stash: bool) -> None:
    loop, life = _loop(stage, sees_stash)
    _run(stage, loop, life, 20)
    stage.stash.kill()
    stayed = _run(stage, loop, life, 150)
    stage.stash.start()
    assert (life.over == SILENT) != sees_stash and stayed >= 60


def test_a_worker_that_is_asked_to_stop_ends_its_run(stage: Stage) -> None:
    loop, life = _loop(stage)
    stage.mark(stage.scene())
    life.leave(STOPPED)
    loop.run()
    assert stage.ready() == 1 and stage.plex.count() == 0


def test_whoever_follows_a_task_is_told_when_the_data_folder_fails(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.mark(*stage.scenes(200))
    loop, _ = _loop(stage)
    reply = replies.ask(stage.data_dir, "process_queue")
    loop.step(stage.clock.now)
    loop.step(stage.clock.now)
    assert not marks.waiting(stage.data_dir)

    def fail(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stage.session, "step", fail)
    with pytest.raises(OSError):
        loop.run()
    said = read_json(os.path.join(stage.data_dir, replies.FOLDER, f"{reply}.json"))
    assert said["done"] and "data folder" in said["error"]
