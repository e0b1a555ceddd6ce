"""A survey beside both doubles, with its routes behind a client; times and pauses are the test's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Optional

import httpx
from starlette.applications import Starlette

from provider.contract import Provider, Root
from provider.heal import Pace
from provider.library import Library
from provider.metrics import Metrics
from provider.misses import Misses
from provider.rules import Rules
from provider.settings import RuleText, Settings
from provider.survey import Survey
from provider.upstream import Upstream
from tests.doubles.plex_server import PlexDouble
from tests.doubles.stash_server import StashDouble

AT_ONCE = Pace(0.0, (0.0, 0.0, 0.0))


class _Root(BaseHTTPRequestHandler):
    """Says who we are, and knows no scene."""

    def do_GET(self) -> None:
        known = self.path.partition("?")[0] in ("", "/")
        self.send_response(200 if known else 404)
        body = Root(MediaProvider=Provider(version="1")).body() if known else b"{}"
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def library_with_our_agent(plex: PlexDouble, title: str, folder: str) -> Iterator[str]:
    """The key of a library of Plex that is set to our agent; the provider behind it knows no scene."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Root) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield plex.add_section(title, [folder], agent_id=plex.register(f"http://127.0.0.1:{server.server_port}"))
        finally:
            server.shutdown()
            thread.join()


class Clock:
    """A clock that moves only when somebody sleeps by it; ``stop_at`` ends the sleeper."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = self.stop_at = now

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)
        if self.now >= self.stop_at:
            raise asyncio.CancelledError


class Surveyed:
    """The parts, as `provider.app` puts them together."""

    def __init__(self, stash: StashDouble, plex: Optional[PlexDouble], rules: str, **settings: Any) -> None:
        self.clock = Clock()
        texts = (RuleText(rule=rules),) if rules else ()
        known = {"plex_url": plex.url, "plex_token": plex.token} if plex else {}
        self.settings = Settings(stash_url=stash.url, path_rules=texts, **known, **settings)
        self.metrics, self.misses = Metrics(), Misses(clock=self.clock)
        self.upstream = Upstream(stash.url, "", self.metrics)
        self.library, self.rules = Library.of(self.settings), Rules.of(texts)
        self.survey = Survey(
            self.upstream, self.library, self.rules, self.settings, self.misses, self.metrics,
            self.clock, self.clock, self.clock.sleep, AT_ONCE,
        )  # fmt: skip

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client for the routes, which lie below a secret segment as they may in a service."""
        transport = httpx.ASGITransport(Starlette(routes=self.survey.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://provider") as client:
            yield client

    async def run_for(self, seconds: float) -> None:
        """Let the schedule go on for so long."""
        self.clock.stop_at = self.clock.now + seconds
        try:
            await self.survey.forever()
        except asyncio.CancelledError:
            pass

    async def close(self) -> None:
        if self.library:
            await self.library.close()
        await self.upstream.close()


def surveyed(
    scene: Callable[[Surveyed], Awaitable[Any]],
    stash: StashDouble,
    plex: Optional[PlexDouble] = None,
    rules: str = "",
    **settings: Any,
) -> Any:
    """Play a scene with a survey of these two."""

    async def begin() -> Any:
        made = Surveyed(stash, plex, rules, **settings)
        try:
            return await scene(made)
        finally:
            await made.close()

    return asyncio.run(begin())
