"""What stands in front of the routes: who may ask, how much, for how long; and what is said when something goes wrong.

Plain ASGI, for it runs at every request. Each answer that is not a route's own is JSON ``{"error": sentence}``: 400,
404, 413, 503 and the like, and never 500. A route raises `Trouble` when a neighbour cannot be asked; anything else that
it raises is a fault of ours, which goes to the log and not to whoever asked.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import secrets
import time

from starlette.types import ASGIApp, Receive, Scope, Send

from provider.exchange import STOPPED, Answer, Exchange, Gone
from provider.logs import request_id
from provider.metrics import Metrics
from provider.reach import AT_THE_ROOT, OTHER, Reach, Refused, template
from provider.settings import Settings
from stash import log
from validation.errors import Kind, Trouble

record = logging.getLogger("stash2plex.gate")

BODY_S = 10.0
RETRY_S = 1
AWAY = frozenset((Kind.STASH_AWAY, Kind.STASH_REFUSED, Kind.UNREACHABLE, Kind.BUSY))
FAILED = "The provider failed at this request; its log says why"
GONE = 499  # for the log only: who asked went away before there was an answer

_PROCESS, _numbers = secrets.token_hex(4), itertools.count(1)  # so that numbers of two processes differ
_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"))


class Gate:
    """The ASGI application that is served; ``app`` has all its routes at the root.

    A request's body is read here, whole and within ``body_s`` seconds, before ``app`` is called.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, body_s: float = BODY_S) -> None:
        self._app, self._metrics, self._body_s = app, metrics, body_s
        self._deadline_s, self._at_once = settings.deadline_s, settings.concurrency
        self._reach = Reach(settings)
        self._active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the whole life of the application; nothing else (WebSockets) is spoken here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, route = time.perf_counter(), OTHER
        fields = dict(scope["headers"])
        identity = _identity(fields.get(b"x-request-id"))
        request_id.set(identity)
        answer, exchange = Answer(send, identity), Exchange(receive, fields)
        try:
            way = self._reach.way(scope, fields)
            route = template(way.path)
            await exchange.read_body(self._body_s)
            inner = {**scope, "path": way.path, "raw_path": way.raw_path, "stash2plex.request_id": identity}
            await self._admitted(inner, exchange, answer)
        except Refused as refused:
            await exchange.refuse(answer, refused)
        except Gone:
            pass
        self._tell(scope["method"], route, answer, time.perf_counter() - began)

    async def _admitted(self, scope: Scope, exchange: Exchange, answer: Answer) -> None:
        """Let the application answer, unless it is at work on too much; health is told at any time."""
        if self._active >= self._at_once and scope["path"] not in AT_THE_ROOT:
            return await answer.say(503, "Too many requests at once", _retry_after(RETRY_S))
        self._active += 1
        exchange.alarm.set(self._deadline_s)
        try:
            await self._app(scope, exchange.receive, answer)
            if not answer.status and not exchange.gone:
                raise RuntimeError("a route gave no answer")
        except Trouble as trouble:
            await _troubled(trouble, scope, answer)
        except asyncio.CancelledError:  # were it let through, uvicorn would make a 500 of it
            late = f"There was no answer within {self._deadline_s:g} s"
            await answer.say(503, late if exchange.alarm.rang else STOPPED, _retry_after(RETRY_S))
        except Exception:  # noqa: BLE001  whatever it is, whoever asked gets an answer
            await _failed(scope, answer)
        finally:
            exchange.alarm.stop()
            self._active -= 1

    def _tell(self, method: str, route: str, answer: Answer, seconds: float) -> None:
        """One line and one measurement; of what was asked only what `template` leaves of it."""
        status = answer.status or GONE
        self._metrics.request(route, status, seconds)
        odd = (status >= 400 or not answer.whole) and route not in AT_THE_ROOT
        level = logging.INFO if odd else logging.DEBUG
        shown, end = method if method in _METHODS else "?", "" if answer.whole else ", cut off"
        record.log(level, "%s %s: %d%s in %.1f ms", shown, route, status, end, seconds * 1000)


async def _troubled(trouble: Trouble, scope: Scope, answer: Answer) -> None:
    """A neighbour could not be asked."""
    if trouble.kind not in AWAY:
        return await _failed(scope, answer)
    if answer.status:
        record.info("The end of an answer is missing: %s", trouble)
    wait = () if trouble.retry_after_s is None else (_retry_after(trouble.retry_after_s),)
    await answer.say(503, log.shown(trouble.message), *wait)


async def _failed(scope: Scope, answer: Answer) -> None:
    """A fault of ours, in an except clause: to the log with all it takes to find it, and not to whoever asked."""
    record.error("A request for %s failed", template(scope["path"]), exc_info=True)
    await answer.say(503, FAILED)


def _identity(given: bytes | None) -> str:
    """The request's number in all log lines: the one that a proxy gave it, if it is one, else a new one."""
    return given.decode() if given and _SANE_ID.fullmatch(given) else f"{_PROCESS}-{next(_numbers)}"


def _retry_after(seconds: float) -> tuple[bytes, bytes]:
    return b"retry-after", b"%d" % max(1, round(seconds))
