"""What a comparison of both sides finds, and what it repairs."""

from __future__ import annotations

from typing import Any

import pytest

from reconcile.compare import Comparer
from reconcile.scan import Plan
from tests.worker.reconciling import dry_run, edit_in_plex, reconcile, writes
from tests.worker.steps import FULL, Killed, Stage
from worker.ingest import WANTED

HOUR_S = 3_600.0
DAY_S = 86_400.0


def synced(stage: Stage, count: int) -> list[int]:
    """Scenes that Plex shows as they are."""
    texts = ({"title": f"Title {number}", "tags": ["Blue", f"Tag {number}"]} for number in range(count))
    scenes = [stage.scene(**{**FULL, **each}) for each in texts]
    stage.settle(*scenes)
    assert stage.differing() == {}
    return scenes


def test_a_healthy_library_is_read_and_not_written(stage: Stage) -> None:
    synced(stage, 30)
    before = writes(stage)
    for _ in range(2):
        found = reconcile(stage)
        assert (found["checked"], found["healthy"], found["gaps"], found["repairs"]) == (30, 30, {}, 0)
    assert writes(stage) == before


@pytest.mark.slow
def test_wiped_retagged_and_removed_items_among_a_thousand_are_found_exactly_and_repaired(stage: Stage) -> None:
    scenes = synced(stage, 1_000)
    wiped, retagged, removed = scenes[:500:10], scenes[1:500:10], scenes[502:902:20]
    edit_in_plex(stage, *wiped)
    edit_in_plex(stage, *retagged, genres=["A person's"])
    for scene in removed:
        stage.plex.remove_item(stage.keys[scene])
    dry = dry_run(stage)
    found = reconcile(stage)
    assert found["gaps"] == dry["gaps"] == {"missing": 20, "empty": 50, "drifted": 50}
    assert (found["checked"], found["healthy"], found["repairs"]) == (1_000, 880, 120)
    assert stage.differing(*(scene for scene in scenes if scene not in removed)) == {}
    assert set(stage.session.store.waits(scenes)) == set(removed) and stage.dead() == {}
    again = reconcile(stage)
    assert again["gaps"] == {"missing": 20} and again["repairs"] == 0


def test_the_reason_and_the_first_examples_of_each_kind_are_told(stage: Stage) -> None:
    one, *others = synced(stage, 6)
    edit_in_plex(stage, one, summary="Somebody's words", studio="Another")
    edit_in_plex(stage, *others)
    examples = dry_run(stage)["examples"]
    assert [(row["scene"], row["kind"]) for row in examples] == [(one, "drifted"), *[(s, "empty") for s in others[:3]]]
    assert "studio, summary" in examples[0]["reason"]


def test_a_change_without_any_sign_is_stale(stage: Stage) -> None:
    quiet, *_ = synced(stage, 3)
    stage.stash.change(quiet, touch=False, title="Changed behind everybody's back")
    found = reconcile(stage)
    assert found["gaps"] == {"stale": 1} and found["examples"][0]["scene"] == quiet
    assert stage.differing() == {}


def test_a_renamed_folder_is_moved(stage: Stage) -> None:
    scenes = synced(stage, 3)
    stage.stash.move_file(scenes[0], f"/data/renamed/s{scenes[0]}.mp4", with_folder=True)
    stage.stash.gql("mutation { metadataScan(input: {}) }")
    found = reconcile(stage)
    assert found["gaps"] == {"moved": 1}
    assert reconcile(stage)["gaps"] == {}


def test_a_deleted_scene_leaves_an_orphan_that_is_reported_and_never_touched(stage: Stage) -> None:
    gone, *_ = synced(stage, 3)
    stage.stash.destroy(gone)
    shown = stage.item(gone)
    for _ in range(2):
        found = reconcile(stage)
        assert found["gaps"] == {"orphaned": 1} and found["repairs"] == 0
    assert stage.item(gone) == shown
    stage.plex.remove_item(stage.keys[gone])
    assert reconcile(stage)["gaps"] == {}


def test_what_people_edited_stays_while_their_edits_are_preserved(stage: Stage) -> None:
    one, two = synced(stage, 2)
    stage.configure(preserve_plex_edits=True)
    stage.run_for(120)
    stage.settle(one, two)
    edit_in_plex(stage, one, summary="Somebody's words", locks=["summary"])
    edit_in_plex(stage, two, studio="", locks=[])
    found = reconcile(stage)
    assert found["gaps"] == {"drifted": 1} and found["examples"][0]["scene"] == two
    assert (stage.item(one)["summary"], stage.item(two)["studio"]) == ("Somebody's words", "Studio One")


def test_a_scene_that_was_never_sent_is_sent(stage: Stage) -> None:
    stage.scenes(3, **FULL)
    found = reconcile(stage)
    assert found["gaps"] == {"empty": 3} and stage.differing() == {}


def test_unfinished_scenes_and_those_without_a_file_are_skipped(stage: Stage) -> None:
    stage.scene(details="")
    found = reconcile(stage)
    assert (found["skipped"], found["gaps"]) == (1, {})


def test_missing_scenes_are_only_reported_when_the_setting_says_so(stage: Stage) -> None:
    stage.configure(reconcile_missing=False)
    stage.scenes(2, in_plex=False)
    found = reconcile(stage)
    assert found["gaps"] == {"missing": 2} and found["repairs"] == 0 and stage.next_due_s() is None


def test_a_given_up_scene_whose_file_came_is_sent(stage: Stage) -> None:
    scene = stage.scene(in_plex=False)
    stage.settle(scene)
    stage.run_for(3 * HOUR_S)
    assert stage.dead()[scene]["kind"] == "missing"
    stage.give_plex(scene)
    assert dry_run(stage)["gaps"] == {"empty": 1}
    reconcile(stage)
    assert stage.differing() == {} and stage.dead() == {}


def test_only_recent_scenes_are_looked_at_by_the_date_that_is_asked_for(stage: Stage) -> None:
    old, *_ = synced(stage, 2)
    stage.clock.now += 3 * DAY_S
    new = stage.scene(**FULL)
    edit_in_plex(stage, old)
    assert reconcile(stage, scope="24h")["checked"] == 1
    stage.stash.change(old, title="Changed")
    assert reconcile(stage, scope="24h", by="created_at")["checked"] == 1
    assert reconcile(stage, scope="24h")["checked"] == 2
    assert reconcile(stage, scope="7days")["checked"] == 3
    assert stage.differing(old, new) == {}


def test_a_dry_run_changes_nothing_at_all(stage: Stage) -> None:
    gone, wiped, *_ = synced(stage, 4)
    stage.stash.destroy(gone)
    stage.plex.remove_item(stage.keys[gone])
    edit_in_plex(stage, wiped)

    def kept() -> Any:
        session = stage.session
        return writes(stage), session.store.log([gone, wiped]), session.reconciler.runs(), stage.ready()

    before = kept()
    assert dry_run(stage)["gaps"] == {"empty": 1}
    assert kept() == before


def test_two_libraries_with_the_same_file_are_both_repaired(stage: Stage) -> None:
    scene, *_ = synced(stage, 2)
    second = stage.plex.add_section("Also", ["/media"])
    stage.clock.now += 2 * HOUR_S
    key = stage.plex.add_item(second, file=f"/media/s{scene}.mp4", size=1_000 + scene, title="copy")
    assert reconcile(stage)["gaps"] == {"empty": 1}
    assert stage.plex.item(key)["summary"] == stage.item(scene)["summary"]
    edit_in_plex(stage, scene)
    reconcile(stage)
    assert stage.item(scene)["summary"] == stage.plex.item(key)["summary"] != ""


# in the course of a run


def test_a_run_goes_on_after_a_kill_where_it_was(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconcile.scan.PAGE_SCENES", 5)
    scenes = synced(stage, 20)
    edit_in_plex(stage, *scenes)
    reconciler = stage.session.reconciler
    reconciler.begin(Plan(), stage.clock.now)
    while reconciler.runs()[0]["checked"] < 10:
        stage.step()
    session = stage.reopen()
    assert session.reconciler.running
    stage.run()
    last = session.reconciler.runs()[0]
    assert last["ended"] and (last["checked"], last["gaps"]) == (20, {"empty": 20})
    assert stage.differing() == {}


def test_a_run_waits_while_plex_is_away_and_goes_on_by_itself(stage: Stage) -> None:
    scenes = synced(stage, 5)
    edit_in_plex(stage, *scenes)
    stage.plex.down()
    stage.session.reconciler.begin(Plan(), stage.clock.now)
    stage.run_for(41 * 60.0)
    assert stage.session.reconciler.running and len(stage.session.store.outages()) == 1
    stage.plex.up()
    stage.run_for(120.0)
    assert not stage.session.reconciler.running and stage.differing() == {} and stage.dead() == {}


def test_a_run_gives_up_where_plex_fails_for_ever(stage: Stage) -> None:
    synced(stage, 5)
    stage.plex.faults.add("status", times=None, method="GET", match="/library/metadata/", status=500)
    stage.configure(reconcile_interval="daily")
    stage.session.reconciler.begin(Plan(), stage.clock.now)
    stage.run_for(50 * 60)
    assert ["given up" in run["note"] for run in stage.session.reconciler.runs()] == [True]
    stage.plex.faults.clear()
    stage.run_for(2 * HOUR_S)
    assert [run["gaps"] for run in stage.session.reconciler.runs() if not run["note"]] == [{}]


def test_an_interval_brings_runs_by_itself_the_quick_ones_with_few_questions(stage: Stage) -> None:
    scenes = synced(stage, 60)
    stage.configure(reconcile_interval="hourly")
    stage.run_for(180)
    runs = stage.session.reconciler.runs()
    assert [(run["why"], run["depth"], run["gaps"]) for run in runs] == [("by itself", "deep", {})]
    edit_in_plex(stage, scenes[0], summary="Somebody's words")
    stage.run_for(HOUR_S + 60)
    last, *_ = stage.session.reconciler.runs()
    assert (last["depth"], last["gaps"]) == ("quick", {"drifted": 1}) and last["plex_requests"] <= 3
    assert stage.differing() == {}
    stage.run_for(24 * HOUR_S)
    depths = [run["depth"] for run in stage.session.reconciler.runs()]
    assert depths.count("deep") == 2 and len(depths) == 26


def test_a_worker_that_starts_looks_back_a_day_when_nobody_did_for_an_hour(stage: Stage) -> None:
    synced(stage, 3)
    for hours, runs in ((0.5, 0), (1.0, 1), (0.5, 1)):
        stage.clock.now += hours * HOUR_S
        stage.reopen()
        stage.run()
        assert len(stage.session.reconciler.runs()) == runs
    assert stage.session.reconciler.runs()[0]["scope"] == "24h"


def test_a_deleted_performer_disappears_from_all_scenes_although_plex_is_not_asked_for_it(stage: Stage) -> None:
    scenes = synced(stage, 5)
    ann = stage.stash.id_of("performer", "Ann")
    stage.stash.gql(f'mutation {{ performerDestroy(input: {{id: "{ann}"}}) }}')
    stage.mark(1, kind="any")
    stage.run_for(180)
    last = stage.session.reconciler.runs()[0]
    assert (last["depth"], last["plex_requests"]) == ("sent", 0)
    assert stage.differing(*scenes) == {} and stage.session.store.fact(WANTED) is None


def test_a_run_that_kills_the_worker_three_times_at_one_place_gives_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly, *_ = synced(stage, 3)
    send = Comparer.compare

    def deadly_compare(comparer: Comparer, work: Any, item: Any) -> Any:
        if work.scene.id == deadly:
            raise Killed
        return send(comparer, work, item)

    monkeypatch.setattr(Comparer, "compare", deadly_compare)
    stage.session.reconciler.begin(Plan(), stage.clock.now)
    kills = 0
    while kills < 9:
        try:
            stage.run()
            break
        except Killed:
            kills += 1
            stage.reopen()
    assert kills == 3 and "died 3 times" in stage.session.reconciler.runs()[0]["note"]


def test_a_run_over_added_scenes_does_not_stand_for_one_over_changed_scenes(stage: Stage) -> None:
    synced(stage, 2)
    reconcile(stage, scope="7days", by="created_at")
    stage.configure(reconcile_interval="weekly", reconcile_scope="7days")
    stage.run_for(180)
    assert [run["why"] for run in stage.session.reconciler.runs()] == ["by itself", "asked for"]


def test_who_asks_while_a_run_is_under_way_gets_one_that_sees_what_that_one_passed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconcile.scan.PAGE_SCENES", 5)
    first, *_ = synced(stage, 20)
    stage.session.reconciler.begin(Plan(), stage.clock.now)
    while stage.session.reconciler.runs()[0]["checked"] < 10:
        stage.step()
    edit_in_plex(stage, first)
    assert reconcile(stage)["gaps"] == {"empty": 1}
    assert stage.differing() == {}


def test_a_folder_that_was_renamed_without_a_sign_is_found_within_a_day_and_an_unchanged_library_says_nothing(
    stage: Stage,
) -> None:
    scene, *_ = synced(stage, 3)
    never_sent = stage.scene(**FULL)
    stage.run_for(DAY_S + 120)
    assert stage.session.reconciler.runs() == []
    stage.stash.move_file(scene, f"/data/renamed/s{scene}.mp4", with_folder=True)
    stage.stash.gql("mutation { metadataScan(input: {}) }")
    stage.run_for(DAY_S + 120)
    assert [(run["depth"], run["gaps"]) for run in stage.session.reconciler.runs()] == [("sent", {"moved": 1})]
    assert stage.item(never_sent)["summary"] == ""


def test_a_gap_of_a_scene_that_is_queued_for_another_reason_is_repaired_too(stage: Stage) -> None:
    scene, *_ = synced(stage, 2)
    edit_in_plex(stage, scene)
    reconciler = stage.session.reconciler
    reconciler.begin(Plan(), stage.clock.now)
    assert stage.session.tools is not None
    while reconciler.running:
        stage.session.queue.put([scene], "saved", stage.clock.now)
        reconciler.step(stage.session.tools, stage.clock.now)
    stage.run()
    assert stage.differing() == {}
