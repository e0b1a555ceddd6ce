"""Routes for whoever runs the provider: is it alive and ready, what did it count, why does a file not match.

The first three tell no path and no title, for anybody may ask them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from provider.metrics import Metrics
from provider.upstream import Upstream
from validation.errors import Kind, Trouble

STASH_EVERY_S = 5.0  # Stash is asked at most this often, however often we are
PATIENCE_S = 3.0  # health checks give up early
REASONS = {Kind.STASH_REFUSED: "Stash refuses our API key"}
AWAY, SLOW = "Stash does not answer", "Stash takes too long to answer"

Explain = Callable[[str], Awaitable[dict[str, Any]]]


def routes(
    upstream: Upstream,
    metrics: Metrics,
    explain: Explain,
    clock: Callable[[], float] = time.monotonic,
    patience_s: float = PATIENCE_S,
) -> list[Route]:
    """/livez, /readyz, /metrics and /explain. ``explain`` tells for a filename all that matching would do.

    Ready means that Stash answers: a path rule that cannot be used is disabled, and the others do their work.
    """
    asked = Asked(upstream, clock, patience_s)

    async def livez(request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def readyz(request: Request) -> Response:
        reasons = await asked.reasons()
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    async def counts(request: Request) -> Response:
        body, kind = metrics.render()
        return Response(body, headers={"content-type": kind, "cache-control": "no-store"})

    async def explained(request: Request) -> Response:
        filename = request.query_params.get("filename", "")
        if not filename:
            return JSONResponse({"error": "Name a file: /explain?filename=..."}, 400)
        return _pretty(await explain(filename))

    return [
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/metrics", counts),
        Route("/explain", explained),
    ]


class Asked:
    """Whether Stash answers, as it was known within the last STASH_EVERY_S seconds; one question at a time."""

    def __init__(self, upstream: Upstream, clock: Callable[[], float], patience_s: float) -> None:
        self._upstream, self._clock, self._patience_s = upstream, clock, patience_s
        self._task: asyncio.Task[list[str]] | None = None
        self._since = 0.0

    async def reasons(self) -> list[str]:
        """Why it cannot be worked with; empty when it can."""
        if self._task is None or (self._task.done() and self._clock() - self._since >= STASH_EVERY_S):
            self._task, self._since = asyncio.create_task(self._ask()), self._clock()
        await asyncio.wait({self._task}, timeout=self._patience_s)  # who asks may go, and the question stays
        return self._task.result() if self._task.done() else [SLOW]

    async def _ask(self) -> list[str]:
        try:
            await self._upstream.version()
        except Trouble as trouble:
            return [REASONS.get(trouble.kind, AWAY)]
        return []


def _pretty(told: dict[str, Any]) -> Response:
    """JSON to be read by people; what UTF-8 cannot hold is written as JSON escapes it."""
    text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    return Response(text.encode("utf-8", "backslashreplace"), media_type="application/json")
