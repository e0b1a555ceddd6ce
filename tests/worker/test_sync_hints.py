"""What the path index remembers is a hint: whatever changed in Plex since, the right item is found, or none."""

from __future__ import annotations

import os

import pytest

from plex.cache import Cache
from plex.index import INDEX_S
from plex.rules import PathRules
from sync_queue.store import Store
from validation.errors import Kind, Trouble
from validation.scene import parse
from validation.settings import Settings
from worker.tools import build

NOW = 1_000_000.0
FEW, MANY = 1, 10_000
LATER = NOW + INDEX_S / 2


@pytest.fixture
def section(plex):
    return plex.add_section("Movies", ["/media"])


@pytest.fixture
def worker(plex, data_dir):
    """Starts workers on one data folder, one after the other, as far as finding items goes."""
    started = []
    store = Store(os.path.join(data_dir, "store.db"))

    def worker(**settings):
        cache = Cache(os.path.join(data_dir, "cache"))
        chosen = Settings(plex_url=plex.url, plex_token=plex.token, **settings)
        tools = build(chosen, None, store, PathRules.parse(""), cache, "test-identifier")
        started.append((tools, cache))
        return tools

    yield worker
    for tools, cache in started:
        tools.plex.close()
        cache.close()
    store.close()


def find(tools, *files, expected=MANY, now=NOW):
    """The keys of the items found for scenes with these files, or the kind of trouble."""
    raw = [
        {"id": number, "title": f"t{number}", "files": [{"path": path, "size": size}]}
        for number, (path, size) in enumerate(files, 1)
    ]
    works = [tools.comparer.work(parse(row), ()) for row in raw]
    found = tools.finder.find(works, expected, now)
    return [
        one.kind if isinstance(one, Trouble) else [item.key for item in one.items]
        for one in (found[work.scene.id] for work in works)
    ]


@pytest.mark.parametrize("expected", [FEW, MANY])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_file_that_went_to_another_item_takes_its_scene_along(plex, section, worker, expected, restarted):
    one = plex.add_item(section, file="/media/a.mp4", size=1)
    tools = worker()
    assert find(tools, ("/media/a.mp4", 1), expected=expected) == [[one]]
    plex.move_item(one, "/media/b.mp4")
    two = plex.add_item(section, file="/media/a.mp4", size=1)
    tools = worker() if restarted else tools
    assert find(tools, ("/media/a.mp4", 1), ("/media/b.mp4", 1), expected=expected, now=LATER) == [[two], [one]]


@pytest.mark.parametrize("expected", [FEW, MANY])
@pytest.mark.parametrize("strict", [True, False])
def test_part_two_of_the_same_name_that_came_since_gets_its_own_item(plex, section, worker, expected, strict):
    one = plex.add_item(section, file="/media/one/a.mp4", size=1)
    tools = worker(strict_matching=strict)
    assert find(tools, ("/data/one/a.mp4", 1), expected=expected) == [[one]]
    two = plex.add_item(section, file="/media/two/a.mp4", size=2)
    assert find(tools, ("/data/two/a.mp4", 2), ("/data/one/a.mp4", 1), expected=expected, now=LATER) == [[two], [one]]


@pytest.mark.parametrize("expected", [FEW, MANY])
def test_an_item_that_is_gone_leaves_its_scene_missing(plex, section, worker, expected):
    key = plex.add_item(section, file="/media/a.mp4", size=1)
    assert find(worker(), ("/media/a.mp4", 1), expected=expected) == [[key]]
    plex.remove_item(key)
    assert find(worker(), ("/media/a.mp4", 1), expected=expected, now=LATER) == [Kind.MISSING]


def test_when_all_files_moved_one_walk_finds_them_again(plex, section, worker):
    files = [(f"/media/{n}.mp4", n + 1) for n in range(30)]
    old = plex.add_items(section, [{"file": path, "size": size} for path, size in files])
    assert find(worker(), *files) == [[key] for key in old]
    for key in old:
        plex.remove_item(key)
    new = plex.add_items(section, [{"file": path, "size": size} for path, size in files])
    tools = worker()
    assert find(tools, *files, now=LATER) == [[key] for key in new]
    assert tools.plex.requests == len(["the server", "items that are gone", "the walk", "items"])


@pytest.mark.parametrize("expected", [FEW, MANY])
def test_two_that_plex_just_showed_stay_ambiguous_without_another_question(plex, section, worker, expected):
    for place in ("x", "y"):
        plex.add_item(section, file=f"/media/{place}/a.mp4", size=5)
    tools = worker()
    tools.index.sections(NOW)
    before = tools.plex.requests
    assert find(tools, ("/data/a.mp4", 5), expected=expected) == [Kind.AMBIGUOUS]
    assert tools.plex.requests - before == 1
