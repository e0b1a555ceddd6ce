"""Compares Plex with Stash, now and then and when asked, and shows what came of it.

A run reads both sides page by page between Plex's requests, and is never in their way. One that does not get through
leaves the last complete report as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Optional, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from plex.model import Section
from provider import page, report, schedule
from provider.gaps import NOT_IN_PLEX, NOT_IN_STASH, UNMATCHED, Comparison, Found, Rules
from provider.heal import NO_AGENT, Healer, Pace
from provider.library import Library
from provider.metrics import Metrics
from provider.misses import Misses
from provider.report import Compared, Failure, Progress, Report
from provider.schedule import Schedule
from provider.settings import Settings
from provider.upstream import Upstream
from stash import log as plain_log
from validation.errors import Kind, Trouble

log = logging.getLogger("stash2plex.survey")

PAGE_SCENES = 500
CHUNK = 50  # of a page: what happens in one go, some milliseconds
MISSES_SHOWN = 100
STASH, PLEX, COMPARING, HEALING = "reading Stash", "reading Plex", "comparing", "healing"
NO_LIBRARY = "Plex has no movie library that S2P_PLEX_LIBRARY could mean"
NO_PLEX = "There is no Plex to compare with: set S2P_PLEX_URL and S2P_PLEX_TOKEN"

_Row = TypeVar("_Row")


class Survey:
    """Everything about gaps in one running service. ``clock`` tells Unix times, ``ticks`` never jumps.

    All methods are for one event loop.
    """

    def __init__(
        self,
        upstream: Upstream,
        library: Optional[Library],
        rules: Rules,
        settings: Settings,
        misses: Misses,
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        pace: Pace = Pace(),  # noqa: B008 - a value
    ) -> None:
        self._upstream, self._library, self._rules = upstream, library, rules
        self._misses, self._metrics = misses, metrics
        self._heals, self._interval = settings.heal, settings.gaps_interval
        self._clock, self._ticks, self._sleep, self._pace = clock, ticks, sleep, pace
        self._schedule = Schedule(settings.gaps_interval, ticks())
        self._task: Optional[asyncio.Task[None]] = None
        self._progress: Optional[Callable[[], Progress]] = None
        self._compared: Optional[Compared] = None
        self._failure: Optional[Failure] = None
        self._away_seen = 0

    def routes(self) -> list[Route]:
        """What to put into the application."""
        return [Route("/gaps", self._show), Route("/gaps/run", self._begin, methods=["POST"])]

    def report(self) -> Report:
        """What is known by now."""
        next_at = self._schedule.next_at if self._library else None
        return Report(
            missed=self._misses.missed(MISSES_SHOWN),
            compared=self._compared,
            failure=self._failure,
            running=self._progress() if self._progress else None,
            next_at=None if next_at is None else self._clock() + max(0.0, next_at - self._ticks()),
            interval=self._interval,
            heal=self._heals,
            possible=self._library is not None,
        )

    def start(self) -> bool:
        """Begin a run, unless one is under way or there is no Plex to compare with."""
        if self._library is None or self._task is not None:
            return False
        self._progress = lambda: Progress(STASH, 0)
        self._task = asyncio.ensure_future(self._attempt(self._library))
        return True

    async def run(self) -> Report:
        """Make a run, or wait for the one under way; the report tells when it failed."""
        self.start()
        if self._task is not None:
            await asyncio.shield(self._task)
        return self.report()

    async def forever(self) -> None:
        """Run when it is due, until cancelled; a run under way ends with it."""
        try:
            if self._library is not None:
                await schedule.forever(self._schedule, self.run, self._wanted, self._ticks, self._sleep)
            else:
                await asyncio.Event().wait()
        finally:
            if self._task is not None:
                self._task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._task

    def _wanted(self) -> bool:
        """Whether something was asked for in vain while Stash was away, which is back, and no run has healed it."""
        return self._heals and self._misses.away > self._away_seen and not self._upstream.open

    async def _attempt(self, library: Library) -> None:
        try:
            await self._whole(library)
        except Trouble as trouble:
            log.warning("The comparison of Plex with Stash failed: %s", trouble)
            self._fail(trouble.message)
        except Exception as fault:
            log.exception("The comparison of Plex with Stash failed by a fault of ours")
            self._fail(f"A fault of ours: {plain_log.where(fault)}")
        finally:
            self._task = self._progress = None

    def _fail(self, why: str) -> None:
        self._failure = Failure(self._clock(), why)
        self._schedule.failed(self._ticks())

    async def _whole(self, library: Library) -> None:
        """Read, compare, publish; then heal, and publish that. Raises Trouble."""
        away, began_at, began = self._misses.away, self._clock(), self._ticks()
        sections = await library.sections()
        if not sections:
            raise Trouble(Kind.REFUSED, NO_LIBRARY)
        comparison, found = await self._compare(library, sections)
        titles = {section.key: section.title for section in sections}
        self._publish(Compared(began_at, self._ticks() - began, found, titles))
        if self._heals and comparison.healable:
            await self._heal(library, sections, comparison)
        self._away_seen = away
        self._schedule.done(self._ticks())

    async def _compare(self, library: Library, sections: Sequence[Section]) -> tuple[Comparison, Found]:
        comparison = Comparison(self._rules, [place for section in sections for place in section.locations])
        self._progress = lambda: Progress(STASH, comparison.scenes)
        await self._read_stash(comparison)
        self._progress = lambda: Progress(PLEX, comparison.items)
        for section in sections:
            async for items in library.walk(section):
                await _feed(comparison.see, items)
        self._progress = lambda: Progress(COMPARING, comparison.items)
        return comparison, await asyncio.get_running_loop().run_in_executor(None, comparison.finish)

    async def _read_stash(self, comparison: Comparison) -> None:
        after, more = 0, True
        while more:
            scenes = await self._upstream.files_after(after, PAGE_SCENES)
            await _feed(comparison.know, scenes)
            more = len(scenes) >= PAGE_SCENES
            after = max([after, *(scene.id for scene in scenes)])

    def _publish(self, compared: Compared) -> None:
        found = compared.found
        healed = compared.healing.healed if compared.healing else 0
        self._compared = compared
        missing = found.count(NOT_IN_STASH), found.count(NOT_IN_PLEX)
        self._metrics.gaps(*missing, found.count(UNMATCHED) - healed)
        if compared.healing:
            log.info("Healed %d items of Plex, and %d not", healed, compared.healing.failed)
        else:
            log.info("Compared %d scenes with %d items: %d and %d lack the other", found.scenes, found.items, *missing)

    async def _heal(self, library: Library, sections: Sequence[Section], comparison: Comparison) -> None:
        healer = Healer(library, comparison, lambda: self._upstream.open, self._pace)
        self._progress = lambda: Progress(HEALING, healer.done)
        healing = await healer.heal(sections)
        if self._compared:
            self._publish(replace(self._compared, healing=healing))
        if healing.stopped not in ("", NO_AGENT):
            why = report.STOPPED.get(healing.stopped, healing.stopped)
            raise Trouble(Kind.UNREACHABLE, f"Healing stopped: {why}")

    async def _show(self, request: Request) -> Response:
        if page.preferred(request.headers.get("accept", "")):
            return Response(page.page(self.report()), media_type="text/html", headers=page.HEADERS)
        answer = report.as_json(self.report())
        return Response(answer, media_type="application/json", headers={"Cache-Control": "no-store"})

    async def _begin(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-site") == "cross-site":
            return JSONResponse({"error": "Another site's page may not begin a run"}, 403)
        started = self.start()
        if page.preferred(request.headers.get("accept", "")):
            return RedirectResponse("../gaps", 303, page.HEADERS)
        if self._library is None:
            return JSONResponse({"error": NO_PLEX}, 409)
        return JSONResponse({"running": True}, 202 if started else 200)


async def main(settings: Settings, warnings: Sequence[str], as_json: bool = False) -> int:
    """One run for the command line, with its summary on standard output; 1 when a side could not be read."""
    from provider.app import Parts  # which knows all modules, this one too

    for warning in warnings:
        print(report.plain(warning), file=sys.stderr)
    parts = Parts(settings)
    try:
        survey = Survey(parts.upstream, parts.library, parts.rules, settings, parts.misses, parts.metrics)
        told = await survey.run()
    finally:
        await parts.close()
    print(report.as_json(told).decode() if as_json else "\n".join(report.summary(told)))
    return 0 if told.compared and not told.failure else 1


async def _feed(step: Callable[[Sequence[_Row]], None], rows: Sequence[_Row]) -> None:
    """In chunks, with Plex's requests between them."""
    for start in range(0, len(rows), CHUNK):
        step(rows[start : start + CHUNK])
        await asyncio.sleep(0)
