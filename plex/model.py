"""What we read from Plex, as values of our own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

_UPLOAD = re.compile(r"upload://\w+/([0-9a-f]{40})")
OPTIMISED_VERSION = "42"  # proxyType of Plex's own transcoded copies: not the user's file
LIST_ELEMENTS = {"actor": "Role", "genre": "Genre", "director": "Director", "collection": "Collection"}


@dataclass(frozen=True)
class PlexFile:
    """One file of an item: its path as Plex sees it, its size in bytes (0 when Plex does not say)."""

    path: str
    size: int


@dataclass(frozen=True)
class Listed:
    """An item as listings show it: enough to find it, never enough to compare tags (listings truncate them).

    ``guid`` is what its agent knows it by, ``local://…`` for one that is not matched, "" when Plex was not asked.
    """

    key: str
    section: str
    title: str
    files: tuple[PlexFile, ...]
    added_at: int
    guid: str = ""


@dataclass(frozen=True)
class PlexItem(Listed):
    """A whole item. ``lists`` holds actor, genre, director and collection; ``locks`` the names of locked fields.

    ``rating`` is the viewer's, "0" to "10" in half stars, "" without one. ``marks`` are the addresses of its pictures
    by kind; their last number changes with the picture.
    """

    scalars: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    locks: frozenset[str] = frozenset()
    rating: str = ""
    marks: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A library section. ``locations`` are its folders as Plex sees them.

    ``agent_id`` is the id of the agent that it is set to, where that is one of `plex.agents`.
    """

    key: str
    title: str
    type: str
    locations: tuple[str, ...]
    refreshing: bool
    agent_id: str = ""


@dataclass(frozen=True)
class Picture:
    """One picture that an item can show. ``sha1`` is that of the uploaded bytes, "" for what was never uploaded."""

    key: str
    selected: bool
    sha1: str


POSTER, BACKGROUND = "posters", "arts"  # kinds of pictures, by the name of their list in Plex's paths
PICTURES = {POSTER: "thumb", BACKGROUND: "art"}  # ... and the attribute, which is the name of their lock too
# What people call Plex's fields; the others are called as in Plex.
WORDS = {
    "originallyAvailableAt": "date",
    "actor": "performers",
    "genre": "tags",
    "thumb": "poster",
    "art": "background",
}
LOOKS = (
    "title", "studio", "summary", "tagline", "originallyAvailableAt", "userRating", "thumb", "art", "updatedAt",
)  # fmt: skip
SCALARS = ("title", "studio", "summary", "tagline", "originallyAvailableAt")


def word(field: str) -> str:
    """What people call this field."""
    return WORDS.get(field, field)


def read_section(element: Element) -> Section:
    """A ``Directory`` of ``/library/sections``."""
    get = element.attrib.get
    locations = tuple(location.attrib.get("path", "") for location in element.iterfind("Location"))
    refreshing, agent_id = get("refreshing") == "1", get("metadataAgentProviderGroupId", "")
    return Section(get("key", ""), get("title", ""), get("type", ""), locations, refreshing, agent_id)


def read_picture(element: Element) -> Picture:
    """A ``Photo`` of ``/library/metadata/{id}/posters``; an upload's key ends with the SHA-1 of its bytes."""
    key = element.attrib.get("ratingKey", "")
    upload = _UPLOAD.fullmatch(key)
    return Picture(key, element.attrib.get("selected") == "1", upload[1] if upload else "")


def read_listed(element: Element, section: str) -> Listed:
    """A ``Video`` of a listing; a listing names its section once, on the container."""
    get = element.attrib.get
    files = tuple(_files(element))
    return Listed(get("ratingKey", ""), section, get("title", ""), files, number(get("addedAt")), get("guid", ""))


def read_look(element: Element) -> str:
    """A digest of what a listing shows of an item, cut-off tags and the date of its last change included.

    The same digest means that what Plex shows is most likely the same; another one means no more than: look.
    """
    shown = [element.attrib.get(name, "") for name in LOOKS]
    shown += [f"{name} {tag}" for name in LIST_ELEMENTS.values() for tag in _tags(element, name)]
    shown += [file.path for file in _files(element)]
    return hashlib.sha1("\0".join(shown).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()[:16]


def read_item(element: Element) -> PlexItem:
    """A ``Video`` of ``/library/metadata/{ids}``."""
    get = element.attrib.get
    lists = {kind: tuple(_tags(element, name)) for kind, name in LIST_ELEMENTS.items()}
    locks = frozenset(field.attrib.get("name", "") for field in element.iterfind("Field[@locked='1']"))
    return PlexItem(
        key=get("ratingKey", ""),
        section=get("librarySectionID", ""),
        title=get("title", ""),
        files=tuple(_files(element)),
        added_at=number(get("addedAt")),
        guid=get("guid", ""),
        scalars={name: get(name, "") for name in SCALARS},
        lists=lists,
        locks=locks,
        rating=_half_stars(get("userRating", "")),
        marks={kind: get(attribute, "") for kind, attribute in PICTURES.items()},
    )


def _half_stars(text: str) -> str:
    """Plex writes 7 as ``7.0``."""
    try:
        return str(round(float(text)))
    except (ValueError, OverflowError):
        return ""


def number(text: str | None) -> int:
    """An attribute as a number, 0 for what is none."""
    try:
        return int(text or 0)
    except ValueError:
        return 0


def _files(element: Element) -> Iterable[PlexFile]:
    for media in element.iterfind("Media"):
        if media.attrib.get("proxyType") == OPTIMISED_VERSION:
            continue
        for part in media.iterfind("Part"):
            path = part.attrib.get("file")
            if path:
                yield PlexFile(path, number(part.attrib.get("size")))


def _tags(element: Element, name: str) -> Iterable[str]:
    for tag in element.iterfind(name):
        value = tag.attrib.get("tag")
        if value:
            yield value
