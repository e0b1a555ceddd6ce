"""The file tree of an item: the one place where Plex shows hashes of files."""

from __future__ import annotations

from typing import Any

from tests.doubles.plex_model import Item, MediaFile
from tests.doubles.plex_render import Element

_FRAMES: dict[str, Any] = {
    "type": 1,
    "codec": "h264",
    "bitDepth": 8,
    "chromaLocation": "left",
    "chromaSubsampling": "4:2:0",
    "codedHeight": 720,
    "codedWidth": 1280,
    "colorRange": "tv",
    "frameRate": "30.000",
    "hasScalingMatrix": False,
    "height": 720,
    "level": 31,
    "profile": "high",
    "refFrames": 4,
    "requiredBandwidths": "2687,2687,2687,2687,2687,2687,2687,2687",
    "scanType": "progressive",
    "width": 1280,
}
_SOUND: dict[str, Any] = {
    "type": 2,
    "channels": 1,
    "codec": "aac",
    "requiredBandwidths": "110,110,110,110,110,110,110,110",
    "samplingRate": 44100,
}


def tree(item: Item) -> Element:
    """Write the item's files with their hashes."""
    media = [Element("MediaItem", {"id": each.id}, [_tree_part(item, each)]) for each in item.files]
    attrs = {
        "id": item.key,
        "title": item.title,
        "guid": item.guid,
        "parentTitle": "",
        "instanceRatingKey": "",
        "index": 1,
        "originallyAvailableAt": item.originallyAvailableAt or None,
        "refreshedAt": item.updated_at,
    }
    return Element("MetadataItem", attrs, media)


def _tree_part(item: Item, each: MediaFile) -> Element:
    attrs = {
        "id": each.id,
        "file": each.file,
        "size": each.size,
        "openSubtitleHash": f"{each.size:016x}",
        "hash": f"{each.id:040x}",
        "duration": item.duration or None,
    }
    streams = (_FRAMES, _SOUND)
    children = [
        Element("MediaStream", {"id": each.id * 2 + number, "index": number, **facts})
        for number, facts in enumerate(streams)
    ]
    return Element("MediaPart", attrs, children)
