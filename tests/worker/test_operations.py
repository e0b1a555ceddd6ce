"""What a person asks for, carried out by the living worker: progress and answer in a reply file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sync_queue import inbox, marks, replies
from sync_queue.files import read_json
from tests.canaries import PLEX_TOKEN, secret
from tests.worker.asked import Asked
from tests.worker.steps import Stage
from worker.life import Life
from worker.loop import Loop


def test_process_queue_answers_with_what_it_did_when_nothing_is_left(stage: Stage) -> None:
    scenes = stage.scenes(120)
    missing = stage.scene(in_plex=False)
    stage.mark(*scenes, missing)
    asked = Asked(stage, "process_queue")
    result = asked.answer()
    assert stage.session.tally == {"synced": 120, "missing": 1} and result["queued"] == 0
    assert result["done"]["missing"] == 1 and result["done"]["synced"] >= 70  # the first job was under way
    assert result["waiting"] == {"missing": 1} and result["next_due"] > stage.clock.now
    assert result["dead_letters"] == {} and result["state"] == "ok"
    assert stage.differing() == {}
    assert asked.progress == sorted(asked.progress) and asked.progress[-1] == 1.0 and len(set(asked.progress)) > 2


def test_process_queue_says_that_plex_is_away_in_place_of_waiting(stage: Stage) -> None:
    scenes = stage.scenes(3)
    stage.plex.down()
    stage.mark(*scenes)
    result = Asked(stage, "process_queue").answer(within_s=120)
    assert result["state"].startswith("Plex is away") and result["queued"] == 3 and result["done"] == {}


def test_process_queue_says_which_setting_is_missing(stage: Stage) -> None:
    stage.configure(plex_token="")
    stage.mark(stage.scene())
    result = Asked(stage, "process_queue").answer(within_s=120)
    assert "plex_token" in result["state"] and result["queued"] == 1


def test_process_queue_tries_a_refused_token_again_at_once(stage: Stage) -> None:
    scene = stage.scene()
    stage.plex.token = secret("another")
    stage.mark(scene)
    stage.run_for(10)
    assert "token" in stage.session.state
    stage.plex.token = PLEX_TOKEN
    result = Asked(stage, "process_queue").answer(within_s=20)
    assert result["state"] == "ok" and stage.differing() == {}


def test_sync_all_brings_every_scene_whether_marked_or_not(stage: Stage) -> None:
    stage.scenes(620)
    asked = Asked(stage, "sync_all")
    result = asked.answer()
    assert result["done"] == {"synced": 620} and result["queued"] == 0
    assert stage.differing() == {} and asked.progress == sorted(asked.progress)
    assert Asked(stage, "sync_all").answer()["done"] == {"unchanged": 620}


def test_sync_all_sets_back_what_was_changed_in_plex(stage: Stage) -> None:
    scene = stage.scene(tags=["A"])
    stage.settle(scene)
    stage.plex.remove_item(stage.keys[scene])
    stage.give_plex(scene, genres=["Wrong"])
    assert Asked(stage, "sync_all").answer()["done"] == {"synced": 1}
    assert stage.differing() == {}


@pytest.mark.parametrize("pages_read", [0, 1])
def test_sync_all_survives_a_stash_that_does_not_answer_for_a_while(stage: Stage, pages_read: int) -> None:
    stage.scenes(620)
    asked = Asked(stage, "sync_all")
    if pages_read:
        while not stage.session.queue.scenes:
            asked.loop.step(stage.clock.now)
    stage.stash.faults.status(503, times=4)
    asked.answer()  # it may be that Stash is away; what is queued goes on all the same
    stage.run()
    assert stage.differing() == {}


def test_sync_all_of_an_empty_library_ends(stage: Stage) -> None:
    assert Asked(stage, "sync_all").answer()["done"] == {}


def test_a_request_stays_in_the_inbox_until_all_it_asks_for_is_durable(stage: Stage) -> None:
    stage.scenes(620)
    asked = Asked(stage, "sync_all")
    while not stage.session.queue.scenes:
        asked.loop.step(stage.clock.now)
    assert marks.count(stage.data_dir) == 1
    stage.reopen()
    asked.loop = Loop(stage.session, asked.life, stage.clock)
    asked.answer()
    assert marks.count(stage.data_dir) == 0 and stage.differing() == {}


def test_queue_status_tells_all_and_changes_nothing(stage: Stage) -> None:
    good, missing = stage.scene(), stage.scene(in_plex=False)
    ambiguous = stage.scene(in_plex=False)
    for folder in ("a", "b"):
        stage.give_plex(ambiguous, file=f"/media/{folder}/s{ambiguous}.mp4")
    stage.settle(good, missing, ambiguous)
    stage.plex.clear_requests()
    result = Asked(stage, "queue_status").answer()
    assert result["state"] == "ok" and result["queued"] == 0
    assert result["waiting"] == {"missing": 1} and result["dead_letters"] == {"ambiguous": 1}
    assert [letter["scene"] for letter in result["newest_dead_letters"]] == [ambiguous]
    assert result["synced"] == 1 and result["totals"]["synced"] == 1 and result["outages"] == []
    assert stage.plex.count() == 0


def test_queue_status_tells_of_an_outage(stage: Stage) -> None:
    stage.plex.down()
    stage.mark(stage.scene())
    stage.run_for(600)
    result = Asked(stage, "queue_status").answer()
    assert result["state"].startswith("Plex is away") and result["queued"] == 1
    assert [outage["ended"] for outage in result["outages"]] == [None]


def test_an_operation_that_nobody_knows_is_answered_with_an_error(stage: Stage) -> None:
    answer = Asked(stage, "purge_everything").answer()
    assert "purge_everything" in answer["error"] and marks.count(stage.data_dir) == 0


def test_several_requests_are_answered_each(stage: Stage) -> None:
    stage.scenes(60)
    first = Asked(stage, "sync_all")
    second, third = (replies.ask(stage.data_dir, name) for name in ("process_queue", "queue_status"))
    first.answer()
    for reply in (second, third):
        assert read_json(os.path.join(stage.data_dir, replies.FOLDER, f"{reply}.json"))["done"]
    assert stage.differing() == {}


def test_a_request_without_a_reply_is_carried_out_all_the_same(stage: Stage) -> None:
    stage.scenes(3)
    inbox.put(stage.data_dir, {"kind": "request", "operation": "sync_all", "reply": ""})
    loop = Loop(stage.session, Life("no manifest"), stage.clock)
    for _ in range(20):
        stage.clock.now += 0.5
        loop.step(stage.clock.now)
    assert stage.differing() == {} and not Path(stage.data_dir, replies.FOLDER).exists()
