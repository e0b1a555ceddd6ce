"""Pictures of scenes and performers, read from Stash with bounds: no bytes when somebody holds them, never too many.

Seen in Stash 0.30: pictures answer GET only (HEAD is 405), with the MD5 of their bytes as ETag, and know ranges and
If-None-Match, also together. A scene without a cover shows an SVG, a performer without a picture a silhouette, which is
a PNG like any other but for its address, ``?default=true``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

import httpx
from cachetools import LRUCache

from provider.upstream import Upstream
from stash.answers import StashAway

MOST_BYTES = 20_000_000
CHUNK_BYTES = 64 << 10
BEGINNING_BYTES = 64  # enough to see what kind of picture it is
# Of the connections to Stash so many at most: a slow reader of pictures holds one for as long as it reads.
WHOLE_AT_ONCE, LOOKS_AT_ONCE = 8, 4
KNOWN_ETAGS = 4_096

_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_OF_ALL = re.compile(r"bytes 0-\d+/(\d{1,18})")


class NoPicture(Exception):
    """There is none to hand on; the text says why."""


@dataclass(frozen=True)
class Picture:
    """What Stash holds: ``etag`` names exactly these bytes, ``size_bytes`` is None when Stash did not say.

    ``unchanged``: the asker holds it already, and there is nothing else. ``chunks`` are the bytes, or, of a look, their
    beginning; they raise Trouble when Stash stops in the middle, or goes on for too long.
    """

    etag: str
    kind: str = ""
    size_bytes: Optional[int] = None
    unchanged: bool = False
    chunks: Optional[AsyncIterator[bytes]] = None


class Pictures:
    """Reads through one Stash. Methods raise `NoPicture`, and Trouble when Stash is away."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._silhouettes: LRUCache[str, bool] = LRUCache(KNOWN_ETAGS)

    @asynccontextmanager
    async def open(self, path: str, held: str = "") -> AsyncIterator[Picture]:
        """The picture at this path of Stash's; ``held`` are the ETags of what the asker holds."""
        async with self._whole, self._asked(path, _headers(held)) as picture:
            yield picture

    async def look(self, path: str, held: str = "") -> Picture:
        """The same without its bytes."""
        wanted = {**_headers(held), "Range": f"bytes=0-{BEGINNING_BYTES - 1}"}
        async with self._looks, self._asked(path, wanted) as picture:
            return picture

    async def load(self, path: str) -> tuple[str, bytes]:
        """Its ETag and all of its bytes."""
        async with self.open(path) as picture:
            content = [chunk async for chunk in picture.chunks] if picture.chunks else []
            return picture.etag, b"".join(content)

    async def is_silhouette(self, path: str, etag: str) -> bool:
        """Whether Stash drew this itself, for a performer without a picture. Each ETag is asked about once."""
        known = self._silhouettes.get(etag) if etag else None
        if known is None:
            known = await self._drawn(path) == etag
            self._silhouettes[etag] = known
        return known

    async def _drawn(self, path: str) -> str:
        try:
            return (await self.look(f"{path}?default=true")).etag
        except NoPicture:  # an SVG
            return ""

    # Made at the first use: Python 3.9 binds them to the loop that is there then.

    @cached_property
    def _whole(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(WHOLE_AT_ONCE)

    @cached_property
    def _looks(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(LOOKS_AT_ONCE)

    @asynccontextmanager
    async def _asked(self, path: str, headers: dict[str, str]) -> AsyncIterator[Picture]:
        async with self._upstream.stream(path, headers) as answer:
            if answer.status_code == 304 and "If-None-Match" in headers:
                yield Picture(answer.headers.get("ETag", ""), unchanged=True)
                return
            _admit(answer)
            chunks = answer.aiter_bytes(CHUNK_BYTES)
            try:
                yield await _begun(answer, chunks)
            finally:
                await chunks.aclose()  # type: ignore[attr-defined]


def kind_of(beginning: bytes) -> str:
    """The content type of a picture that begins so, "" for what is none, or may carry scripts."""
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "image/webp"
    if beginning[4:8] == b"ftyp" and any(brand in beginning[8:BEGINNING_BYTES] for brand in (b"avif", b"avis")):
        return "image/avif"
    return next((kind for start, kind in _BEGINNINGS if beginning.startswith(start)), "")


def _headers(held: str) -> dict[str, str]:
    return {"Accept": "image/*", "Accept-Encoding": "identity", **({"If-None-Match": held} if held else {})}


def _admit(answer: httpx.Response) -> None:
    if answer.status_code == 404:
        raise NoPicture("Stash has none of this number")
    if answer.status_code not in (200, 206):
        raise StashAway(f"Stash does not give a picture (HTTP {answer.status_code})")


async def _begun(answer: httpx.Response, chunks: AsyncIterator[bytes]) -> Picture:
    size = _size(answer)
    if size is not None and size > MOST_BYTES:
        raise NoPicture(f"its picture is larger than {MOST_BYTES // 1_000_000} MB")
    first = await _first(chunks)
    kind = kind_of(first)
    if not kind:
        raise NoPicture("it has no picture")
    return Picture(_etag(answer, size), kind, size, chunks=_bounded(first, chunks))


async def _first(chunks: AsyncIterator[bytes]) -> bytes:
    async for chunk in chunks:
        return chunk
    return b""


async def _bounded(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Whoever reads cannot be told any more that it is too much, so that the answer breaks off."""
    count = len(first)
    yield first
    async for chunk in rest:
        count += len(chunk)
        if count > MOST_BYTES:
            raise StashAway(f"Stash sends a picture without end: more than {MOST_BYTES // 1_000_000} MB")
        yield chunk


def _size(answer: httpx.Response) -> int | None:
    """How long the whole picture is, None when nothing tells."""
    part = _OF_ALL.fullmatch(answer.headers.get("Content-Range", ""))
    if answer.status_code == 206:
        return int(part[1]) if part else None
    length = answer.headers.get("Content-Length", "")
    plain = length.isascii() and length.isdecimal() and "Content-Encoding" not in answer.headers
    return int(length[:18]) if plain else None


def _etag(answer: httpx.Response, size: int | None) -> str:
    """Stash's own; a cover of an old Stash is a file, which has a date only."""
    found = answer.headers.get("ETag", "")
    date = answer.headers.get("Last-Modified", "")
    if not found and date and size is not None:
        found = f'W/"{"".join(filter(str.isalnum, date))}-{size}"'
    return str(found)
