"""uvicorn in this process, with the limits that it lacks.

Seen in uvicorn 0.39 and 0.54, with h11 and httptools: a connection may stay open for ever without a request's head ever
being complete (the time limit is only for idle ones), httptools takes a head of any size, a client that reads nothing
holds an answer in memory, and a malformed request after the beginning of an answer is answered in the middle of that,
or with a traceback. A protocol class of one's own is what ``uvicorn.Config(http=...)`` is made to take; `Limited` goes
in front of uvicorn's two.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import logging
import signal
import socket
import threading
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Optional

import uvicorn
from starlette.types import ASGIApp

from provider.settings import Settings

record = logging.getLogger("stash2plex.server")

HEAD_S, HEAD_BYTES = 10.0, 32 * 1024
IDLE_S = 75
WRITE_S = 30.0  # without a byte taken by who asked
CONNECTIONS = 1_000
GRACE_S, END_S = 7, 9.5  # for requests under way, and for all of the end: Docker kills after 10 s
SLICE_BYTES = 16 * 1024
GARBAGE = (10_000, 20, 20)  # when Python looks for it; 700, 10 and 10 are its own numbers
WAITING = 100  # requests behind one that is being answered; httptools would take in as many as come

MALFORMED = (400, "The request is not HTTP")
TOO_LONG = (431, "The request has too many headers")


def serve(app: ASGIApp, settings: Settings, head_s: float = HEAD_S) -> int:
    """Serve until SIGTERM or SIGINT; the exit code. Port 0 is any free one: the log says which."""
    try:
        listening = _listen(settings.host, settings.port)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]  # Python adds the address once more
        record.error("The provider cannot listen on %s port %d: %s", settings.host, settings.port, reason)
        return 1
    with listening:
        server = Server(config(app, head_s))
        if threading.current_thread() is threading.main_thread():
            # uvicorn gives each signal that ended it to whoever had it before: to these, for a clean exit code.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        try:
            server.run([listening])
        except SystemExit:
            return 1  # the application could not start, and has said why
        return 0 if server.served else 1


def config(app: ASGIApp, head_s: float = HEAD_S, parser: Optional[str] = None) -> uvicorn.Config:
    """How uvicorn runs here; ``parser`` is "h11" or "httptools" (what there is when None)."""
    logging.getLogger("uvicorn.error").addFilter(_worth_saying)
    return uvicorn.Config(
        app,
        http=protocol(parser, head_s),
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,
        log_level="error",  # of warnings it has two per odd request, and anyone can send these
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=HEAD_BYTES,
    )


def protocol(parser: Optional[str] = None, head_s: float = HEAD_S) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol with our limits: the C parser's when it is there, else the one in Python."""
    if parser is None:
        parser = "httptools" if importlib.util.find_spec("httptools") else "h11"
    if parser == "httptools":
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as base
    else:
        from uvicorn.protocols.http.h11_impl import H11Protocol as base  # type: ignore[assignment]
    return type("Limited" + base.__name__, (Limited, base), {"head_s": head_s})


class Limited:
    """Time and size limits around a protocol of uvicorn's, which is the next class in line.

    A head is known to be complete by ``cycle``, which both of uvicorn's classes make anew for each request.
    """

    head_s = HEAD_S
    cycle: Any
    connections: Any
    transport: Any

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._loop = asyncio.get_running_loop()
        self._head_timer: Optional[asyncio.TimerHandle] = None
        self._write_timer: Optional[asyncio.TimerHandle] = None
        self._head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """The time for the first head begins."""
        super().connection_made(transport)  # type: ignore[misc]
        if len(self.connections) > CONNECTIONS:
            transport.abort()
        self._head_timer = self._loop.call_later(self.head_s, self.transport.abort)

    def connection_lost(self, error: Optional[Exception]) -> None:
        """No time runs for a connection that is gone."""
        self._stop_head()
        self._stop_write()
        super().connection_lost(error)  # type: ignore[misc]

    def data_received(self, data: bytes) -> None:
        """In slices, so that a head of any size is seen growing, however it arrives."""
        for start in range(0, len(data), SLICE_BYTES):
            if self.transport.is_closing():
                return
            self._slice_received(data[start : start + SLICE_BYTES])

    def send_400_response(self, message: str) -> None:
        """What is no HTTP is answered in our form, and not at all when an answer is under way."""
        self._refuse(*MALFORMED)

    def pause_writing(self) -> None:
        """The other side does not read."""
        super().pause_writing()  # type: ignore[misc]
        self._stop_write()
        self._write_timer = self._loop.call_later(WRITE_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads again."""
        self._stop_write()
        super().resume_writing()  # type: ignore[misc]

    def timeout_keep_alive_handler(self) -> None:
        """Closing would wait for whoever never reads the last answer."""
        self.transport.abort()

    def _slice_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)  # type: ignore[misc]
        if len(getattr(self, "pipeline", ())) > WAITING:
            self.transport.abort()
        elif self.cycle is not before:
            self._stop_head()
        elif before is None or before.response_complete:
            self._head_grew(len(data))

    def _head_grew(self, by: int) -> None:
        self._head_bytes += by
        if self._head_timer is None:
            self._head_timer = self._loop.call_later(self.head_s, self.transport.abort)
        if self._head_bytes > HEAD_BYTES:
            self._refuse(*TOO_LONG)

    def _stop_head(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_write(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _refuse(self, status: int, sentence: str) -> None:
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_plainly(status, sentence))
        self.transport.close()


class Server(uvicorn.Server):
    """uvicorn's server; says in our log where it listens, and ends in bounded time.

    ``served`` tells that it could start, whatever it was told then.
    """

    served = False
    _listening: Sequence[socket.socket] = ()

    async def startup(self, sockets: Optional[list[socket.socket]] = None) -> None:
        """Until it listens. One that was told to end meanwhile ends here: 0.39 would forget the application."""
        await super().startup(sockets)
        _spare_the_collector()
        self.served, self._listening = self.started, sockets or ()
        if self.started and self.should_exit:
            await self.shutdown(sockets)
            self.started = False

    async def main_loop(self) -> None:
        """Until it is told to end."""
        for one in self._listening:
            host, port = one.getsockname()[:2]
            record.info("The provider listens on http://%s:%d", f"[{host}]" if ":" in host else host, port)
        await super().main_loop()

    async def shutdown(self, sockets: Optional[list[socket.socket]] = None) -> None:
        """Until all is closed; uvicorn would wait for the application as long as that likes."""
        try:
            await asyncio.wait_for(super().shutdown(sockets), END_S)
        except asyncio.TimeoutError:
            record.warning("The provider stops, though it was not done after %g s", END_S)


def _listen(host: str, port: int) -> socket.socket:
    """A socket that accepts connections; raises OSError. "::" is for IPv4 as well, where that can be."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    both = family == socket.AF_INET6 and address[0] == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(address[:2], family=family, backlog=2048, dualstack_ipv6=both)


def _spare_the_collector() -> None:
    """Keep pauses short: what was loaded by now stays, and is looked through no more.

    Measured with 200 requests at once: the slowest of 100 took 46 ms instead of 78 to 110.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def _plainly(status: int, sentence: str) -> bytes:
    """A whole answer, for a request that no route ever saw."""
    body = b'{"error": "%s"}' % sentence.encode()
    head = "HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
    return (head % (status, HTTPStatus(status).phrase, len(body))).encode() + body


def _worth_saying(line: logging.LogRecord) -> bool:
    """Of an answer that ends too early, for Stash went away, the gate has told."""
    return "without completing" not in str(line.msg)
