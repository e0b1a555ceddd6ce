"""Candidates by base name: a few look-ups or one walk, whichever is cheaper, and the same answer either way."""

from __future__ import annotations

import os
import tracemalloc
import unicodedata

import pytest

from plex import names as names_module
from plex import paths
from plex.cache import Cache
from plex.index import ANEW_S, FEW_LOOKUPS, INDEX_S, SECTIONS_S, PathIndex
from plex.model import Listed, PlexFile
from plex.names import Names
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


def test_the_libraries_of_this_moment_tell_what_is_being_scanned(plex, client, index, section):
    index.sections(NOW)
    plex.set_refreshing(section)
    assert spent(client, index.sections_now) == 1
    assert [(found.key, found.refreshing) for found in index.sections_now()] == [(section, True)]


def test_a_new_item_is_noticed_and_known_from_then_on(plex, index, section):
    plex.add_item(section, file="/media/old.mp4", addedAt="1000")
    index.candidates(["x"], MANY, NOW)
    key = plex.add_item(section, file="/media/new.mp4", addedAt="2000")
    fresh, newest = index.newly_added(1500, NOW)
    assert ([item.key for item in fresh], newest) == ([key], 2000)
    assert keys(index.candidates(["new.mp4"], FEW, NOW)) == {"new.mp4": [key]}


def test_nothing_new_leaves_the_time_as_it_was(plex, index, section):
    assert index.newly_added(1500, NOW) == ([], 1500)


# what survives a restart


@pytest.fixture
def restart(connect, plex, data_dir):
    """Makes indexes over the same cache folder, each as a worker that has just met the server."""
    caches = []

    def restart(*libraries):
        caches.append(Cache(os.path.join(data_dir, "cache")))
        client = connect(plex.url)
        client.machine()
        restart.client, restart.cache = client, caches[-1]
        return PathIndex(client, libraries, caches[-1])

    yield restart
    for cache in caches:
        assert cache.trouble() == ""
        cache.close()


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(names_module, "NAMES_PER_PIECE", 5)


def library(plex, section, count=30):
    return plex.add_items(section, [{"file": f"/media/{n}.mp4", "size": n} for n in range(count)])


def test_after_a_restart_a_fresh_walk_is_remembered_and_nothing_is_asked(plex, section, restart, small_pieces):
    added = library(plex, section)
    files = [f"/d/{n}.mp4" for n in range(30)]
    before = restart().candidates(files, MANY, NOW)
    index = restart()
    assert spent(restart.client, lambda: index.candidates(files, MANY, NOW + INDEX_S - 1)) == 0
    assert index.candidates(files, MANY, NOW + 1) == before
    assert sorted(key for found in keys(before).values() for key in found) == sorted(added)
    assert (index.hits, index.misses) == (60, 0)


@pytest.mark.parametrize("later", [INDEX_S, -1.0])
def test_an_old_walk_and_one_from_the_future_are_not_trusted_after_a_restart(plex, section, restart, later):
    restart().candidates(["/d/a.mp4"], MANY, NOW)
    key = plex.add_item(section, file="/media/a.mp4")
    index = restart()
    assert keys(index.candidates(["/d/a.mp4", *(f"/d/{n}.mp4" for n in range(30))], MANY, NOW + later))["a.mp4"] == [
        key
    ]


def test_one_question_after_a_restart_reads_one_piece(plex, section, restart, small_pieces):
    library(plex, section)
    restart().candidates(["/d/1.mp4"], MANY, NOW)
    assert list(restart().candidates(["/d/1.mp4"], FEW, NOW)) == ["1.mp4"]
    assert restart.cache.hits == len(["the libraries", "the walk", "one piece of it"])


def test_what_a_remembered_walk_lacks_is_looked_up_when_it_is_little(plex, section, restart):
    restart().candidates(["/d/a.mp4"], MANY, NOW)
    key = plex.add_item(section, file="/media/b.mp4")
    index = restart()
    assert keys(index.candidates(["/d/b.mp4"], MANY, NOW)) == {"b.mp4": [key]}
    many = [f"/d/{number}.mp4" for number in range(FEW_LOOKUPS + 1)]
    assert spent(restart.client, lambda: index.candidates(many, MANY, NOW)) == 0


def test_the_libraries_are_remembered_for_an_hour_and_for_this_choice(plex, section, restart):
    plex.add_section("Scenes", ["/s"])
    restart().sections(NOW)
    for libraries, later, requests in (((), SECTIONS_S - 1, 0), ((), SECTIONS_S, 1), (("Scenes",), 1, 1)):
        index = restart(*libraries)
        assert spent(restart.client, lambda: index.sections(NOW + later)) == requests  # noqa: B023 - called at once
        assert [found.title for found in index.sections(NOW + later)] == (
            ["Scenes"] if libraries else ["Movies", "Scenes"]
        )


def test_what_a_walk_through_other_libraries_showed_is_not_used(plex, section, restart):
    other = plex.add_section("Other", ["/o"])
    plex.add_item(section, file="/media/a.mp4")
    key = plex.add_item(other, file="/o/a.mp4")
    restart().candidates(["a.mp4"], MANY, NOW)
    assert keys(restart("Other").candidates(["a.mp4"], FEW, NOW)) == {"a.mp4": [key]}


@pytest.mark.parametrize("expected", [FEW, MANY])
@pytest.mark.parametrize("restarted", [False, True])
def test_another_server_at_the_same_address_has_an_index_of_its_own(plex, section, restart, expected, restarted):
    old = plex.add_item(section, file="/media/a.mp4")
    index = restart()
    index.candidates(["/d/a.mp4"], expected, NOW)
    plex.remove_item(old)
    plex.add_item(section, file="/media/other.mp4")
    new = plex.add_item(section, file="/media/a.mp4")
    plex.machine_id = "f" * 40
    if restarted:
        index = restart()
    else:
        restart.client.close()
    assert keys(index.candidates(["/d/a.mp4"], expected, NOW)) == {"a.mp4": [new]}


def test_what_a_look_up_found_is_remembered_until_it_proves_wrong(plex, section, restart):
    key = plex.add_item(section, file="/media/a.mp4")
    restart().candidates(["/d/a.mp4"], FEW, NOW)
    index = restart()
    late = NOW + 100 * INDEX_S
    index.sections(late)
    assert spent(restart.client, lambda: index.candidates(["/d/a.mp4"], FEW, late)) == 0
    assert keys(index.candidates(["/d/a.mp4"], FEW, late)) == {"a.mp4": [key]}
    plex.remove_item(key)
    index.forget()
    assert keys(index.candidates(["/d/a.mp4"], FEW, late)) == {"a.mp4": []}
    assert keys(restart().candidates(["/d/a.mp4"], FEW, late)) == {"a.mp4": []}


@pytest.mark.parametrize("expected", [FEW, MANY])
@pytest.mark.parametrize("clear", [lambda index, cache: cache.clear(), lambda index, cache: index.forget()])
def test_what_was_forgotten_stays_forgotten_after_a_restart(plex, section, restart, expected, clear):
    key = plex.add_item(section, file="/media/a.mp4")
    restart().candidates(["/d/a.mp4"], expected, NOW)
    plex.remove_item(key)
    clear(restart(), restart.cache)
    assert keys(restart().candidates(["/d/a.mp4"], FEW, NOW)) == {"a.mp4": []}


def test_a_new_item_is_known_also_after_a_restart(plex, section, restart, small_pieces):
    library(plex, section)
    restart().candidates(["x"], MANY, NOW)
    key = plex.add_item(section, file="/media/new.mp4", addedAt=str(int(NOW)))
    restart().newly_added(int(NOW), NOW)
    index = restart()
    index.sections(NOW)
    assert spent(restart.client, lambda: index.candidates(["new.mp4"], FEW, NOW)) == 0
    assert keys(index.candidates(["new.mp4"], FEW, NOW)) == {"new.mp4": [key]}


def test_a_new_item_of_the_same_name_is_seen_beside_the_one_that_was_found(plex, section, restart):
    one = plex.add_item(section, file="/media/x/a.mp4", addedAt="1000")
    index = restart()
    index.candidates(["a.mp4"], FEW, NOW)
    two = plex.add_item(section, file="/media/y/a.mp4", addedAt="2000")
    index.newly_added(1500, NOW)
    assert keys(index.candidates(["a.mp4"], FEW, NOW)) == {"a.mp4": [one, two]}


@pytest.mark.parametrize("value", [None, 5, "x", [], [1], ["other walk", {}], ["", []], {"a": 1}])
def test_a_walk_that_lost_a_piece_is_void_and_plex_is_asked(plex, section, restart, value, small_pieces):
    library(plex, section)
    index = restart()
    space = index.sections(NOW) and index._space
    index.candidates(["/d/1.mp4"], MANY, NOW)
    for piece in range(6):
        restart.cache.set(f"{space}:{piece}", value, None)
    many = [f"/d/{n}.mp4" for n in range(30)]
    assert all(restart().candidates(many, MANY, NOW).values())
    assert len(restart().candidates(many, MANY, NOW)) == 30


@pytest.mark.parametrize(
    "rows",
    [
        "",
        "5",
        "[5]",
        "[[]]",
        "[[1,1,1,1,1]]",
        '[["1","1","t",5,[["/m",null]]]]',
        '[["1/../2","1","t",5,[]]]',
        '{"a":1}',
    ],
)
def test_foreign_content_of_the_cache_is_no_item(plex, section, restart, rows):
    key = plex.add_item(section, file="/media/1.mp4")
    index = restart()
    index.candidates(["/d/1.mp4"], MANY, NOW)
    stamp, _ = restart.cache.get(f"{index._space}:0")
    restart.cache.set(f"{index._space}:0", [stamp, {"1.mp4": rows}], None)
    assert keys(restart().candidates(["/d/1.mp4"], FEW, NOW)) == {"1.mp4": [key]}


def test_the_index_works_on_when_its_cache_is_cleared_under_it(plex, section, restart, small_pieces):
    library(plex, section)
    many = [f"/d/{n}.mp4" for n in range(30)]
    index = restart()
    before = index.candidates(many, MANY, NOW)
    restart.cache.clear()
    assert spent(restart.client, lambda: index.candidates(many, MANY, NOW)) == 0
    assert index.candidates(many, MANY, NOW) == before
    assert restart().candidates(many, MANY, NOW) == before


# doubts


def test_a_name_in_doubt_is_asked_for_anew_and_known_from_then_on(plex, section, restart):
    old = plex.add_item(section, file="/media/a.mp4")
    index = restart()
    index.candidates(["/d/a.mp4"], MANY, NOW)
    plex.remove_item(old)
    new = plex.add_item(section, file="/media/b/a.mp4")
    assert keys(index.candidates(["/d/a.mp4"], FEW, NOW)) == {"a.mp4": [old]}
    assert keys(index.anew(["/d/a.mp4"], NOW)) == {"a.mp4": [new]}
    for again in (index, restart()):
        assert keys(again.candidates(["/d/a.mp4"], FEW, NOW)) == {"a.mp4": [new]}


@pytest.mark.parametrize("expected", [FEW, MANY])
def test_what_plex_just_said_is_not_asked_again(plex, client, index, section, expected):
    plex.add_item(section, file="/media/a.mp4")
    index.candidates(["/d/a.mp4"], expected, NOW)
    assert spent(client, lambda: index.anew(["/d/a.mp4"], NOW)) == 0
    assert index.anew(["/d/a.mp4"], NOW) == {}


def test_many_names_in_doubt_cost_one_walk_unless_the_last_is_recent(plex, client, index, section):
    library(plex, section)
    many = [f"/d/{number}.mp4" for number in range(30)]
    index.candidates(many, MANY, NOW)
    for later, walks in ((ANEW_S - 1, 0), (ANEW_S, 1), (ANEW_S + 1, 0)):
        index.candidates(many, MANY, NOW + later)
        assert spent(client, lambda: index.anew(many, NOW + later)) == walks  # noqa: B023 - called at once


def test_a_name_that_the_filter_may_misread_is_looked_for_by_a_walk(plex, index, section):
    index.candidates(["/d/x.mp4"], MANY, NOW)
    key = plex.add_item(section, file="/media/a,b.mp4")
    index.candidates(["/d/x.mp4"], FEW, NOW + ANEW_S)
    assert keys(index.anew(["/d/a,b.mp4"], NOW + ANEW_S)) == {"a,b.mp4": [key]}


def test_a_large_library_stays_small_in_memory():
    names = Names(None, "", INDEX_S)
    tracemalloc.start()
    try:
        for number in range(10_000):
            path = f"/media/library/studio {number % 97}/Some Studio - A title of scene {number} 1080p.mp4"
            names.add([Listed(str(number), "1", f"A title of scene {number}", (PlexFile(path, number),), number)])
        names.finish(NOW)
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / 10_000 < 600  # so 100,000 items take less than 60 MB
