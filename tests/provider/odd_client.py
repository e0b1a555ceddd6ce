"""A client for requests that nobody should send: many lines at once, kept alive and pipelined where that can be."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Callable, Optional

from tests.provider.odd_requests import Odd

LINES = 12
PATIENCE_S, LONG_S = 0.15, 60.0
AT_ONCE = 4  # requests that are sent without waiting for answers

Seen = Callable[[Odd, Optional[int], bytes, bytes], None]


class Client:
    """Asks one server; ``seen`` is told each request with status (None for no answer), head and body of its answer."""

    def __init__(self, host: str, port: int, seen: Seen) -> None:
        self._address, self._seen = (host, port), seen
        self._left: Iterator[Odd] = iter(())

    def ask(self, requests: Iterable[Odd]) -> None:
        """All of them, in any order."""
        self._left = iter(requests)
        asyncio.run(self._all())

    async def _all(self) -> None:
        await asyncio.gather(*(self._line() for _ in range(LINES)))

    async def _line(self) -> None:
        line: Optional[Line] = None
        while True:
            batch = list(islice(self._left, AT_ONCE))
            if not batch:
                break
            line = await self._proper(line, [odd for odd in batch if odd.proper])
            for odd in (odd for odd in batch if not odd.proper):
                await self._torn(odd)
        if line:
            line.close()

    async def _proper(self, line: Optional[Line], requests: list[Odd]) -> Optional[Line]:
        """What the server did not come to, because it closed the line after an earlier one, is asked again."""
        at_once = len(requests)
        while requests:
            line = line or await Line.open(*self._address)
            answered = await self._pipelined(line, requests[:at_once])
            if not answered and at_once == 1:
                self._seen(requests[0], None, b"", b"")
                answered = 1
            at_once = len(requests) if answered else 1
            requests = requests[answered:]
            if requests or line.ended:
                line.close()
                line = None
        return line

    async def _pipelined(self, line: Line, requests: list[Odd]) -> int:
        """How many of them were answered before the server closed the line."""
        line.write(b"".join(odd.raw for odd in requests))
        for number, odd in enumerate(requests):
            try:
                answer = await asyncio.wait_for(line.answer(odd.head), LONG_S)
            except (ConnectionError, asyncio.IncompleteReadError):
                return number
            self._seen(odd, *answer)
            if line.ended:
                return number + 1
        return len(requests)

    async def _torn(self, odd: Odd) -> None:
        line = await Line.open(*self._address)
        line.write(odd.raw)
        try:
            self._seen(odd, *await asyncio.wait_for(line.answer(False), PATIENCE_S))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            self._seen(odd, None, b"", b"")
        line.close()


class Line:
    """One connection; ``ended`` when the server said that it closes it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.ended = False

    @classmethod
    async def open(cls, host: str, port: int) -> Line:
        return cls(*await asyncio.open_connection(host, port))

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    def close(self) -> None:
        self._writer.transport.abort()

    async def answer(self, head_only: bool) -> tuple[int, bytes, bytes]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status < 200:
            return await self.answer(head_only)
        self.ended = b"\r\nconnection: close\r\n" in head.lower()
        if head_only or status in (204, 304):
            return status, head, b""
        length = re.search(rb"\r\ncontent-length: (\d+)\r\n", head.lower())
        return status, head, await (self._reader.readexactly(int(length[1])) if length else self._chunks())

    async def _chunks(self) -> bytes:
        held = b""
        while True:
            size = int(await self._reader.readline(), 16)
            held += (await self._reader.readexactly(size + 2))[:-2]
            if not size:
                return held
