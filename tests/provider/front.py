"""The provider's picture routes behind the gate, served by uvicorn in a thread of this process."""

from __future__ import annotations

import asyncio
import http.client
import threading
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import uvicorn
from starlette.applications import Starlette

from provider.gate import Gate
from provider.images import Images, ImageUrls
from provider.metrics import Metrics
from provider.settings import Settings
from provider.upstream import Upstream
from tests.waiting import until


class Reply(NamedTuple):
    """What came back; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Front:
    """As a context manager: `url` is where it listens; settings as in `provider.settings`."""

    def __init__(self, stash_url: str, **settings: Any) -> None:
        self.settings = Settings(stash_url=stash_url, **settings)
        self.urls = ImageUrls(self.settings)
        self._server = uvicorn.Server(
            uvicorn.Config(self._app(), host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=5)
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def _app(self) -> Gate:
        metrics = Metrics()
        key = self.settings.stash_api_key.get_secret_value()
        upstream = Upstream(self.settings.stash_url, key, metrics)

        @asynccontextmanager
        async def lifespan(app: Starlette):
            yield
            await upstream.close()

        return Gate(
            Starlette(routes=Images(upstream, self.settings).routes(), lifespan=lifespan), self.settings, metrics
        )

    @property
    def url(self) -> str:
        return "http://127.0.0.1:%d" % self._server.servers[0].sockets[0].getsockname()[1]

    def __enter__(self) -> Front:
        self._thread.start()
        until(lambda: self._server.started, what="the provider to listen")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(30)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """One request over a connection of its own, to a path or to an address of ours."""
        parts = urlsplit(path)
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), None, named)
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def ask_all(self, asked: list[tuple[str, str]]) -> list[Reply]:
        """All these (method, path) at once."""

        async def one(client: httpx.AsyncClient, method: str, path: str) -> Reply:
            answer = await client.request(method, path)
            return Reply(answer.status_code, dict(answer.headers), answer.content)

        async def every() -> list[Reply]:
            limits = httpx.Limits(max_connections=len(asked))
            async with httpx.AsyncClient(base_url=self.url, limits=limits, timeout=60, trust_env=False) as client:
                return await asyncio.gather(*(one(client, *each) for each in asked))

        return asyncio.run(every())
