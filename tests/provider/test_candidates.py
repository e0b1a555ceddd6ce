"""What the file name in a match request may mean: the full paths that Plex may call that file."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from plex import paths
from provider.candidates import LONGEST, Unusable, candidates, is_full, read

NFC = "/media/Vidéos"
NFD = unicodedata.normalize("NFD", NFC)


def of(filename: str, *roots: str) -> list[str]:
    return candidates(read(filename), roots)


@pytest.mark.parametrize(
    ("filename", "roots", "expected"),
    [
        ("S/a.mp4", ["/media/M"], ["/media/M/S/a.mp4"]),
        ("/S/a.mp4", ["/media/M"], ["/media/M/S/a.mp4", "/S/a.mp4"]),
        ("M/S/a.mp4", ["/media/M"], ["/media/M/M/S/a.mp4", "/media/M/S/a.mp4"]),
        ("/M/S/a.mp4", ["/media/M"], ["/media/M/M/S/a.mp4", "/media/M/S/a.mp4", "/M/S/a.mp4"]),
        ("media/M/S/a.mp4", ["/media/M"], ["/media/M/media/M/S/a.mp4", "/media/M/S/a.mp4"]),
        ("/media/M/S/a.mp4", ["/media/M"], ["/media/M/S/a.mp4", "/media/M/media/M/S/a.mp4"]),
        ("M/M", ["/media/M"], ["/media/M/M/M", "/media/M/M"]),
        ("M", ["/media/M"], ["/media/M/M"]),
        ("m/a.mp4", ["/media/M"], ["/media/M/m/a.mp4"]),
        ("/S/a.mp4", ["/x/A", "/x/B"], ["/x/A/S/a.mp4", "/x/B/S/a.mp4", "/S/a.mp4"]),
        ("B/a.mp4", ["/x/A", "/y/B"], ["/x/A/B/a.mp4", "/y/B/B/a.mp4", "/y/B/a.mp4"]),
        ("a.mp4", ["/media//M/", "/media/M", "/media/M/."], ["/media/M/a.mp4"]),
        ("/x/A/in/a.mp4", ["/x/A", "/x/A/in"], ["/x/A/in/a.mp4", "/x/A/x/A/in/a.mp4", "/x/A/in/x/A/in/a.mp4"]),
        ("S/a.mp4", ["/"], ["/S/a.mp4"]),
        ("/S/a.mp4", ["/"], ["/S/a.mp4"]),
        ("a.mp4", ["M", "", "./M", "\\M"], []),
        ("a.mp4", [], []),
        ("/S/a.mp4", [], ["/S/a.mp4"]),
        ("//S///./a.mp4", [], ["/S/a.mp4"]),
        ("AC\\DC/a.mp4", ["/media/M"], ["/media/M/AC\\DC/a.mp4"]),
        ("AC\\DC.mp4", ["/media/M"], ["/media/M/AC\\DC.mp4", "/media/M/AC/DC.mp4"]),
        ("\\M\\S\\a.mp4", ["/media/M"], ["/media/M/\\M\\S\\a.mp4", "/media/M/M/S/a.mp4", "/media/M/S/a.mp4"]),
        (" a . ", ["/media/M"], ["/media/M/ a . "]),
        ("", ["/media/M"], []),
        ("/", ["/media/M"], []),
        ("\\", ["D:\\M"], []),
        ("\\", ["/media/M"], ["/media/M/\\"]),
        ("\\\\", ["D:\\M"], []),
    ],
)
def test_every_reading_below_a_posix_root_most_likely_first(filename, roots, expected):
    assert of(filename, *roots) == expected


@pytest.mark.parametrize(
    ("filename", "roots", "expected"),
    [
        ("S\\a.mp4", ["D:\\M"], ["D:\\M\\S\\a.mp4"]),
        ("S/a.mp4", ["D:/M/"], ["D:\\M\\S\\a.mp4"]),
        ("\\S\\\\a.mp4", ["D:\\M"], ["D:\\M\\S\\a.mp4"]),
        ("m/S/a.mp4", ["D:\\M"], ["D:\\M\\m\\S\\a.mp4", "D:\\M\\S\\a.mp4"]),
        ("S/a.mp4", ["E:"], ["E:\\S\\a.mp4"]),
        ("S/a.mp4", ["E:\\"], ["E:\\S\\a.mp4"]),
        ("S\\a.mp4", ["\\\\nas\\V"], ["\\\\nas\\V\\S\\a.mp4"]),
        ("S\\a.mp4", ["//nas/V"], ["\\\\nas\\V\\S\\a.mp4"]),
        ("V/S/a.mp4", ["\\\\nas\\V"], ["\\\\nas\\V\\V\\S\\a.mp4", "\\\\nas\\V\\S\\a.mp4"]),
        ("//NAS/v/a.mp4", ["\\\\nas\\V"], ["\\\\nas\\V\\a.mp4", "\\\\nas\\V\\NAS\\v\\a.mp4"]),
        ("S\\a.mp4", ["D:\\M", "/media"], ["D:\\M\\S\\a.mp4", "/media/S\\a.mp4", "/media/S/a.mp4"]),
        ("d:/m/S/a.mp4", ["D:\\M"], ["d:\\m\\S\\a.mp4"]),
        ("D:\\X\\a.mp4", ["E:\\Y", "/media"], ["D:\\X\\a.mp4"]),
        ("\\\\nas\\V\\a.mp4", [], ["\\\\nas\\V\\a.mp4"]),
        ("\\\\?\\D:\\M\\a.mp4", [], ["D:\\M\\a.mp4"]),
        ("\\\\?\\UNC\\nas\\V\\a.mp4", [], ["\\\\nas\\V\\a.mp4"]),
        ("a.mp4", ["\\\\?\\D:\\M"], ["D:\\M\\a.mp4"]),
    ],
)
def test_the_separators_of_a_candidate_follow_its_root(filename, roots, expected):
    assert of(filename, *roots) == expected


@pytest.mark.parametrize("filename", [f"{NFC[7:]}/a.mp4", f"{NFD[7:]}/a.mp4"])
@pytest.mark.parametrize("root", [NFC, NFD])
def test_a_root_is_known_by_its_name_in_either_unicode_form(filename, root):
    assert f"{root}/a.mp4" in of(filename, root)


@pytest.mark.parametrize(
    ("filename", "name", "folders"),
    [
        ("S/a.mp4", "a.mp4", ("S",)),
        ("/S//a.mp4", "a.mp4", ("S",)),
        ("S\\a.mp4", "a.mp4", ("S",)),
        ("D:\\S/a.mp4", "a.mp4", ("D:", "S")),
        ("AC\\DC/x\\y.mp4", "x\\y.mp4", ("AC\\DC",)),
        ("a.mp4", "a.mp4", ()),
        ("", "", ()),
        ("//", "", ()),
    ],
)
def test_the_name_and_the_folders_are_read_as_on_the_system_it_looks_like(filename, name, folders):
    assert (read(filename).name, read(filename).folders) == (name, folders)


@pytest.mark.parametrize(
    "filename", ["..", "../a.mp4", "a/..", "/x/../a.mp4", "x\\..\\a.mp4", "x/..\\a.mp4", "D:\\..\\a"]
)
def test_a_name_that_leads_upwards_is_refused(filename):
    with pytest.raises(Unusable, match="leads upwards"):
        read(filename)


@pytest.mark.parametrize("filename", ["...", "..a/b..mp4", ". ./a.mp4", "a../..b/c"])
def test_dots_that_lead_nowhere_are_a_name(filename):
    assert of(filename, "/media") == [f"/media/{filename}"]


@pytest.mark.parametrize("filename", ["a\0.mp4", "\0", "a\ud800.mp4", "\udfff/a.mp4"])
def test_what_no_file_name_can_hold_is_refused(filename):
    with pytest.raises(Unusable, match="characters that no file name can have"):
        read(filename)


def test_a_name_may_be_as_long_as_a_path_and_not_longer():
    assert of("a" * LONGEST, "/media") == ["/media/" + "a" * LONGEST]
    with pytest.raises(Unusable, match="longer than 4096 characters"):
        read("a" * (LONGEST + 1))


@pytest.mark.parametrize(
    ("root", "full"),
    [("/", True), ("/a", True), ("D:", True), ("D:\\", True), ("d:/a", True), ("\\\\nas\\x", True), ("//nas/x", True)]
    + [("", False), ("a", False), ("a/b", False), ("\\a", False), ("D:a", False), ("~/a", False)],
)
def test_a_root_is_a_full_path_of_either_system(root, full):
    assert is_full(root) is full


NAMES = st.text(st.sampled_from("aAbß é\u0301İ.:;=>|$(\\^'\"%日🎬"), min_size=1, max_size=6).filter(
    lambda name: name not in (".", "..") and ".." not in name.split("\\")
)
ROOTS = ["/", "/media", "/mnt/a/M", "D:\\", "E:\\Média\\M", "\\\\nas\\share", "//nas/share/sub"]


@given(st.text(max_size=40), st.lists(st.sampled_from(ROOTS), max_size=4))
def test_no_text_whatever_it_holds_raises_anything_else(text, roots):
    try:
        found = of(text, *roots)
    except Unusable:
        return
    assert len(found) == len(set(found))
    assert all(path.startswith("/") or paths.is_windows(path) or paths.is_windows(text) for path in found)


@given(st.sampled_from(ROOTS), st.lists(NAMES, min_size=1, max_size=5), st.data())
def test_every_spelling_of_a_path_below_a_root_leads_to_it(root, names, data):
    windows = not root.startswith("/") or root.startswith("//")
    names = [name.replace("\\", "_").replace(":", "_") if windows else name for name in names]
    separator = data.draw(st.sampled_from("\\/")) if windows else "/"
    own = [name for name in root.replace("\\", "/").split("/") if name]
    full = separator.join([root.rstrip("/\\").replace("\\", separator).replace("/", separator), *names])
    lead = data.draw(st.integers(0, len(own)))
    relative = data.draw(st.sampled_from(["", separator])) + separator.join([*own[len(own) - lead :], *names])
    assume(windows or not paths.is_windows(relative))  # a POSIX file whose name looks like a drive or a share
    form = data.draw(st.sampled_from(["NFC", "NFD"]))
    for spelling in (full, relative):
        found = of(unicodedata.normalize(form, spelling), *ROOTS[:2], root)
        assert any(paths.same(one, full.replace("/", "\\") if windows else full) for one in found), (spelling, found)
