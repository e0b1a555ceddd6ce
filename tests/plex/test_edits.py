"""The difference between Stash and Plex, and how it is said: a table of rules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plex.edits import URL_BYTES, Edit, apart, diff, encode, pieces
from plex.model import LIST_ELEMENTS, SCALARS, PlexItem
from plex.projection import Projection
from tests.plex.direct_plex import DirectPlex

KINDS = tuple(LIST_ELEMENTS)


def shown(locks=(), **values):
    """An item that shows these values and nothing else."""
    scalars = {name: values.get(name, "") for name in SCALARS}
    lists = {kind: tuple(values.get(kind, ())) for kind in KINDS}
    return PlexItem("1", "1", scalars["title"], (), 0, "", scalars, lists, frozenset(locks))


def wanted(**values):
    item = shown(**values)
    return Projection(item.scalars, item.lists)


def owns(*tags, kind="genre"):
    return frozenset((kind, tag) for tag in tags)


def tags_of(edit, kind="genre"):
    return edit.wanted.get(kind), edit.dropped.get(kind)


@pytest.mark.parametrize("preserve", [False, True])
def test_nothing_differs_nothing_is_said(preserve):
    values = {"title": "T", "studio": "S", "genre": ["a", "b"], "collection": ["S"]}
    edit = diff(wanted(**values), shown(locks=(*SCALARS, *KINDS), **values), frozenset(), preserve)
    assert edit.empty and encode(edit) == "" and pieces(edit) == [] and edit.fields == []


SCALAR_TABLE = [
    # wanted, shown, locked, what is sent, what is sent while people's edits are preserved
    ("new", "", False, "new", "new"),
    ("new", "old", False, "new", None),
    ("new", "", True, "new", None),
    ("new", "old", True, "new", None),
    ("", "old", False, "", None),
    ("", "", False, None, None),
    ("same", "same", True, None, None),
]


@pytest.mark.parametrize(("want", "have", "locked", "sent", "preserved"), SCALAR_TABLE)
@pytest.mark.parametrize("name", ["studio", "summary", "tagline", "originallyAvailableAt"])
def test_when_a_field_is_sent(name, want, have, locked, sent, preserved):
    item = shown(locks=[name] if locked else [], **{name: have})
    assert diff(wanted(**{name: want}), item, frozenset(), False).scalars.get(name) == sent
    assert diff(wanted(**{name: want}), item, frozenset(), True).scalars.get(name) == preserved


def test_an_empty_title_leaves_the_title_of_plex_alone():
    assert diff(wanted(title=""), shown(title="kept"), frozenset(), False).scalars == {}


TAG_TABLE = {
    # wanted, shown, ours, (sent, dropped), the same while people's edits are preserved
    "add to nothing": (["a"], [], [], (("a",), ()), (("a",), ())),
    "add to others": (["a"], ["x"], [], (("a",), ("x",)), (("x", "a"), ())),
    "take away ours": ([], ["a"], ["a"], ((), ("a",)), ((), ("a",))),
    "take away a person's": ([], ["x"], [], ((), ("x",)), (None, None)),
    "rename ours": (["b"], ["a"], ["a"], (("b",), ("a",)), (("b",), ("a",))),
    "another order is no difference": (["a", "b"], ["b", "a"], [], (None, None), (None, None)),
    "another case is no difference": (["Tag"], ["tAG"], [], (None, None), (None, None)),
    "another form is no difference": (["é"], ["e\u0301"], [], (None, None), (None, None)),
    "kept in the spelling of Plex": (["Tag", "b"], ["tAG"], [], (("tAG", "b"), ()), (("tAG", "b"), ())),
    "ours that a person took away": (["a"], [], ["a"], (("a",), ()), (None, None)),
}


@pytest.mark.parametrize("name", TAG_TABLE)
@pytest.mark.parametrize("kind", ["genre", "actor", "director"])
def test_which_tags_are_sent_and_which_are_dropped(kind, name):
    want, have, ours, sent, preserved = TAG_TABLE[name]
    item, owned = shown(**{kind: have}), owns(*ours, kind=kind)
    assert tags_of(diff(wanted(**{kind: want}), item, owned, False), kind) == sent
    assert tags_of(diff(wanted(**{kind: want}), item, owned, True), kind) == preserved


@pytest.mark.parametrize("preserve", [False, True])
def test_of_collections_only_ours_is_taken_away(preserve):
    item = shown(collection=["Old studio", "A person's"])
    edit = diff(wanted(collection=["New"]), item, owns("Old studio", kind="collection"), preserve)
    assert tags_of(edit, "collection") == (("A person's", "New"), ("Old studio",))
    edit = diff(wanted(collection=[]), item, frozenset(), preserve)
    assert tags_of(edit, "collection") == (None, None)


def test_a_collection_that_a_person_made_is_not_ours_because_the_studio_has_its_name():
    edit = diff(wanted(collection=["Studio"]), shown(collection=["studio"]), frozenset(), False)
    assert ("collection", "Studio") not in edit.owned
    again = diff(wanted(collection=[]), shown(collection=["studio"]), edit.owned, False)
    assert again.dropped == {}


def test_what_we_add_is_ours_and_stays_ours():
    edit = diff(wanted(genre=["a", "x"]), shown(genre=["x"]), frozenset(), True)
    assert edit.owned == owns("a")
    assert diff(wanted(genre=["a", "x"]), shown(genre=["x", "a"]), edit.owned, True).owned == owns("a")


def test_what_was_never_sent_because_of_a_lock_is_not_ours():
    locked = shown(locks=["genre"], genre=["x"])
    edit = diff(wanted(genre=["a"]), locked, frozenset(), True)
    assert edit.empty and edit.owned == frozenset()
    unlocked = diff(wanted(genre=["a"]), shown(genre=["x"]), edit.owned, True)
    assert tags_of(unlocked) == (("x", "a"), ())


def test_ours_stays_ours_under_a_lock():
    edit = diff(wanted(genre=["a"]), shown(locks=["genre"], genre=["a"]), owns("a"), True)
    assert edit.empty and edit.owned == owns("a")


def test_what_we_set_is_locked_and_an_empty_field_that_stays_empty_is_not():
    edit = diff(wanted(title="T", genre=["a"], studio=""), shown(title="T", tagline="old"), frozenset(), False)
    assert set(edit.locks) == {"title", "genre", "tagline"}
    assert set(diff(wanted(title="T"), shown(title="T", locks=["title"]), frozenset(), False).locks) == set()


def test_nothing_is_locked_while_people_s_edits_are_preserved():
    assert diff(wanted(title="T", genre=["a"]), shown(), frozenset(), True).locks == ()


def test_no_tag_is_ever_on_both_sides():
    edit = diff(wanted(genre=["A", "new"]), shown(genre=["a", "b", "B "]), owns("b"), False)
    assert edit.wanted["genre"] == ("a", "new") and edit.dropped["genre"] == ("b", "B ")


NASTY = ["a,b", "R&B", "50% off", "a=b", "#1", "é ü", "😀", "a+b", "[x].tag.tag-", "%2C", "a;b", '"quoted"', "a/b?c"]


@pytest.mark.parametrize("mode", ["append", "replace"])
@pytest.mark.parametrize("tag", NASTY)
def test_a_tag_with_any_character_is_added_and_taken_away(mode, tag):
    plex = DirectPlex(mode)
    key = plex.add(genres=["kept", "other"])
    for want in (["kept", tag], ["kept"]):
        edit = diff(wanted(genre=want), plex.item(key), frozenset(), False)
        (argument,) = pieces(edit)
        plex.edit(plex.section, key, argument)
        assert plex.double.item(key)["genres"] == want


@pytest.mark.parametrize("text", ["a & b", "50%", "a+b", "line\nbreak", "é 😀", "#?/=", "<b>"])
def test_a_field_with_any_character_arrives_as_it_is(text):
    plex = DirectPlex("append")
    key = plex.add()
    plex.edit(plex.section, key, encode(Edit(scalars={"summary": text})))
    assert plex.item(key).scalars["summary"] == text


def test_an_edit_is_one_piece_as_long_as_it_fits():
    edit = Edit(scalars={"title": "T"}, wanted={"genre": ("a", "b")}, dropped={"genre": ("c",)}, locks=("genre",))
    assert pieces(edit) == [encode(edit)]


def test_a_long_edit_is_cut_between_arguments_into_pieces_that_fit():
    edit = Edit(scalars={"summary": "s" * 1000}, wanted={"genre": tuple(f"{n}-" + "é" * 50 for n in range(60))})
    parts = pieces(edit)
    assert len(parts) > 1 and all(len(part) <= URL_BYTES for part in parts)
    assert "&".join(parts) == encode(edit)


def test_one_argument_that_is_too_long_is_a_piece_of_its_own():
    edit = Edit(scalars={"title": "T", "summary": "é" * 5_000, "tagline": "C"})
    assert [part.partition(".")[0] for part in pieces(edit)] == ["title", "summary", "tagline"]


def test_the_fields_of_an_edit_are_named_for_the_log():
    edit = Edit(scalars={"title": "T"}, wanted={"genre": ("a",)}, dropped={"actor": ("b",)}, locks=("studio",))
    assert edit.fields == ["actor", "genre", "title"] and not edit.empty


def rated(rating, **values):
    return replace(wanted(**values), rating=rating)


RATING_TABLE = [
    # wanted, shown, what is sent, what is sent while people's edits are preserved
    (None, "4", None, None),
    ("7", "", "7", "7"),
    ("7", "7", None, None),
    ("7", "4", "7", None),
    ("", "4", "", None),
    ("", "", None, None),
]


@pytest.mark.parametrize(("want", "have", "sent", "preserved"), RATING_TABLE)
def test_when_a_rating_is_sent(want, have, sent, preserved):
    item = replace(shown(), rating=have)
    for preserve, expected in ((False, sent), (True, preserved)):
        edit = diff(rated(want), item, frozenset(), preserve)
        assert edit.rating == expected
        assert ("rating" in edit.fields) == (expected is not None)
        assert edit.empty and encode(edit) == "", "a rating has a request of its own"


def test_nothing_is_locked_when_locks_are_switched_off():
    edit = diff(wanted(title="T", genre=["a"]), shown(), frozenset(), False, lock=False)
    assert edit.locks == () and edit.fields == ["genre", "title"]


def test_what_is_switched_off_is_neither_sent_nor_locked_and_its_tags_stay_ours():
    item = shown(title="theirs", genre=["ours", "theirs"])
    full = wanted(title="T", genre=["new"], actor=["A"])
    part = Projection({"studio": ""}, {"actor": full.lists["actor"]})
    edit = diff(part, item, owns("ours"), False)
    assert edit.fields == ["actor"] and edit.locks == ("actor",)
    assert ("genre", "ours") in edit.owned and ("actor", "A") in edit.owned


def test_an_edit_taken_apart_says_the_same_field_by_field():
    item = shown(title="old", genre=["gone"])
    whole = diff(wanted(title="T", studio="S", genre=["a", "b"]), item, frozenset(), False)
    parts = apart(whole)
    assert set(parts) == {"title", "studio", "genre"}
    assert sorted("&".join(map(encode, parts.values())).split("&")) == sorted(encode(whole).split("&"))
    for name, part in parts.items():
        assert all(name in argument for argument in encode(part).split("&"))
