"""Whole libraries: what a bulk costs Plex, renames that reach every scene, sweeps, and a day without Plex."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from tests.worker.steps import Stage

SCENES = 1_200
EDITS, AT_ONCE = 10_000, 40
RELATED = 600  # more than one page of Stash's answers
HOUR_S = 3_600.0


@pytest.fixture(scope="module")
def first_costs() -> dict[str, float]:
    """What bringing the library up to date for the first time cost, per scene."""
    return {}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, first_costs: dict[str, float]) -> Iterator[Stage]:
    """A library in step; half of its scenes have the same studio, performer and tags."""
    with Stage(str(tmp_path_factory.mktemp("library") / "data")) as stage:
        related = stage.scenes(RELATED, tags=["Common", "Doomed"], performers=["Common"], studio="Common")
        scenes = related + stage.scenes(SCENES - RELATED, tags=["Other"])
        stage.run()
        stage.session.queue.put(scenes, "bulk", stage.clock.now)
        stage.run()
        first_costs["requests"] = stage.plex.count() / SCENES
        first_costs["writes"] = stage.puts() / SCENES
        yield stage


@pytest.fixture(autouse=True)
def quiet(library: Stage) -> None:
    """Each test begins with a library in step and an empty request log."""
    library.run()
    assert library.differing() == {} and library.dead() == {}
    library.plex.clear_requests()


def _scenes(library: Stage) -> list[int]:
    return sorted(library.keys)


# what it costs


def test_a_cold_bulk_costs_at_most_one_and_a_tenth_requests_per_scene(first_costs: dict[str, float]) -> None:
    print(f"cold bulk of {SCENES} scenes: {first_costs['requests']:.3f} requests per scene")
    assert first_costs["requests"] <= 1.1 and first_costs["writes"] == 1


def test_a_warm_bulk_costs_at_most_one_and_a_twentieth_requests_per_changed_scene(library: Stage) -> None:
    for scene in _scenes(library)[:1_000]:
        library.stash.change(scene, code="Bulk", touch=False)
    library.session.queue.put(_scenes(library)[:1_000], "bulk", library.clock.now)
    library.run()
    print(f"warm bulk of 1,000 scenes: {library.plex.count() / 1_000:.3f} requests per changed scene")
    assert library.plex.count() <= 1_050 and library.puts() == 1_000 and library.differing() == {}


def test_unchanged_scenes_cost_plex_nothing(library: Stage) -> None:
    library.session.queue.put(_scenes(library), "saved", library.clock.now)
    library.run()
    print(f"{SCENES} unchanged scenes: {library.plex.count()} requests")
    assert library.plex.count() == 0


def test_comparing_unchanged_scenes_all_the_same_costs_at_most_two_requests_in_a_hundred(library: Stage) -> None:
    library.session.queue.put(_scenes(library), "sync all", library.clock.now, force=True)
    library.run()
    print(f"{SCENES} unchanged scenes compared: {library.plex.count() / SCENES:.4f} requests per scene")
    assert library.plex.count() <= 0.02 * SCENES and library.puts() == 0


def test_ten_saves_of_one_scene_while_plex_is_away_are_one_write(library: Stage) -> None:
    scene = _scenes(library)[0]
    library.plex.down()
    for number in range(10):
        library.save(scene, title=f"Save {number}")
        library.run_for(30)
    assert library.session.queue.scenes == 1
    library.plex.up()
    library.run()
    assert library.puts(scene) == 1 and library.item(scene)["title"] == "Save 9"


def test_a_scene_saved_while_it_is_in_flight_is_sent_again(library: Stage) -> None:
    scene = _scenes(library)[0]
    library.stash.change(scene, title="First", touch=False)
    library.session.queue.put([scene], "saved", library.clock.now)
    job = library.session.queue.claim()
    library.stash.change(scene, title="Second", touch=False)
    library.mark(scene)
    library.session.ingest.step(library.clock.now)
    assert job is not None and library.session.queue.scenes == 1
    library.session.queue.acknowledge(job)
    library.run()
    assert library.item(scene)["title"] == "Second"


# what no scene tells


@pytest.mark.parametrize("kind", ["performer", "tag", "studio"])
def test_a_rename_reaches_every_scene(library: Stage, kind: str) -> None:
    id = int(library.stash.id_of(kind, "Common"))
    library.stash.rename(kind, "Common", f"Renamed {kind}")
    library.mark(id, kind=kind)
    library.run()
    assert library.puts() == RELATED and library.differing() == {}


def test_merged_tags_reach_every_scene(library: Stage) -> None:
    library.stash.merge_tags(["Doomed"], "Other")
    library.mark(int(library.stash.id_of("tag", "Other")), kind="tag")
    library.run()
    assert library.puts() == RELATED and library.differing() == {}


def test_a_bulk_edit_without_hooks_is_found_though_all_its_scenes_have_one_stamp(library: Stage) -> None:
    for scene in _scenes(library):
        library.stash.change(scene, code="Unmarked")
    assert len({row["updated_at"] for row in library.stash.scenes().values()}) == 1
    library.run_for(150)
    library.run()
    assert library.puts() == SCENES and library.differing() == {}
    library.plex.clear_requests()
    library.run_for(600)
    assert library.plex.count() == 0


# a day without Plex


def _edit_through(library: Stage, edits: list[int], seconds: float) -> int:
    """Save scenes in handfuls, evenly over the time; returns how often Plex was asked for meanwhile."""
    client, hop = library.session.tools.plex, seconds / len(edits) * AT_ONCE
    before = client.requests
    for start in range(0, len(edits), AT_ONCE):
        library.save(*edits[start : start + AT_ONCE], details=f"Edited at {library.clock.now}")
        library.run_for(hop)
    return client.requests - before


@pytest.mark.slow
def test_a_day_without_plex_loses_nothing_and_probes_at_most_once_a_minute(library: Stage) -> None:
    edits = (_scenes(library)[:1_000] * 10)[:EDITS]
    known, day_s = len(library.session.store.outages()), 24 * HOUR_S
    library.plex.down()
    began = library.clock.now
    closed = _edit_through(library, edits[: EDITS // 2], day_s / 2)
    library.plex.up()
    library.plex.faults.add("status", times=None, status=502)
    library.plex.clear_requests()
    broken = _edit_through(library, edits[EDITS // 2 :], day_s / 2)
    assert library.plex.count() == library.plex.count(path_contains="/identity") == broken
    ended = library.clock.now
    assert library.uncharged(*edits) and library.puts() == 0
    print(f"24 hours, {EDITS} edits: {closed} connection attempts, {broken} answered probes, {day_s / 60:.0f} minutes")
    assert closed + broken <= day_s / 60 + 10  # until the breaker opens, five attempts within seconds

    library.plex.faults.clear()
    library.run_until(lambda _: library.puts() > 0, within_s=60)
    library.run(within_s=120)
    assert library.differing() == {} and library.dead() == {}
    outages = library.session.store.outages()
    assert len(outages) == known + 1
    assert began <= outages[0]["started"] <= began + 1 and ended <= outages[0]["ended"] <= ended + 60
    print(f"back after {outages[0]['ended'] - ended:.0f} s; {outages[0]['scenes']} scenes waited, 0 dead letters")
    assert math.isclose(outages[0]["scenes"], 1_000, abs_tol=50)


def test_a_worker_that_starts_during_an_outage_goes_on_with_it(library: Stage) -> None:
    library.run_for(60)  # what comes sooner after an outage belongs to it
    scene, known = _scenes(library)[0], len(library.session.store.outages())
    library.plex.down()
    library.save(scene, title="Before the restart")
    library.run_for(HOUR_S)
    began = library.session.store.outages()[0]["started"]
    library.reopen()
    library.run_for(HOUR_S)
    library.plex.up()
    library.run()
    outages = library.session.store.outages()
    assert len(outages) == known + 1 and outages[0]["started"] == began
    assert outages[0]["ended"] - began >= 2 * HOUR_S and library.differing() == {}
