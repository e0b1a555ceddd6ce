"""From a file's base name to the Plex items that may be meant: remembered, looked up, or from one walk that serves all.

What is remembered is a hint. Whoever goes by it reads the items whole and looks again (`anew`) when they do not fit.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from typing import Any

from plex import paths
from plex.cache import Cache
from plex.client import PlexClient
from plex.model import Listed, Section
from plex.names import Names, pack, unpack
from validation.errors import Kind, Trouble

SECTIONS_S = 3_600.0
INDEX_S = 3_600.0
ANEW_S = 600.0  # how old a walk must be before many doubts are worth another one
FEW_LOOKUPS = 5  # what a fresh index lacks may have come since
LOOKUPS_PER_PAGE = 3  # a page of 1,000 items costs a server about as much as this many look-ups

_NEVER = float("-inf")


class PathIndex:
    """Candidates by base name in the chosen libraries of one Plex server.

    With a cache, libraries and walks survive a restart for an hour, and what look-ups found until it proves wrong; each
    server and choice of libraries has its own. ``hits`` and ``misses`` count names that were known and that were not.
    """

    def __init__(self, client: PlexClient, libraries: Sequence[str], cache: Cache | None = None) -> None:
        self._client, self._libraries, self._cache = client, libraries, cache
        self._machine = ""
        self._sections: list[Section] = []
        self._sections_at = _NEVER
        self._names = Names(None, "", INDEX_S)
        self._space = ""
        self._era = ""
        self._told: set[str] = set()
        self.hits = self.misses = 0

    def sections(self, now: float) -> list[Section]:
        """The movie libraries to keep in step; raises Trouble (refused) when none of the named ones exists."""
        self._meet_server()
        if not 0 <= now - self._sections_at < SECTIONS_S:
            self._recall_sections()
        if not 0 <= now - self._sections_at < SECTIONS_S:
            self._sections, self._sections_at = self._choose(self._client.sections()), now
            self._set(self._sections_key, [now, [_plain(section) for section in self._sections]], SECTIONS_S)
        space = _short(self._machine, *sorted(section.key for section in self._sections))
        if space != self._space:
            self._space, self._era, self._names = space, "", Names(self._cache, space, INDEX_S)
        return self._sections

    def sections_now(self) -> list[Section]:
        """The same libraries as Plex shows them at this moment, with what it is scanning; always one request."""
        return self._choose(self._client.sections())

    def candidates(self, files: Sequence[str], expected: int, now: float) -> dict[str, list[Listed]]:
        """Items by `paths.name_key` for each of these paths.

        ``expected`` estimates how many such questions are still to come; it decides between look-ups and a walk.
        """
        self.sections(now)
        names = {paths.name_key(file): paths.base_name(file) for file in files}
        self._told = set()
        known = self._known(names, now)
        lacking = {key: name for key, name in names.items() if key not in known}
        if not self._fresh(now) and self._walk_pays(lacking.values(), max(expected, len(lacking)), now):
            self._walk(now)
            known = self._known(names, now)
            self._told = set(names)
            lacking = {key: name for key, name in names.items() if key not in known}
        self.hits, self.misses = self.hits + len(known), self.misses + len(lacking)
        if self._fresh(now) and len(lacking) > FEW_LOOKUPS:
            return known  # a library that holds a part of Stash's scenes: not worth hundreds of questions
        return {**known, **{key: self._look_up(key, name, now) for key, name in lacking.items()}}

    def anew(self, files: Sequence[str], now: float) -> dict[str, list[Listed]]:
        """What Plex says now of paths whose remembered candidates did not do; call it right after `candidates`.

        Names that Plex was asked for just now are left out, and all when there are many and the last walk is recent.
        """
        names = {paths.name_key(file): paths.base_name(file) for file in files}
        names = {key: name for key, name in names.items() if key not in self._told}
        if len(names) <= FEW_LOOKUPS and not _unclear(names.values()):
            return {key: self._look_up(key, name, now) for key, name in names.items()}
        if 0 <= now - self._names.at < ANEW_S:
            return {}
        self._walk(now)
        self._told.update(names)
        return {key: self._names.get(key) or [] for key in names}

    def forget(self) -> None:
        """Ask again next time, also after a restart: what we knew proved wrong."""
        self._names.forget()
        self._sections, self._sections_at, self._era = [], _NEVER, ""
        if self._cache and self._machine:
            self._cache.delete(self._sections_key)
            self._cache.delete(f"{self._space}:found")
        elif self._cache:
            self._cache.clear()  # which of it is this server's is not known yet

    def newly_added(self, since: int, now: float) -> tuple[list[Listed], int]:
        """Items added after ``since`` (Plex's ``addedAt``), as far as one page shows, and the newest such time."""
        found = [item for section in self.sections(now) for item in self._client.newest(section.key)]
        fresh = [item for item in found if item.added_at >= since]
        if fresh and self._fresh(now):
            self._names.save(self._names.add(fresh))
        for name in {paths.name_key(file.path) for item in fresh for file in item.files}:
            self._drop_found(name)
        return fresh, max([item.added_at for item in found], default=since)

    # libraries

    def _meet_server(self) -> None:
        """Keys of libraries and items belong to one server, and another one may answer at the same address."""
        machine = self._client.machine()
        if machine != self._machine:
            self._machine, self._sections_at = machine, _NEVER

    @property
    def _sections_key(self) -> str:
        return _short(self._machine, "sections", *sorted(name.casefold() for name in self._libraries))

    def _recall_sections(self) -> None:
        row: Any = self._cache.get(self._sections_key) if self._cache else None
        try:
            at, sections = row
            self._sections, self._sections_at = [_section(*plain) for plain in sections], float(at)
        except (TypeError, ValueError):
            self._sections_at = _NEVER

    def _choose(self, sections: list[Section]) -> list[Section]:
        movies = [section for section in sections if section.type == "movie"]
        wanted = {name.casefold() for name in self._libraries}
        chosen = [section for section in movies if not wanted or section.title.casefold() in wanted]
        if not chosen:
            have = ", ".join(section.title for section in movies) or "none"
            raise Trouble(Kind.REFUSED, f"Plex has none of the libraries in plex_library; its movie libraries: {have}")
        return chosen

    # the walk

    def _fresh(self, now: float) -> bool:
        return 0 <= now - self._names.at < INDEX_S

    def _known(self, names: Iterable[str], now: float) -> dict[str, list[Listed]]:
        """What is remembered of these names; reading may show that the walk is damaged, and then it says nothing."""
        walked = {name: self._names.get(name) for name in names} if self._fresh(now) else {}
        if not self._fresh(now):
            walked = {}
        known = {name: items for name, items in walked.items() if items}
        found = {name: self._recall_found(name) for name in names if name not in known}
        return {**known, **{name: items for name, items in found.items() if items}}

    def _walk_pays(self, names: Iterable[str], expected: int, now: float) -> bool:
        names = list(names)
        if not names or _unclear(names):
            return bool(names)
        return expected * len(self.sections(now)) > LOOKUPS_PER_PAGE * max(2, self._names.walked // 1_000)

    def _walk(self, now: float) -> None:
        sections = self.sections(now)
        self._names.begin()
        for section in sections:
            for page in self._client.walk(section.key):
                self._names.add(page)
        self._names.finish(now)

    # look-ups

    def _look_up(self, key: str, name: str, now: float) -> list[Listed]:
        items = [item for section in self.sections(now) for item in self._client.find_file(section.key, name)]
        self._told.add(key)
        if self._fresh(now) and self._names.get(key) is not None:
            self._names.save(self._names.replace(key, items))
        if items:
            self._keep_found(key, items)
        else:
            self._drop_found(key)
        return items

    def _recall_found(self, name: str) -> list[Listed]:
        key = self._found_key(name)
        try:
            return unpack(self._cache.get(key) or []) if self._cache and key else []
        except ValueError:
            return []

    def _keep_found(self, name: str, items: list[Listed]) -> None:
        if self._cache and not isinstance(self._cache.get(f"{self._space}:found"), str):
            self._era = self._era or os.urandom(8).hex()
            self._set(f"{self._space}:found", self._era, None)
        self._set(self._found_key(name), pack(items), None)

    def _drop_found(self, name: str) -> None:
        key = self._found_key(name)
        if self._cache and key:
            self._cache.delete(key)

    def _found_key(self, name: str) -> str:
        """Under a random word that `forget` forgets, and with it all that was found so far; "" without one."""
        if not self._era and self._cache:
            era = self._cache.get(f"{self._space}:found")
            self._era = era if isinstance(era, str) else ""
        return _short(self._space, self._era, name) if self._era else ""

    def _set(self, key: str, value: Any, expire_s: float | None) -> None:
        if self._cache:
            self._cache.set(key, value, expire_s)


def _unclear(names: Iterable[str]) -> bool:
    """Whether only a walk finds one of these: a comma means OR to Plex's filter, and its Unicode form is not known."""
    return any("," in name or not name.isascii() for name in names)


def _plain(section: Section) -> list[Any]:
    return [section.key, section.title, section.type, list(section.locations)]


def _section(key: Any, title: Any, type: Any, locations: Any) -> Section:
    if not (all(isinstance(text, str) for text in (key, title, type, *locations)) and key.isdigit()):
        raise ValueError("this is no section")
    return Section(key, title, type, tuple(locations), False)


def _short(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
