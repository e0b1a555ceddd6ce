"""Candidates by base name: a few look-ups or one walk, whichever is cheaper, and the same answer either way."""

from __future__ import annotations

import unicodedata

import pytest

from plex import paths
from plex.index import INDEX_S, SECTIONS_S, PathIndex
from validation.errors import Kind, Trouble

NOW = 1_000_000.0
FEW, MANY = 1, 10_000


@pytest.fixture
def index(client):
    return PathIndex(client, ())


def keys(found):
    return {name: sorted(item.key for item in items) for name, items in found.items()}


def spent(client, call):
    before = client.requests
    call()
    return client.requests - before


@pytest.mark.parametrize("expected", [FEW, MANY])
def test_candidates_are_the_same_by_look_up_and_by_walk(plex, index, section, expected):
    one = plex.add_item(section, file="/media/x/a.mp4", size=1)
    two = plex.add_item(section, file="/media/y/a.mp4", size=2)
    plex.add_item(section, file="/media/b.mp4", size=3)
    found = index.candidates(["/data/a.mp4", "/data/none.mp4"], expected, NOW)
    assert keys(found) == {"a.mp4": [one, two], "none.mp4": []}
    assert {item.section for items in found.values() for item in items} == {section}


def test_few_questions_are_looked_up_one_by_one(plex, client, index, section):
    plex.add_item(section, file="/media/a.mp4")
    index.sections(NOW)
    assert spent(client, lambda: index.candidates(["/d/a.mp4"], FEW, NOW)) == 1
    assert plex.requests()[-1].args["file"] == "a.mp4"


def test_many_questions_are_answered_by_one_walk(plex, client, index, section):
    plex.add_items(section, [{"file": f"/media/{number}.mp4"} for number in range(30)])
    index.sections(NOW)
    assert spent(client, lambda: index.candidates([f"/d/{n}.mp4" for n in range(30)], MANY, NOW)) == 1
    assert spent(client, lambda: index.candidates([f"/d/{n}.mp4" for n in range(30)], MANY, NOW + INDEX_S - 1)) == 0


@pytest.mark.parametrize("later", [INDEX_S, -1.0])
def test_an_old_walk_and_one_from_the_future_are_not_trusted(plex, index, section, later):
    index.candidates(["/d/a.mp4"], MANY, NOW)
    key = plex.add_item(section, file="/media/a.mp4")
    assert keys(index.candidates(["/d/a.mp4"], FEW, NOW + later)) == {"a.mp4": [key]}


def test_what_proved_wrong_is_asked_again(plex, index, section):
    key = plex.add_item(section, file="/media/a.mp4")
    index.candidates(["/d/a.mp4"], MANY, NOW)
    plex.remove_item(key)
    assert keys(index.candidates(["/d/a.mp4"], FEW, NOW)) == {"a.mp4": [key]}
    index.forget()
    assert keys(index.candidates(["/d/a.mp4"], FEW, NOW)) == {"a.mp4": []}


def test_a_file_that_came_right_after_a_walk_is_looked_up(plex, index, section):
    index.candidates(["/d/a.mp4"], MANY, NOW)
    key = plex.add_item(section, file="/media/b.mp4")
    assert keys(index.candidates(["/d/b.mp4"], FEW, NOW)) == {"b.mp4": [key]}


def test_what_a_walk_did_not_show_is_not_looked_up_by_the_dozen(plex, client, index, section):
    many = [f"/d/{number}.mp4" for number in range(30)]
    index.candidates(many, MANY, NOW)
    assert spent(client, lambda: index.candidates(many, MANY, NOW)) == 0


@pytest.mark.parametrize("name", ["a,b.mp4", "é.mp4", unicodedata.normalize("NFD", "é.mp4")])
@pytest.mark.parametrize("shown", [lambda name: name, lambda name: unicodedata.normalize("NFD", name)])
def test_names_that_the_filter_may_misread_are_found_by_a_walk(plex, index, section, name, shown):
    key = plex.add_item(section, file="/media/" + shown(name))
    found = index.candidates(["/data/" + name], FEW, NOW)
    assert keys(found) == {paths.name_key(name): [key]}


def test_an_item_with_two_versions_is_a_candidate_for_both(plex, index, section):
    key = plex.add_item(section, file="/media/a.mp4", versions=[{"file": "/media/b.mp4", "size": 2}])
    assert keys(index.candidates(["a.mp4", "b.mp4"], MANY, NOW)) == {"a.mp4": [key], "b.mp4": [key]}


@pytest.mark.parametrize(
    ("names", "chosen"),
    [((), ["1", "2"]), (("movies",), ["1"]), (("Movies", "SCENES"), ["1", "2"]), (("x", "Scenes"), ["2"])],
)
def test_the_libraries_are_those_that_were_named(plex, client, names, chosen):
    plex.add_section("Movies", ["/m"])
    plex.add_section("Scenes", ["/s"])
    assert [section.key for section in PathIndex(client, names).sections(NOW)] == chosen


def test_candidates_come_from_the_chosen_libraries_only(plex, client, section):
    other = plex.add_section("Other", ["/o"])
    plex.add_item(section, file="/media/a.mp4")
    key = plex.add_item(other, file="/o/a.mp4")
    for expected in (FEW, MANY):
        assert keys(PathIndex(client, ("other",)).candidates(["a.mp4"], expected, NOW)) == {"a.mp4": [key]}


def test_a_library_that_does_not_exist_is_a_trouble_that_names_those_that_do(plex, client, section):
    with pytest.raises(Trouble) as raised:
        PathIndex(client, ("Nope",)).sections(NOW)
    assert raised.value.kind is Kind.REFUSED and "Movies" in raised.value.message


def test_the_libraries_are_asked_for_once_an_hour(plex, client, index, section):
    client.machine()
    assert spent(client, lambda: [index.sections(NOW), index.sections(NOW + SECTIONS_S - 1)]) == 1
    assert spent(client, lambda: index.sections(NOW + SECTIONS_S)) == 1


def test_a_new_item_is_noticed_and_known_from_then_on(plex, index, section):
    plex.add_item(section, file="/media/old.mp4", addedAt="1000")
    index.candidates(["x"], MANY, NOW)
    key = plex.add_item(section, file="/media/new.mp4", addedAt="2000")
    fresh, newest = index.newly_added(1500, NOW)
    assert ([item.key for item in fresh], newest) == ([key], 2000)
    assert keys(index.candidates(["new.mp4"], FEW, NOW)) == {"new.mp4": [key]}


def test_nothing_new_leaves_the_time_as_it_was(plex, index, section):
    assert index.newly_added(1500, NOW) == ([], 1500)
