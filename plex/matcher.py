"""Which Plex item is meant by a scene's files: the right one or none. Pure.

Full path and size beat base names: two scenes of a series often have files of the same name in two folders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from plex import paths
from plex.model import Listed, PlexFile

BY_PATH = "path"
BY_SIZE = "name and size"
BY_NAME = "name"


@dataclass(frozen=True)
class Match:
    """The items that show the scene: usually one, more when several libraries hold the same file."""

    items: tuple[Listed, ...]
    how: str


@dataclass(frozen=True)
class Ambiguous:
    """No item can be chosen without guessing. ``why`` is a sentence that lists the candidates."""

    candidates: tuple[Listed, ...]
    why: str


@dataclass(frozen=True)
class Missing:
    """Plex has no item with a file of such a name."""


def match(files: Sequence[PlexFile], candidates: Iterable[Listed], strict: bool) -> Match | Ambiguous | Missing:
    """Choose among the candidates for a scene's files, with their paths as Plex should see them.

    Best first: same path; same base name and size in bytes, one file only; same base name, one file only (refused
    when ``strict``).
    """
    named = [item for item in _unique(candidates) if _any_file(item, files, paths.same_name)]
    exact = [item for item in named if _any_file(item, files, paths.same)]
    if exact:
        return Match(tuple(exact), BY_PATH)
    sized = [item for item in named if any(_fits(own, file) for own in item.files for file in files)]
    if sized:
        return _alone(sized, files, BY_SIZE, strict=False)
    return _alone(named, files, BY_NAME, strict) if named else Missing()


def still_fits(item: Listed, files: Sequence[PlexFile]) -> bool:
    """Whether an item that once matched still shows one of the scene's files."""
    return any(paths.same(own.path, file.path) or _fits(own, file) for own in item.files for file in files)


def _alone(items: list[Listed], files: Sequence[PlexFile], how: str, strict: bool) -> Match | Ambiguous:
    spots = {own.path for item in items for own in item.files if any(paths.same_name(own.path, f.path) for f in files)}
    if len(spots) > max(1, len(files)) or (len(spots) > 1 and how == BY_NAME) or _clash(items, files):
        return Ambiguous(tuple(items), f"several files in Plex have the same {how}: {_listing(items)}")
    if strict:
        return Ambiguous(tuple(items), f"only the file name agrees, not path or size: {_listing(items)}")
    return Match(tuple(items), how)


def _clash(items: list[Listed], files: Sequence[PlexFile]) -> bool:
    """Whether one file of the scene fits files in different places."""
    for file in files:
        places = {own.path for item in items for own in item.files if _fits(own, file)}
        if len(places) > 1:
            return True
    return False


def _fits(own: PlexFile, file: PlexFile) -> bool:
    return own.size == file.size > 0 and paths.same_name(own.path, file.path)


def _any_file(item: Listed, files: Sequence[PlexFile], agree: Callable[[str, str], bool]) -> bool:
    return any(agree(own.path, file.path) for own in item.files for file in files)


def _unique(items: Iterable[Listed]) -> list[Listed]:
    return list({item.key: item for item in items}.values())


def _listing(items: Sequence[Listed]) -> str:
    return "; ".join(f"{item.title!r} ({', '.join(file.path for file in item.files)})" for item in items[:5])
