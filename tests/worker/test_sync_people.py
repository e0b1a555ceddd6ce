"""People's own edits in Plex: kept where they are preserved, and their collections always."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worker.steps import FULL, Killed, Stage
from worker.sync import Sync

# people's edits preserved


def test_preserving_fills_only_what_is_empty_and_locks_nothing(either: Stage) -> None:
    either.configure(preserve_plex_edits=True)
    own = {"summary": "own", "title": "own", "genres": ["Own"], "actors": ["Own"], "collections": ["Own"]}
    scene = either.scene(item=own, **FULL)
    either.settle(scene)
    shown = either.item(scene)
    assert (shown["summary"], shown["title"]) == ("own", "own")
    assert (shown["studio"], shown["tagline"]) == ("Studio One", "ABC-1")
    assert sorted(shown["genres"]) == ["Blue", "Green", "Own"] and sorted(shown["actors"]) == ["Ann", "Bea", "Own"]
    assert sorted(shown["collections"]) == ["Own", "Studio One"] and shown["locks"] == []


def test_preserving_takes_away_only_what_we_added(either: Stage) -> None:
    either.configure(preserve_plex_edits=True)
    scene = either.scene(item={"genres": ["Own", "Blue"]}, **FULL)
    either.settle(scene)
    either.save(scene, tags=["Red"], performers=[], studio="Studio Two")
    either.run()
    shown = either.item(scene)
    assert sorted(shown["genres"]) == ["Blue", "Own", "Red"] and shown["actors"] == []
    assert shown["collections"] == ["Studio Two"] and shown["studio"] == "Studio One"


def test_preserving_touches_no_locked_field(either: Stage) -> None:
    either.configure(preserve_plex_edits=True)
    scene = either.scene(item={"locks": ["genre", "summary", "collection"], "genres": ["Own"]}, **FULL)
    either.settle(scene)
    shown = either.item(scene)
    assert (shown["genres"], shown["summary"], shown["collections"]) == (["Own"], "", [])
    assert sorted(shown["actors"]) == ["Ann", "Bea"] and shown["locks"] == ["collection", "genre", "summary"]


def test_preserving_does_not_bring_back_a_tag_that_a_person_took_away(either: Stage) -> None:
    either.configure(preserve_plex_edits=True)
    scene = either.scene(**FULL)
    either.settle(scene)
    either.plex.refresh_item(either.keys[scene], genres=["Green"])
    either.save(scene, tags=["Blue", "Green", "Red"])
    either.run()
    assert sorted(either.item(scene)["genres"]) == ["Green", "Red"]


def test_switching_preservation_off_makes_the_next_save_a_mirror(either: Stage) -> None:
    either.configure(preserve_plex_edits=True)
    scene = either.scene(item={"genres": ["Own"], "summary": "own"}, **FULL)
    either.settle(scene)
    either.configure(preserve_plex_edits=False)
    either.run_for(40)
    either.settle(scene)
    assert either.differing() == {}


# collections


@pytest.mark.parametrize("studio", ["Studio Two", None])
def test_a_new_studio_takes_away_only_the_collection_that_we_added(either: Stage, studio: str | None) -> None:
    scene = either.scene(item={"collections": ["Favourites"]}, **FULL)
    either.settle(scene)
    assert sorted(either.item(scene)["collections"]) == ["Favourites", "Studio One"]
    either.save(scene, studio=studio)
    either.run()
    assert sorted(either.item(scene)["collections"]) == sorted(["Favourites"] + [studio] * bool(studio))


def test_a_collection_that_a_person_made_stays_though_it_has_the_studios_name(either: Stage) -> None:
    scene = either.scene(item={"collections": ["Studio One"]}, **FULL)
    either.settle(scene)
    either.save(scene, studio="Studio Two")
    either.run()
    assert sorted(either.item(scene)["collections"]) == ["Studio One", "Studio Two"]


@pytest.mark.parametrize("edited_meanwhile", [False, True])
@pytest.mark.parametrize("preserve", [False, True])
def test_after_a_crash_between_write_and_settlement_our_collection_is_still_known_as_ours(
    either: Stage, monkeypatch: pytest.MonkeyPatch, preserve: bool, edited_meanwhile: bool
) -> None:
    either.configure(preserve_plex_edits=preserve)
    scene = either.scene(item={"collections": ["Favourites"]}, **FULL)
    with monkeypatch.context() as patch:
        patch.setattr(Sync, "apply", _die_after(Sync.apply))
        either.mark(scene)
        with pytest.raises(Killed):
            either.run()
    assert "Studio One" in either.item(scene)["collections"]

    either.reopen()
    if not edited_meanwhile:
        either.run()
    either.save(scene, studio="Studio Two", tags=["Red"])
    either.run()
    assert sorted(either.item(scene)["collections"]) == ["Favourites", "Studio Two"]
    assert either.item(scene)["genres"] == ["Red"] and either.uncharged(scene)


def _die_after(send: Any) -> Any:
    def apply(sync: Sync, push: Any, force: bool) -> None:
        send(sync, push, force)
        raise Killed

    return apply


def test_a_scene_that_was_found_anew_keeps_our_collection_known_as_ours(either: Stage) -> None:
    scene = either.scene(**FULL)
    either.settle(scene)
    either.plex.faults.add("status", status=404, method="PUT")
    either.save(scene, studio="Studio Two")
    either.run()
    assert either.differing() == {}


def test_the_same_file_in_two_libraries_is_kept_right_in_both(either: Stage) -> None:
    other = either.plex.add_section("More", ["/more"])
    scene = either.scene(**FULL)
    file = either.item(scene)["file"]
    again = either.plex.add_item(other, file=file, size=1_001, title="again")
    either.settle(scene)
    either.save(scene, studio="Studio Two", tags=["Red"], title="Both")
    either.run()
    first = either.shown(scene)
    either.keys[scene] = again
    assert either.shown(scene) == first == either.wanted(scene)


def test_what_was_added_after_matching_anew_is_ours_though_plex_did_not_answer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = stage.scene(title="First")
    stage.settle(scene)
    stage.plex.unknown_id_status = 404
    stage.plex.faults.add("drop_after", method="PUT", skip=1)
    sync = stage.session.drain._executor._sync
    apply = sync.apply

    def apply_to_an_item_that_was_just_replaced(push, force):
        monkeypatch.setattr(sync, "apply", apply)
        old = stage.item(scene)
        stage.plex.remove_item(stage.keys[scene])
        stage.keys[scene] = stage.plex.add_item(old["section"], file=old["file"], size=old["size"])
        apply(push, force)

    monkeypatch.setattr(sync, "apply", apply_to_an_item_that_was_just_replaced)
    stage.save(scene, studio="Studio One")
    stage.run()
    stage.save(scene, studio="Studio Two")
    stage.run()
    assert stage.item(scene)["collections"] == ["Studio Two"]
