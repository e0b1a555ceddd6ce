"""From the model to the elements of Plex's answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional
from urllib.parse import quote

from tests.doubles.plex_model import Collection, Item, MediaFile, Section
from tests.doubles.plex_render import Element
from tests.doubles.plex_tags import Tag

FLAGS = {"mediaTagPrefix": "/system/bundle/media/flags/", "mediaTagVersion": 1775731696}
LIBRARY = "com.plexapp.plugins.library"
_MEDIA: dict[str, Any] = {
    "bitrate": 3250,
    "width": 1280,
    "height": 720,
    "aspectRatio": 1.78,
    "audioChannels": 1,
    "audioCodec": "aac",
    "videoCodec": "h264",
    "videoResolution": "720",
    "videoFrameRate": "NTSC",
    "videoProfile": "high",
    "hasVoiceActivity": False,
}
_NAMES = {"actor": "Role"}
# The order in which the recorded listing shows them, and how many of each (plex.md A.3).
_LISTED = (("genre", 2), ("country", None), ("director", None), ("writer", None), ("actor", 3))
_FULL = ("genre", "country", "director", "writer", "producer", "actor", "similar", "collection", "label")


def video(item: Item, full: bool, extras: bool = False) -> Element:
    """Write an item, as a listing shows it (truncated) or in full."""
    children = [_media(item, each, full) for each in item.files]
    children += _images(item)
    if full:
        children += _full_tags(item)
    else:
        children += _listed_tags(item)
        children += _listing_extras(item) if extras else []
    return Element("Video", _video_attrs(item, full), children)


def _video_attrs(item: Item, full: bool) -> dict[str, Any]:
    return {
        "ratingKey": str(item.key),
        "key": f"/library/metadata/{item.key}",
        "guid": item.guid,
        "slug": item.slug or None,
        "studio": item.studio or None,
        "type": "movie",
        "title": item.title,
        **(_home(item.section) if full else {}),
        "titleSort": item.titleSort or None,
        "originalTitle": item.originalTitle or None,
        "editionTitle": item.editionTitle or None,
        "contentRating": item.contentRating or None,
        "summary": item.summary,
        "rating": _decimal(item.rating),
        "audienceRating": _decimal(item.audienceRating),
        "userRating": _decimal(item.userRating),
        "year": int(item.year) if item.year.isdigit() else None,
        "tagline": item.tagline or None,
        "thumb": thumb_path(item, "thumb", item.thumb_n),
        "art": thumb_path(item, "art", item.art_n),
        "duration": item.duration or None,
        "originallyAvailableAt": item.originallyAvailableAt or None,
        "addedAt": int(float(item.addedAt)) if item.addedAt else None,
        "updatedAt": item.updated_at,
    }


def _home(shown: Section) -> dict[str, Any]:
    return {
        "librarySectionTitle": shown.title,
        "librarySectionID": int(shown.key),
        "librarySectionKey": f"/library/sections/{shown.key}",
    }


def _decimal(text: str) -> Optional[float]:
    return float(text) if text else None


def thumb_path(item: Item, kind: str, number: int) -> Optional[str]:
    """Return the path of the selected picture; its number changes with the picture."""
    return f"/library/metadata/{item.key}/{kind}/{number}" if number else None


def _media(item: Item, each: MediaFile, full: bool) -> Element:
    container = each.file.rsplit(".", 1)[-1] if "." in each.file else None
    attrs: dict[str, Any] = {"id": each.id, "duration": item.duration or None}
    attrs.update(_MEDIA)
    attrs["container"] = container
    attrs.update(each.media or {})
    part: dict[str, Any] = {
        "id": each.id,
        "key": f"/library/parts/{each.id}/{item.section.created_at}/file.{container or 'mp4'}",
        "duration": item.duration or None,
        "file": each.file,
        "size": each.size,
        "container": container,
        "videoProfile": "high",
    }
    part.update(each.part or {})
    return Element("Media", attrs, [Element("Part", part, _streams(each) if full else [])])


def _streams(each: MediaFile) -> list[Element]:
    frames = {"streamType": 1, "default": True, "codec": "h264", "index": 0, "height": 720, "width": 1280}
    sound = {"streamType": 2, "selected": True, "codec": "aac", "index": 1, "channels": 1}
    return [Element("Stream", {"id": each.id * 2 + number, **facts}) for number, facts in enumerate((frames, sound))]


def _images(item: Item) -> list[Element]:
    title = item.title
    pictures = (("coverPoster", "thumb", item.thumb_n), ("background", "art", item.art_n))
    made = [
        Element("Image", {"alt": title, "type": kind, "url": thumb_path(item, field, number)})
        for kind, field, number in pictures
        if number
    ]
    if item.thumb_n:
        colors = {"topLeft": "49053c", "topRight": "0404f7", "bottomRight": "0404f7", "bottomLeft": "ae0343"}
        made.append(Element("UltraBlurColors", colors))
    return made


def element_name(kind: str) -> str:
    """Return the element that shows a kind of tags."""
    return _NAMES.get(kind) or kind.capitalize()


def _listed_tags(item: Item) -> list[Element]:
    return [
        Element(element_name(kind), {"tag": tag.name}) for kind, most in _LISTED for tag in getattr(item, kind)[:most]
    ]


def _listing_extras(item: Item) -> list[Element]:
    kinds = ("collection", "label")
    return [Element(element_name(kind), {"tag": tag.name}) for kind in kinds for tag in getattr(item, kind)] + _fields(
        item
    )


def _full_tags(item: Item) -> list[Element]:
    return [
        Element(element_name(kind), _tag_attrs(item, tag)) for kind in _FULL for tag in getattr(item, kind)
    ] + _fields(item)


def _tag_attrs(item: Item, tag: Tag) -> dict[str, Any]:
    attrs: dict[str, Any] = {"id": tag.id, "filter": f"{tag.kind}={tag.id}", "tag": tag.name}
    if tag.kind == "actor":
        attrs["tagKey"] = f"{tag.id:024x}"
        attrs["role"] = (item.roles or {}).get(tag.id)
        attrs["thumb"] = tag.thumb or None
    return attrs


def _fields(item: Item) -> list[Element]:
    return [Element("Field", {"locked": True, "name": name}) for name in sorted(item.locks)]


def collection(shown: Collection, count: int) -> Element:
    """Write a collection, as a listing and as a detail."""
    path = f"/library/collections/{shown.key}/children"
    attrs: dict[str, Any] = {
        "ratingKey": str(shown.key),
        "key": path,
        "guid": f"collection://{shown.key}",
        "type": "collection",
        "title": shown.tag.name,
        "subtype": "movie",
        "summary": shown.summary,
        "index": shown.tag.id,
        "librarySectionID": int(shown.section.key),
        "librarySectionTitle": shown.section.title,
        "librarySectionKey": f"/library/sections/{shown.section.key}",
        "addedAt": shown.added_at,
        "updatedAt": shown.added_at,
        "childCount": str(count),
    }
    return Element("Directory", attrs, [], "Metadata")


def section(shown: Section) -> Element:
    """Write a section as /library/sections shows it."""
    attrs: dict[str, Any] = {
        "allowSync": True,
        "art": "/:/resources/movie-fanart.jpg",
        "composite": f"/library/sections/{shown.key}/composite/{shown.scanned_at}",
        "filters": True,
        "refreshing": shown.refreshing,
        "thumb": "/:/resources/movie.png",
        "key": shown.key,
        "type": shown.type,
        "title": shown.title,
        "agent": shown.agent,
        "scanner": "Plex Movie",
        "language": "en-US",
        "uuid": shown.uuid,
        "metadataAgentProviderGroupId": shown.group,
        "updatedAt": shown.created_at,
        "createdAt": shown.created_at,
        "scannedAt": shown.scanned_at,
        "content": True,
        "directory": True,
        "contentChangedAt": shown.changes,
        "hidden": 0,
    }
    places = [Element("Location", {"id": number, "path": path}) for number, path in enumerate(shown.locations, 1)]
    return Element("Directory", attrs, places)


def section_attrs(shown: Section, title2: str) -> dict[str, Any]:
    """Return the attributes of a listing's container, without its counts."""
    return {
        "allowSync": True,
        "art": "/:/resources/movie-fanart.jpg",
        "content": None,
        "identifier": LIBRARY,
        "librarySectionID": int(shown.key),
        "librarySectionTitle": shown.title,
        "librarySectionUUID": shown.uuid,
        **FLAGS,
        "thumb": "/:/resources/movie.png",
        "title1": shown.title,
        "title2": title2,
        "viewGroup": "movie",
        "viewMode": "65592",
    }


def directories(pairs: Iterable[Any]) -> list[Element]:
    """Write a menu of (key, title) pairs."""
    return [Element("Directory", {"key": key, "title": title}) for key, title in pairs]


def tag_choice(shown: Section, tag: Tag) -> Element:
    """Write one choice of a tag filter."""
    path = f"/library/sections/{shown.key}/all?{tag.kind}={tag.id}"
    return Element("Directory", {"fastKey": path, "key": str(tag.id), "title": tag.name})


def picture(item: Item, kind: str, key: str, selected: bool, provider: Optional[str]) -> Element:
    """Write one entry of the list of pictures."""
    path = key if key.startswith("http") else f"/library/metadata/{item.key}/file?url={quote(key, safe='')}"
    attrs = {"key": path, "ratingKey": key, "selected": selected, "thumb": path, "provider": provider}
    return Element("Photo", attrs)
