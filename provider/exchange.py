"""One request as the gate reads it, and its answer as the gate writes it: body, time limits, and errors as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.types import Message, Receive, Send

from provider.reach import Refused

BODY_BYTES = 64 * 1024
# How much of a body that nobody wants is still taken, and how long: a connection that is closed with bytes unread is
# reset, and then its sender may never see the answer that says why.
LINGER_BYTES, LINGER_S = 256 * 1024, 2.0
STOPPED, TOO_LONG = "The provider is being stopped", "The body is longer than 64 KB"
ENDING = (408, 413)

_COMMON = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
_JSON = (b"content-type", b"application/json")
_CLOSE = (b"connection", b"close")


class Gone(Exception):
    """Who asked has closed the connection."""


class Alarm:
    """Cancels the task that made it when the time is over, and knows that it did. `asyncio.timeout` is for 3.11 on."""

    __slots__ = ("_handle", "_loop", "_task", "rang")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._handle: asyncio.TimerHandle | None = None
        self.rang = False

    def set(self, seconds: float) -> None:
        """From now on; an earlier time is forgotten."""
        self.stop()
        self._handle = self._loop.call_later(seconds, self._ring)

    def stop(self) -> None:
        """It will not ring any more."""
        if self._handle is not None:
            self._handle.cancel()

    def _ring(self) -> None:
        self.rang = True
        if self._task is not None:
            self._task.cancel()


class Exchange:
    """The request's side: its body, read whole and in time, and whether there is still somebody who waits."""

    __slots__ = ("_body", "_fields", "_receive", "_unread", "alarm", "gone")

    def __init__(self, receive: Receive, fields: Mapping[bytes, bytes]) -> None:
        self._receive, self._fields = receive, fields
        self._body: bytes | None = None
        self._unread = b"transfer-encoding" in fields or fields.get(b"content-length", b"0") != b"0"
        self.alarm = Alarm()
        self.gone = False

    async def read_body(self, limit_s: float) -> None:
        """Take the body in, for `receive`. Raises `Refused` when it is too long or too slow, and `Gone`."""
        if not self._unread:
            return
        length = self._fields.get(b"content-length", b"")
        if length.isdigit() and (len(length) > 9 or int(length) > BODY_BYTES):
            raise Refused(413, TOO_LONG)
        self.alarm.set(limit_s)
        try:
            self._body = await self._whole()
        except asyncio.CancelledError:
            raise Refused(*(408, "The body came too slowly") if self.alarm.rang else (503, STOPPED)) from None
        finally:
            self.alarm.stop()

    async def receive(self) -> Message:
        """What the application receives: the whole body at first, then what becomes of the connection."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        message = await self._receive()
        self.gone = self.gone or message["type"] == "http.disconnect"
        return message

    async def refuse(self, answer: Answer, refused: Refused) -> None:
        """Say so; when there is more of a body to come than was taken, the connection is closed."""
        if not self._unread and refused.status not in ENDING:
            return await answer.say(refused.status, refused.sentence)
        await answer.say(refused.status, refused.sentence, _CLOSE, more=True)
        if not self.alarm.rang:
            await self._linger()
        await answer.end()

    async def _whole(self) -> bytes:
        held = bytearray()
        while self._unread:
            held += await self._part()
            if len(held) > BODY_BYTES:
                raise Refused(413, TOO_LONG)
        return bytes(held)

    async def _part(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise Gone
        self._unread = message.get("more_body", False)
        body: bytes = message.get("body", b"")
        return body

    async def _linger(self) -> None:
        """Let go what comes, up to the limits."""
        taken = 0
        self.alarm.set(LINGER_S)
        try:
            while self._unread and taken < LINGER_BYTES:
                taken += len(await self._part())
        except (Gone, asyncio.CancelledError):
            pass  # the time is over, or one of the two sides ends: the connection is closed in any case
        finally:
            self.alarm.stop()


class Answer:
    """The other side: passes an answer on with our headers; one in plain text that tells of an error becomes JSON.

    An answer with status 500, which Starlette makes of what nobody caught, is held back: the gate says something else.
    ``status`` is 0 until an answer was begun, and ``whole`` is whether its end was said.
    """

    __slots__ = ("_headers", "_send", "_silent", "status", "whole")

    def __init__(self, send: Send, identity: str) -> None:
        self._send = send
        self._headers = [*_COMMON, (b"x-request-id", identity.encode())]
        self._silent = self.whole = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        """What the application sends."""
        if message["type"] == "http.response.start":
            await self._start(message)
        elif not self._silent:
            self.whole = not message.get("more_body", False)
            await self._send(message)

    async def say(self, status: int, sentence: str, *headers: tuple[bytes, bytes], more: bool = False) -> None:
        """One of our own sentences, unless an answer was begun already. With ``more`` the end is left to `end`."""
        if self.status:
            return
        self.status, self._silent, self.whole = status, True, True
        body = json.dumps({"error": sentence}).encode()
        length = (b"content-length", str(len(body)).encode())
        said = [_JSON, length, *headers, *self._headers]
        await self._send({"type": "http.response.start", "status": status, "headers": said})
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def end(self) -> None:
        """Nothing follows."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _start(self, message: Message) -> None:
        status, headers = message["status"], message.get("headers", ())
        if status == 500:
            self._silent = True
        elif status >= 400 and dict(headers).get(b"content-type", b"").startswith(b"text/plain"):
            allowed = [header for header in headers if header[0] == b"allow"]
            await self.say(status, HTTPStatus(status).phrase, *allowed)
        else:
            self.status = status
            await self._send({**message, "headers": [*headers, *self._headers]})
