"""What the session finds without hooks, and how it follows settings, another server and a clock that jumps."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.doubles.plex_edits import seed
from tests.doubles.plex_server import PlexDouble
from tests.worker.steps import Killed, Stage
from worker.ingest import Ingest

HOUR_S = 3_600.0
FRESH = {"locks": [], "title": "fresh", "summary": "", "collections": ["Studio One"]}


def _cursor(stage: Stage) -> Any:
    return stage.session.store.fact("stash_updated_at")


# the cursor


def test_a_change_whose_hook_was_lost_arrives_within_minutes(stage: Stage) -> None:
    scene, other = stage.scenes(2)
    stage.run()
    stage.run_for(HOUR_S)
    stage.stash.change(scene, title="Unmarked")
    stage.run_for(130)
    assert stage.differing(scene) == {} and stage.item(other)["title"] == "s2"


def test_scenes_from_before_the_first_start_are_left_for_sync_all(stage: Stage) -> None:
    stage.scenes(3)
    stage.run_for(HOUR_S)
    assert stage.plex.count() == 0


def test_changes_made_while_no_worker_ran_arrive_after_its_start(stage: Stage) -> None:
    scenes = stage.scenes(3)
    stage.run_for(10)
    stage.session.close()
    stage.clock.now += 24 * HOUR_S
    for scene in scenes:
        stage.stash.change(scene, title="Unmarked")
    stage.clock.now += 24 * HOUR_S
    stage.open()
    stage.run()
    assert stage.differing() == {}


def test_a_change_in_the_same_second_as_the_last_look_is_not_lost(stage: Stage) -> None:
    first, second = stage.scenes(2)
    stage.run_for(HOUR_S)
    stage.stash.change(first, title="Before the look")
    stage.session._swept_at = float("-inf")
    stage.run()
    stage.stash.change(second, title="After the look, same second")
    stage.run_for(150)
    assert stage.differing() == {}


def test_the_cursor_does_not_move_before_its_scenes_are_queued(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = stage.scenes(3)
    stage.run_for(HOUR_S)
    before = _cursor(stage)
    for scene in scenes:
        stage.stash.change(scene, title="Unmarked")
    stage.clock.now += 130

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Ingest, "queue_changed", die)
        with pytest.raises(Killed):
            stage.run()
    assert _cursor(stage) == before
    stage.reopen()
    stage.run()
    assert stage.differing() == {} and _cursor(stage) > before


def test_a_kill_between_queueing_and_moving_the_cursor_costs_no_second_write(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes = stage.scenes(3)
    stage.run_for(HOUR_S)
    before, put = _cursor(stage), Ingest.queue_changed
    for scene in scenes:
        stage.stash.change(scene, title="Unmarked")
    stage.clock.now += 130

    def put_and_die(*arguments: Any) -> None:
        put(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Ingest, "queue_changed", put_and_die)
        with pytest.raises(Killed):
            stage.run()
    assert _cursor(stage) == before and stage.session.queue.scenes == 3
    stage.reopen()
    stage.run()
    assert stage.differing() == {} and [stage.puts(scene) for scene in scenes] == [1, 1, 1]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_jumps_loses_nothing_and_stops_nothing(stage: Stage, hours: int) -> None:
    marked, unmarked, missing = stage.scene(), stage.scene(), stage.scene(in_plex=False)
    stage.settle(missing)
    stage.run_for(HOUR_S / 2)
    stage.clock.now += hours * HOUR_S
    stage.save(marked, title="Marked")
    stage.stash.change(unmarked, title="Unmarked")
    assert stage.run() < 5
    stage.run_for(150)
    assert stage.differing(marked, unmarked) == {}
    stage.give_plex(missing)
    stage.run_for(2 * HOUR_S)
    assert stage.differing() == {} and stage.uncharged(missing)


def test_a_clock_set_back_during_an_outage_does_not_prolong_it(stage: Stage) -> None:
    scene = stage.scene()
    stage.plex.down()
    stage.mark(scene)
    stage.run_for(600)
    stage.clock.now -= HOUR_S
    stage.plex.up()
    assert stage.run() <= 70 and stage.differing() == {}


# settings


def test_settings_that_change_while_it_runs_take_effect_within_half_a_minute(stage: Stage) -> None:
    scene = stage.scene()
    stage.configure(enabled=False)
    stage.mark(scene)
    stage.run_for(HOUR_S)
    assert stage.plex.count() == 0 and stage.session.state.startswith("Setting enabled is off")
    assert stage.session.queue.scenes == 1
    stage.configure(enabled=True)
    stage.run_for(31)
    assert stage.differing() == {}


@pytest.mark.parametrize("name", ["plex_url", "plex_token"])
def test_changes_are_kept_while_a_needed_setting_is_missing(stage: Stage, name: str) -> None:
    scenes = stage.scenes(3)
    value = getattr(stage.plex, name.partition("_")[2])
    stage.configure(**{name: ""})
    stage.mark(*scenes)
    stage.run_for(HOUR_S)
    assert name in stage.session.state and stage.session.queue.scenes == 3 and stage.uncharged(*scenes)
    stage.configure(**{name: value})
    stage.run_for(31)
    assert stage.differing() == {}


def test_only_the_chosen_libraries_are_touched(stage: Stage) -> None:
    chosen = stage.plex.add_section("Chosen", ["/chosen"])
    scene = stage.scene()
    there = stage.plex.add_item(chosen, file="/chosen/s1.mp4", size=1_001, title="there")
    stage.configure(plex_library="Chosen")
    stage.settle(scene)
    assert stage.plex.item(there)["title"] == "Title 1" and stage.item(scene)["title"] == "s1"


def test_a_scene_that_moves_to_another_chosen_library_is_sent_there(stage: Stage) -> None:
    other = stage.plex.add_section("Other", ["/other"])
    scene = stage.scene()
    stage.settle(scene)
    there = stage.plex.add_item(other, file="/other/s1.mp4", size=1_001, title="there")
    stage.configure(plex_library="Other")
    stage.run_for(31)
    stage.save(scene, title="Edited")
    stage.run()
    assert stage.plex.item(there)["title"] == "Edited" and stage.item(scene)["title"] == "Title 1"


# another server


def test_another_plex_server_is_matched_anew(stage: Stage) -> None:
    scenes = stage.scenes(5)
    stage.settle(*scenes)
    with PlexDouble(machine_id="0" * 40, now=stage.clock) as other:
        section = other.add_section("Movies", ["/media"])
        decoy = other.add_item(section, file="/media/other.mp4", size=5, title="decoy")
        keys = {scene: other.add_item(section, file=f"/media/s{scene}.mp4", size=1_000 + scene) for scene in scenes}
        assert keys[scenes[0]] == stage.keys[scenes[1]], "the same keys mean other items there"
        stage.configure(plex_url=other.url, plex_token=other.token)
        stage.run_for(31)
        stage.save(*scenes, code="NEW")
        stage.run()
        shown = {scene: other.item(key) for scene, key in keys.items()}
        assert {scene: item["title"] for scene, item in shown.items()} == {s: f"Title {s}" for s in scenes}
        assert all(item["tagline"] == "NEW" for item in shown.values()) and other.item(decoy)["title"] == "decoy"
        assert [entry.item for entry in stage.session.store.log(scenes)[scenes[0]]] == [keys[scenes[0]]]
    assert [mark.operation for mark in _requests(stage)] == ["sync_all"], "for the scenes that nobody saves"
    assert stage.item(scenes[0])["tagline"] == ""


def test_a_server_that_was_replaced_behind_its_address_is_noticed_at_the_next_start(stage: Stage) -> None:
    edited, unchanged = stage.scene(studio="Studio One"), stage.scene(studio="Studio One")
    stage.settle(edited, unchanged)
    stage.plex.machine_id = "0" * 40
    for scene in (edited, unchanged):  # it has the same keys, and a person's collection of the studio's name
        with stage.plex._state.lock:
            seed(stage.plex._state, stage.plex._find(stage.keys[scene]), FRESH)
    stage.reopen()
    stage.save(edited, studio="Studio Two")
    stage.settle(unchanged)
    assert stage.differing(unchanged) == {} and stage.item(edited)["title"] == "Title 1"
    assert sorted(stage.item(edited)["collections"]) == ["Studio One", "Studio Two"]


def test_a_server_that_was_replaced_while_plex_was_away_is_noticed_when_it_is_back(stage: Stage) -> None:
    edited = stage.scene(studio="Studio One")
    stage.settle(edited)
    stage.plex.down()
    stage.save(edited, studio="Studio Two")
    stage.run_for(60)
    stage.plex.machine_id = "0" * 40
    stage.plex.up()
    stage.run()
    assert [mark.operation for mark in _requests(stage)] == ["sync_all"]
    assert stage.item(edited)["studio"] == "Studio Two"


def test_an_outage_ends_with_a_probe_when_nothing_is_left_to_send(stage: Stage) -> None:
    stage.settle(stage.scene())
    stage.plex.down()
    stage.save(stage.scene(title="Soon gone"))
    stage.run_for(30)
    stage.session.queue.clear()
    stage.plex.up()
    stage.run_for(120)
    assert [outage["ended"] is not None for outage in stage.session.store.outages()] == [True]
    before = stage.plex.count(path_contains="/identity")
    stage.run_for(600)
    assert stage.plex.count(path_contains="/identity") == before


# files


def test_a_damaged_store_is_set_aside_and_every_scene_compared_anew(stage: Stage) -> None:
    scenes = stage.scenes(3)
    stage.settle(*scenes)
    stage.session.close()
    path = os.path.join(stage.data_dir, "stash2plex.db")
    with open(path, "r+b") as file:
        file.write(b"no database at all" * 100)
    stage.open()
    assert [name for name in os.listdir(stage.data_dir) if ".corrupt-" in name] != []
    assert [mark.operation for mark in _requests(stage)] == ["sync_all"]


def _requests(stage: Stage) -> list[Any]:
    stage.step()
    return stage.session.ingest.requests


def test_all_that_is_kept_is_for_its_owner_only(stage: Stage) -> None:
    stage.settle(stage.scene())
    open_to_others = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(stage.data_dir)
        for name in names
        if os.stat(os.path.join(folder, name)).st_mode & 0o077 and name != ".clock"
    ]
    assert open_to_others == [] and os.stat(stage.data_dir).st_mode & 0o077 == 0
