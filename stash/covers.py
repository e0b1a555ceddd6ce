"""A scene's cover as Stash serves it. No bytes at all when we hold them already, and never what is no picture."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from stash.answers import WANTS_LOGIN
from validation.errors import Kind, Trouble

LIMIT_BYTES = 10_000_000  # what other programs found Plex to take
CHUNK_BYTES = 64 << 10
# How the picture formats begin that Stash keeps covers in. Its placeholder for "no cover" is an SVG text.
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")


@dataclass(frozen=True)
class Cover:
    """``etag`` is Stash's name for exactly these bytes; ``unchanged``: it is the one we named, sent without them."""

    etag: str
    content: bytes = b""
    unchanged: bool = False


def read(response: requests.Response, known: str) -> Cover | None:
    """The cover in an answer to ``/scene/{id}/screenshot``, None when the scene has none.

    Raises Trouble: too large, refused (Stash redirects to its login page), or unexpected, which is this cover's own
    fault, since a Stash that is away does not answer at all; and what requests raises for half an answer.
    """
    if response.status_code == 304 and known:
        return Cover(known, unchanged=True)
    if response.status_code in (401, 403) or response.is_redirect:
        raise Trouble(Kind.STASH_REFUSED, WANTS_LOGIN)
    if response.status_code == 404:
        return None
    if response.status_code != 200:
        raise Trouble(Kind.UNEXPECTED, f"Stash does not give the cover (HTTP {response.status_code})")
    content = _content(response)
    return Cover(response.headers.get("ETag", ""), content) if is_picture(content) else None


def is_picture(content: bytes) -> bool:
    """Whether the bytes begin like a JPEG, PNG, GIF, WebP or AVIF."""
    webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    avif = content[4:8] == b"ftyp" and content[8:12] in (b"avif", b"avis", b"mif1")
    return content.startswith(_BEGINNINGS) or webp or avif


def _content(response: requests.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_content(CHUNK_BYTES):
        content += chunk
        if len(content) > LIMIT_BYTES:
            raise Trouble(Kind.TOO_LARGE, f"its cover is larger than {LIMIT_BYTES // 1_000_000} MB")
    if len(content) < _promised_bytes(response):  # urllib3 before 2.0 takes a broken connection for the end
        raise requests.exceptions.ChunkedEncodingError
    return bytes(content)


def _promised_bytes(response: requests.Response) -> int:
    """How long the content was announced to be, 0 when that tells nothing about it as we read it."""
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() and "Content-Encoding" not in response.headers else 0
