r"""What the file name in a match request may mean: the full paths that Plex may call that file, most likely first.

Plex documents a path relative to the library, and shows examples with the library folder's own name in front, with
and without a leading slash. So a leading slash proves nothing, and every reading that a known library root allows is
tried. Unicode forms are left as they are: who looks a path up in Stash tries them all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from plex import paths

LONGEST = 4_096
UP = ".."

_SEPARATORS = re.compile(r"[\\/]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DRIVE = re.compile(r"[A-Za-z]:$")
_SHARE = re.compile(r"//[^/]")
SHARE = "\\\\"


class Unusable(ValueError):
    """Why a file name is not looked for, as a sentence that quotes nothing of it."""


@dataclass(frozen=True)
class Asked:
    """A file name of a match request, as Plex ``given`` it; `read` makes it."""

    given: str

    @property
    def full(self) -> bool:
        """Whether it names a drive or a share, and so the whole way to the file."""
        return paths.is_windows(self.given)

    @property
    def windows(self) -> bool:
        """Whether it looks like Windows: elsewhere a backslash is part of a name, and rarely the only separator."""
        return self.full or ("\\" in self.given and "/" not in self.given)

    @property
    def name(self) -> str:
        """The base name; "" when there is none."""
        return (self.names(self.windows) or ("",))[-1]

    @property
    def folders(self) -> tuple[str, ...]:
        """The names of the folders above the base name, as far as they are given."""
        return self.names(self.windows)[:-1]

    def names(self, windows: bool) -> tuple[str, ...]:
        """The folders, a drive or a server first, and the base name, as one of the two kinds of system reads them."""
        return split(self.given, windows)

    def readings(self, windows: bool) -> list[tuple[str, ...]]:
        """Its names as they may be meant below a root of this kind."""
        return [self.names(False), self.names(True)] if self.windows and not windows else [self.names(windows)]


@dataclass(frozen=True)
class Root:
    """A folder of a library as Plex sees it: its names compare as on the system it belongs to."""

    windows: bool
    start: str
    names: tuple[str, ...]

    def path(self, names: Sequence[str]) -> str:
        """The path to which the names lead from here."""
        return self.start + ("\\" if self.windows else "/").join((*self.names, *names))

    def below(self, path: str) -> tuple[str, ...] | None:
        """The names that lead from here to a full path, none to this folder itself; None when it lies elsewhere."""
        names, depth, plain = split(path, self.windows), len(self.names), paths.short(path)
        share = _SHARE.match(plain.replace("\\", "/")) is not None
        if share is not (self.start == SHARE) if self.windows else not path.startswith("/"):
            return None
        same = keys(names[:depth], self.windows) == keys(self.names, self.windows)
        return names[depth:] if same else None

    def overlaps(self, names: Sequence[str]) -> list[int]:
        """How many of the names, up to the last but one, may stand for the end of this root's own path."""
        mine, theirs = keys(self.names, self.windows), keys(names, self.windows)
        lengths = range(1, min(len(mine), len(theirs) - 1) + 1)
        return [length for length in lengths if mine[-length:] == theirs[:length]]


def read(filename: str) -> Asked:
    """Raises `Unusable` for what cannot be the name of a file in a library."""
    if len(filename) > LONGEST:
        raise Unusable(f"the file name is longer than {LONGEST} characters")
    if "\0" in filename or _SURROGATE.search(filename):
        raise Unusable("the file name holds characters that no file name can have")
    if UP in _SEPARATORS.split(filename):
        raise Unusable("the file name leads upwards with ..")
    return Asked(filename)


def candidates(asked: Asked, roots: Sequence[str]) -> list[str]:
    """The full paths that Plex may mean, distinct, most likely first; none for a bare name when no root is known.

    As given when it lies below a root or names a drive or a share. Below each root. Below each root whose last names
    the file name repeats. As given when it begins with a slash and lies below no root.
    """
    names = asked.names(asked.full)
    if asked.full or not names:
        return [_windows_path(asked.given)] if names else []
    libraries = known(roots)
    readings = [(root, names) for root in libraries for names in asked.readings(root.windows) if names]
    found = [root.path(names) for root, names in readings]
    for root, names in readings:
        found += [root.path(names[length:]) for length in root.overlaps(names)]
    if not asked.given.startswith("/"):
        return list(dict.fromkeys(found))
    below = [(root, root.below(asked.given)) for root in libraries]
    given = [root.path(inside) for root, inside in below if inside]
    return list(dict.fromkeys([*given, *found, *([] if given else ["/" + "/".join(names)])]))


def known(roots: Iterable[str]) -> Sequence[Root]:
    """The roots that are full paths, distinct, in their order."""
    return _known(tuple(roots))


@lru_cache(maxsize=8)  # the same ones at every match
def _known(roots: tuple[str, ...]) -> tuple[Root, ...]:
    return tuple(dict.fromkeys(root for root in map(_root, roots) if root is not None))


def split(path: str, windows: bool) -> tuple[str, ...]:
    """The names in a path; a backslash separates on Windows only, several separators in a row are one."""
    plain = paths.short(path).replace("\\", "/") if windows else path
    return tuple(name for name in plain.split("/") if name not in ("", "."))


def keys(names: Iterable[str], folded: bool) -> list[str]:
    """The names in a form in which equal ones are equal: Unicode forms are, and upper and lower case when folded."""
    whole = (unicodedata.normalize("NFC", name) for name in names)
    return [name.casefold() if folded else name for name in whole]


def is_full(path: str) -> bool:
    """Whether this can be a library root: a full path of either system."""
    return _root(path) is not None


@lru_cache(maxsize=256)  # each request asks for the same few
def _root(text: str) -> Root | None:
    share = _SHARE.match(text) is not None
    if share or _DRIVE.match(text) or paths.is_windows(text):
        plain = paths.short(text)
        return Root(True, "" if _DRIVE.match(plain[:2]) else SHARE, split(plain, True))
    return Root(False, "/", split(text, False)) if text.startswith("/") else None


def _windows_path(given: str) -> str:
    return (SHARE if paths.short(given).startswith(SHARE) else "") + "\\".join(split(given, True))
