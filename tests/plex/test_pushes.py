"""Any scene against any item: after the push Plex holds the projection, and there is nothing left to say.

The real `worker.sync` sends it, split and verified as in life, to the double in append and in replace mode.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plex.projection import project
from plex.rules import PathRules
from reconcile.compare import Comparer
from sync_queue.settlement import LogEntry
from tests.doubles.plex_server import PlexDouble
from tests.plex.direct_plex import DirectPlex
from validation.scene import parse
from validation.settings import Settings
from validation.text import folded
from worker.pictures import Pictures
from worker.sync import Sync

MODES = pytest.mark.parametrize("mode", ["append", "replace"])
KINDS = {"actor": "actors", "genre": "genres", "director": "directors", "collection": "collections"}
PERSONS = "a person's"

WORD = st.sampled_from(
    ["a", "A", "b", "a,b", "R&B", "r&b", "é", "e\u0301", "50%", "x y", " x y", "ß", "SS", "%2C", "😀", "#1"]
)
NAME = WORD | st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=8)
LONG = st.integers(0, 80).map(lambda n: f"long {n} " + "é" * 40)
NAMES = st.lists(NAME, max_size=4) | st.lists(LONG, min_size=30, max_size=60)
TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20) | st.just("long é " * 700)

SCENES = st.fixed_dictionaries(
    {
        "id": st.just(1),
        "title": TEXT,
        "details": TEXT,
        "code": TEXT,
        "director": st.none() | NAME,
        "date": st.sampled_from([None, "2024", "2024-02", "2024-02-03"]),
        "studio": st.none() | NAME.map(lambda name: {"name": name}),
        "performers": NAMES.map(lambda names: [{"name": name} for name in names]),
        "tags": NAMES.map(lambda names: [{"name": name} for name in names]),
        "files": st.just([{"path": "/media/a.mp4", "size": 5}]),
    }
)
LOCKS = st.lists(st.sampled_from(["title", "studio", "summary", "genre", "actor", "collection"]), unique=True)
ITEMS = st.fixed_dictionaries(
    {
        "title": st.sampled_from(["", "old"]),
        "studio": st.sampled_from(["", "old", "a"]),
        "summary": TEXT.map(lambda text: text[:50]),
        "genres": st.lists(NAME, max_size=4),
        "actors": st.lists(NAME, max_size=4),
        "directors": st.lists(NAME, max_size=2),
        "collections": st.lists(NAME, max_size=2).map(lambda names: [*names, PERSONS]),
        "locks": LOCKS,
    }
)


def syncing(plex, **given):
    """Everything but pictures, which need a Stash."""
    chosen = Settings(sync_poster=False, sync_background=False, **given)
    comparer = Comparer(PathRules.parse(""), chosen)
    return comparer, Sync(plex, Pictures(None, plex, chosen.preserve_plex_edits), comparer, chosen)


def push(both, plex, raw, key, owned):
    """Send one scene; returns the tags that are ours afterwards."""
    comparer, sync = both
    known = [LogEntry(1, key, "1", "", tuple(sorted(owned)))]
    work = comparer.work(parse(raw), known)
    made = comparer.compare(work, plex.items([key])[key])
    sync.apply(made, force=False)
    return made.edit.owned


def left_to_say(both, plex, raw, key, owned):
    comparer, _ = both
    work = comparer.work(parse(raw), [LogEntry(1, key, "1", "", tuple(sorted(owned)))])
    return comparer.compare(work, plex.items([key])[key]).edit


def folds(names):
    return {folded(name) for name in names}


def assert_shows(double, key, raw, people=()):
    """The item shows the scene; of collections it may show people's own too."""
    wanted, shown = project(parse(raw), Settings()), double.item(key)
    for name, value in wanted.scalars.items():
        assert shown[name] == value or (name == "title" and not value)
    for kind, names in wanted.lists.items():
        extra = folds(people) if kind == "collection" else set()
        assert folds(names) <= folds(shown[KINDS[kind]]) <= folds(names) | extra


@MODES
@settings(max_examples=50)
@given(item=ITEMS, first=SCENES, second=SCENES)
def test_plex_shows_each_scene_after_its_push_and_a_second_look_finds_nothing(mode, item, first, second):
    plex = DirectPlex(mode)
    key = plex.add(**item)
    sync = syncing(plex)
    people, owned = list(plex.double.item(key)["collections"]), frozenset()
    for raw in (first, second):
        owned = push(sync, plex, raw, key, owned)
        assert_shows(plex.double, key, raw, people)
        assert left_to_say(sync, plex, raw, key, owned).empty
        assert folds(people) <= folds(plex.double.item(key)["collections"])
    assert plex.double.whole_section_edits() == []


@MODES
@settings(max_examples=40)
@given(item=ITEMS, first=SCENES, second=SCENES)
def test_with_people_s_edits_preserved_nothing_of_theirs_changes(mode, item, first, second):
    plex = DirectPlex(mode)
    key = plex.add(**item)
    sync = syncing(plex, preserve_plex_edits=True)
    before, owned = plex.double.item(key), frozenset()
    for raw in (first, second):
        owned = push(sync, plex, raw, key, owned)
        shown = plex.double.item(key)
        assert left_to_say(sync, plex, raw, key, owned).empty
        assert shown["locks"] == before["locks"]
        for name in ("title", "studio", "summary"):
            assert shown[name] == before[name] or (not before[name] and name not in before["locks"])
        for kind, plural in KINDS.items():
            assert set(before[plural]) <= set(shown[plural])
            if kind in before["locks"]:
                assert shown[plural] == before[plural]


@MODES
def test_after_a_change_only_our_own_tags_are_gone_when_edits_are_preserved(mode):
    plex = DirectPlex(mode)
    key = plex.add(genres=["theirs"], collections=[PERSONS])
    sync = syncing(plex, preserve_plex_edits=True)
    owned = push(
        sync, plex, {"id": 1, "tags": [{"name": "a"}, {"name": "b"}], "studio": {"name": "S"}}, key, frozenset()
    )
    assert plex.double.item(key)["genres"] == ["theirs", "a", "b"]
    push(sync, plex, {"id": 1, "tags": [{"name": "b"}]}, key, owned)
    shown = plex.double.item(key)
    assert (shown["genres"], shown["collections"]) == (["theirs", "b"], [PERSONS])


@MODES
def test_a_scene_too_long_for_one_request_arrives_whole(mode):
    plex = DirectPlex(mode)
    key = plex.add(genres=["old"])
    tags = [{"name": f"tag {number} " + "é" * 40} for number in range(100)]
    raw = {"id": 1, "details": "é" * 2_000, "tags": tags}
    sync = syncing(plex)
    push(sync, plex, raw, key, frozenset())
    assert_shows(plex.double, key, raw)
    assert len(plex.puts) > 1


@MODES
@pytest.mark.parametrize("preserve", [False, True])
def test_people_s_tags_survive_a_push_in_several_pieces(mode, preserve):
    plex = DirectPlex(mode)
    key = plex.add(genres=["theirs"], collections=[PERSONS])
    tags = [{"name": f"tag {number} " + "é" * 40} for number in range(99)]
    raw = {"id": 1, "tags": [{"name": "theirs"}, *tags], "studio": {"name": "S " + "é" * 200}}
    sync = syncing(plex, preserve_plex_edits=preserve)
    push(sync, plex, raw, key, frozenset())
    shown = plex.double.item(key)
    assert shown["genres"][0] == "theirs" and len(shown["genres"]) == 100
    assert PERSONS in shown["collections"] and len(shown["collections"]) == 2 and len(plex.puts) > 1


@MODES
@pytest.mark.parametrize("status", [413, 414, 431])
def test_a_scene_too_long_for_the_server_arrives_shortened(mode, status):
    plex = DirectPlex(mode, url_limit=3_000, url_limit_status=status)
    key = plex.add(genres=["old"])
    raw = {"id": 1, "title": "T", "details": "d " * 2_000, "tags": [{"name": f"tag {n}"} for n in range(200)]}
    sync = syncing(plex)
    push(sync, plex, raw, key, frozenset())
    shown = plex.double.item(key)
    assert shown["title"] == "T" and shown["summary"].startswith("d d") and "old" not in shown["genres"]
    assert "tag 0" in shown["genres"]


@MODES
def test_over_the_network_the_same_holds(mode, connect):
    with PlexDouble(mode=mode) as plex:
        section = plex.add_section("Movies", ["/media"])
        key = plex.add_item(
            section, file="/media/a.mp4", size=5, title="old", genres=["x", "R&B"], collections=[PERSONS]
        )
        client = connect(plex.url)
        sync = syncing(client)
        owned = frozenset()
        scenes = [
            {"id": 1, "title": "A & B", "tags": [{"name": "a,b"}, {"name": "r&b"}], "studio": {"name": "S,1"}},
            {"id": 1, "title": "", "tags": [{"name": f"{n} " + "é" * 60} for n in range(80)], "date": "2024"},
            {"id": 1, "details": "only\nthis", "performers": [{"name": "P"}], "studio": {"name": "s,1"}},
        ]
        for raw in scenes:
            owned = push(sync, client, raw, key, owned)
            assert_shows(plex, key, raw, [PERSONS])
            before = plex.count("PUT")
            assert push(sync, client, raw, key, owned) == owned and plex.count("PUT") == before
        assert plex.whole_section_edits() == []
