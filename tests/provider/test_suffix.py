"""Choosing by the end of a path: the scene that is surely meant, or none with the reason; never another one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provider.candidates import read
from provider.scene import Entry
from provider.suffix import choose

ADVICE = "add a path rule or set S2P_LIBRARY_ROOTS"


def entry(id: int, *paths: str) -> Entry:
    return Entry.model_validate({"id": id, "files": [{"path": path} for path in paths]})


def shelf(*paths: str) -> list[Entry]:
    return [entry(id, path) for id, path in enumerate(paths, 1)]


def chosen(filename: str, *paths: str, roots: tuple[str, ...] = ()) -> int | None:
    choice = choose(read(filename), roots, shelf(*paths))
    return choice.entry.id if choice.entry else None


def why(filename: str, *paths: str, roots: tuple[str, ...] = ()) -> str:
    choice = choose(read(filename), roots, shelf(*paths))
    assert choice.entry is None
    return choice.why


@pytest.mark.parametrize(
    ("filename", "path", "roots"),
    [
        ("S/a.mp4", "/mnt/user/x/S/a.mp4", ()),
        ("/S/a.mp4", "/mnt/user/x/S/a.mp4", ("/media/M",)),
        ("M/S/a.mp4", "/mnt/user/x/S/a.mp4", ("/media/M",)),
        ("/media/M/S/a.mp4", "/mnt/user/x/S/a.mp4", ("/media/M",)),
        ("a.mp4", "/data/a.mp4", ()),
        ("a.mp4", "D:\\a.mp4", ("/media/M",)),
        ("a.mp4", "\\\\nas\\share\\a.mp4", ()),
        ("M/a.mp4", "/data/a.mp4", ("/media/M",)),
        ("Clip 0815 b.mp4", "/mnt/user/x/Clip 0815 b.mp4", ()),
        ("シーン.mp4", "/mnt/user/x/シーン.mp4", ()),
        ("Lib/S/a.mp4", "/data/S/a.mp4", ()),
        ("Lib/S/T/a.mp4", "/data/S/T/a.mp4", ("/media/M",)),
        ("/one/two/three/S/T/a.mp4", "/data/S/T/a.mp4", ()),
        ("D:\\M\\S\\A.MP4", "/data/x/S/a.mp4", ("D:\\M",)),
        ("m/S/a.mp4", "/data/x/s/A.mp4", ("D:\\M",)),
        ("S\\a.mp4", "/nas/V/S/a.mp4", ("\\\\nas\\V",)),
        ("S/a.mp4", "D:\\x\\S\\a.mp4", ("/",)),
    ],
)
def test_what_disagrees_can_only_be_the_place_of_the_library(filename, path, roots):
    assert chosen(filename, path, roots=roots) == 1


@pytest.mark.parametrize(
    ("filename", "path", "roots", "expected"),
    [
        ("1.mp4", "/data/x/y/1.mp4", (), f"only the file name agrees with 1 scene: {ADVICE}"),
        ("M/1.mp4", "/data/x/y/1.mp4", ("/media/M",), "only the file name agrees with 1 scene: add a path rule"),
        ("S/a.mp4", "/data/T/a.mp4", (), f"only the file name agrees with 1 scene: {ADVICE}"),
        ("Lib/S/a.mp4", "/data/x/S/a.mp4", (), f"the file name and 1 folder above it agree with 1 scene: {ADVICE}"),
        ("T/S/a.mp4", "/data/S/a.mp4", ("/media/M",), "the file name and 1 folder above it agree with 1 scene: add"),
        ("a/b/S/a.mp4", "/data/S/a.mp4", (), "the file name and 1 folder above it agree with 1 scene: add"),
        ("A/S/T/a.mp4", "/data/B/S/T/a.mp4", (), "the file name and 2 folders above it agree with 1 scene: add"),
        ("A/S/T/a.mp4", "E:\\B\\S\\T\\a.mp4", (), "the file name and 2 folders above it agree with 1 scene: add"),
        ("s/a.mp4", "/data/S/a.mp4", ("/media/M",), "only the file name agrees with 1 scene: add a path rule"),
        ("S/A.mp4", "/data/S/a.mp4", (), "no scene in Stash has a file of that name"),
        ("", "/data/S/a.mp4", (), "no scene in Stash has a file of that name"),
    ],
)
def test_what_may_be_another_file_is_not_chosen(filename, path, roots, expected):
    assert why(filename, path, roots=roots).startswith(expected)


@pytest.mark.parametrize(
    ("filename", "paths"),
    [
        ("S/a.mp4", ("/data/S/a.mp4", "/old/S/a.mp4")),
        ("a.mp4", ("/data/a.mp4", "/data/x/a.mp4")),
        ("x/S/a.mp4", ("/data/y/S/a.mp4", "/data/z/S/a.mp4")),
        ("S/a.mp4", ("D:\\S\\a.mp4", "E:\\s\\A.mp4")),
    ],
)
def test_two_scenes_that_agree_equally_well_are_none(filename, paths):
    assert why(filename, *paths).endswith(f"with 2 scenes alike: {ADVICE}")


def test_part_one_is_never_taken_for_part_two():
    assert chosen("S/Part I/v.mp4", "/data/S/Part I/v.mp4", "/data/S/Part II/v.mp4") == 1
    for lost in ("S/Part III/v.mp4", "Lib/S/Part III/v.mp4", "/media/Lib/S/Part III/v.mp4", "Part III/v.mp4", "v.mp4"):
        assert chosen(lost, "/data/S/Part II/v.mp4") is None
        assert chosen(lost, "/data/S/Part I/v.mp4", "/data/S/Part II/v.mp4") is None


def test_more_folders_in_common_come_first_in_the_list():
    found = shelf("/a/x/v.mp4", "/a/S/T/v.mp4", "/a/T/v.mp4", "/a/S/other.mp4")
    choice = choose(read("S/T/v.mp4"), (), found)
    assert [one.id for one in choice.ranked] == [2, 3, 1] and choice.entry == choice.ranked[0]
    assert choice.why == ""


def test_two_files_of_a_scene_are_one_scene_and_the_better_one_counts():
    both = entry(1, "/data/x/v.mp4", "/data/S/v.mp4", "/old/S/v.mp4")
    choice = choose(read("S/v.mp4"), (), [both, entry(2, "/data/T/v.mp4"), both])
    assert choice.entry == both and [one.id for one in choice.ranked] == [1, 2]


def to_plex(path: str) -> str:
    """Two folders of Stash that are one library of Plex."""
    return path.replace("/data/", "/media/M/").replace("/more/", "/media/M/")


def test_a_scene_whose_file_is_known_to_be_another_one_in_plex_is_not_chosen():
    found = shelf("/data/x/S/a.mp4", "/data/S/T/a.mp4")
    for filename in ("S/a.mp4", "M/S/a.mp4", "/media/M/S/a.mp4", "T/a.mp4", "a.mp4"):
        choice = choose(read(filename), ("/media/M",), found, to_plex)
        assert choice.entry is None and {one.id for one in choice.ranked} == {1, 2}
        assert choice.why.startswith(
            "Stash has that file name elsewhere in Plex's libraries only: scan the file in Stash"
        )


def test_a_scene_whose_file_is_known_to_be_this_one_is_chosen_however_many_look_like_it():
    found = shelf("/data/T/a.mp4", "/more/S/a.mp4", "/elsewhere/S/a.mp4")
    for filename in ("S/a.mp4", "M/S/a.mp4", "/media/M/S/a.mp4"):
        choice = choose(read(filename), ("/media/M",), found, to_plex)
        assert choice.entry == found[1] and [one.id for one in choice.ranked] == [2, 3, 1]


def test_a_scene_whose_file_is_known_to_be_this_one_may_be_called_quite_otherwise_in_stash():
    found = shelf("/far/away/x/1.mp4", "/data/T/1.mp4")
    names = {"/far/away/x/1.mp4": "/media/M/S/1.mp4"}
    choice = choose(read("S/1.mp4"), ("/media/M",), found, lambda path: names.get(path, path))
    assert choice.entry == found[0]


def test_two_scenes_whose_files_are_known_to_be_this_one_are_none():
    choice = choose(read("S/a.mp4"), ("/media/M",), shelf("/data/S/a.mp4", "/more/S/a.mp4"), to_plex)
    assert choice.entry is None and "with 2 scenes alike" in choice.why


NAMES = st.sampled_from(["A", "B", "S", "part I", "part II", "Café", "日本", "100%", "[x]", "M"])
TREES = st.lists(NAMES, max_size=4).map(tuple)
BASE = "1.mp4"


def joined(start: str, folders: tuple[str, ...], separator: str = "/") -> str:
    return start + separator.join([*folders, BASE])


@given(
    TREES,
    st.lists(TREES, max_size=6, unique=True),
    st.sampled_from(["", "/", "Lib/", "/Lib/"]),
    st.sampled_from(["NFC", "NFD"]),
)
def test_with_a_stash_of_one_mount_a_file_leads_to_its_scene_or_to_none(own, others, lead, form):
    """Stash has the same tree below /data, with the file or without it; the library's own name may be in front."""
    others = [one for one in others if one != own]
    name = unicodedata.normalize(form, joined(lead, own))
    decoys = [entry(id, joined("/data/", one)) for id, one in enumerate(others, 2)]
    choice = choose(read(name), ("/media/Lib",), [*decoys, entry(1, joined("/data/", own))])
    assert choice.entry is None or choice.entry.id == 1
    ends = [one for one in others if one[len(one) - len(own) :] == own]  # nobody can tell whose mount is which
    assert (choice.entry is not None) == (not ends)


@given(TREES, st.lists(TREES, min_size=1, max_size=6, unique=True), st.sampled_from(["", "/", "Lib/", "/media/Lib/"]))
def test_with_rules_no_decoy_is_ever_chosen_for_a_file_that_stash_does_not_have(own, others, lead):
    others = [one for one in others if one != own]
    decoys = [entry(id, joined("/data/", one)) for id, one in enumerate(others, 2)]
    choice = choose(
        read(joined(lead, own)), ("/media/Lib",), decoys, lambda path: path.replace("/data", "/media/Lib", 1)
    )
    assert choice.entry is None


@given(TREES, st.lists(TREES, min_size=1, max_size=6, unique=True))
def test_without_rules_a_decoy_is_only_chosen_when_the_whole_name_ends_its_path(own, others):
    others = [one for one in others if one != own]
    assume(all(one[len(one) - len(own) :] != own or not own for one in others))
    decoys = [entry(id, joined("/mnt/user/data/", one)) for id, one in enumerate(others, 2)]
    assert choose(read(joined("/", own)), (), decoys).entry is None
