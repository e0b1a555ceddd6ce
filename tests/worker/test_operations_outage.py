"""Outage Summary, the part of the status about outages, and Recover Outage Jobs, asked of the living worker."""

from __future__ import annotations

import pytest

from sync_queue import lease
from tests.worker.asked import Asked
from tests.worker.steps import Stage
from worker import operations, wording

HOUR_S = 3_600.0


def away(stage: Stage, seconds: float, scene: int) -> None:
    """Plex is away for about so long."""
    stage.plex.down()
    stage.save(scene, details=f"Edited at {stage.clock.now}")
    stage.run_for(seconds)
    stage.plex.up()
    stage.run()


def given_up(stage: Stage) -> dict[str, int]:
    """Dead letters as the product makes them, a scene of each kind; one that is in step besides."""
    always_500, ambiguous, refused, good = stage.scenes(4)
    for folder in ("a", "b"):
        stage.give_plex(ambiguous, file=f"/media/{folder}/s{ambiguous}.mp4")
    stage.refuse_puts_of(always_500, 500)
    stage.refuse_puts_of(refused, 400)
    stage.mark(always_500, ambiguous, refused, good)
    stage.run_for(2 * HOUR_S)
    stage.run()
    scenes = {"unexpected": always_500, "ambiguous": ambiguous, "permanent": refused}
    assert {kind: stage.dead()[scene]["kind"] for kind, scene in scenes.items()} == {kind: kind for kind in scenes}
    assert stage.dead()[always_500]["attempts"] == 6
    assert stage.session.store.outages() == []
    return scenes


def test_a_plex_that_was_never_away_has_no_figures(stage: Stage) -> None:
    stage.settle(stage.scene())
    result = Asked(stage, "outage_summary").answer()
    assert result["outages"] == [] and "never away" in result["note"] and result["mean_time_to_repair_s"] is None
    assert result["breaker"] == {"state": "closed", "failures": 0, "next_probe": None, "paused_until": None}
    assert stage.plex.count(path_contains="/identity") == 0


def test_outages_are_summed_up_in_the_summary_and_in_the_status(stage: Stage) -> None:
    scene = stage.scene()
    stage.settle(scene)
    away(stage, 600, scene)
    stage.run_for(2 * HOUR_S)
    away(stage, 1_200, scene)
    result = Asked(stage, "outage_summary").answer()
    status = Asked(stage, "queue_status").answer()
    second, first = (row["duration_s"] for row in result["outages"])
    assert 600 <= first <= 661 and 1_200 <= second <= 1_261
    assert result["mean_time_to_repair_s"] == (first + second) / 2 and result["longest_outage_s"] == second
    assert 2 * HOUR_S <= result["mean_time_between_failures_s"] <= 2 * HOUR_S + 120
    assert [row["scenes"] for row in result["outages"]] == [1, 1]
    for name in ("outages", "mean_time_to_repair_s", "mean_time_between_failures_s", "longest_outage_s"):
        assert status[name] == result[name]
    said = wording.lines(result, stage.clock.now)
    assert "mean time between failures: 2 h" in said and "mean time to repair: 15 min" in said
    assert sum("Plex was away from" in line and "1 scenes waited" in line for line in said) == 2


def test_while_plex_is_away_the_summary_says_when_it_is_asked_again(stage: Stage) -> None:
    stage.plex.down()
    stage.mark(stage.scene())
    stage.run_for(600)
    asked = Asked(stage, "outage_summary")
    result = asked.answer()
    assert result["breaker"]["state"] == "open" and result["breaker"]["failures"] > 5
    assert -2 <= result["breaker"]["next_probe"] - stage.clock.now <= 60
    assert 595 <= result["outages"][0]["duration_s"] <= 605 and result["outages"][0]["ended"] is None
    said = wording.lines(result, stage.clock.now)
    assert any(line.startswith("breaker: state open, failures ") and "next probe" in line for line in said)
    assert any("still is" in line for line in said)


def test_the_status_says_until_when_a_busy_plex_is_left_alone(stage: Stage) -> None:
    stage.plex.faults.add("rate_limit", retry_after=300)
    stage.mark(stage.scene())
    stage.run_for(10)
    result = Asked(stage, "queue_status").answer()
    assert 280 <= result["breaker"]["paused_until"] - stage.clock.now <= 300


def test_the_breaker_is_told_of_also_while_sending_is_switched_off(stage: Stage) -> None:
    stage.plex.down()
    stage.mark(stage.scene())
    stage.run_for(600)
    stage.configure(enabled=False)
    stage.run_for(60)
    assert Asked(stage, "outage_summary").answer()["breaker"]["state"] == "open"


def test_the_status_says_what_the_worker_does(stage: Stage) -> None:
    assert "none is running" in Asked(stage, "queue_status").answer()["worker"]
    held = lease.take(stage.data_dir)
    assert held is not None
    try:
        said = [Asked(stage, "queue_status").answer()["worker"]]
        stage.mark(*stage.scenes(120))
        said.append(Asked(stage, "queue_status").answer()["worker"])
        stage.run()
        stage.settle(stage.scene(in_plex=False))
        said.append(Asked(stage, "queue_status").answer()["worker"])
        stage.plex.down()
        stage.mark(stage.scene())
        stage.run_for(100)
        said.append(Asked(stage, "queue_status").answer()["worker"])
    finally:
        lease.release(held)
    assert [text.split()[0] for text in said] == ["has", "sends", "waits", "waits"]
    assert "due" in said[2] and "in the way" in said[3]


# a new chance


def test_recover_revives_what_an_outage_can_cause_and_names_what_it_left(stage: Stage) -> None:
    scenes = given_up(stage)
    stage.plex.faults.clear()
    result = Asked(stage, "recover_outage_jobs").answer()
    assert result["recovered"] == {"unexpected": 1} and result["not_chosen"] == {"ambiguous": 1, "permanent": 1}
    assert result["done"] == {"synced": 1} and result["dead_letters"] == {"ambiguous": 1, "permanent": 1}
    assert stage.item(scenes["unexpected"])["title"] == f"Title {scenes['unexpected']}"
    said = wording.lines(result, stage.clock.now)
    assert {"recovered: 1 (unexpected 1)", "not chosen: 2 (ambiguous 1, permanent 1)"} <= set(said)
    again = Asked(stage, "recover_outage_jobs").answer()
    assert "recovered" in again and again["recovered"] == {} and "unexpected" in again["note"]


@pytest.mark.parametrize(
    ("kinds", "left"),
    [
        ("permanent", {"ambiguous": 1, "unexpected": 1}),
        (" Permanent, unexpected", {"ambiguous": 1}),
        ("gone", {"ambiguous": 1, "permanent": 1, "unexpected": 1}),
    ],
)
def test_recover_revives_the_kinds_that_a_person_names(stage: Stage, kinds: str, left: dict[str, int]) -> None:
    given_up(stage)
    stage.plex.faults.clear()
    result = Asked(stage, "recover_outage_jobs", kinds=kinds).answer()
    assert result["not_chosen"] == result["dead_letters"] == left
    assert sum(result["recovered"].values()) == 3 - sum(left.values())


def test_recover_can_revive_all(stage: Stage) -> None:
    scenes = given_up(stage)
    stage.plex.faults.clear()
    result = Asked(stage, "recover_outage_jobs", kinds="all").answer()
    assert result["recovered"] == {"ambiguous": 1, "permanent": 1, "unexpected": 1} and result["not_chosen"] == {}
    assert list(stage.dead()) == [scenes["ambiguous"]]


def test_what_fails_again_after_it_was_recovered_is_given_up_again(stage: Stage) -> None:
    scene = given_up(stage)["permanent"]
    result = Asked(stage, "recover_outage_jobs", kinds="permanent").answer()
    assert result["done"] == {"permanent": 1} and stage.dead()[scene]["kind"] == "permanent"


@pytest.mark.parametrize(
    ("operation", "args", "says"),
    [
        ("recover_outage_jobs", {"kinds": "mising"}, "There is no kind of dead letter 'mising'"),
        ("recover_outage_jobs", {"kinds": ""}, "There is no kind of dead letter ''"),
        ("recover_outage_jobs", {"kind": "missing"}, "takes no argument 'kind'"),
        ("outage_summary", {"kinds": "all"}, "takes no argument 'kinds'"),
        ("retry_dead_letters", {"kinds": "all"}, "takes no argument 'kinds'"),
        ("explain_scene", {}, "needs the argument scene_id"),
    ],
)
def test_what_cannot_be_asked_for_like_this_is_an_error(
    stage: Stage, operation: str, args: dict[str, str], says: str
) -> None:
    assert says in operations.problem(operation, args)
    assert says in Asked(stage, operation, **args).answer()["error"]


def test_optional_arguments_may_be_left_out() -> None:
    assert [operations.problem("recover_outage_jobs", args) for args in ({}, {"kinds": "all"})] == ["", ""]
