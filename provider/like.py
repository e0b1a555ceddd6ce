"""Filters for scenes by path and title, as Stash's GraphQL takes them.

Stash makes an SQL ``LIKE`` of EQUALS on a text: ``%`` and ``_`` in a name are wildcards, and ASCII letters have no
case. So more may be found than was meant, and whoever asks compares again (`has`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from plex import paths
from provider.scene import Entry

MOST_WORDS = 20


def holds(words: str) -> dict[str, Any]:
    """A filter for scenes with these words, in this order, in their title or in the path of a file."""
    pattern = {"value": f"%{'%'.join(_narrow(words).split()[:MOST_WORDS])}%", "modifier": "EQUALS"}
    return {"title": pattern, "OR": {"path": pattern}}


def forms(path: str) -> list[str]:
    """The Unicode forms in which Stash may hold a path: its file system decides; and with Windows' own slash."""
    plain = paths.short(path)
    if paths.is_windows(plain):
        plain = plain.replace("/", "\\")
    plain = _narrow(plain)
    return list(dict.fromkeys((plain, unicodedata.normalize("NFC", plain), unicodedata.normalize("NFD", plain))))


def ends(base_name: str, folders: Sequence[str]) -> list[str]:
    """Patterns for whatever ends so; a Stash on Windows separates with a backslash."""
    tails = [separator.join([*folders, base_name]) for separator in ("/", "\\")]
    return list(dict.fromkeys("%" + form for tail in tails for form in forms(tail)))


def any_of(patterns: Sequence[str]) -> dict[str, Any]:
    """A filter for scenes with a file whose path is like one of these."""
    wanted: dict[str, Any] = {}
    for pattern in patterns:
        one: dict[str, Any] = {"path": {"value": pattern, "modifier": "EQUALS"}}
        wanted = {**one, "OR": wanted} if wanted else one
    return wanted


def has(entry: Entry, path: str) -> bool:
    """Whether one of the scene's files has exactly this path, as `plex.paths.same` compares."""
    return any(paths.same(own, path) for own in entry.paths)


def _narrow(text: str) -> str:
    """With the narrower wildcard for each sign that is one: many ``%`` would be tried at every place of every path."""
    return text.replace("%", "_")
