"""Which Plex item is meant by a scene's files: the right one or none. Pure.

Full path and size beat base names: two scenes of a series often have files of the same name in two folders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from plex import paths
from plex.model import Listed, PlexFile
from validation.text import private

BY_PATH = "path"
BY_SIZE = "name and size"
BY_NAME = "name"


@dataclass(frozen=True)
class Match:
    """The items that show the scene: usually one, more when several libraries hold the same file.

    ``why`` is a sentence for a person when the match is no more than likely, else "".
    """

    items: tuple[Listed, ...]
    how: str
    why: str = ""


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

    Best first: same path; same base name and size in bytes, one file only; same base name. The last is refused when
    ``strict``; otherwise the item whose folders agree best from the file upwards is taken, and none when two agree
    equally well.
    """
    items = _unique(candidates)
    exact = [item for item in items if _any_file(item, files, paths.same)]
    if exact:
        return Match(tuple(exact), BY_PATH)
    named = [item for item in items if _any_file(item, files, paths.same_name)]
    sized = [item for item in named if any(_fits(own, file) for own in item.files for file in files)]
    if sized:
        return _by_size(sized, files, strict)
    return _by_name(named, files, strict) if named else Missing()


def still_fits(item: Listed, files: Sequence[PlexFile]) -> bool:
    """Whether an item that once matched still shows one of the scene's files."""
    return any(paths.same(own.path, file.path) or _fits(own, file) for own in item.files for file in files)


def _by_size(items: list[Listed], files: Sequence[PlexFile], strict: bool) -> Match | Ambiguous:
    if len(_spots(items, files)) <= max(1, len(files)) and not _clash(items, files):
        return Match(tuple(items), BY_SIZE)
    if strict:
        return _several(items, BY_SIZE)
    return _nearest(items, files, BY_SIZE)


def _by_name(items: list[Listed], files: Sequence[PlexFile], strict: bool) -> Match | Ambiguous:
    alone = len(_spots(items, files)) == 1 and not _clash(items, files)
    if strict:
        why = f"only the file name agrees, not path or size: {_listing(items)}"
        return Ambiguous(tuple(items), why) if alone else _several(items, BY_NAME)
    if alone:
        return Match(tuple(items), BY_NAME, f"matched by the file name alone: {_listing(items)}")
    return _nearest(items, files, BY_NAME)


def _nearest(items: list[Listed], files: Sequence[PlexFile], how: str) -> Match | Ambiguous:
    """The item whose folders agree best with the scene's, from the file upwards."""
    agreeing = {item.key: _folders_agreeing(item, files) for item in items}
    most = max(agreeing.values())
    best = [item for item in items if agreeing[item.key] == most]
    if most == 0 or len(_spots(best, files)) > 1:
        return _several(items, how)
    others = [item for item in items if item not in best]
    why = (
        f"matched by {how} and {most} folder name{'s' if most > 1 else ''}: {_listing(best)}, "
        f"rather than {_listing(others)}"
    )
    return Match(tuple(best), how, why)


def _folders_agreeing(item: Listed, files: Sequence[PlexFile]) -> int:
    named = [(own, file) for own in item.files for file in files if paths.same_name(own.path, file.path)]
    return max(paths.folders_in_common(own.path, file.path) for own, file in named)


def _several(items: list[Listed], how: str) -> Ambiguous:
    return Ambiguous(tuple(items), f"several files in Plex have the same {how}: {_listing(items)}")


def _spots(items: list[Listed], files: Sequence[PlexFile]) -> set[str]:
    """The different places in Plex that have one of the scene's file names."""
    return {own.path for item in items for own in item.files if any(paths.same_name(own.path, f.path) for f in files)}


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
    return "; ".join(
        f"{private(item.title)} ({', '.join(private(file.path) for file in item.files)})" for item in items[:5]
    )
