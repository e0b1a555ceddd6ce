"""Subjects made from a pattern: long enough to make it explode, near enough to get as far as the repetition."""

from __future__ import annotations

import pytest

from plex import probes


@pytest.mark.parametrize(
    ("pattern", "lead", "unit", "follows"),
    [
        ("^/data/a+b$", "/data/", "a", "b"),
        ("(ab)*", "", "ab", ""),
        ("/(?:x|ab)+/", "/", "xab", "/"),
        ("/(?:x|ab)+/", "/", "x", "/"),
        (r"/(?P<name>\d+-)+\.mkv", "/", "0-", ".mkv"),
        (r"/[^/]+/", "/", "a", "/"),
        (r"[\w ]*!", "", "a", "!"),
        (r"[. ]*!", "", ".", "!"),
        (r"a\+{2,}", "a", "+", ""),
    ],
)
def test_each_repetition_is_drawn_out_where_it_stands(pattern, lead, unit, follows):
    stretch = lead + unit * (probes.LENGTH // len(unit))
    subjects = list(probes.subjects(pattern))
    assert stretch + probes.MISFIT in subjects
    assert stretch + follows + probes.MISFIT in subjects


@pytest.mark.parametrize("pattern", ["", "/data/a?b{}c", "(?i)abc", "^$", "(", ")+", "|*", "[", "\\", "{2}", "*"])
def test_a_pattern_without_repetitions_gives_no_subjects(pattern):
    assert list(probes.subjects(pattern)) == []
