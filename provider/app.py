"""Puts the provider together: the only module that knows all of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.routing import Router
from starlette.types import ASGIApp

from provider import admin
from provider.catalogue import Catalogue
from provider.gate import Gate
from provider.images import Images
from provider.library import Library
from provider.match import Matcher
from provider.metrics import Metrics
from provider.misses import Misses
from provider.routes import Routes
from provider.rules import Rules
from provider.settings import Settings
from provider.survey import Survey
from provider.upstream import Upstream
from provider.version import VERSION

record = logging.getLogger("stash2plex.app")


class Parts:
    """What everything else is made of; closed when the service, or a command in the shell, ends."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.metrics, self.misses = settings, Metrics(), Misses()
        self.upstream = Upstream(
            settings.stash_url,
            settings.stash_api_key.get_secret_value(),
            self.metrics,
            verify=settings.stash_verify,
            with_groups=settings.collections,
        )
        self.library = Library.of(settings)
        self.rules = Rules.of(settings.path_rules)
        self.catalogue = Catalogue(self.upstream, settings.cache_s, self.metrics)
        self.matcher = Matcher(self.catalogue, self.rules, self.roots, settings.strict_adult)

    async def roots(self) -> Sequence[str]:
        """The library roots: those that are set, else those that Plex tells; and those of the rules."""
        known = self.settings.library_roots
        if not known and self.library is not None:
            known = await self.library.roots()
        return tuple(dict.fromkeys((*known, *self.rules.roots)))

    async def close(self) -> None:
        """Close all connections."""
        if self.library is not None:
            await self.library.close()
        await self.catalogue.close()
        await self.upstream.close()


def build(settings: Settings) -> ASGIApp:
    """The whole service as one ASGI application, its gate in front."""
    parts = Parts(settings)
    for sentence in parts.rules.news():
        record.warning("%s", sentence)
    survey = Survey(parts.upstream, parts.library, parts.rules, settings, parts.misses, parts.metrics)
    plex = Routes(settings, parts.catalogue, parts.matcher, parts.misses, parts.metrics, VERSION)

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        task = asyncio.ensure_future(survey.forever())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await parts.close()

    routes = [
        *plex.routes(),
        *Images(parts.upstream, settings).routes(),
        *admin.routes(parts.upstream, parts.metrics, parts.matcher.explain),
        *survey.routes(),
    ]
    # A bare router: exceptions end in the gate. A redirect would lead to an address without the secret.
    service = Router(routes, redirect_slashes=False, lifespan=lifespan)
    return Gate(service, settings, parts.metrics)


async def explain(settings: Settings, filename: str) -> dict[str, Any]:
    """What becomes of a file name of Plex's, for the command line; raises Trouble."""
    parts = Parts(settings)
    try:
        return await parts.matcher.explain(filename)
    finally:
        await parts.close()
