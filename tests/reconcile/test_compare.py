"""One scene against what we know of it and against one item."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plex.rules import PathRules
from reconcile.compare import Comparer, place
from tests.reconcile.pairs import bare, comparer, file, item_of, scene, sent
from validation.scene import parse
from validation.settings import Settings

SILENT = {"details": "", "date": "", "studio": None, "performers": [], "tags": []}


def test_files_are_compared_under_the_paths_that_plex_has():
    by = Comparer(PathRules.parse("/data => /media"), Settings())
    assert by.work(scene(), ()).files == (file("/media/a.mp4"),)


@pytest.mark.parametrize(
    ("settings", "fields", "reason"),
    [
        ({}, {}, ""),
        ({"sync_master": False}, {}, "setting sync_master is off"),
        ({"organized_only": True}, {"organized": True}, ""),
        ({"organized_only": True}, {}, "not organized, and setting organized_only is on"),
        ({}, SILENT, "no studio, performers, tags, details or date yet"),
        ({}, {**SILENT, "date": "2024"}, ""),
    ],
)
def test_why_a_scene_is_not_sent(settings, fields, reason):
    assert comparer(**settings).skips(scene(**fields)) == reason


def test_the_place_is_that_of_all_files_in_any_order_and_with_their_sizes():
    def of(*files):
        return place(parse({"id": 1, "files": [{"path": path, "size": size} for path, size in files]}))

    a, b = ("/data/a", 1), ("/data/b", 2)
    assert of(a, b) == of(b, a)
    assert len({of(a), of(b), of(a, b), of(("/data/a", 2)), of(("/data/A", 1)), of()}) == 6


def test_a_scene_is_unchanged_as_long_as_the_same_went_to_every_item_under_the_same_settings():
    by = comparer()
    work = by.work(scene(), ())
    assert not work.unchanged and sent(work).unchanged
    assert sent(sent(work), key="11").unchanged
    assert not sent(sent(work), key="11", fingerprint="").unchanged
    other = comparer(max_tags=50)
    assert not other.work(scene(), sent(work).known).unchanged


def test_tags_of_former_scenes_of_the_item_are_ours_too():
    by = comparer()
    before, heir = by.work(scene(2), ()), by.work(scene(1, studio={"name": "New"}), ())
    left = sent(before).known
    item = item_of(before, collection=["Studio", "A person's"])
    assert by.compare(heir, item).edit.dropped["collection"] == ()
    edit = by.compare(heir.heir(left), item).edit
    assert edit.dropped["collection"] == ("Studio",)
    assert edit.wanted["collection"] == ("A person's", "New")
    assert by.compare(heir.heir(left), replace(item, key="11")).edit.dropped["collection"] == ()


def test_of_intended_tags_only_those_that_the_item_shows_are_ours():
    by = comparer(preserve_plex_edits=True)
    work = by.work(scene(tags=[]), ())
    work = sent(work, owned=(), intended=(("genre", "BLUE"), ("genre", "Never arrived")))
    edit = by.compare(work, item_of(work, genre=["Blue", "A person's"], locks=())).edit
    assert edit.dropped["genre"] == ("Blue",)


@pytest.mark.parametrize(
    ("settings", "locks", "lacking"),
    [
        ({}, [], ["thumb", "art"]),
        ({}, ["thumb"], ["art"]),
        ({}, ["thumb", "art"], []),
        ({"sync_background": False}, [], ["thumb"]),
        ({"sync_poster": False, "sync_background": False}, [], []),
        ({"lock_fields": False}, [], []),
        ({"preserve_plex_edits": True}, [], []),
    ],
)
def test_the_picture_locks_that_an_item_lacks(settings, locks, lacking):
    by = comparer(**settings)
    work = by.work(scene(), ())
    assert by.picture_locks(work, item_of(work, locks=locks)) == lacking


@pytest.mark.parametrize(
    ("settings", "sent_at", "shown_at", "other"),
    [
        ({}, {"posters": "/1", "arts": "/1"}, {"posters": "/1", "arts": "/1"}, []),
        ({}, {"posters": "/1", "arts": "/1"}, {"posters": "/2", "arts": "/1"}, ["posters"]),
        ({}, {"posters": "/1", "arts": "/1"}, {}, ["posters", "arts"]),
        ({}, {"posters": "", "arts": "/1"}, {"posters": "/2", "arts": "/1"}, []),
        ({}, {}, {"posters": "/2", "arts": "/2"}, []),
        ({"sync_poster": False}, {"posters": "/1"}, {"posters": "/2"}, []),
        ({"preserve_plex_edits": True}, {"posters": "/1"}, {"posters": "/2"}, []),
    ],
)
def test_which_pictures_are_no_longer_those_that_were_sent(settings, sent_at, shown_at, other):
    by = comparer(**settings)
    work = by.work(scene(), ())
    assert by.other_pictures(sent(work, pictures=sent_at), item_of(work, marks=shown_at)) == other


def test_of_an_item_that_we_know_nothing_of_no_picture_is_another_one():
    work = comparer().work(scene(), ())
    assert comparer().other_pictures(sent(work, key="11"), bare(work)) == []
