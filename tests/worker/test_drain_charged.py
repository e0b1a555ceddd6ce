"""One scene's own trouble: how long it waits for Plex to have it, and that no other scene waits with it."""

from __future__ import annotations

import pytest

from tests.worker.steps import Stage

HOUR_S = 3_600.0


# missing


def test_a_missing_scene_waits_longer_each_time_for_two_hours_and_is_then_given_up(stage: Stage) -> None:
    scene = stage.scene(in_plex=False)
    stage.mark(scene)
    delays, began = [], stage.clock.now
    while scene not in stage.dead():
        stage.run()
        delays.append(stage.next_due_s())
        stage.run_for(delays[-1] or 0.0)
    assert delays[:6] == [30, 60, 120, 240, 480, 600] and set(delays[6:-1]) == {600}
    assert 2 * HOUR_S <= stage.clock.now - began <= 2 * HOUR_S + 700
    letter = stage.dead()[scene]
    assert letter["kind"] == "missing" and "s1.mp4" in letter["reason"]


@pytest.mark.parametrize("after_s", [100.0, 3 * HOUR_S], ids=["while it waits", "after it was given up"])
def test_a_missing_scene_arrives_by_itself_when_plex_gains_the_file(stage: Stage, after_s: float) -> None:
    scene = stage.scene(in_plex=False)
    stage.mark(scene)
    stage.run_for(after_s)
    assert (scene in stage.dead()) == (after_s > 2 * HOUR_S)
    stage.give_plex(scene)
    stage.run_for(310)
    assert stage.differing() == {} and stage.uncharged(scene)


def test_a_given_up_scene_is_tried_again_when_it_is_saved(stage: Stage) -> None:
    scene = stage.scene(in_plex=False)
    stage.mark(scene)
    stage.run_for(3 * HOUR_S)
    stage.give_plex(scene)
    stage.settle(scene)
    assert stage.differing() == {} and stage.dead() == {}


def test_a_thousand_missing_scenes_cost_plex_few_requests(stage: Stage) -> None:
    scenes = stage.scenes(200, in_plex=False)
    stage.mark(*scenes)
    stage.run_for(HOUR_S)
    assert stage.session.store.numbers()["waiting"] == {"missing": 200}
    assert stage.plex.count() <= 100


# one scene's trouble and the others


def _work_off(stage: Stage, first: int | None, rest: list[int]) -> tuple[float, int]:
    """Seconds and steps until the others have arrived."""
    stage.mark(*([first] if first else []), *rest)
    began, steps = stage.clock.now, 0

    def arrived(_: object) -> bool:
        nonlocal steps
        steps += 1
        return stage.session.tally["synced"] >= len(rest)

    stage.run_until(arrived, within_s=600)
    return stage.clock.now - began, steps


UNSENDABLE = {"missing": None, "ambiguous": None, "HTTP 400": 400, "HTTP 413": 413, "no file": None}


@pytest.mark.parametrize(("why", "status"), UNSENDABLE.items(), ids=UNSENDABLE)
def test_a_scene_that_can_never_arrive_delays_no_other(stage: Stage, why: str, status: int | None) -> None:
    bad = stage.scene(in_plex=status is not None)
    if why == "ambiguous":
        stage.give_plex(bad, file="/media/x/s1.mp4"), stage.give_plex(bad, file="/media/y/s1.mp4")
    if why == "no file":
        stage.stash.library.scene(bad).files.clear()
    if status:
        stage.refuse_puts_of(bad, status=status)
    others = stage.scenes(240)
    without = _work_off(stage, None, others[:120])
    stage.session.tally.clear()
    having = _work_off(stage, bad, others[120:])
    print(f"120 scenes arrive in {without[0]:.0f} s and {without[1]} steps, behind one that cannot in {having}")
    assert having == without
    assert stage.differing(*others) == {}


def test_a_scene_at_which_plex_always_fails_is_charged_and_given_up_without_an_outage(stage: Stage) -> None:
    bad, *rest = stage.scenes(120)
    stage.refuse_puts_of(bad, status=500)
    took, _ = _work_off(stage, bad, rest)
    assert took <= 5
    for _ in range(40):
        stage.save(*rest[:3], details=f"Edited at {stage.clock.now}")
        assert stage.run() <= 5
        stage.run_for(60)
    assert stage.dead()[bad]["kind"] == "unexpected" and "500" in stage.dead()[bad]["reason"]
    assert stage.differing(*rest) == {}
    assert stage.session.store.outages() == [] and stage.session.state == ""


def test_a_scene_at_which_plex_always_fails_is_given_up_though_nothing_else_happens(stage: Stage) -> None:
    bad, *rest = stage.scenes(5)
    stage.refuse_puts_of(bad, status=500)
    stage.mark(bad, *rest)
    stage.run_for(HOUR_S)
    assert stage.differing(*rest) == {} and list(stage.dead()) == [bad]
    assert stage.session.store.outages() == [] and stage.session.state == ""
    assert stage.plex.count(path_contains="/identity") == 0


@pytest.mark.parametrize("failing", [{"match": "/library/"}, {"method": "PUT"}], ids=["all else", "all writes"])
def test_no_scene_is_given_up_while_plex_answers_its_health_probe_and_fails_at(
    stage: Stage, failing: dict[str, str]
) -> None:
    first, second = stage.scenes(2)
    stage.plex.faults.add("status", status=500, method="PUT")
    stage.mark(first, second)
    stage.run_until(lambda _: stage.session.tally["synced"] == 1, within_s=60)
    stage.plex.faults.add("status", times=None, status=500, **failing)
    others = stage.scenes(3)
    stage.mark(*others)
    stage.run_for(1.5 * HOUR_S)
    assert stage.dead() == {}

    stage.plex.faults.clear()
    stage.run(within_s=HOUR_S)
    stage.run_for(700)
    assert stage.differing() == {}
    assert [outage["ended"] is not None for outage in stage.session.store.outages()] == [True]
