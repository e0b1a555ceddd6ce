"""Paths as two systems see them: equal when they name the same file, different otherwise."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plex import paths

NFC, NFD = "/media/Café.mp4", unicodedata.normalize("NFD", "/media/Café.mp4")


@pytest.mark.parametrize(
    ("path", "windows", "name"),
    [
        ("/media/a b.mp4", False, "a b.mp4"),
        ("/media/back\\slash.mp4", False, "back\\slash.mp4"),
        ("a.mp4", False, "a.mp4"),
        ("/media/", False, ""),
        ("", False, ""),
        ("C:\\Media\\a.mp4", True, "a.mp4"),
        ("c:/Media/a.mp4", True, "a.mp4"),
        ("C:\\Media/mixed\\a.mp4", True, "a.mp4"),
        ("\\\\nas\\share\\a.mp4", True, "a.mp4"),
        ("\\\\?\\C:\\long\\a.mp4", True, "a.mp4"),
        ("//nas/share/a.mp4", False, "a.mp4"),
        ("C:relative.mp4", False, "C:relative.mp4"),
        ("/C:/media/a.mp4", False, "a.mp4"),
    ],
)
def test_the_base_name_follows_the_kind_of_path(path, windows, name):
    assert (paths.is_windows(path), paths.base_name(path)) == (windows, name)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/media/a.mp4", "/media/a.mp4", True),
        ("/media/a.mp4", "/media/A.mp4", False),
        ("/media/a.mp4", "/Media/a.mp4", False),
        ("/media/a.mp4", "/other/a.mp4", False),
        (NFC, NFD, True),
        ("C:\\Media\\A.mp4", "c:/media/a.MP4", True),
        ("C:\\Media\\A.mp4", "D:\\Media\\A.mp4", False),
        ("\\\\nas\\share\\a.mp4", "\\\\NAS\\Share\\A.mp4", True),
        ("\\\\nas\\share\\a.mp4", "//nas/share/a.mp4", True),
        ("\\\\?\\C:\\media\\a.mp4", "C:\\media\\a.mp4", True),
        ("\\\\?\\UNC\\nas\\share\\a.mp4", "\\\\nas\\share\\a.mp4", True),
        ("C:\\media\\a.mp4", "/media/a.mp4", False),
        ("C:\\media\\" + NFC[7:], "c:/media/" + NFD[7:], True),
        ("/media/a\\b.mp4", "/media/a/b.mp4", False),
    ],
)
def test_when_two_paths_name_the_same_file(one, other, same):
    assert paths.same(one, other) is same and paths.same(other, one) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/data/a.mp4", "/media/a.mp4", True),
        ("/data/a.mp4", "/media/A.mp4", False),
        ("/data/a.mp4", "Z:\\media\\A.mp4", True),
        ("/data/b.mp4", "Z:\\media\\A.mp4", False),
        (NFC, "/other/" + NFD[7:], True),
    ],
)
def test_when_two_paths_have_the_same_base_name(one, other, same):
    assert paths.same_name(one, other) is same and paths.same_name(other, one) is same


PARTS = st.text(st.sampled_from("aAé\u0301ßİ \\/:.C?"), max_size=12)


@given(PARTS, PARTS)
def test_what_has_the_same_name_falls_under_the_same_key(one, other):
    assert paths.same(one, one) and paths.same_name(one, one)
    if paths.same_name(one, other):
        assert paths.name_key(one) == paths.name_key(other)
    if paths.same(one, other) and paths.is_windows(one) == paths.is_windows(other):
        assert paths.same_name(one, other)
