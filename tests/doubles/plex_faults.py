"""Faults on request: what a Plex server, a proxy or a network can do to an answer.

Instead of an answer, the request not applied: ``status`` (status, body, content_type, retry_after), ``rate_limit``
(retry_after), ``maintenance``, ``redirect`` (location, status), ``html``, ``json``, ``empty``, ``other_root``,
``gzip_bomb`` (size_bytes), ``huge_body`` (size_bytes), ``drop``, ``reset``, ``hang`` (seconds).
After the request took effect: ``drop_after``, ``drop_body``, ``truncated``, ``latency`` (seconds),
``drip_headers`` and ``drip_body`` (chunk, pause_s).
"""

from __future__ import annotations

import gzip
import threading
from typing import Any, Callable, NamedTuple, Optional

from tests.doubles.plex_http import Request, Response, encode, error
from tests.doubles.plex_render import JSON_TYPE, XML_TYPE

MAINTENANCE = (
    b'{"code":503,"title":"Maintenance","status":"Plex Media Server is currently running startup maintenance tasks."}'
)
_MEGABYTE = 1024 * 1024


class Delivery(NamedTuple):
    """Bytes to send, piece by piece. ``reset``: end with RST; ``hold_s``: keep silent first."""

    status: int
    chunks: list[bytes]
    pause_s: float = 0.0
    close: bool = False
    reset: bool = False
    hold_s: float = 0.0


class Fault:
    """One rule: the next ``times`` requests that fit (None: all of them), after ``skip`` that pass."""

    def __init__(
        self,
        kind: str,
        times: Optional[int] = 1,
        match: str = "",
        method: str = "",
        skip: int = 0,
        applied: Optional[bool] = None,
        **options: Any,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"no fault named {kind}; there are {', '.join(sorted(KINDS))}")
        self.kind = kind
        self.times = times
        self.match = match
        self.method = method
        self.skip = skip
        self.applied = KINDS[kind].applied if applied is None else applied
        self.options = options
        self.hits = 0

    def fits(self, request: Request) -> bool:
        """True when the rule is about this request and not used up."""
        if self.times is not None and self.hits >= self.times:
            return False
        return self.match in request.target and self.method in ("", request.method)


class FaultBook:
    """The rules in force, first come first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self.cleared = threading.Event()

    def add(
        self,
        kind: str,
        times: Optional[int] = 1,
        match: str = "",
        method: str = "",
        skip: int = 0,
        applied: Optional[bool] = None,
        **options: Any,
    ) -> None:
        """Add a rule. ``match`` is part of path and query, ``applied`` tells whether the request takes effect."""
        with self._lock:
            self.cleared.clear()
            self._faults.append(Fault(kind, times, match, method, skip, applied, **options))

    def clear(self) -> None:
        """Remove all rules and wake what hangs."""
        with self._lock:
            self._faults = []
            self.cleared.set()

    def left(self) -> int:
        """Return how many rules may still strike."""
        with self._lock:
            return sum(1 for fault in self._faults if fault.times is None or fault.hits < fault.times)

    def take(self, request: Request) -> Optional[Fault]:
        """Return the rule that strikes this request, counting it."""
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                if not fault.fits(request):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.hits += 1
                return fault
        return None


class Kind(NamedTuple):
    """How a fault delivers, and whether the request normally takes effect."""

    deliver: Callable[[Fault, Request, Response], Delivery]
    applied: bool


def whole(request: Request, response: Response, keep_alive_s: float = 20) -> Delivery:
    """Deliver an answer as it should be: in one write, so that no delayed ACK slows it."""
    head, body = encode(response, request.wants_gzip, keep_alive_s)
    return Delivery(response.status, [head + body])


def _status(fault: Fault, request: Request, _: Response) -> Delivery:
    retry_after = fault.options.get("retry_after")
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    response = error(int(fault.options.get("status", 500)), headers)
    if "body" in fault.options:
        response.body = fault.options["body"].encode()
        response.content_type = fault.options.get("content_type", response.content_type)
    return whole(request, response)


def _rate_limit(fault: Fault, request: Request, _: Response) -> Delivery:
    return whole(request, error(429, {"Retry-After": str(fault.options.get("retry_after", 1))}))


def _maintenance(_: Fault, request: Request, __: Response) -> Delivery:
    return whole(request, maintenance())


def maintenance() -> Response:
    """Return the answer of a server that is still starting (plex.md A.0, "Starting up")."""
    return Response(503, JSON_TYPE, MAINTENANCE)


def _drop(_: Fault, __: Request, ___: Response) -> Delivery:
    return Delivery(0, [], close=True)


def _reset(_: Fault, __: Request, ___: Response) -> Delivery:
    return Delivery(0, [], close=True, reset=True)


def _hang(fault: Fault, _: Request, __: Response) -> Delivery:
    return Delivery(0, [], close=True, hold_s=float(fault.options.get("seconds", 60)))


def _latency(fault: Fault, request: Request, response: Response) -> Delivery:
    return whole(request, response)._replace(hold_s=float(fault.options.get("seconds", 1)))


def _drop_body(_: Fault, __: Request, response: Response) -> Delivery:
    # Answers to writes are empty; a promised body is needed to cut one.
    response.body = response.body or b" " * 64
    head, body = encode(response, False, 20)
    return Delivery(response.status, [head + body[: len(body) // 2]], close=True)


def _drip_body(fault: Fault, request: Request, response: Response) -> Delivery:
    head, body = encode(response, request.wants_gzip, 20)
    return Delivery(response.status, [head] + _pieces(fault, body), _pause(fault))


def _drip_headers(fault: Fault, request: Request, response: Response) -> Delivery:
    head, body = encode(response, request.wants_gzip, 20)
    return Delivery(response.status, _pieces(fault, head) + [body], _pause(fault))


def _pieces(fault: Fault, data: bytes) -> list[bytes]:
    size = int(fault.options.get("chunk", 1))
    return [data[start : start + size] for start in range(0, len(data), size)]


def _pause(fault: Fault) -> float:
    return float(fault.options.get("pause_s", 0.1))


def _truncated(_: Fault, request: Request, response: Response) -> Delivery:
    response.body = response.body[: len(response.body) * 2 // 3]
    return whole(request, response)


def _instead(content_type: str, body: bytes) -> Callable[[Fault, Request, Response], Delivery]:
    def deliver(_: Fault, request: Request, __: Response) -> Delivery:
        return whole(request, Response(200, content_type, body))

    return deliver


def _redirect(fault: Fault, request: Request, _: Response) -> Delivery:
    location = fault.options.get("location", "http://other-host.invalid" + request.target)
    return whole(request, error(int(fault.options.get("status", 302)), {"Location": location}))


def _gzip_bomb(fault: Fault, _: Request, __: Response) -> Delivery:
    block = gzip.compress(b" " * _MEGABYTE, 9)
    body = block * (int(fault.options.get("size_bytes", 64 * _MEGABYTE)) // _MEGABYTE)
    head, body = encode(Response(200, XML_TYPE, body, {"Content-Encoding": "gzip"}), False, 20)
    return Delivery(200, [head + body])


def _huge_body(fault: Fault, _: Request, __: Response) -> Delivery:
    size = int(fault.options.get("size_bytes", 64 * _MEGABYTE))
    block = b"<MediaContainer>" + b" " * (_MEGABYTE - 16)
    head = encode(Response(200, XML_TYPE), False, 20)[0].replace(b"Content-Length: 0", b"Content-Length: %d" % size)
    full, rest = divmod(size, _MEGABYTE)
    return Delivery(200, [head] + [block] * full + [block[:rest]])


_LOGIN = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in to continue</h1></body></html>"
KINDS: dict[str, Kind] = {
    "status": Kind(_status, False),
    "rate_limit": Kind(_rate_limit, False),
    "maintenance": Kind(_maintenance, False),
    "drop": Kind(_drop, False),
    "drop_after": Kind(_drop, True),
    "drop_body": Kind(_drop_body, True),
    "reset": Kind(_reset, False),
    "hang": Kind(_hang, False),
    "latency": Kind(_latency, True),
    "drip_body": Kind(_drip_body, True),
    "drip_headers": Kind(_drip_headers, True),
    "truncated": Kind(_truncated, True),
    "html": Kind(_instead("text/html", _LOGIN), False),
    "json": Kind(_instead(JSON_TYPE, b'{"MediaContainer":{"size":0}}'), False),
    "empty": Kind(_instead(XML_TYPE, b""), False),
    "other_root": Kind(_instead(XML_TYPE, b'<?xml version="1.0" encoding="UTF-8"?>\n<Response code="0"/>\n'), False),
    "redirect": Kind(_redirect, False),
    "gzip_bomb": Kind(_gzip_bomb, False),
    "huge_body": Kind(_huge_body, False),
}
