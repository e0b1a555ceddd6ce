"""The right item or none."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plex import paths
from plex.matcher import BY_NAME, BY_PATH, BY_SIZE, Ambiguous, Match, Missing, match, still_fits
from plex.model import Listed, PlexFile
from validation.text import private

DECOMPOSED = unicodedata.normalize("NFD", "é.mp4")


def item(key, *files, section="1"):
    return Listed(key, section, f"title {key}", tuple(PlexFile(*file) for file in files), 0)


def chosen(result):
    """How and which, in a form that reads well in the table."""
    if isinstance(result, Match):
        return result.how, [one.key for one in result.items]
    return "missing" if isinstance(result, Missing) else "ambiguous"


PATH, SIZE, NAME = BY_PATH, BY_SIZE, BY_NAME
TABLE = {
    "nothing listed": ([("/d/a.mp4", 5)], [], "missing", "missing"),
    "another name": ([("/d/a.mp4", 5)], [item("1", ("/m/b.mp4", 5))], "missing", "missing"),
    "no file in Stash": ([], [item("1", ("/m/b.mp4", 5))], "missing", "missing"),
    "exact path": ([("/d/a.mp4", 5)], [item("1", ("/d/a.mp4", 5))], (PATH, ["1"]), (PATH, ["1"])),
    "exact path of another size": ([("/d/a.mp4", 5)], [item("1", ("/d/a.mp4", 9))], (PATH, ["1"]), (PATH, ["1"])),
    "exact path beats size": (
        [("/d/a.mp4", 5)],
        [item("1", ("/m/a.mp4", 5)), item("2", ("/d/a.mp4", 9))],
        (PATH, ["2"]),
        (PATH, ["2"]),
    ),
    "size tells two folders apart": (
        [("/d/x/a.mp4", 5)],
        [item("1", ("/m/x/a.mp4", 5)), item("2", ("/m/y/a.mp4", 9))],
        (SIZE, ["1"]),
        (SIZE, ["1"]),
    ),
    "same name and size in two folders": (
        [("/d/x/a.mp4", 5)],
        [item("1", ("/m/x/a.mp4", 5)), item("2", ("/m/y/a.mp4", 5))],
        (SIZE, ["1"]),
        "ambiguous",
    ),
    "same name in two folders, sizes unknown": (
        [("/d/y/a.mp4", 5)],
        [item("1", ("/m/x/a.mp4", 0)), item("2", ("/m/y/a.mp4", 0))],
        (NAME, ["2"]),
        "ambiguous",
    ),
    "same name in two folders, and no folder agrees": (
        [("/d/z/a.mp4", 5)],
        [item("1", ("/m/x/a.mp4", 0)), item("2", ("/m/y/a.mp4", 0))],
        "ambiguous",
        "ambiguous",
    ),
    "same name in two folders that agree equally far": (
        [("/d/x/a.mp4", 5)],
        [item("1", ("/m/x/a.mp4", 0)), item("2", ("/n/x/a.mp4", 0))],
        "ambiguous",
        "ambiguous",
    ),
    "more folders agree with one of them, without case and across systems": (
        [("/data/Series/Part II/a.mp4", 5)],
        [item("1", ("D:\\series\\part i\\a.mp4", 0)), item("2", ("D:\\series\\part ii\\a.mp4", 0))],
        (NAME, ["2"]),
        "ambiguous",
    ),
    "name only": ([("/d/a.mp4", 5)], [item("1", ("/m/a.mp4", 9))], (NAME, ["1"]), "ambiguous"),
    "two empty files are no agreement": ([("/d/a.mp4", 0)], [item("1", ("/m/a.mp4", 0))], (NAME, ["1"]), "ambiguous"),
    "two libraries with the same file": (
        [("/d/a.mp4", 5)],
        [item("1", ("/d/a.mp4", 5)), item("2", ("/d/a.mp4", 5), section="2")],
        (PATH, ["1", "2"]),
        (PATH, ["1", "2"]),
    ),
    "two libraries with the same file elsewhere": (
        [("/d/a.mp4", 5)],
        [item("1", ("/m/a.mp4", 5)), item("2", ("/m/a.mp4", 5), section="2")],
        (SIZE, ["1", "2"]),
        (SIZE, ["1", "2"]),
    ),
    "the same item listed twice": (
        [("/d/a.mp4", 5)],
        [item("1", ("/m/a.mp4", 5)), item("1", ("/m/a.mp4", 5))],
        (SIZE, ["1"]),
        (SIZE, ["1"]),
    ),
    "one item with two versions": (
        [("/d/a.mp4", 5)],
        [item("1", ("/m/a.mp4", 5), ("/m/a - 1080p.mp4", 9))],
        (SIZE, ["1"]),
        (SIZE, ["1"]),
    ),
    "a scene of two files on two items": (
        [("/d/a.mp4", 5), ("/d/b.mp4", 6)],
        [item("1", ("/m/a.mp4", 5)), item("2", ("/m/b.mp4", 6))],
        (SIZE, ["1", "2"]),
        (SIZE, ["1", "2"]),
    ),
    "case matters on POSIX": ([("/d/A.mp4", 5)], [item("1", ("/m/a.mp4", 5))], "missing", "missing"),
    "Windows has no case and either slash": (
        [("C:/Media/A.mp4", 5)],
        [item("1", ("c:\\media\\a.MP4", 9))],
        (PATH, ["1"]),
        (PATH, ["1"]),
    ),
    "Stash on POSIX, Plex on Windows": (
        [("/d/A.mp4", 5)],
        [item("1", ("D:\\m\\a.mp4", 5))],
        (SIZE, ["1"]),
        (SIZE, ["1"]),
    ),
    "a share by two spellings": (
        [("//nas/share/a.mp4", 5)],
        [item("1", ("\\\\NAS\\share\\a.mp4", 9))],
        (PATH, ["1"]),
        (PATH, ["1"]),
    ),
    "composed and decomposed": ([("/d/é.mp4", 5)], [item("1", ("/d/" + DECOMPOSED, 9))], (PATH, ["1"]), (PATH, ["1"])),
    "decomposed elsewhere": ([("/d/é.mp4", 5)], [item("1", ("/m/" + DECOMPOSED, 5))], (SIZE, ["1"]), (SIZE, ["1"])),
    "a name that contains the other": ([("/d/a.mp4", 5)], [item("1", ("/m/aa.mp4", 5))], "missing", "missing"),
    "an item without files": ([("/d/a.mp4", 5)], [item("1")], "missing", "missing"),
}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("strict", [False, True])
def test_which_item_is_meant(name, strict):
    files, listed, loose, strictly = TABLE[name]
    result = match([PlexFile(*file) for file in files], listed, strict)
    assert chosen(result) == (strictly if strict else loose)


def test_a_refusal_lists_the_candidates_with_title_and_path():
    listed = [item("1", ("/m/x/a.mp4", 5)), item("2", ("/m/y/a.mp4", 5))]
    result = match([PlexFile("/d/a.mp4", 5)], listed, strict=False)
    assert isinstance(result, Ambiguous) and result.candidates == tuple(listed)
    for shown in ("title 1", "/m/x/a.mp4", "title 2", "/m/y/a.mp4"):
        assert private(shown) in result.why


def test_a_likely_match_says_what_was_chosen_and_what_was_not():
    listed = [item("1", ("/m/x/a.mp4", 0)), item("2", ("/m/y/a.mp4", 0))]
    result = match([PlexFile("/d/y/a.mp4", 5)], listed, strict=False)
    assert isinstance(result, Match)
    assert result.why.startswith(f"matched by name and 1 folder name: {private('title 2')} ({private('/m/y/a.mp4')})")
    assert result.why.endswith(f"rather than {private('title 1')} ({private('/m/x/a.mp4')})")
    assert match([PlexFile("/m/y/a.mp4", 5)], listed, strict=False) == Match((listed[1],), BY_PATH)


def test_a_refusal_of_a_name_alone_says_so():
    result = match([PlexFile("/d/a.mp4", 5)], [item("1", ("/m/a.mp4", 9))], strict=True)
    assert isinstance(result, Ambiguous) and "only the file name agrees" in result.why


@pytest.mark.parametrize(
    ("files", "fits"),
    [
        ([("/m/a.mp4", 9)], True),
        ([("/d/a.mp4", 5)], True),
        ([("/d/a.mp4", 9)], False),
        ([("/d/b.mp4", 5)], False),
        ([("/d/b.mp4", 5), ("/m/a.mp4", 0)], True),
        ([], False),
    ],
)
def test_whether_a_known_item_still_shows_the_scene(files, fits):
    assert still_fits(item("1", ("/m/a.mp4", 5)), [PlexFile(*file) for file in files]) is fits


FILES = st.lists(
    st.builds(
        PlexFile, st.sampled_from(["/d/a", "/d/b", "/m/a", "/m/x/a", "/m/b", "C:\\a", "c:/A"]), st.integers(0, 2)
    ),
    max_size=3,
)
ITEMS = st.lists(st.builds(Listed, st.sampled_from("1234"), st.just("1"), st.just("t"), FILES.map(tuple), st.just(0)))


@given(FILES, ITEMS)
def test_strict_never_matches_more_and_no_match_rests_on_less_than_a_name(files, items):
    loose, strict = match(files, items, strict=False), match(files, items, strict=True)
    if isinstance(strict, Match):
        assert strict == loose and strict.how != BY_NAME
    if isinstance(loose, Match):
        for one in loose.items:
            assert any(paths.same_name(own.path, file.path) for own in one.files for file in files)


@given(FILES, ITEMS)
def test_what_matches_by_path_or_size_still_fits_afterwards(files, items):
    result = match(files, items, strict=True)
    if isinstance(result, Match):
        assert all(still_fits(one, files) for one in result.items)
