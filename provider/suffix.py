"""Choosing among scenes that have a file of the wanted name, by how much of the path agrees. Pure.

This comes after the exact path was not found: a path rule is missing, the library roots are not known, or Stash does
not have the file at all. In the last case a scene of the same name is another scene, part I for part II. So folders
are counted from the file upwards, one scene has to be ahead of all others, and what is left over on either side has to
be explained by where the two programs mount the files. Otherwise no scene is chosen, and a sentence says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from plex import paths
from provider.candidates import Asked, candidates, keys, known, split
from provider.scene import Entry

TELLING = 9  # letters and digits (bytes of UTF-8, so that three of Chinese or Japanese are enough) in a base name
ELSEWHERE = (
    "Stash has that file name elsewhere in Plex's libraries only: scan the file in Stash, or correct the path rules"
)

_SUFFIX = re.compile(r"\.[^.]*$")


@dataclass(frozen=True)
class Choice:
    """The scene that is surely meant, or None with the reason; all scenes of that name, best first."""

    entry: Entry | None
    ranked: tuple[Entry, ...]
    why: str = ""


@dataclass(frozen=True)
class _Fit:
    """How well a scene's best file agrees: ``folders`` in common from the file upwards.

    ``exact`` and ``elsewhere``: where the file is in Plex is known, and it is the wanted one, or another. ``top``:
    nothing is left of the scene's path but the place where a container or a system mounts things, that is one folder,
    a drive or a share.
    """

    folders: int
    top: bool
    exact: bool
    elsewhere: bool
    entry: Entry


class _Wanted:
    """The file that Plex means, to be held against the files of scenes."""

    def __init__(self, asked: Asked, roots: Sequence[str], to_plex: Callable[[str], str]) -> None:
        self.libraries, self._to_plex = known(roots), to_plex
        self._windows = asked.windows or any(root.windows for root in self.libraries)
        self.names = asked.names(self._windows)
        self.own = max((length for root in self.libraries for length in root.overlaps(self.names)), default=0)
        self._candidates = candidates(asked, roots)

    def fit(self, path: str, entry: Entry) -> _Fit | None:
        """Names compare as on POSIX, exactly, unless one of the two systems is Windows. None: another base name."""
        windows = self._windows or paths.is_windows(path)
        there = split(path, paths.is_windows(path))
        pairs = list(zip(keys(reversed(self.names), windows), keys(reversed(there), windows)))
        agree = next((count for count, (one, other) in enumerate(pairs) if one != other), len(pairs))
        if not agree:
            return None
        mount = 2 if paths.short(path).startswith("\\\\") else 1
        plex_path = self._to_plex(path)
        exact = any(paths.same(plex_path, one) for one in self._candidates)
        elsewhere = not exact and any(root.below(plex_path) for root in self.libraries)
        return _Fit(agree - 1, len(there) - agree <= mount, exact, elsewhere, entry)


def _as_it_is(path: str) -> str:
    return path


def choose(
    asked: Asked, roots: Sequence[str], found: Sequence[Entry], to_plex: Callable[[str], str] = _as_it_is
) -> Choice:
    """Choose the scene whose file Plex means. ``found`` are scenes with that base name; others are left out.

    ``to_plex`` are the path rules: a scene whose file is known to be another one in Plex's libraries is never chosen.
    """
    wanted = _Wanted(asked, roots, to_plex)
    fits = _fits(wanted, found)
    ranked = tuple(fit.entry for fit in fits)
    if not fits:
        return Choice(None, (), "no scene in Stash has a file of that name")
    best, advice = fits[0], "add a path rule" if wanted.libraries else "add a path rule or set S2P_LIBRARY_ROOTS"
    if best.elsewhere:
        return Choice(None, ranked, ELSEWHERE)
    alike = [fit for fit in fits if (fit.exact, fit.elsewhere, fit.folders) == (best.exact, False, best.folders)]
    if len(alike) > 1:
        return Choice(None, ranked, f"{_count(best)} with {len(alike)} scenes alike: {advice}")
    if best.exact or _sure(best, wanted.names, wanted.own, bool(wanted.libraries)):
        return Choice(best.entry, ranked)
    return Choice(None, ranked, f"{_count(best)} with 1 scene: {advice}")


def _sure(best: _Fit, names: Sequence[str], own: int, rooted: bool) -> bool:
    """Whether what disagrees can only be the place of the libraries. ``own`` names stand for a root's own path.

    A whole path below the library that ends the scene's is enough, but for a bare name such as ``1.mp4``: that has to
    lie at the top in Stash too, or to be telling. Otherwise all of the scene's path has to agree, up to its mount.
    """
    asked = len(names) - 1
    if best.folders >= asked - own:
        return best.folders > 0 or best.top or _is_telling(names[-1])
    left_over = asked - best.folders
    return best.top and (best.folders >= 2 or (best.folders == 1 and left_over == 1 and not rooted))


def _fits(wanted: _Wanted, found: Sequence[Entry]) -> list[_Fit]:
    """One per scene, best first; of two files of a scene the better one counts."""
    best: dict[int, _Fit] = {}
    for entry in found:
        for path in entry.paths:
            fit = wanted.fit(path, entry)
            if fit is not None and (entry.id not in best or _rank(fit) < _rank(best[entry.id])):
                best[entry.id] = fit
    return sorted(best.values(), key=_rank)


def _rank(fit: _Fit) -> tuple[bool, bool, int, bool, int]:
    return not fit.exact, fit.elsewhere, -fit.folders, not fit.top, fit.entry.id


def _is_telling(name: str) -> bool:
    stem = _SUFFIX.sub("", name)
    return len("".join(filter(str.isalnum, stem)).encode("utf-8", "replace")) >= TELLING


def _count(fit: _Fit) -> str:
    if not fit.folders:
        return "only the file name agrees"
    return f"the file name and {fit.folders} folder{'s' if fit.folders > 1 else ''} above it agree"
