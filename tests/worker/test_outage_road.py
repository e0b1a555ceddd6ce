"""An outage from its beginning to full speed: one record, one scene after the other, and what is said of it."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sync_queue.store import Store
from tests.canaries import PLEX_TOKEN, secret
from tests.worker.steps import Stage
from worker.gate import BREAKER
from worker.ramp import RAMP_S

MINUTE_S = 60.0
HOUR_S = 3_600.0


def lines(capfd: pytest.CaptureFixture[str], level: str = "") -> list[str]:
    """What was logged since the last call, of one level or of all but debugging."""
    said = [line.partition("\x02") for line in capfd.readouterr().err.splitlines()]
    return [text for mark, _, text in said if mark[1:] == level or (not level and mark[1:] != "d")]


def outages(stage: Stage) -> list[dict[str, object]]:
    """The records, newest first."""
    return stage.session.store.outages()


def go_away(stage: Stage, *scenes: int, seconds: float = 10 * MINUTE_S) -> None:
    """Plex is away for so long while these scenes are saved."""
    stage.plex.down()
    stage.save(*scenes, details=f"Edited at {stage.clock.now}")
    stage.run_for(seconds)


def come_back(stage: Stage, seconds: float = 2 * MINUTE_S) -> float:
    """Plex is there again; how long it takes until the first scene is through."""
    before, began = stage.session.tally["synced"], stage.clock.now
    stage.plex.up()
    stage.run_until(lambda _: stage.session.tally["synced"] > before, within_s=seconds)
    return stage.clock.now - began


# one outage, one record


def test_an_outage_of_41_minutes_is_one_record_of_41_minutes(stage: Stage) -> None:
    scenes = stage.scenes(30)
    stage.settle(*scenes)
    began = stage.clock.now
    for start in range(0, 30, 10):
        go_away(stage, *scenes[start : start + 10], seconds=41 * MINUTE_S / 3)
    assert come_back(stage) <= MINUTE_S
    stage.run()
    (outage,) = outages(stage)
    assert began <= outage["started"] <= began + 1
    assert 41 * MINUTE_S <= outage["ended"] - outage["started"] <= 42 * MINUTE_S
    assert outage["scenes"] == 30 and "connection refused" in outage["cause"]
    assert stage.differing() == {} and stage.dead() == {}


def test_an_outage_through_two_restarts_is_one_record(stage: Stage) -> None:
    scenes = stage.scenes(3)
    began = stage.clock.now
    for scene in scenes:
        go_away(stage, scene, seconds=HOUR_S)
        stage.reopen()
    assert come_back(stage) <= MINUTE_S + 1
    stage.run()
    assert [began <= one["started"] <= began + 2 for one in outages(stage)] == [True]
    assert stage.differing() == {}


@pytest.mark.parametrize(
    "damage", ['{"opened": 7}', "NaN", "[" * 100_000, b"\xff\xfe\x00"], ids=["7", "NaN", "deep", "x"]
)
@pytest.mark.parametrize("back", [False, True], ids=["away", "back"])
def test_a_damaged_breaker_is_closed_and_the_outage_stays_one_record(stage: Stage, damage: object, back: bool) -> None:
    scene = stage.scene()
    go_away(stage, scene, seconds=HOUR_S)
    began = outages(stage)[0]["started"]
    stage.session.close()
    with closing(sqlite3.connect(str(Path(stage.data_dir, "stash2plex.db")))) as db:
        db.execute("UPDATE facts SET value = CAST(? AS TEXT) WHERE name = ?", (damage, BREAKER))
        db.commit()
    stage.open()
    if not back:
        stage.run_for(HOUR_S)
        assert stage.uncharged(scene) and [one["ended"] for one in outages(stage)] == [None]
    come_back(stage)
    stage.run()
    assert [(one["started"], one["ended"] is not None) for one in outages(stage)] == [(began, True)]
    assert stage.differing() == {}


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("write", ["outage_began", "remember"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_killed_while_an_outage_is_written_makes_no_second_record(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, write: str, moment: str
) -> None:
    scene = stage.scene()
    plain = getattr(Store, write)

    def killed(store: Store, *args: object) -> None:
        if write == "remember" and not (args[0] == BREAKER and args[1]["opened"]):  # type: ignore[index]
            return plain(store, *args)
        if moment == "after":
            plain(store, *args)
        raise _Killed

    stage.plex.down()
    stage.mark(scene)
    with monkeypatch.context() as patched, pytest.raises(_Killed):
        patched.setattr(Store, write, killed)
        stage.run_for(MINUTE_S)
    stage.reopen()
    stage.run_for(HOUR_S)
    come_back(stage)
    stage.run()
    assert [one["ended"] is not None for one in outages(stage)] == [True]
    assert outages(stage)[0]["ended"] - outages(stage)[0]["started"] >= HOUR_S - MINUTE_S


# up, and yet not ready


def test_a_plex_that_is_still_starting_is_told_of_once(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    scenes = stage.scenes(3)
    go_away(stage, *scenes)
    lines(capfd)
    stage.plex.maintenance = True
    stage.plex.up()
    stage.run_for(20 * MINUTE_S)
    said = lines(capfd)
    assert [line for line in said if "Plex answers but is still starting" in line] == said[:1] == said
    assert [one["ended"] for one in outages(stage)] == [None] and stage.uncharged(*scenes)
    assert stage.session.tools.plex.requests <= 30 + 20

    stage.plex.maintenance = False
    stage.run(within_s=2 * MINUTE_S)
    assert stage.differing() == {} and [one["ended"] is not None for one in outages(stage)] == [True]


def test_a_plex_that_answers_its_probe_before_it_has_started_is_told_of_once_and_left_alone(
    stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    scenes = stage.scenes(3)
    go_away(stage, *scenes)
    lines(capfd)
    stage.plex.faults.add("maintenance", times=None, match="/library/")
    stage.plex.faults.add("maintenance", times=None, match="/?")
    stage.plex.up()
    stage.plex.clear_requests()
    stage.run_for(20 * MINUTE_S)
    assert sum("Plex answers but is still starting" in line for line in lines(capfd)) == 1
    assert stage.plex.count() <= 2 * 20 * MINUTE_S / 30 and stage.plex.count(path_contains="/identity") == 1
    assert "busy or starting up" in stage.session.state

    stage.plex.faults.clear()
    stage.run(within_s=2 * MINUTE_S)
    assert stage.differing() == {} and [one["ended"] is not None for one in outages(stage)] == [True]


def test_another_server_that_comes_back_is_told_of_and_gets_every_scene(
    stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    scenes = stage.scenes(5)
    stage.settle(*scenes)
    go_away(stage, scenes[0])
    lines(capfd)
    stage.plex.set("machine_id", "f" * 40)
    stage.plex.up()
    stage.run(within_s=2 * MINUTE_S)
    said = lines(capfd)
    assert sum("Plex is up but is another server" in line for line in said) == 1
    assert sum("every scene is matched and compared anew" in line for line in said) == 1
    assert stage.differing() == {} and stage.dead() == {}


# from one scene to full speed


def _times(stage: Stage, seconds: float) -> list[tuple[float, int]]:
    """How many scenes were synced so far, at each step of that time."""
    began, done, seen = stage.clock.now, stage.session.tally["synced"], []

    def look(_: object) -> bool:
        seen.append((stage.clock.now - began, stage.session.tally["synced"] - done))
        return stage.clock.now - began >= seconds

    stage.run_until(look, within_s=seconds + MINUTE_S)
    return seen


def test_work_speeds_up_from_one_scene_per_second_to_full_speed(stage: Stage) -> None:
    scenes = stage.scenes(400)
    stage.settle(*scenes)
    go_away(stage, *scenes)
    came_back = stage.clock.now
    assert come_back(stage) <= MINUTE_S
    seen = _times(stage, RAMP_S + 15)
    by = {limit: max(done for at, done in seen if at <= limit) for limit in (2, 5, 10, 20)}
    assert 1 <= by[2] <= 4 and 4 <= by[5] <= 9 and 15 <= by[10] <= 30 and 80 <= by[20] <= 140
    assert seen[-1][1] == 399 and stage.differing() == {}
    assert len([at for at, _ in seen]) <= 300
    assert stage.clock.now - came_back <= 3 * MINUTE_S
    assert [one["scenes"] for one in outages(stage)] == [400]


def test_while_it_speeds_up_the_status_says_so_and_a_restart_goes_on_with_it(stage: Stage) -> None:
    scenes = stage.scenes(60)
    stage.settle(*scenes)
    go_away(stage, *scenes)
    come_back(stage)
    stage.run_for(3)
    assert stage.session.drain.standing(stage.clock.now)["state"] == "ramping"
    done = len(scenes) - stage.session.queue.scenes
    stage.reopen()
    stage.run_for(3)
    assert stage.session.drain.standing(stage.clock.now)["state"] == "ramping"
    assert done + 1 <= len(scenes) - stage.session.queue.scenes <= done + 12
    stage.run()
    assert stage.differing() == {}
    stage.run_for(MINUTE_S)
    assert stage.session.drain.standing(stage.clock.now)["state"] == "closed"


@pytest.mark.parametrize("after_s", [0.5, 2.0, 20.0])
def test_a_single_save_while_it_speeds_up_arrives_at_once(stage: Stage, after_s: float) -> None:
    first, second = stage.scenes(2)
    stage.settle(first, second)
    go_away(stage, first)
    come_back(stage)
    stage.run_for(after_s)
    stage.save(second, title="Saved")
    assert stage.run() <= 1.0 and stage.item(second)["title"] == "Saved"


def test_what_plex_needs_not_be_asked_for_uses_nothing_up(stage: Stage) -> None:
    scenes = stage.scenes(120)
    stage.settle(*scenes)
    stage.plex.down()
    stage.save(scenes[0], title="Saved")
    stage.run_for(10 * MINUTE_S)
    come_back(stage)
    stage.mark(*scenes[1:])
    stage.run()
    assert stage.session.tally["unchanged"] == 119 and stage.differing() == {}


def test_unchanged_scenes_alone_end_no_outage(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    *unchanged, changed = stage.scenes(6)
    stage.settle(*unchanged, changed)
    stage.plex.faults.add("status", times=None, status=500, method="PUT")
    stage.save(changed, title="Saved")
    stage.run_for(10 * MINUTE_S)
    lines(capfd)
    for scene in unchanged:
        stage.mark(scene)
        stage.run_for(2 * MINUTE_S)
    assert stage.session.tally["unchanged"] == 5 and not any("Plex is" in line for line in lines(capfd))
    assert [one["ended"] for one in outages(stage)] == [None] and stage.dead() == {}
    stage.plex.faults.clear()
    stage.run(within_s=2 * MINUTE_S)
    assert stage.differing() == {}


def test_a_plex_that_comes_and_goes_is_one_outage_and_charges_no_scene(
    stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    scenes = stage.scenes(60)
    stage.settle(*scenes)
    began = stage.clock.now
    go_away(stage, *scenes)
    for _ in range(4):
        come_back(stage)
        stage.run_for(3)
        stage.plex.down()
        stage.run_for(5 * MINUTE_S)
    assert [one["ended"] for one in outages(stage)] == [None]
    come_back(stage)
    stage.run()
    (outage,) = outages(stage)
    assert outage["started"] <= began + 2 and outage["ended"] - began >= 30 * MINUTE_S and outage["scenes"] == 60
    assert stage.differing() == {} and stage.uncharged(*scenes)
    assert len(lines(capfd, "w")) == 1


def test_one_failure_while_it_speeds_up_stops_all_at_once_and_begins_with_one_scene_again(stage: Stage) -> None:
    scenes = stage.scenes(120)
    stage.settle(*scenes)
    go_away(stage, *scenes)
    come_back(stage)
    stage.run_for(12)
    stage.plex.faults.add("status", status=500, method="PUT")
    stage.run_until(lambda step: step.state.startswith("Plex is away"), within_s=5)
    assert stage.session.drain.standing(stage.clock.now)["state"] == "open"
    done = stage.session.tally["synced"]
    stage.run_for(5)
    assert stage.session.tally["synced"] == done
    stage.run_for(2)
    assert 1 <= stage.session.tally["synced"] - done <= 4
    stage.run()
    assert stage.differing() == {} and stage.dead() == {} and len(outages(stage)) == 1


def test_a_scene_at_which_plex_always_fails_is_found_out_after_an_outage_too(stage: Stage) -> None:
    bad, first, *rest = stage.scenes(8)
    stage.settle(bad, first, *rest)
    go_away(stage, first)
    come_back(stage)
    stage.refuse_puts_of(bad, status=500)
    stage.save(bad, *rest, title="Edited")
    stage.run_for(2 * HOUR_S)
    assert list(stage.dead()) == [bad] and stage.differing(*rest) == {}
    assert [one["ended"] is not None for one in outages(stage)] == [True] and stage.session.state == ""


def test_a_plex_that_finds_it_too_much_while_it_speeds_up_gets_its_pause_and_a_slow_start(stage: Stage) -> None:
    scenes = stage.scenes(120)
    stage.settle(*scenes)
    go_away(stage, *scenes)
    come_back(stage)
    stage.run_for(12)
    stage.plex.faults.add("rate_limit", retry_after=30)
    stage.run_until(lambda step: step.rest_s >= 29, within_s=5)
    done = stage.session.tally["synced"]
    stage.run_for(32)
    assert 1 <= stage.session.tally["synced"] - done <= 5
    stage.run()
    assert stage.differing() == {} and len(outages(stage)) == 1


@pytest.mark.parametrize("jump_s", [-HOUR_S, -10.0, HOUR_S])
def test_a_clock_that_jumps_while_it_speeds_up_holds_nothing_up(stage: Stage, jump_s: float) -> None:
    scenes = stage.scenes(40)
    stage.settle(*scenes)
    go_away(stage, *scenes)
    come_back(stage)
    stage.run_for(11)
    before = stage.session.tally["synced"]
    stage.clock.now += jump_s
    stage.run_until(lambda _: stage.session.tally["synced"] > before, within_s=1.2)
    assert stage.run() <= MINUTE_S and stage.differing() == {}


@pytest.mark.parametrize("jump_s", [-HOUR_S, HOUR_S])
def test_a_clock_that_jumps_while_plex_is_away_makes_no_record_negative(stage: Stage, jump_s: float) -> None:
    scene = stage.scene()
    go_away(stage, scene)
    stage.clock.now += jump_s
    stage.run_for(10 * MINUTE_S)
    assert come_back(stage) <= MINUTE_S
    stage.run()
    (outage,) = outages(stage)
    assert outage["ended"] >= outage["started"] and stage.differing() == {}


# a refused token


@pytest.mark.parametrize("cured_by", ["a new token", "the old token working again"])
@pytest.mark.parametrize("when", ["through a restart", "right after an outage", "for an hour"])
def test_a_refused_token_is_told_of_once_and_ends_by_itself(
    stage: Stage, capfd: pytest.CaptureFixture[str], cured_by: str, when: str
) -> None:
    scenes = stage.scenes(52)
    if when == "right after an outage":
        go_away(stage, *scenes)
        stage.plex.up()
    stage.plex.token = secret("another")
    stage.mark(*scenes)
    stage.run_for(HOUR_S if when == "for an hour" else 10 * MINUTE_S)
    assert stage.uncharged(*scenes) and stage.puts() == 0 and "token" in stage.session.state
    errors = lines(capfd, "e")
    assert len(errors) == 1 and "token" in errors[0]
    assert all(one["ended"] is not None for one in outages(stage))
    if when == "through a restart":
        stage.reopen()
        stage.run_for(10 * MINUTE_S)
        assert len(lines(capfd, "e")) == 1 and stage.uncharged(*scenes)

    if cured_by == "a new token":
        stage.plex.token = secret("fresh")
        stage.configure(plex_token=secret("fresh"))
    else:
        stage.plex.token = PLEX_TOKEN
    stage.run_until(lambda _: stage.session.tally["synced"] > 0, within_s=MINUTE_S + 1)
    stage.run()
    assert stage.differing() == {} and stage.uncharged(*scenes) and lines(capfd, "e") == []


def test_a_token_refused_after_an_outage_is_no_part_of_it(stage: Stage) -> None:
    scene = stage.scene()
    go_away(stage, scene)
    stage.plex.token = secret("another")
    stage.plex.up()
    stage.run_for(HOUR_S)
    (outage,) = outages(stage)
    assert outage["ended"] - outage["started"] <= 12 * MINUTE_S and "token" in stage.session.state


def test_a_proxy_that_wants_a_token_for_the_probe_too_does_not_keep_us_away_for_ever(stage: Stage) -> None:
    scene = stage.scene()
    go_away(stage, scene)
    stage.plex.faults.add("status", times=None, status=401, match="/identity")
    assert come_back(stage) <= MINUTE_S
    assert stage.differing() == {}


def test_failures_one_by_one_with_refusals_between_them_are_no_outage(stage: Stage) -> None:
    scene = stage.scene()
    stage.mark(scene)
    for status in itertools.islice(itertools.cycle([500, 401, 500, 503]), 16):
        stage.plex.faults.add("status", status=status)
    stage.run_for(20 * MINUTE_S)
    assert stage.differing() == {} and outages(stage) == [] and stage.uncharged(scene)
