"""What Plex and a metadata provider say to each other: names, guids, and every answer as a model.

A field that is None is left out of the answer, so that Plex can fill it from the agent's next provider; empty texts and
empty lists are never sent. Names are Plex's own: arrays in the capitalised singular, single values in camel case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Optional

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

IDENTIFIER = "tv.plex.agents.custom.stash2plex"  # Plex takes none without "tv.plex.agents.custom."
TITLE = "Stash2Plex"
MOVIE = 1
METADATA = "/library/metadata"
MATCHES = "/library/metadata/matches"
COVER_POSTER, BACKGROUND = "coverPoster", "background"
LARGEST_ID = 2**63 - 1

_GUID = re.compile(re.escape(IDENTIFIER) + r"://movie/([0-9]{1,19})(?:\?.*)?", re.DOTALL)
_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TRUE = ("1", "true", "True")


class Malformed(ValueError):
    """A request that is not one of Plex's; the text says what is wrong with it and shows nothing of it."""


def guid(scene: int) -> str:
    """The guid of a scene. Without the type in it Plex would accept a match and then never ask for the item."""
    return f"{IDENTIFIER}://movie/{scene}"


def scene_of(text: str) -> int | None:
    """The scene that a guid of ours means, None for any other guid."""
    found = _GUID.fullmatch(text)
    return _in_range(int(found[1])) if found else None


def scene_at(key: str) -> int | None:
    """The scene that a rating key in a path means, None for one that cannot be ours; raises Malformed."""
    if not _KEY.fullmatch(key):
        raise Malformed("A rating key has only letters, digits, _ and -")
    return _in_range(int(key)) if key.isdecimal() and len(key) <= 19 else None


def _in_range(id: int) -> int | None:
    return id if 0 < id <= LARGEST_ID else None


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


class Question(BaseModel):
    """The body of a match request. Plex sends numbers, numeric texts and booleans for the same flag: all are read.

    ``hashes`` are the values of every field that may hold a hash of the file, in the order of trust. ``unknown`` are
    the names of fields that nobody has described yet.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    type: int
    title: str = ""
    year: Optional[int] = None
    guid: str = ""
    filename: str = ""
    manual: bool = False
    includeAdult: bool = False

    @field_validator("type", mode="before")
    @classmethod
    def _type(cls, value: Any) -> int:
        number = _whole(value)
        if number is None:
            raise ValueError("type is no number")
        return number

    @field_validator("year", mode="before")
    @classmethod
    def _year(cls, value: Any) -> Optional[int]:
        number = _whole(value)
        return number if number is not None and 0 < number < 10_000 else None

    @field_validator("title", "guid", "filename", mode="before")
    @classmethod
    def _text(cls, value: Any, info: ValidationInfo) -> str:
        return value if isinstance(value, str) else ""

    @field_validator("manual", "includeAdult", mode="before")
    @classmethod
    def _flag(cls, value: Any) -> bool:
        return value is True or value == 1 or value in _TRUE

    @property
    def hashes(self) -> list[str]:
        """What stands in the fields that may hold a hash; nobody has documented any of them."""
        extra = self.model_extra or {}
        return [value for name in HASHES for value in [extra.get(name)] if isinstance(value, str)]

    @property
    def unknown(self) -> list[str]:
        """Names of fields that the contract does not have."""
        return [name for name in self.model_extra or {} if name not in DOCUMENTED]


HASHES = ("openSubtitlesHash", "openSubtitleHash", "oshash", "ohash", "hash")
DOCUMENTED = frozenset(
    (
        "parentTitle", "grandparentTitle", "index", "parentIndex", "date", "includeChildren", "episodeOrder",
        "includeElements", "includeFields", "excludeElements", "excludeFields",
    )
)  # fmt: skip


def question(body: bytes) -> Question:
    """Read the body of a match request; raises Malformed."""
    try:
        return Question.model_validate_json(body)
    except ValueError:
        raise Malformed("The body of a match request is a JSON object with the number type in it") from None


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    text = str(value) if isinstance(value, str) or abs(value) < 10**9 else ""
    return int(text) if text.isascii() and text.lstrip("-").isdecimal() and len(text) < 10 else None


class Refusal(Answer):
    """Why a request is not answered as it was meant."""

    error: str
