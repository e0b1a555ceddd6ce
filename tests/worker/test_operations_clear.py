"""What a person throws away or gives a new chance, carried out by the living worker."""

from __future__ import annotations

import pytest

from sync_queue import inbox, marks
from tests.worker.asked import Asked
from tests.worker.steps import Stage
from worker.operations import begin

DAY_S = 86_400.0


def give_up(stage: Stage, count: int = 1) -> list[int]:
    """Scenes that are dead letters, because two items fit each."""
    scenes = stage.scenes(count, in_plex=False)
    for scene in scenes:
        for folder in ("a", "b"):
            stage.give_plex(scene, file=f"/media/{folder}/s{scene}.mp4")
    stage.settle(*scenes)
    assert set(scenes) <= set(stage.dead())
    return scenes


def mend(stage: Stage, *scenes: int) -> None:
    """Leave only the item that was added last."""
    for scene in scenes:
        for key, item in stage.plex.items().items():
            if item["file"].endswith(f"/s{scene}.mp4") and key != stage.keys[scene]:
                stage.plex.remove_item(key)


def test_clear_pending_queue_lets_nothing_of_it_reach_plex(stage: Stage) -> None:
    missing = stage.scene(in_plex=False)
    stage.settle(missing)
    stage.plex.down()
    stage.mark(*stage.scenes(60))
    stage.run_for(5)
    stage.mark(stage.scene())
    inbox.put(stage.data_dir, {"kind": "request", "operation": "sync_all", "reply": ""})
    result = Asked(stage, "clear_queue").answer()
    assert result["cleared"] == 62 and result["cleared_queued"] >= 61
    stage.plex.up()
    stage.give_plex(missing)
    stage.clock.now += 3.0
    stage.run()
    stage.run_for(3_600)
    assert (stage.puts(), marks.count(stage.data_dir)) == (0, 0)


def test_a_change_after_the_queue_was_cleared_is_sent(stage: Stage) -> None:
    stage.configure(enabled=False)
    first, second = stage.scenes(2)
    stage.mark(first, second)
    stage.run_for(5)
    assert Asked(stage, "clear_queue").answer()["cleared"] == 2
    stage.configure(enabled=True)
    stage.settle(second)
    assert list(stage.differing()) == [first]


def test_clearing_the_queue_keeps_dead_letters_and_says_so(stage: Stage) -> None:
    give_up(stage, 2)
    result = Asked(stage, "clear_queue").answer()
    assert (result["cleared"], result["dead_letters_kept"]) == (0, 2)
    assert len(stage.dead()) == 2


def test_clearing_the_queue_stops_a_sync_all_that_still_fills_it(stage: Stage) -> None:
    stage.scenes(620)
    stage.configure(enabled=False)
    everything = Asked(stage, "sync_all")
    while not stage.session.queue.scenes:
        everything.loop.step(stage.clock.now)
    stage.session.queue.clear()
    everything.loop.step(stage.clock.now)
    assert stage.session.queue.scenes == 0
    everything.answer()


def test_clear_dead_letter_queue_forgets_all_of_them_and_says_how_many(stage: Stage) -> None:
    scenes = give_up(stage, 3)
    assert Asked(stage, "clear_dead_letters").answer()["cleared_dead_letters"] == 3
    assert stage.dead() == {}
    mend(stage, scenes[0])
    stage.settle(scenes[0])
    assert stage.differing(scenes[0]) == {}


def test_purge_forgets_only_what_is_older_than_the_setting_says(stage: Stage) -> None:
    stage.configure(dlq_retention_days=10)
    old = give_up(stage)
    stage.clock.now += 9 * DAY_S
    stage.run_for(60)
    young = give_up(stage)
    stage.clock.now += 1.5 * DAY_S
    result = Asked(stage, "purge_dead_letters").answer()
    assert result["older_than_days"] == 10 and result["dead_letters_kept"] == 1
    assert list(stage.dead()) == young != old


def test_the_worker_purges_by_itself_once_a_day(stage: Stage) -> None:
    stage.configure(dlq_retention_days=1)
    give_up(stage)
    stage.clock.now += 0.9 * DAY_S
    stage.run_for(60)
    assert len(stage.dead()) == 1
    stage.clock.now += 1.2 * DAY_S
    stage.run_for(60)
    assert stage.dead() == {}


def test_purge_does_nothing_while_the_setting_is_not_known(stage: Stage) -> None:
    give_up(stage)
    operation = begin(stage.reopen(), "purge_dead_letters", {})
    operation.advance(stage.clock.now + 400 * DAY_S)
    assert "settings are not known" in operation.result()["error"]
    assert len(stage.dead()) == 1


def test_retry_dead_letters_tries_all_of_them_at_once(stage: Stage) -> None:
    mended, bad = give_up(stage, 2)
    mend(stage, mended)
    asked_at = stage.clock.now
    result = Asked(stage, "retry_dead_letters").answer()
    assert (result["retried"], result["done"]) == (2, {"synced": 1, "ambiguous": 1})
    assert stage.clock.now - asked_at < 30 and stage.differing(mended) == {} and list(stage.dead()) == [bad]


def test_retry_without_dead_letters_has_nothing_to_do(stage: Stage) -> None:
    assert Asked(stage, "retry_dead_letters").answer()["retried"] == 0


def test_clear_match_cache_lets_plex_be_asked_again(stage: Stage) -> None:
    stage.settle(*stage.scenes(30))
    walked = stage.session.tools.index
    assert walked is not None
    result = Asked(stage, "clear_match_cache").answer()
    assert result["match_cache"] == "cleared"
    stage.plex.clear_requests()
    fresh = stage.scenes(30)
    stage.settle(*fresh)
    assert [r for r in stage.plex.requests() if r.method == "GET" and r.path.endswith("/all")]
    assert stage.differing() == {}


def test_sync_recent_brings_the_changes_of_a_day_and_nothing_older(stage: Stage) -> None:
    stage.clock.now -= 3 * DAY_S
    old = stage.scene()
    stage.clock.now += 3 * DAY_S
    new = stage.scenes(2)
    result = Asked(stage, "sync_recent").answer()
    assert result["done"] == {"synced": 2}
    assert stage.differing(*new) == {} and list(stage.differing(old)) == [old]


def test_sync_recent_of_an_empty_library_ends(stage: Stage) -> None:
    assert Asked(stage, "sync_recent").answer()["done"] == {}


@pytest.mark.parametrize(
    ("operation", "args", "says"),
    [
        ("explain_scene", {}, "needs the argument scene_id"),
        ("explain_scene", {"scene_id": "0"}, "number of a scene"),
        ("explain_scene", {"scene_id": "1; drop"}, "number of a scene"),
        ("explain_scene", {"scene_id": "9" * 30}, "number of a scene"),
        ("explain_scene", {"scene_id": "1", "force": "yes"}, "takes no argument 'force'"),
        ("clear_queue", {"scene_id": "1"}, "takes no argument 'scene_id'"),
        ("purge_everything", {}, "Unknown operation"),
    ],
)
def test_a_request_that_makes_no_sense_is_an_error_and_does_nothing(
    stage: Stage, operation: str, args: dict[str, str], says: str
) -> None:
    stage.configure(enabled=False)
    stage.mark(stage.scene())
    assert says in Asked(stage, operation, **args).answer()["error"]
    assert stage.session.queue.scenes == 1


def test_a_fault_in_one_task_is_its_answer_and_the_worker_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(stage, "clear_match_cache")
    monkeypatch.delattr(type(stage.session), "clear_match_cache")
    assert "fault in Stash2Plex: AttributeError" in asked.answer()["error"]
    monkeypatch.undo()
    scene = stage.scene()
    stage.mark(scene)
    asked.loop.step(stage.clock.now)
    stage.run()
    assert stage.differing(scene) == {} and marks.count(stage.data_dir) == 0
