"""Which gap a scene has: a table of what we know, what Stash has and what Plex shows."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.gaps import DRIFTED, EMPTY, KINDS, MISSING, MOVED, STALE, of_items, of_sent, of_trouble
from tests.reconcile.pairs import bare, beside, comparer, found, item_of, scene, sent
from validation.errors import Kind, Trouble

MIRROR, CAREFUL = comparer(), comparer(preserve_plex_edits=True)


def gap(by, work, *items):
    return of_items(found(*items), beside(by, work, *items))


def kind(*args):
    one = gap(*args)
    return one.kind if one else ""


@pytest.mark.parametrize("trouble", Kind)
def test_only_an_item_that_is_missing_makes_a_scene_missing(trouble):
    one = of_trouble(7, Trouble(trouble, "the reason"))
    assert (one is not None) is (trouble is Kind.MISSING)
    assert one is None or (one.scene, one.kind, one.reason) == (7, MISSING, "the reason")


@pytest.mark.parametrize(
    ("moved", "changed", "kind"),
    [(False, False, None), (False, True, STALE), (True, False, MOVED), (True, True, MOVED)],
)
def test_without_plex_a_scene_has_moved_or_changed_since_it_was_sent(moved, changed, kind):
    one = of_sent(7, moved, changed, "/data/a.mp4")
    assert (one and one.kind) == kind


@pytest.mark.parametrize("by", [MIRROR, CAREFUL], ids=["mirror", "careful"])
def test_what_was_sent_and_is_shown_is_no_gap(by):
    work = by.work(scene(), ())
    assert gap(by, sent(work), item_of(work)) is None


@pytest.mark.parametrize("by", [MIRROR, CAREFUL], ids=["mirror", "careful"])
@pytest.mark.parametrize("known", [False, True])
def test_an_item_that_shows_nothing_of_its_scene_is_empty(by, known):
    work = by.work(scene(), ())
    assert kind(by, sent(work) if known else work, bare(work)) == EMPTY


CHANGED: list[dict[str, Any]] = [
    {"title": "Other"},
    {"studio": "Other"},
    {"summary": ""},
    {"tagline": "Other"},
    {"originallyAvailableAt": ""},
    {"actor": ["Ann", "Bea"]},
    {"genre": []},
    {"director": []},
    {"collection": ["A person's"]},
    {"locks": ()},
    {"locks": ["title"]},
    {"marks": {"posters": "/thumb/1", "arts": "/art/2"}},
]


@pytest.mark.parametrize("values", CHANGED, ids=str)
def test_whatever_somebody_changed_in_plex_has_drifted(values):
    work = MIRROR.work(scene(), ())
    one = gap(MIRROR, sent(work), item_of(work, **values))
    assert one.kind == DRIFTED and one.scene == 1 and "item 10" in one.reason


@pytest.mark.parametrize(
    "values",
    [
        {"title": "Other"},
        {"summary": "A person's"},
        {"summary": "", "locks": ["summary"]},
        {"genre": ["Blue", "A person's"]},
        {"genre": [], "locks": ["genre"]},
        {"genre": []},  # ours, and a person took it away
        {},
        {"marks": {"posters": "/thumb/2", "arts": "/art/2"}},
        {"collection": ["Studio", "A person's"]},
    ],
    ids=str,
)
def test_what_people_did_is_no_gap_while_their_edits_are_preserved(values):
    work = CAREFUL.work(scene(), ())
    assert gap(CAREFUL, sent(work), item_of(work, **{"locks": (), **values})) is None


@pytest.mark.parametrize("values", [{"summary": "", "locks": []}, {"studio": "", "locks": ["title"]}], ids=str)
def test_what_somebody_emptied_without_a_lock_has_drifted_all_the_same(values):
    work = CAREFUL.work(scene(), ())
    assert kind(CAREFUL, sent(work), item_of(work, **values)) == DRIFTED


def test_a_collection_of_a_person_beside_ours_is_no_gap():
    work = MIRROR.work(scene(), ())
    assert gap(MIRROR, sent(work), item_of(work, collection=["Studio", "A person's"])) is None


@pytest.mark.parametrize("shows", [{}, {"title": "Title"}, {"genre": []}])
def test_a_scene_that_is_newer_than_what_was_sent_is_stale_whatever_plex_shows(shows):
    work = MIRROR.work(scene(), ())
    old = sent(work, fingerprint="of old", owned=(("genre", "Blue"),))
    assert kind(MIRROR, old, item_of(work, **shows)) == STALE


def test_a_push_whose_end_was_not_seen_leaves_a_stale_scene():
    work = MIRROR.work(scene(), ())
    assert kind(MIRROR, sent(work, fingerprint=""), item_of(work)) == STALE


@pytest.mark.parametrize(
    ("settings", "expected"), [({}, STALE), ({"sync_poster": False, "sync_background": False}, "")]
)
def test_a_scene_that_was_saved_since_may_have_another_cover(settings, expected):
    by = comparer(**settings)
    work = by.work(scene(), ())
    assert kind(by, sent(work, updated_at="2023"), item_of(work)) == expected


def test_a_scene_whose_file_is_elsewhere_has_moved_though_plex_shows_it():
    work = MIRROR.work(scene(), ())
    one = gap(MIRROR, sent(work, place="elsewhere"), item_of(work))
    assert one.kind == MOVED and "/data/a.mp4" in one.reason


def test_a_scene_of_which_is_not_known_where_it_was_has_not_moved():
    work = MIRROR.work(scene(), ())
    assert gap(MIRROR, sent(work, place=""), item_of(work)) is None


def test_a_scene_that_another_item_shows_now_has_moved():
    work = MIRROR.work(scene(), ())
    assert kind(MIRROR, sent(work), item_of(work, key="11")) == MOVED


def test_an_item_that_shows_a_scene_by_chance_is_made_known():
    """Else another scene may claim it; and what cannot be compared, its picture, was never sent."""
    work = CAREFUL.work(scene(), ())
    assert kind(CAREFUL, work, item_of(work)) == STALE
    assert kind(CAREFUL, sent(work), item_of(work), item_of(work, key="11")) == MOVED


def test_of_several_items_one_that_differs_is_enough():
    work = MIRROR.work(scene(), ())
    both = sent(sent(work), key="11")
    assert gap(MIRROR, both, item_of(work), item_of(work, key="11")) is None
    one = gap(MIRROR, both, item_of(work), item_of(work, key="11", studio="Other"))
    assert (one.kind, one.reason) == (DRIFTED, "item 11 shows it otherwise: studio")
    assert kind(MIRROR, both, item_of(work), bare(work, key="11")) == EMPTY
    assert kind(MIRROR, both, item_of(work, studio="Other"), bare(work, key="11")) == DRIFTED


def test_the_reason_names_every_field_once_in_people_s_words():
    work = MIRROR.work(scene(), ())
    both = sent(sent(work), key="11")
    shown = [item_of(work, genre=[], originallyAvailableAt=""), item_of(work, key="11", genre=[], actor=["Zoe"])]
    assert gap(MIRROR, both, *shown).reason == "item 10, 11 shows it otherwise: tags, date, performers"
    assert gap(MIRROR, sent(work), item_of(work, locks=())).reason.endswith(": locks")


def test_a_rating_that_differs_is_a_gap_where_ratings_are_sent():
    by = comparer(sync_rating=True)
    work = by.work(scene(rating100=80), ())
    assert gap(by, sent(work), replace(item_of(work), rating="8")) is None
    assert kind(by, sent(work), item_of(work)) == DRIFTED


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["", "Other"]),
        "studio": st.sampled_from(["", "Other", "studio"]),
        "summary": st.sampled_from(["", "Other"]),
        "genre": st.lists(st.sampled_from(["Blue", "BLUE ", "Red"]), max_size=2),
        "actor": st.lists(st.sampled_from(["Ann", "Zoe"]), max_size=2, unique=True),
        "collection": st.lists(st.sampled_from(["Studio", "Mine"]), max_size=2, unique=True),
        "locks": st.lists(st.sampled_from(["title", "genre", "summary", "thumb"]), max_size=3),
    },
)


@given(st.booleans(), st.sampled_from(["", "sent", "older", "moved"]), VALUES)
def test_a_scene_has_a_gap_exactly_when_something_would_be_sent_or_remembered(preserve, before, values):
    by = CAREFUL if preserve else MIRROR
    work = by.work(scene(), ())
    known = {"older": {"fingerprint": "old"}, "moved": {"place": "elsewhere"}}
    work = sent(work, **known.get(before, {})) if before else work
    item = item_of(work, **values)
    (shown,) = beside(by, work, item)
    one = gap(by, work, item)
    assert (one is not None) is (shown.differs or before != "sent")
    if one is not None:
        assert one.kind in KINDS and one.scene == 1 and re.search(r"\w", one.reason)
        assert (one.kind in (DRIFTED, EMPTY)) is (shown.differs and before not in known)
