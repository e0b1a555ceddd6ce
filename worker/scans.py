"""Asks Plex to look for the files of new scenes: one request per folder, none while it is looking already.

A folder is named as Plex writes it: its own spelling and separators for the location, no separator at the end except
after a bare drive.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Callable

from plex import paths
from plex.client import PlexClient
from plex.model import Section
from stash import log
from validation.errors import Kind, Trouble
from validation.text import private

COMPONENT = "Worker"
LOOK_S = 30.0
FOLDERS_MOST = 200  # of one location; beyond, one scan of what holds them all costs Plex less
KEPT_MOST = 1_000  # folders in memory while Plex is away
HOPELESS = (Kind.PERMANENT, Kind.TOO_LARGE)


@dataclass(frozen=True)
class Scan:
    """One folder to look into, and the sections that hold it: several when libraries share a location."""

    folder: str
    sections: tuple[Section, ...]


class Scans:
    """The folders that Plex should look into. Kept in memory: what a dead worker forgets, Plex's own scans find."""

    def __init__(self, client: PlexClient) -> None:
        self._client = client
        self._folders: dict[str, None] = {}  # in the order in which they came
        self._everywhere = False
        self._sections: list[Section] = []
        self._warned: set[str] = set()
        self._looked_at = float("-inf")

    def use(self, client: PlexClient) -> None:
        """Ask this one from now on: the settings changed."""
        self._client = client

    @property
    def pending(self) -> int:
        """How many folders are to be looked into."""
        return len(self._folders) + self._everywhere

    def want(self, plex_paths: Iterable[str]) -> None:
        """Note the folders of these files, whose paths are as Plex sees them."""
        if self._everywhere:
            return
        self._folders.update(dict.fromkeys(folder_of(path) for path in plex_paths if path))
        if len(self._folders) <= KEPT_MOST:
            return
        if self._sections:
            self._plan()
        else:
            self._everywhere, self._folders = True, {}

    def step(self, sections_reader: Callable[[], list[Section]], now: float) -> int:
        """Ask for the wanted folders of all sections that are not being scanned; returns how many were asked for.

        Costs nothing when nothing is pending, and asks ``sections_reader`` at most every LOOK_S seconds: it must read
        the sections anew, since they tell whether a scan is running. Raises Trouble; what was not asked for is kept.
        """
        if not self.pending or 0 <= now - self._looked_at < LOOK_S:
            return 0
        self._looked_at = now
        self._sections = sections_reader()
        if self._everywhere:
            self._folders = {bare(place): None for section in self._sections for place in section.locations if place}
            self._everywhere = False
        ready = [scan for scan in self._plan() if not any(section.refreshing for section in scan.sections)]
        return sum(self._ask(scan) for scan in ready)

    def _plan(self) -> list[Scan]:
        scans, outside = plan(self._folders, self._sections)
        self._folders = dict.fromkeys(scan.folder for scan in scans)
        self._warn([folder for folder in outside if folder not in self._warned])
        return scans

    def _ask(self, scan: Scan) -> bool:
        self._folders.pop(scan.folder)
        try:
            for section in scan.sections:
                self._client.refresh(section.key, scan.folder)
        except Trouble as trouble:
            if trouble.kind not in HOPELESS:
                self._folders[scan.folder] = None  # the last one now, so that it cannot keep the others waiting
                raise
            log.warning(COMPONENT, f"Plex was not able to scan folder {private(scan.folder)}: {trouble.message}")
            return False
        log.info(COMPONENT, f"Plex was asked to scan folder {private(scan.folder)}")
        return True

    def _warn(self, outside: list[str]) -> None:
        """One line however many folders, and none twice."""
        if not outside:
            return
        if len(self._warned) > KEPT_MOST:
            self._warned.clear()
        self._warned.update(outside[:KEPT_MOST])
        more = f" (and {len(outside) - 1} more)" if len(outside) > 1 else ""
        log.warning(
            COMPONENT,
            f"Folder {private(outside[0])}{more} of new scenes lies in no folder of the Plex libraries that are kept "
            "in step, so Plex is not asked to scan it: check settings path_rules and plex_library",
        )


def plan(folders: Iterable[str], sections: Sequence[Section]) -> tuple[list[Scan], list[str]]:
    """Where to look for these folders, each once, and those that lie in no location of any section.

    Of two locations that hold a folder the longer one counts. More than FOLDERS_MOST folders of one location become
    the folder that holds them all.
    """
    locations = list(dict.fromkeys(bare(place) for section in sections for place in section.locations if place))
    below: dict[str, list[list[str]]] = {}
    outside = []
    for folder in folders:
        found = located(folder, locations)
        if found is None:
            outside.append(folder)
        else:
            below.setdefault(found[0], []).append(found[1])
    scans = [
        Scan(folder, holders(location, sections))
        for location, rests in below.items()
        for folder in collapsed(location, rests)
    ]
    return scans, outside


def located(folder: str, locations: Sequence[str]) -> tuple[str, list[str]] | None:
    """The longest of these locations that holds the folder, and the names that lead from it to the folder."""
    here = bare(folder)
    names: list[str] = []
    while True:
        for location in locations:
            if paths.same(here, location):
                return location, names
        above = folder_of(here)
        if above == here:
            return None
        names.insert(0, paths.base_name(here))
        here = above


def collapsed(location: str, rests: Sequence[list[str]]) -> list[str]:
    """The folders below a location, each once; the one that holds them all when they are too many."""
    folders: dict[str, str] = {}
    for names in rests:
        folder = joined(location, names)
        folders.setdefault(folder.casefold() if paths.is_windows(location) else folder, folder)
    if len(folders) > FOLDERS_MOST:
        return [joined(location, os.path.commonprefix(list(rests)))]
    return list(folders.values())


def holders(location: str, sections: Iterable[Section]) -> tuple[Section, ...]:
    """The sections that have this location."""
    return tuple(
        section for section in sections if any(paths.same(bare(place), location) for place in section.locations)
    )


def joined(location: str, names: Sequence[str]) -> str:
    """A path below a location, with the separators of the location."""
    separator = "\\" if paths.is_windows(location) and "\\" in location else "/"
    start = location if not names or location.endswith(separator) else location + separator
    return start + separator.join(names)


def folder_of(path: str) -> str:
    """The folder that holds this file or folder; a root holds itself, and so does a name without a folder."""
    cut = max(path.rfind(separator) for separator in _separators(path))
    return bare(path[: cut + 1]) if cut >= 0 else path


def bare(folder: str) -> str:
    """A folder without separators at its end, except for a root and a bare drive."""
    stripped = folder.rstrip(_separators(folder))
    is_root = not stripped or (paths.is_windows(folder) and stripped.endswith(":"))
    return folder[: len(stripped) + 1] if is_root else stripped


def _separators(path: str) -> str:
    return "/\\" if paths.is_windows(path) else "/"
