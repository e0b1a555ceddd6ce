"""``python -m provider doctor``: look at all that has to fit together, a line each, and say what to do about faults.

Nothing is changed, neither in Stash nor in Plex.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing

from plex.client import PlexClient
from plex.model import Listed, Section
from provider import address, findings, register
from provider.app import Parts
from provider.contract import MOVIE
from provider.findings import FAULT, OK, WARNING, Finding, Findings
from provider.library import chosen, connect, with_ours
from provider.question import Question
from provider.scene import Entry
from provider.settings import Settings
from stash import log
from validation.errors import Trouble
from validation.text import private

NEEDED = (1, 43, 0)  # the version of Plex that brought metadata providers
CHOOSE = "in Plex Web choose it under Manage Library > Edit > Advanced > Agent"
RULES = "Set S2P_PATH_RULES so that what Plex calls a file becomes what Stash calls it"
BY_PATH, NOT_AT_ALL = "path", "none"  # ways of a match
SAMPLE = 20
PAGE = 1_000
EXAMPLES = 3

Say = Callable[[str], None]


async def main(settings: Settings, warnings: Sequence[str]) -> int:
    """The command: 0 when nothing is at fault, 1 when something is."""
    return await doctor(settings, warnings, lambda line: print(log.shown(line), flush=True))


async def doctor(settings: Settings, warnings: Sequence[str], say: Say) -> int:
    """Say a line for each check as soon as it is done; 1 when there is a fault among them."""
    parts, counts = Parts(settings), {OK: 0, WARNING: 0, FAULT: 0}
    try:
        async for finding in _Round(parts, warnings).findings():
            counts[finding.level] += 1
            say(str(finding))
    finally:
        await parts.close()
    say(", ".join(f"{counts[level]} {level}{'' if counts[level] == 1 else 's'}" for level in (FAULT, WARNING)))
    return 1 if counts[FAULT] else 0


class _Round:
    """One round through all checks; what one has learnt, later ones use."""

    def __init__(self, parts: Parts, warnings: Sequence[str]) -> None:
        self._parts, self._settings, self._warnings = parts, parts.settings, warnings
        self._plex_version: tuple[int, ...] = ()
        self._example: Entry | None = None

    async def findings(self) -> AsyncIterator[Finding]:
        for finding in (*self._of_settings(), *findings.of_address(self._settings)):
            yield finding
        stash_answers = True
        async for finding in self._of_stash():
            stash_answers = stash_answers and finding.level != FAULT
            yield finding
        client = connect(self._settings)
        if client is None:
            yield Finding(WARNING, "S2P_PLEX_URL and S2P_PLEX_TOKEN are not set: Plex itself is not looked at")
        else:
            with closing(client):
                async for finding in self._of_plex(client, stash_answers):
                    yield finding
        for finding in findings.of_pictures(self._settings, self._example, self._plex_version):
            yield finding

    def _of_settings(self) -> Findings:
        rules = self._parts.rules.warnings()
        for warning in self._warnings:
            yield Finding(WARNING, warning)
        for sentence in rules:
            yield Finding(FAULT, sentence)
        if not self._warnings:
            yield Finding(OK, "All settings are read")
        if not rules and self._settings.path_rules:
            yield Finding(OK, "All path rules lead there and back")

    async def _of_stash(self) -> AsyncIterator[Finding]:
        upstream, count, last = self._parts.upstream, 0, 0
        try:
            version = await upstream.version()
            yield Finding(OK, f"Stash {version} answers, and lets us in")
            page = await upstream.files_after(last, PAGE)
            while page:
                count, last = count + len(page), page[-1].id
                page = await upstream.files_after(last, PAGE) if len(page) == PAGE else []
            self._example = await upstream.entry(last) if last else None
        except Trouble as trouble:
            yield Finding(FAULT, f"{trouble}. See S2P_STASH_URL and S2P_STASH_API_KEY")
            return
        yield Finding(OK, f"Stash has {count} scenes") if count else Finding(WARNING, "Stash has no scenes")

    async def _of_plex(self, client: PlexClient, stash_answers: bool) -> AsyncIterator[Finding]:
        try:
            version = client.version()
            self._plex_version = _numbers(version)
            yield self._of_version(version)
            sections = chosen(client.sections(), self._settings.plex_library)
            if self._plex_version >= NEEDED:
                for finding in self._of_agent(client, sections):
                    yield finding
            for finding in self._of_roots(sections):
                yield finding
            items = _sample(client, sections) if stash_answers else []
        except Trouble as trouble:
            yield Finding(FAULT, f"{trouble}. See S2P_PLEX_URL and S2P_PLEX_TOKEN")
            return
        if stash_answers:
            yield await self._of_files(items)

    def _of_version(self, version: str) -> Finding:
        if self._plex_version >= NEEDED:
            return Finding(OK, f"Plex {version} answers, and takes the token")
        return Finding(FAULT, f"Plex {version} knows no metadata providers: update it to 1.43.0 or newer")

    def _of_agent(self, client: PlexClient, sections: Sequence[Section]) -> Findings:
        known, again = register.find_provider(client), "Run python -m provider register"
        if known is None:
            yield Finding(FAULT, f"Plex does not know this provider. {again}")
            return
        if not address.same(known.uri, address.registered(self._settings)):
            yield Finding(FAULT, f"Plex knows this provider at another address than S2P_BASE_URL says. {again}")
        elif not known.online:
            yield Finding(FAULT, "Plex cannot reach this provider. Start it, and see that S2P_BASE_URL leads to it")
        else:
            yield Finding(OK, "Plex knows this provider, and reaches it")
        agents = register.find_agents(client)
        if not agents:
            yield Finding(FAULT, f"No agent in Plex has this provider as its primary one. {again}")
            return
        names = ", ".join(f'"{section.title}"' for section in with_ours(sections, agents))
        if names:
            yield Finding(OK, f'The agent "{agents[0].title}" is used by {names}')
        else:
            yield Finding(FAULT, f'No movie library uses the agent "{agents[0].title}": {CHOOSE}')

    def _of_roots(self, sections: Sequence[Section]) -> Findings:
        if not sections:
            yield Finding(FAULT, "Plex has no movie library that is meant. See S2P_PLEX_LIBRARY")
            return
        places = {place for section in sections for place in section.locations}
        foreign = [root for root in self._settings.library_roots if not _among(root, places)]
        for root in foreign:
            yield Finding(WARNING, f"Plex has no library in {private(root)}, which S2P_LIBRARY_ROOTS names")
        if not foreign:
            yield Finding(OK, f"The folders of {len(sections)} movie libraries are known")

    async def _of_files(self, items: Sequence[Listed]) -> Finding:
        """Whether files of Plex lead to scenes, asked as Plex would ask for them."""
        found: dict[str, list[str]] = {}
        for path in (item.files[0].path for item in items):
            try:
                outcome = await self._parts.matcher.match(Question(type=MOVIE, filename=path, includeAdult=True))
            except Trouble as trouble:
                return Finding(FAULT, f"Stash could not be asked for a file of Plex: {trouble}")
            found.setdefault(outcome.route, []).append(path)
            self._example = outcome.ranked[0][0] if outcome.ranked else self._example
        return self._judged(len(items), found.pop(BY_PATH, []), found.pop(NOT_AT_ALL, []))

    def _judged(self, count: int, whole: Sequence[str], lost: Sequence[str]) -> Finding:
        """``whole`` are found by their whole path; what is in neither list, by the end of it only."""
        if not count:
            return Finding(WARNING, "Plex has no items yet whose files could be looked up in Stash")
        text = f"{count - len(lost)} of {count} files of Plex lead to a scene"
        if len(whole) == count:
            return Finding(OK, text)
        by_end = count - len(lost) - len(whole)
        if by_end:
            text += f", {by_end} by the end of their path only, which is not enough to compare the two for gaps"
        if lost:
            to_stash = self._parts.rules.to_stash
            shown = (f"{private(path)} (in Stash {private(to_stash(path))})" for path in lost[:EXAMPLES])
            text += f". Not found: {'; '.join(shown)}"
        return Finding(FAULT if len(lost) == count else WARNING, text if whole else f"{text}. {RULES}")


def _sample(client: PlexClient, sections: Sequence[Section]) -> list[Listed]:
    """Some items with files, from all over the first page of each library."""
    found: list[Listed] = []
    for section in sections:
        page = [item for item in next(client.walk(section.key), []) if item.files]
        found += page[:: max(1, len(page) * len(sections) // SAMPLE)]
    return found[:SAMPLE]


def _among(root: str, places: set[str]) -> bool:
    bare = root.rstrip("/\\")
    return any(place.rstrip("/\\") == bare for place in places)


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()
