"""A new scene's folder is scanned in Plex: that folder, once, while no scan runs, and never forgotten."""

from __future__ import annotations

import pytest

from plex.client import PlexClient
from plex.model import Section
from stash import log
from validation.errors import Kind, Trouble
from worker.scans import FOLDERS_MOST, KEPT_MOST, LOOK_S, Scans, collapsed, folder_of, located, plan

START = 1_000.0


class Library:
    """A Plex with two libraries and what wants to scan them, on a clock that only the test turns."""

    def __init__(self, plex, client):
        self.plex, self.client, self.now = plex, client, START
        self.scans = Scans(client)
        self.looks = 0
        self.films = plex.add_section("Films", ["/media/films", "/media/more"])
        self.kids = plex.add_section("Kids", ["/media/films/kids"])

    def sections(self):
        self.looks += 1
        return self.client.sections()

    def step(self, after_s=0.0):
        self.now += after_s
        return self.scans.step(self.sections, self.now)

    def asked(self):
        return [(scan["section"], scan["path"]) for scan in self.plex.scans()]


@pytest.fixture
def library(plex):
    client = PlexClient(plex.url, plex.token, "test-identifier", (10.0, 20.0))
    yield Library(plex, client)
    client.close()


def section(*locations, key="1", refreshing=False):
    return Section(key, "Movies", "movie", locations, refreshing)


def fails(library, after_s=0.0):
    with pytest.raises(Trouble) as raised:
        library.step(after_s)
    return raised.value.kind


def test_plex_finds_a_new_file_because_it_was_asked_to_look(library):
    library.plex.lay_file(library.films, "/media/films/new/a.mp4")
    library.scans.want(["/media/films/new/a.mp4"])
    assert library.step() == 1 and library.scans.pending == 0
    assert [row["file"] for row in library.plex.items().values()] == ["/media/films/new/a.mp4"]


def test_many_files_of_a_folder_are_one_request(library):
    library.scans.want(f"/media/films/new/{number}.mp4" for number in range(500))
    library.scans.want(["/media/films/new/again.mp4"])
    library.scans.want(["/media/films/other/a.mp4"])
    assert library.scans.pending == 2
    assert library.step() == 2
    assert library.asked() == [(library.films, "/media/films/new"), (library.films, "/media/films/other")]


def test_the_library_with_the_longest_location_is_asked(library):
    library.scans.want(["/media/films/kids/a/1.mp4", "/media/films/kidsnot/1.mp4", "/media/more/1.mp4"])
    library.step()
    assert library.asked() == [
        (library.kids, "/media/films/kids/a"),
        (library.films, "/media/films/kidsnot"),
        (library.films, "/media/more"),
    ]


def test_libraries_that_share_a_location_are_both_asked(library):
    twin = library.plex.add_section("Twin", ["/media/more/"])
    library.scans.want(["/media/more/new/a.mp4"])
    library.step()
    assert library.asked() == [(library.films, "/media/more/new"), (twin, "/media/more/new")]


def test_nothing_to_do_costs_nothing(library):
    assert [library.step(LOOK_S) for _ in range(5)] == [0] * 5
    library.scans.want([])
    library.scans.want([""])
    assert library.step(LOOK_S) == 0
    assert (library.looks, library.plex.count()) == (0, 0)


def test_a_library_that_is_being_scanned_is_asked_when_it_is_done(library):
    library.plex.set_refreshing(library.films)
    library.scans.want(["/media/films/a/1.mp4", "/media/films/kids/b/1.mp4"])
    assert library.step() == 1
    assert library.asked() == [(library.kids, "/media/films/kids/b")]
    assert [library.step(LOOK_S) for _ in range(3)] == [0, 0, 0]
    library.plex.set_refreshing(library.films, False)
    assert library.step(LOOK_S) == 1 and library.scans.pending == 0
    assert library.asked()[1:] == [(library.films, "/media/films/a")]


def test_plex_is_looked_at_no_more_than_every_30_seconds(library):
    library.plex.set_refreshing(library.films)
    library.scans.want(["/media/films/a/1.mp4"])
    for _ in range(600):
        library.step(1.0)
    assert library.looks == 600 // LOOK_S


def test_a_clock_that_was_set_back_does_not_stop_the_scans(library):
    library.scans.want(["/media/films/a/1.mp4"])
    library.step()
    library.scans.want(["/media/films/b/1.mp4"])
    assert library.step(-10_000.0) == 1


def test_nothing_is_lost_while_plex_is_away(library):
    library.scans.want(["/media/films/a/1.mp4", "/media/films/b/1.mp4"])
    library.plex.down()
    assert [fails(library, LOOK_S) for _ in range(3)] == [Kind.UNREACHABLE] * 3
    library.plex.up()
    assert library.step(LOOK_S) == 2 and library.scans.pending == 0
    assert sorted(path for _, path in library.asked()) == ["/media/films/a", "/media/films/b"]


@pytest.mark.parametrize(
    ("status", "kind"), [(500, Kind.UNREACHABLE), (503, Kind.BUSY), (403, Kind.REFUSED), (404, Kind.STALE_MATCH)]
)
def test_a_folder_in_trouble_is_kept_and_does_not_keep_the_others_waiting(library, status, kind):
    library.scans.want(["/media/films/a/1.mp4", "/media/films/b/1.mp4", "/media/films/c/1.mp4"])
    library.plex.faults.add("status", status=status, times=None, match="films%2Fa")
    assert fails(library) is kind
    assert fails(library, LOOK_S) is kind
    assert [path for _, path in library.asked()] == ["/media/films/b", "/media/films/c"]
    assert library.scans.pending == 1
    library.plex.faults.clear()
    assert library.step(LOOK_S) == 1 and library.asked()[-1] == (library.films, "/media/films/a")


def test_a_folder_that_plex_will_never_scan_is_named_and_given_up(library, capfd):
    library.scans.want(["/media/films/a/1.mp4", "/media/films/b/1.mp4"])
    library.plex.faults.add("status", status=400, times=None, match="films%2Fa")
    assert library.step() == 1 and library.scans.pending == 0
    assert library.asked() == [(library.films, "/media/films/b")]
    assert "not able to scan folder /media/films/a" in capfd.readouterr().err


def test_a_folder_outside_every_library_is_named_once_with_what_to_do(library, capfd):
    for _ in range(3):
        library.scans.want(["/data/films/x/1.mp4"])
        assert library.step(LOOK_S) == 0 and library.scans.pending == 0
    said = capfd.readouterr().err
    assert said.count("/data/films/x") == 1 and "path_rules" in said
    assert library.asked() == []


def test_many_folders_outside_are_one_warning(library, capfd):
    library.scans.want([f"/data/{number}/1.mp4" for number in range(50)] + ["/media/films/a/1.mp4"])
    assert library.step() == 1
    said = capfd.readouterr().err
    assert said.count("path_rules") == 1 and "and 49 more" in said


def test_too_many_folders_of_a_location_become_the_one_that_holds_them_all(library):
    many = [f"/media/films/year/{number}/1.mp4" for number in range(FOLDERS_MOST + 1)]
    library.scans.want([*many, "/media/more/a/1.mp4"])
    assert library.step() == 2
    assert library.asked() == [(library.films, "/media/films/year"), (library.films, "/media/more/a")]


@pytest.mark.parametrize("known_before", [True, False])
def test_what_is_kept_while_plex_is_away_is_bounded_and_all_of_it_is_scanned(library, known_before):
    if known_before:
        library.scans.want(["/media/films/first/1.mp4"])
        library.step()
    asked_before = len(library.asked())
    library.plex.down()
    for number in range(3 * KEPT_MOST):
        library.scans.want([f"/media/films/{number}/1.mp4"])
        assert library.scans.pending <= KEPT_MOST
    assert fails(library, LOOK_S) is Kind.UNREACHABLE
    library.plex.up()
    library.step(LOOK_S)
    everything = [(library.films, "/media/films"), (library.films, "/media/more"), (library.kids, "/media/films/kids")]
    assert library.asked()[asked_before:] == (everything[:1] if known_before else everything)
    assert library.scans.pending == 0


def test_a_location_of_a_library_without_a_path_holds_nothing():
    assert plan(["/a"], [section("")]) == ([], ["/a"])


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/media/a/b.mp4", "/media/a"),
        ("/media/a//b.mp4", "/media/a"),
        ("/b.mp4", "/"),
        ("/", "/"),
        ("/media/a\\b.mp4", "/media"),  # a backslash is a letter there
        ("C:\\media\\a.mp4", "C:\\media"),
        ("C:\\a.mp4", "C:\\"),
        ("c:/media/a.mp4", "c:/media"),
        ("c:/a.mp4", "c:/"),
        ("C:\\media/a\\b.mp4", "C:\\media/a"),
        ("\\\\nas\\share\\a.mp4", "\\\\nas\\share"),
        ("\\\\?\\C:\\media\\a.mp4", "\\\\?\\C:\\media"),
        ("\\\\?\\C:\\a.mp4", "\\\\?\\C:\\"),
        ("a.mp4", "a.mp4"),
    ],
)
def test_the_folder_of_a_file(path, folder):
    assert folder_of(path) == folder


@pytest.mark.parametrize(
    ("locations", "folder", "asked"),
    [
        # POSIX: whole names, letter by letter
        (["/media"], "/media", "/media"),
        (["/media"], "/media/a/b", "/media/a/b"),
        (["/media/"], "/media/a", "/media/a"),
        (["/media"], "/mediabox/a", None),
        (["/media"], "/Media/a", None),
        (["/media/a"], "/media", None),
        (["/"], "/media/a", "/media/a"),
        (["/"], "/", "/"),
        (["/media", "/media/a", "/"], "/media/a/b", "/media/a/b"),
        (["/media"], "/media/a\\b", "/media/a\\b"),
        (["/me\u0301dia"], "/m\u00e9dia/x", "/me\u0301dia/x"),  # Plex's own spelling of its location
        # Windows: no case, either slash, Plex's separators
        (["D:\\Media"], "d:/media/New Folder", "D:\\Media\\New Folder"),
        (["D:/Media"], "D:\\media\\a\\b", "D:/Media/a/b"),
        (["D:\\Media\\"], "D:\\Media", "D:\\Media"),
        (["D:\\"], "d:\\a", "D:\\a"),
        (["D:\\"], "D:/", "D:\\"),
        (["D:\\Media"], "D:\\Mediabox\\a", None),
        (["D:\\Media"], "E:\\Media\\a", None),
        (["\\\\nas\\share"], "\\\\NAS\\share\\a", "\\\\nas\\share\\a"),
        (["\\\\nas\\share\\films"], "\\\\nas\\share\\a", None),
        (["\\\\?\\D:\\Media"], "D:\\Media\\a", "\\\\?\\D:\\Media\\a"),
        (["D:\\Media"], "\\\\?\\D:\\Media\\a", "D:\\Media\\a"),
        (["\\\\nas\\share"], "\\\\?\\UNC\\nas\\share\\a", "\\\\nas\\share\\a"),
        # one system's paths are not the other's
        (["D:\\Media"], "/media/a", None),
        (["/media"], "D:\\media\\a", None),
        # no path at all
        (["/media"], "a.mp4", None),
        ([], "/media", None),
    ],
)
def test_a_folder_is_named_as_plex_writes_it_below_the_location_that_holds_it(locations, folder, asked):
    found, outside = plan([folder], [section(*locations)])
    assert [scan.folder for scan in found] == ([asked] if asked else [])
    assert outside == ([] if asked else [folder])


def test_the_longest_of_several_locations_counts_in_whatever_order_they_come():
    for locations in (["/a", "/a/b", "/a/b/c"], ["/a/b/c", "/a/b", "/a"], ["/a/b", "/a/b/c", "/a"]):
        assert located("/a/b/x", locations) == ("/a/b", ["x"])


def test_one_folder_in_two_spellings_of_windows_is_scanned_once():
    found, _ = plan(["D:\\Media\\New", "d:/media/new", "D:\\MEDIA\\NEW\\"], [section("D:\\Media")])
    assert [scan.folder for scan in found] == ["D:\\Media\\New"]


@pytest.mark.parametrize(
    ("names", "held_by"),
    [
        (lambda n: ["x", "y", str(n)], "/m/x/y"),
        (lambda n: [str(n)], "/m"),
        (lambda n: ["x", f"year {n}"], "/m/x"),  # names that only begin alike are not one folder
        (lambda n: ["x"] * n, "/m"),
    ],
)
def test_the_folder_that_holds_too_many(names, held_by):
    below = [names(number) for number in range(FOLDERS_MOST + 1)]
    assert collapsed("/m", below) == [held_by]
    assert len(collapsed("/m", below[:-1])) == FOLDERS_MOST


def test_the_same_folder_many_times_is_not_too_many():
    assert collapsed("/m", [["x"]] * (FOLDERS_MOST + 1)) == ["/m/x"]


def test_the_log_can_hide_the_folders(library, capfd):
    library.scans.want(["/media/films/secret/1.mp4", "/data/secret/1.mp4"])
    log.mask_private(True)
    try:
        library.step()
    finally:
        log.mask_private(False)
    said = capfd.readouterr().err
    assert "asked to scan" in said and "path_rules" in said and "secret" not in said
