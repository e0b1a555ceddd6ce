"""What a person looks at: status, one scene explained, a dry run, the health of everything. Nothing is sent by it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worker.asked import Asked
from tests.worker.steps import FULL, Stage

Row = dict[str, Any]


def changes(result: Row) -> dict[str, Row]:
    return {row["field"]: row for row in result["changes"]}


def check(result: Row, name: str) -> list[Row]:
    return [row for row in result["checks"] if row["check"] == name]


# one scene


def test_explain_shows_paths_candidates_decision_and_every_field_that_would_change(stage: Stage) -> None:
    scene = stage.scene(**FULL, item={"genres": ["Green", "Stale"], "studio": "Other"})
    result = Asked(stage, "explain_scene", scene_id=str(scene)).answer()
    assert (result["scene"], result["title"], result["state"]) == (scene, "A title", "ok")
    assert result["files"] == [
        {"path": "/data/s1.mp4", "size_bytes": 1_001, "in_plex_as": "/data/s1.mp4"},
    ]
    (candidate,) = result["candidates"]
    assert (candidate["item"], candidate["path"]) == (stage.keys[scene], "/media/s1.mp4")
    assert (candidate["library"], candidate["size_bytes"]) == ("Movies", 1_001)
    assert "name and its size" in result["reason"]
    said = changes(result)
    assert said["studio"] == {"item": stage.keys[scene], "field": "studio", "from": "Other", "to": "Studio One"}
    assert (said["tags"]["add"], said["tags"]["remove"]) == (["Blue"], ["Stale"])
    assert said["performers"]["add"] == ["Ann", "Bea"] and "studio" in said["locks"]["does"]
    assert stage.puts() == 0


def test_what_explain_says_is_what_is_sent(stage: Stage) -> None:
    scene = stage.scene(**FULL, item={"genres": ["Stale"], "title": "A title"})
    said = changes(Asked(stage, "explain_scene", scene_id=str(scene)).answer())
    stage.settle(scene)
    item = stage.item(scene)
    for name, field in {"studio": "studio", "tagline": "tagline", "date": "originallyAvailableAt"}.items():
        assert said[name]["to"] == item[field]
    assert "title" not in said and sorted(said["tags"]["add"]) == sorted(item["genres"])
    after = Asked(stage, "explain_scene", scene_id=str(scene)).answer()
    assert after["changes"] == [] and "shows it already" in after["decision"]
    assert "sent before" in after["reason"] and "Sync All" in after["note"]


def test_explain_follows_path_rules(stage: Stage) -> None:
    scene = stage.scene(in_plex=False)
    stage.give_plex(scene, size=5)
    stage.configure(path_rules="/data => /media")
    result = Asked(stage, "explain_scene", scene_id=str(scene)).answer()
    assert result["files"][0]["in_plex_as"] == f"/media/s{scene}.mp4"
    assert "path" in result["reason"] and result["changes"]


@pytest.mark.parametrize(
    ("fields", "settings", "says"),
    [
        ({"details": ""}, {}, "no studio, performers, tags, details or date"),
        ({}, {"organized_only": True}, "organized"),
        ({}, {"sync_master": False}, "sync_master"),
    ],
)
def test_explain_says_why_a_scene_is_skipped(stage: Stage, fields: Row, settings: Row, says: str) -> None:
    scene = stage.scene(**fields)
    stage.configure(**settings)
    result = Asked(stage, "explain_scene", scene_id=str(scene)).answer()
    assert "nothing would be sent" in result["decision"] and says in result["decision"]


def test_explain_says_that_a_scene_is_ambiguous_and_was_given_up(stage: Stage) -> None:
    scene = stage.scene(in_plex=False)
    for folder in ("a", "b"):
        stage.give_plex(scene, file=f"/media/{folder}/s{scene}.mp4")
    stage.settle(scene)
    result = Asked(stage, "explain_scene", scene_id=str(scene)).answer()
    assert "ambiguous" in result["decision"] and len(result["candidates"]) == 2
    assert result["newest_dead_letters"][0]["kind"] == "ambiguous"


def test_explain_of_a_scene_that_waits_says_until_when(stage: Stage) -> None:
    scene = stage.scene(in_plex=False)
    stage.settle(scene)
    result = Asked(stage, "explain_scene", scene_id=str(scene)).answer()
    assert "missing" in result["decision"] and result["candidates"] == []
    assert result["next_waiting"][0]["due"] > stage.clock.now


def test_explain_works_while_sending_is_switched_off(stage: Stage) -> None:
    scene = stage.scene()
    stage.configure(enabled=False)
    result = Asked(stage, "explain_scene", scene_id=str(scene)).answer()
    assert result["changes"] and result["state"] == "ok" and stage.puts() == 0


def test_explain_tells_of_a_plex_that_is_away(stage: Stage) -> None:
    scene = stage.scene()
    stage.plex.down()
    result = Asked(stage, "explain_scene", scene_id=str(scene)).answer()
    assert "cannot be reached" in result["state"] and result["files"]


def test_explain_of_a_scene_that_stash_does_not_have_is_an_error(stage: Stage) -> None:
    assert Asked(stage, "explain_scene", scene_id="99").answer()["error"] == "Scene 99 is not in Stash"


def test_explain_hides_paths_and_titles_when_they_have_to_be_hidden(stage: Stage) -> None:
    scene = stage.scene(title="Very private")
    stage.configure(obfuscate_paths=True)
    result = Asked(stage, "explain_scene", scene_id=str(scene)).answer()
    assert "private" not in str(result) and "/media" not in str(result) and "s1.mp4" not in str(result)
    stage.configure(obfuscate_paths=False)
    stage.run_for(40)


# all that is queued


def test_a_dry_run_says_of_each_queued_scene_what_would_be_sent_and_leaves_it_queued(stage: Stage) -> None:
    differs, same, silent, missing = stage.scene(), stage.scene(), stage.scene(details=""), stage.scene(in_plex=False)
    stage.settle(same)
    stage.configure(enabled=False)
    stage.run_for(40)
    stage.mark(differs, same, silent, missing)
    stage.run_for(1)
    before = stage.puts()
    result = Asked(stage, "dry_run").answer()
    said = {row["scene"]: row["decision"] for row in result["scenes"]}
    assert "would be sent" in said[differs] and "title" in said[differs]
    assert "sent before" in said[same] and "no studio" in said[silent] and "missing" in said[missing]
    assert (result["compared"], result["would_be_sent"]) == (4, 1)
    assert stage.session.queue.scenes == 4 and stage.puts() == before


def test_a_dry_run_of_an_empty_queue_ends(stage: Stage) -> None:
    assert Asked(stage, "dry_run").answer()["compared"] == 0


# the list of what was given up


def test_dead_letters_are_listed_with_reason_and_time(stage: Stage) -> None:
    scene = stage.scene()
    stage.refuse_puts_of(scene, 400)
    stage.settle(scene)
    result = Asked(stage, "dead_letters").answer()
    assert result["dead_letters"] == {"permanent": 1}
    assert [(row["scene"], row["kind"]) for row in result["newest_dead_letters"]] == [(scene, "permanent")]


# health


def test_health_check_finds_all_well(stage: Stage) -> None:
    stage.scene()
    stage.configure(path_rules="/data => /media", plex_library="Movies")
    result = Asked(stage, "health_check").answer()
    todo = {row["check"] for row in result["checks"] if not row["ok"]}
    assert todo <= {"Launcher"}  # this Stash has no plugins
    assert "version" in check(result, "Plex")[0]["says"] and check(result, "Token")[0]["ok"]
    assert "1 of 1 sample paths are mapped, 1 of these lead back" in check(result, "Path rules")[0]["says"]
    assert "plexapi 4." in check(result, "Python packages")[0]["says"]
    assert stage.data_dir in check(result, "Data folder")[0]["says"]


def test_health_check_names_the_library_that_is_missing_and_those_that_there_are(stage: Stage) -> None:
    stage.configure(plex_library="Movies, Films")
    result = Asked(stage, "health_check").answer()
    there, missing = check(result, "Library")
    assert there["ok"] and not missing["ok"]
    assert "Films is missing" in missing["says"] and "Movies" in missing["says"]
    assert result["state"] != "ok"


def test_health_check_tells_a_refused_token_from_a_plex_that_is_away(stage: Stage) -> None:
    stage.configure(plex_token="wrong")
    result = Asked(stage, "health_check").answer()
    assert not check(result, "Token")[0]["ok"] and "plex_token" in check(result, "Token")[0]["says"]
    assert "wrong" not in str(check(result, "Token"))
    stage.plex.down()
    result = Asked(stage, "health_check").answer()
    assert not check(result, "Plex")[0]["ok"] and check(result, "Token") == []


def test_health_check_says_what_is_wrong_with_the_settings(stage: Stage) -> None:
    stage.configure(plex_token="", path_rules="nonsense")
    result = Asked(stage, "health_check").answer()
    assert "plex_token is missing" in check(result, "Settings")[0]["says"]
    assert not check(result, "Path rules")[0]["ok"] and "path_rules" in check(result, "Path rules")[0]["says"]


def test_health_check_tells_rules_that_fit_no_scene(stage: Stage) -> None:
    stage.scene()
    stage.configure(path_rules="/elsewhere => /media")
    row = check(Asked(stage, "health_check").answer(), "Path rules")[0]
    assert not row["ok"] and "0 of 1 sample paths are mapped" in row["says"]
