"""Which scene Plex means: from a match request to scenes, the surest way first.

Our own guid, the path after the rules, a unique end of the path, a hash, and nothing. Unasked, at most one scene is
named, and only when it is sure: a wrong one is worse than none, since Plex never looks again. A person in Fix Match
gets a ranked list, also by title, by a scene's id or by its address in Stash.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache

from provider import candidates, suffix
from provider.candidates import Asked, Unusable
from provider.catalogue import Catalogue
from provider.contract import MOVIE, number, scene_of
from provider.question import Question
from provider.rules import Rules
from provider.scene import Entry
from stash.log import shown
from validation.text import folded, private

record = logging.getLogger("stash2plex.match")

SURE, BY_END, GUESS = 100, 95, 80  # 85 and less is a guess in Plex's own terms
MOST = 20
MOST_HASHES, MOST_PATHS = 3, 4_096
FEW_WORDS, MOST_TITLED = 3, 100

_OSHASH = re.compile(r"[0-9a-fA-F]{16}")
_ID = re.compile(r"(?:stash[-:# ]?)?([0-9]{1,19})", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s?#]+/scenes/([0-9]{1,19})(?:[/?#]\S*)?", re.IGNORECASE)

Roots = Callable[[], Awaitable[Sequence[str]]]


@dataclass(frozen=True)
class Outcome:
    """The scenes with their scores, best first; the way that found them, and why there are none."""

    ranked: tuple[tuple[Entry, int], ...] = ()
    route: str = "none"
    why: str = ""


@dataclass
class Trail:
    """What was tried for a path, for a person who wants to know why it was not found."""

    candidates: list[str] = field(default_factory=list)
    stash_paths: list[str] = field(default_factory=list)
    named: tuple[Entry, ...] = ()


class Matcher:
    """Answers match requests. ``roots`` gives the library roots that are set or that Plex told."""

    def __init__(self, catalogue: Catalogue, rules: Rules, roots: Roots, strict_adult: bool = False) -> None:
        self._catalogue, self._rules, self._roots = catalogue, rules, roots
        self._strict_adult = strict_adult
        self._paths: LRUCache[tuple[str, tuple[str, ...]], tuple[list[str], list[str]]] = LRUCache(MOST_PATHS)

    async def match(self, asked: Question) -> Outcome:
        """The scenes that are meant; raises Trouble when Stash cannot be asked."""
        if asked.type != MOVIE:
            return Outcome(why="only movies are matched")
        if self._strict_adult and not asked.includeAdult:
            return Outcome(why="strict_adult is on and Plex did not ask for adult titles")
        known = await self._by_id(asked)
        return known or await self._by_file(asked)

    async def explain(self, filename: str) -> dict[str, Any]:
        """All that becomes of a file name of Plex's, as values for a person to read."""
        roots, trail = await self._roots(), Trail()
        outcome = await self._by_name(filename, trail)
        return {
            "filename": filename,
            "library_roots": list(roots),
            "candidates": [
                {"plex": one, "stash": path, "rule": shown(self._rules.explain(one))}
                for one, path in zip(trail.candidates, trail.stash_paths)
            ],
            "asked_stash_for": trail.stash_paths,
            "same_file_name": [{"scene": entry.id, "paths": list(entry.paths)} for entry in trail.named[:MOST]],
            "result": _result(outcome),
            "warnings": shown(self._rules.warnings()),
        }

    async def _by_id(self, asked: Question) -> Outcome | None:
        """By our own guid, and for a person by what was pasted in place of a title."""
        own, pasted = scene_of(asked.guid), _pasted(asked.title) if asked.manual else None
        for id, route in ((pasted, "id"), (own, "guid")):
            entry = await self._catalogue.entry(id) if id is not None else None
            if entry is not None:
                return Outcome(((entry, SURE),), route)
        return None

    async def _by_file(self, asked: Question) -> Outcome:
        trail = Trail()
        outcome = await self._by_name(asked.filename, trail) if asked.filename else Outcome(why="Plex named no file")
        if not outcome.ranked or outcome.ranked[0][1] <= GUESS:
            outcome = await self._by_hash(asked.hashes) or outcome
        if asked.manual:
            return await self._for_a_person(asked, outcome, trail)
        sure = outcome.ranked[:1] if outcome.ranked and outcome.ranked[0][1] > GUESS else ()
        return Outcome(sure, outcome.route if sure else "none", outcome.why)

    async def _by_name(self, filename: str, trail: Trail) -> Outcome:
        try:
            asked = candidates.read(filename)
        except Unusable as fault:
            return Outcome(why=str(fault))
        roots = await self._roots()
        return await self._by_path(asked, roots, trail) or await self._by_end(asked, roots, trail)

    async def _by_path(self, asked: Asked, roots: Sequence[str], trail: Trail) -> Outcome | None:
        """By the exact path. A relative name that fits below two roots may be either of two files: nobody knows."""
        trail.candidates, trail.stash_paths = self._meant(asked, tuple(roots))
        entries = await self._catalogue.at_path(*dict.fromkeys(trail.stash_paths))
        found = {entry.id: entry for entry in entries}
        if len(found) == 1:
            return Outcome(tuple((entry, SURE) for entry in found.values()), "path")
        if found:
            return _guesses(found.values(), f"{_scenes(found)} have that path, and nothing tells which one is meant")
        return None

    def _meant(self, asked: Asked, roots: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """The paths that Plex may mean, and what the rules make of each; kept, for Plex often asks more than once."""
        known = self._paths.get((asked.given, roots))
        if known is None:
            plex = candidates.candidates(asked, roots)
            known = plex, [self._rules.to_stash(one) for one in plex]
            wrong = self._rules.news()
            for sentence in wrong:
                record.warning("%s", sentence)
            if wrong:
                self._paths.clear()
            self._paths[asked.given, roots] = known
        return known

    async def _by_end(self, asked: Asked, roots: Sequence[str], trail: Trail) -> Outcome:
        if not asked.name:
            return Outcome(why="the file name names no file")
        names = await self._catalogue.named(asked.name)
        if names.more:  # a name such as video.mp4: only those in a folder of the same name can be meant
            names = await self._catalogue.named(asked.name, asked.names(asked.windows)[-3:-1])
        trail.named = names.entries
        if names.more:
            return _guesses(names.entries, "too many scenes have a file of that name")
        if not names.entries:
            return Outcome(why="no scene in Stash has a file of that name")
        choice = suffix.choose(asked, roots, names.entries, self._rules.to_plex)
        if choice.entry is not None:
            rest = [entry for entry in choice.ranked if entry.id != choice.entry.id]
            return Outcome(((choice.entry, BY_END), *_ranked(rest)), "suffix")
        return _guesses(choice.ranked, choice.why)

    async def _by_hash(self, hashes: Sequence[str]) -> Outcome | None:
        """What Plex sends as a hash is documented nowhere, and often something else: only what can be one is tried."""
        wanted = dict.fromkeys(value.lower() for value in hashes if _OSHASH.fullmatch(value))
        for oshash in list(wanted)[:MOST_HASHES]:
            found = await self._catalogue.by_oshash(oshash)
            if len(found) == 1:
                return Outcome(((found[0], SURE),), "hash")
        return None

    async def _for_a_person(self, asked: Question, outcome: Outcome, trail: Trail) -> Outcome:
        """What is sure, then what has the same file name, then what Stash finds by the title, nearer years first."""
        ranked = {entry.id: (entry, score) for entry, score in outcome.ranked}
        words = asked.title.strip()[:255]
        titled = await self._titled(words) if words and _pasted(words) is None else []
        titled.sort(key=lambda entry: (folded(entry.title) != folded(words), _years_apart(entry, asked)))
        for entry, score in (*_ranked(trail.named), *_ranked(titled, GUESS - MOST)):
            ranked.setdefault(entry.id, (entry, score))
        best = tuple(sorted(ranked.values(), key=lambda one: -one[1])[:MOST])
        route = outcome.route if outcome.route != "none" or not best else "title"
        return Outcome(best, route, outcome.why)

    async def _titled(self, words: str) -> list[Entry]:
        """By all the words, else by the longest of them: the scanner makes titles of file names, dates and all."""
        every = words.split()
        longest = sorted(every, key=len, reverse=True)[:FEW_WORDS]
        few = [word for word in every if word in longest]
        found = await self._catalogue.titled(words, MOST_TITLED)
        return found or (await self._catalogue.titled(" ".join(few), MOST_TITLED) if few != every else [])


def _pasted(title: str) -> int | None:
    """The id in a title that is a scene's id or its address in Stash."""
    found = _ID.fullmatch(title.strip()) or _ADDRESS.fullmatch(title.strip())
    return number(found[1]) if found else None


def _ranked(entries: Sequence[Entry], best: int = GUESS) -> list[tuple[Entry, int]]:
    return [(entry, max(1, best - place)) for place, entry in enumerate(entries[:MOST])]


def _guesses(entries: Any, why: str) -> Outcome:
    return Outcome(tuple(_ranked(list(entries))), "none", why)


def _scenes(found: dict[int, Entry]) -> str:
    return "the scenes " + ", ".join(str(id) for id in sorted(found)[:5])


def _years_apart(entry: Entry, asked: Question) -> int:
    return abs(entry.year - asked.year) if entry.year and asked.year else 0


def _result(outcome: Outcome) -> dict[str, Any]:
    sure = [entry for entry, score in outcome.ranked if score > GUESS][:1]
    if not sure:
        return {"scene": None, "why": outcome.why}
    return {"scene": sure[0].id, "title": sure[0].title, "found_by": outcome.route}


def asked_for(asked: Question) -> str:
    """The file of a request for a log line or a report, marked as private."""
    return private(asked.filename or asked.title)
