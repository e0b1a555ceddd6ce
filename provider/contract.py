"""What Plex and a metadata provider say to each other: names, guids, and every answer as a model.

A field that is None is left out of the answer, so that Plex can fill it from the agent's next provider; empty texts and
empty lists are never sent. Names are Plex's own: arrays in the capitalised singular, single values in camel case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Optional

from pydantic import BaseModel, ConfigDict

IDENTIFIER = "tv.plex.agents.custom.stash2plex"  # Plex takes none without "tv.plex.agents.custom."
TITLE = "Stash2Plex"
MOVIE = 1
METADATA = "/library/metadata"
MATCHES = "/library/metadata/matches"
COVER_POSTER, BACKGROUND = "coverPoster", "background"
LARGEST_ID, LONGEST_ID = 2**63 - 1, 19

_GUID = re.compile(re.escape(IDENTIFIER) + r"://movie/([0-9]{1,19})(?:\?.*)?", re.DOTALL)
_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Malformed(ValueError):
    """A request that is not one of Plex's; the text says what is wrong with it and shows nothing of it."""


def guid(scene: int) -> str:
    """The guid of a scene. Without the type in it Plex would accept a match and then never ask for the item."""
    return f"{IDENTIFIER}://movie/{scene}"


def scene_of(text: str) -> int | None:
    """The scene that a guid of ours means, None for any other guid."""
    found = _GUID.fullmatch(text)
    return number(found[1]) if found else None


def scene_at(key: str) -> int | None:
    """The scene that a rating key in a path means, None for one that cannot be ours; raises Malformed."""
    if not _KEY.fullmatch(key):
        raise Malformed("A rating key has only letters, digits, _ and -")
    return number(key)


def number(text: str) -> int | None:
    """The number that a text writes, as Stash numbers scenes and performers; None for what is none."""
    written = int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID else 0
    return written if 0 < written <= LARGEST_ID else None


class Answer(BaseModel):
    """The parent of all that is sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def body(self) -> bytes:
        """The JSON text, without what is None."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=True)


class Picture(Answer):
    """One picture of an item; ``type`` is COVER_POSTER or BACKGROUND, ``url`` absolute."""

    type: str
    url: str


class Tag(Answer):
    """A name in a list."""

    tag: str


class Player(Answer):
    """Somebody who plays, counted from 1. Plex fetches ``thumb`` on demand, through its own servers."""

    tag: str
    order: int
    thumb: Optional[str] = None


class Badge(Answer):
    """A rating from 0 to 10. Plex knows four badges and shows none for another ``image``."""

    image: str
    type: str
    value: float


class Movie(Answer):
    """One scene as a movie. ``duration`` is in milliseconds, ``score`` (0 to 100) stands in match answers only."""

    ratingKey: str
    key: str
    guid: str
    type: str = "movie"
    title: str
    originallyAvailableAt: Optional[str] = None
    year: Optional[int] = None
    summary: Optional[str] = None
    tagline: Optional[str] = None
    studio: Optional[str] = None
    contentRating: Optional[str] = None
    isAdult: bool = True
    duration: Optional[int] = None
    thumb: Optional[str] = None
    art: Optional[str] = None
    score: Optional[int] = None
    Image: Optional[Sequence[Picture]] = None
    Genre: Optional[Sequence[Tag]] = None
    Role: Optional[Sequence[Player]] = None
    Director: Optional[Sequence[Tag]] = None
    Studio: Optional[Sequence[Tag]] = None
    Collection: Optional[Sequence[Tag]] = None
    Rating: Optional[Sequence[Badge]] = None


class Container(Answer):
    """A page of what was asked for: ``totalSize`` counts all there is, ``size`` what is on the page."""

    offset: int = 0
    totalSize: int = 0
    identifier: str = IDENTIFIER
    size: int = 0
    Metadata: Optional[Sequence[Movie]] = None
    Image: Optional[Sequence[Picture]] = None


class Contained(Answer):
    """The answer to everything but the root."""

    MediaContainer: Container


class GuidScheme(Answer):
    """The scheme of our guids."""

    scheme: str = IDENTIFIER


class ItemType(Answer):
    """A kind of item that we have metadata for."""

    type: int = MOVIE
    Scheme: Sequence[GuidScheme] = (GuidScheme(),)


class Offer(Answer):
    """An address below the registered one. Plex appends ``key``, so it never has that one's path in it."""

    type: str
    key: str


class Provider(Answer):
    """What we are. Any further feature has side effects: one named ``images`` would switch off the next providers'."""

    identifier: str = IDENTIFIER
    title: str = TITLE
    version: str
    Types: Sequence[ItemType] = (ItemType(),)
    Feature: Sequence[Offer] = (Offer(type="metadata", key=METADATA), Offer(type="match", key=MATCHES))


class Root(Answer):
    """The answer at the registered address."""

    MediaProvider: Provider


class Refusal(Answer):
    """Why a request is not answered as it was meant."""

    error: str
