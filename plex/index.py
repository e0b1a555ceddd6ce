"""From a file's base name to the Plex items that may be meant: a few look-ups, or one walk that serves all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from plex import paths
from plex.client import PlexClient
from plex.model import Listed, Section
from validation.errors import Kind, Trouble

SECTIONS_S = 3_600.0
INDEX_S = 600.0
FEW_LOOKUPS = 5  # what a fresh index lacks may have come since
LOOKUPS_PER_PAGE = 3  # a page of 1,000 items costs a server about as much as this many look-ups


class PathIndex:
    """Candidates by base name in the chosen libraries of one Plex server."""

    def __init__(self, client: PlexClient, libraries: Sequence[str]) -> None:
        self._client = client
        self._libraries = libraries
        self._sections: list[Section] = []
        self._sections_at = float("-inf")
        self._by_name: dict[str, list[Listed]] = {}
        self._walked_at = float("-inf")

    def sections(self, now: float) -> list[Section]:
        """The movie libraries to keep in step; raises Trouble (permanent) when none of the named ones exists."""
        if not 0 <= now - self._sections_at < SECTIONS_S:
            self._sections = self._choose(self._client.sections())
            self._sections_at = now
        return self._sections

    def candidates(self, files: Sequence[str], expected: int, now: float) -> dict[str, list[Listed]]:
        """Items by `paths.name_key` for each of these paths.

        ``expected`` estimates how many such questions are still to come; it decides between look-ups and a walk.
        """
        names = {paths.name_key(file): paths.base_name(file) for file in files}
        if not self._fresh(now) and self._walk_pays(names.values(), max(expected, len(names)), now):
            self._walk(now)
        known = {key: self._by_name[key] for key in names if key in self._by_name} if self._fresh(now) else {}
        lacking = {key: name for key, name in names.items() if key not in known}
        if self._fresh(now) and len(lacking) > FEW_LOOKUPS:
            return known  # a library that holds a part of Stash's scenes: not worth hundreds of questions
        return {**known, **{key: self._look_up(name, now) for key, name in lacking.items()}}

    def forget(self) -> None:
        """Ask again next time: what we knew proved wrong."""
        self._by_name, self._walked_at, self._sections_at = {}, float("-inf"), float("-inf")

    def newly_added(self, since: int, now: float) -> tuple[list[Listed], int]:
        """Items added after ``since`` (Plex's ``addedAt``), as far as one page shows, and the newest such time."""
        found = [item for section in self.sections(now) for item in self._client.newest(section.key)]
        fresh = [item for item in found if item.added_at >= since]
        if fresh and self._fresh(now):
            self._add(fresh)
        return fresh, max([item.added_at for item in found], default=since)

    def _choose(self, sections: list[Section]) -> list[Section]:
        movies = [section for section in sections if section.type == "movie"]
        wanted = {name.casefold() for name in self._libraries}
        chosen = [section for section in movies if not wanted or section.title.casefold() in wanted]
        if not chosen:
            have = ", ".join(section.title for section in movies) or "none"
            raise Trouble(Kind.REFUSED, f"Plex has none of the libraries in plex_library; its movie libraries: {have}")
        return chosen

    def _fresh(self, now: float) -> bool:
        return 0 <= now - self._walked_at < INDEX_S

    def _walk_pays(self, names: Iterable[str], expected: int, now: float) -> bool:
        if any("," in name or not name.isascii() for name in names):
            return True  # a comma means OR to Plex's filter, and its Unicode form is not known
        return expected * len(self.sections(now)) > LOOKUPS_PER_PAGE * max(2, len(self._by_name) // 1_000)

    def _walk(self, now: float) -> None:
        self._by_name = {}
        for section in self.sections(now):
            for page in self._client.walk(section.key):
                self._add(page)
        self._walked_at = now

    def _add(self, items: Iterable[Listed]) -> None:
        for item in items:
            for file in item.files:
                known = self._by_name.setdefault(paths.name_key(file.path), [])
                known[:] = [other for other in known if other.key != item.key] + [item]

    def _look_up(self, name: str, now: float) -> list[Listed]:
        return [item for section in self.sections(now) for item in self._client.find_file(section.key, name)]
