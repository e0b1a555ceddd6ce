"""The pictures that Plex is told of: their addresses, and what answers there.

An address names a scene or a performer by number and nothing else, so that nobody can have another address asked, and
Stash's key stays here. ``t`` is a stamp that differs whenever the picture may, so that an answer may be kept for ever;
``sig`` is there when the provider has a secret. Plex keeps a picture by its address.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from provider.contract import LARGEST_ID
from provider.pictures import NoPicture, Picture, Pictures
from provider.posters import Posters
from provider.scene import Entry, Person
from provider.settings import Settings
from provider.signing import Signing
from provider.upstream import Upstream

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
MOST_HELD = 16  # ETags that a browser may name
# The stamp of a poster's address ends with one of these: another mode or other rendering makes another picture.
RENDERINGS = {"fit": "1", "crop": "2"}

_ID = re.compile(r"[1-9][0-9]{0,18}")
_STAMP = re.compile(r"[0-9]{1,40}")
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')


class ImageUrls:
    """Makes the addresses. ``base`` is where the request came in; a base from the settings is put in its place."""

    def __init__(self, settings: Settings) -> None:
        self._base = settings.image_base_url or settings.base_url
        self._signing = Signing(settings.secret.get_secret_value())
        self._rendering = RENDERINGS.get(settings.poster, "")

    def scene(self, base: str, entry: Entry) -> str:
        """A scene's poster: its cover, or what is made of it."""
        if not self._rendering:
            return self.background(base, entry)
        return self._url(base, f"/images/scene/{entry.id}/poster", _digits(entry.updated_at) + self._rendering)

    def background(self, base: str, entry: Entry) -> str:
        """A scene's cover as it is."""
        return self._url(base, f"/images/scene/{entry.id}", _digits(entry.updated_at))

    def performer(self, base: str, person: Person) -> str:
        """A performer's picture, "" for one without: Stash would draw a silhouette."""
        if not person.pictured:
            return ""
        return self._url(base, f"/images/performer/{person.id}", _digits(person.updated_at))

    def _url(self, base: str, path: str, stamp: str) -> str:
        return (self._base or base).rstrip("/") + path + self._signing.query(path, stamp)


class Refusal(Exception):
    """An answer without a picture: its status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class Asked:
    """One request that may be answered. ``held`` are the ETags of what the asker holds."""

    id: int
    head: bool
    held: tuple[str, ...]
    lasting: str


class Images:
    """Answers at these addresses. Raises Trouble when Stash is away, in the middle of an answer too."""

    def __init__(self, upstream: Upstream, settings: Settings) -> None:
        self._pictures = Pictures(upstream)
        self._signing = Signing(settings.secret.get_secret_value())
        self._mode = settings.poster
        self._posters = Posters(self._mode, lambda scene: self._pictures.load(_cover(scene)))

    def routes(self) -> list[Route]:
        """The three kinds of addresses, for GET and HEAD."""
        poster = self._poster if self._mode in RENDERINGS else self._scene
        answers = {
            "/images/scene/{id}": self._scene,
            "/images/scene/{id}/poster": poster,
            "/images/performer/{id}": self._performer,
        }
        return [
            Route(path, _Endpoint(partial(self._asked, path), answer), methods=["GET"])
            for path, answer in answers.items()
        ]

    @asynccontextmanager
    async def _scene(self, asked: Asked) -> AsyncIterator[Response]:
        async with self._picture(asked, _cover(asked.id)) as picture:
            yield _passed_on(asked, picture)

    @asynccontextmanager
    async def _performer(self, asked: Asked) -> AsyncIterator[Response]:
        path = f"/performer/{asked.id}/image"
        async with self._picture(asked, path) as picture:
            if not picture.unchanged and await self._pictures.is_silhouette(path, picture.etag):
                raise NoPicture("it has no picture")
            yield _passed_on(asked, picture)

    @asynccontextmanager
    async def _poster(self, asked: Asked) -> AsyncIterator[Response]:
        variant = f"-{self._mode}{RENDERINGS[self._mode]}"
        cover = await self._pictures.look(_cover(asked.id), _conditions(asked, variant))
        if cover.unchanged or _holds(asked, _varied(cover.etag, variant)):
            yield _unchanged(asked, _varied(cover.etag, variant))
            return
        made = await self._posters.get(asked.id, cover.etag)
        if made.content is not None:
            headers = {**_headers(asked, _varied(made.etag, variant)), "Content-Length": str(len(made.content))}
            yield Response(b"" if asked.head else made.content, headers=headers, media_type="image/jpeg")
            return
        async with self._picture(asked, _cover(asked.id), variant) as picture:
            yield _passed_on(asked, picture, variant)

    @asynccontextmanager
    async def _picture(self, asked: Asked, path: str, variant: str = "") -> AsyncIterator[Picture]:
        """The picture, without its bytes when only its head is asked for."""
        held = _conditions(asked, variant)
        if asked.head:
            yield await self._pictures.look(path, held)
            return
        async with self._pictures.open(path, held) as picture:
            yield picture

    def _asked(self, template: str, request: Request) -> Asked:
        """Raises Refusal for an address that is not ours, before anything is asked of Stash."""
        number, query = request.path_params["id"], request.query_params
        if not _ID.fullmatch(number) or int(number) > LARGEST_ID:
            raise Refusal(404, "no such picture")
        stamp = query.get("t", "")
        stamp = stamp if _STAMP.fullmatch(stamp) else ""
        if not self._signing.fits(template.format(id=number), stamp, query.get("sig", "")):
            raise Refusal(403, "this address is not signed as it should be")
        held = tuple(_ETAG.findall(request.headers.get("If-None-Match", ""))[:MOST_HELD])
        return Asked(int(number), request.method == "HEAD", held, FOR_EVER if stamp else ASK_AGAIN)


class _Endpoint:
    """An ASGI application that sends its answer while the picture's connection to Stash is open."""

    def __init__(
        self, read: Callable[[Request], Asked], answer: Callable[[Asked], AbstractAsyncContextManager[Response]]
    ) -> None:
        self._read, self._answer = read, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._answer(self._read(Request(scope))) as response:
                await response(scope, receive, send)
        except Refusal as refusal:
            await _refused(refusal.status, refusal.message)(scope, receive, send)
        except NoPicture as reason:
            await _refused(404, str(reason))(scope, receive, send)


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status, headers={"Cache-Control": ASK_AGAIN})


def _passed_on(asked: Asked, picture: Picture, variant: str = "") -> Response:
    etag = _varied(picture.etag, variant)
    if picture.unchanged or _holds(asked, etag):
        return _unchanged(asked, etag)
    headers = {**_headers(asked, etag), "Content-Type": picture.kind}
    if picture.size_bytes is not None:
        headers["Content-Length"] = str(picture.size_bytes)
    if not asked.head and picture.chunks is not None:
        return StreamingResponse(picture.chunks, headers=headers)
    response = Response(headers=headers)
    if picture.size_bytes is None:
        del response.headers["Content-Length"]  # it would say 0
    return response


def _unchanged(asked: Asked, etag: str) -> Response:
    return Response(status_code=304, headers=_headers(asked, etag))


def _headers(asked: Asked, etag: str) -> dict[str, str]:
    named = {"ETag": etag} if etag else {}
    return {"Cache-Control": asked.lasting, **named}


def _cover(scene: int) -> str:
    return f"/scene/{scene}/screenshot"


def _digits(time: str) -> str:
    return re.sub("[^0-9]", "", time)


# ETags. That of a poster is its cover's with the mode behind it, so that Stash can tell whether it still is right.


def _conditions(asked: Asked, variant: str = "") -> str:
    """What the asker holds, in Stash's words."""
    end = variant + '"'
    return ", ".join(tag[: -len(end)] + '"' for tag in asked.held if tag.endswith(end))


def _varied(etag: str, variant: str) -> str:
    return etag[:-1] + variant + '"' if etag else ""


def _holds(asked: Asked, etag: str) -> bool:
    return etag.removeprefix("W/") in [tag.removeprefix("W/") for tag in asked.held] if etag else False
