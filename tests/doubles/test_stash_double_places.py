"""Looking scenes up by path finds what a look at every file finds, whatever has become of the files."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.doubles.stash_loss import import_anew
from tests.doubles.stash_server import StashDouble

COUNT = 300
FIND = "query($f:SceneFilterType){findScenes(scene_filter:$f,filter:{per_page:-1}){scenes{id}}}"
SIGNS = ("a", "A", "b", "é", "e\u0301", "ß", "ſ", "s", "K", "k", "İ", "ı", "_", "%", ".", "\\", "/", "[", "\n")
described: list[int] = []


def scene(number: int) -> dict[str, Any]:
    """The nth scene; the same short names come again and again in other folders."""
    described.append(number)
    signs = random.Random(number)
    return {"path": "/d/" + "".join(signs.choices(SIGNS, k=signs.randint(1, 6))), "size": 1, "title": str(number)}


def asked(stash: StashDouble, pattern: str) -> set[int]:
    """The scenes that the double finds at paths like this."""
    found = stash.gql(FIND, {"f": {"path": {"value": pattern, "modifier": "EQUALS"}}})
    return {int(one["id"]) for one in found["findScenes"]["scenes"]}


def plain(stash: StashDouble, pattern: str) -> set[int]:
    """The same by a look at every file."""
    text = "".join({"%": ".*", "_": "."}.get(sign, re.escape(sign)) for sign in pattern)
    fits = re.compile(text, re.IGNORECASE | re.DOTALL).fullmatch
    return {int(id) for id, held in stash.scenes().items() if any(fits(file["path"]) for file in held["files"])}


def patterns(stash: StashDouble) -> list[str]:
    """Paths that are there, some with signs put in place of others or in other case, and signs at random."""
    signs, paths = random.Random(7), [file["path"] for held in stash.scenes().values() for file in held["files"]]
    found = [*paths[:40], "%", "", "/d/%", "%a", "_"]
    for path in paths:
        place = signs.randrange(len(path))
        found += [path[:place] + signs.choice(("%", "_", "K", "/")) + path[place + 1 :], path.swapcase()]
        found.append("%" + path[place:])
    return found + ["/d/" + "".join(signs.choices(SIGNS, k=3)) for _ in range(100)]


def move(stash: StashDouble) -> None:
    """Give scenes other files, in each way that there is."""
    stash.move_file(1, "/other/moved é.mp4")
    stash.copy_file(2, "/other/copy.mp4")
    stash.add_file("/other/new.mp4")
    stash.wait_job(stash.scan())
    change = "mutation($i:MoveFilesInput!){moveFiles(input:$i)}"
    stash.gql(change, {"i": {"ids": ["3"], "destination_folder": "/else", "destination_basename": "a_b.mp4"}})
    stash.gql("mutation{sceneAssignFile(input:{scene_id:4,file_id:5})}")
    stash.gql('mutation{sceneMerge(input:{source:["6"],destination:"7",values:{id:"7"}}){id}}')
    stash.destroy(8)


@pytest.mark.parametrize("way", ["promised", "made"])
@pytest.mark.parametrize("change", [lambda stash: None, move], ids=["untouched", "changed"])
def test_a_look_up_by_path_finds_what_a_look_at_every_file_finds(way: str, change: Callable[[StashDouble], None]):
    with StashDouble() as stash:
        if way == "promised":
            stash.promise_scenes(COUNT, f"{__name__}:scene")
        else:
            for number in range(1, COUNT + 1):
                stash.add_scene(**scene(number))
        asked(stash, "/before any change")
        change(stash)
        for pattern in ("/other/%", "/else/a_b.mp4", *patterns(stash)[::4]):
            assert asked(stash, pattern) == plain(stash, pattern), pattern


def test_scenes_that_are_numbered_anew_are_found_under_their_new_numbers():
    with StashDouble() as stash:
        ids = [stash.add_scene(path) for path in ("/d/one.mp4", "/d/two.mp4")]
        assert asked(stash, "/d/one.mp4") == {int(ids[0])}
        import_anew(stash.library)
        assert asked(stash, "/d/one.mp4") == plain(stash, "/d/one.mp4") == {int(ids[1])}
        stash.lose_database()
        assert asked(stash, "/d/one.mp4") == set()


def test_a_look_up_by_path_makes_the_scenes_that_it_finds_and_no_others():
    with StashDouble() as stash:
        stash.promise_scenes(COUNT, f"{__name__}:scene")
        asked(stash, "/d/nothing")
        described.clear()
        path = scene(9)["path"]
        assert 9 in asked(stash, path)
        assert len(described) < COUNT // 10
