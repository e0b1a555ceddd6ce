"""Strict schemas of every answer that a metadata provider gives: what Plex documents (provider.md 1.2 to 1.6), no more.

``check_root``, ``check_match`` and so on take a document and return it. Besides its shape they hold together what says
the same thing twice: sizes, and the key of an item in its three places.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from jsonschema import Draft202012Validator

IDENTIFIER = "tv.plex.agents.custom.stash2plex"
KEY = r"^[A-Za-z0-9_-]+$"
GUID = r"^tv\.plex\.agents\.custom\.stash2plex://movie/[A-Za-z0-9_-]+$"
PATH = r"^/library/metadata/[A-Za-z0-9_-]+$"
DATE = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
URL = r"^https?://[A-Za-z0-9._~\[\]:-]+(/[^\s\"<>\\^`{|}]*)?$"
FEATURE = r"^(/[A-Za-z0-9_-]+)+$"
BADGES = (
    "imdb://image.rating",
    "themoviedb://image.rating",
    "rottentomatoes://image.rating.ripe",
    "rottentomatoes://image.rating.upright",
)
PICTURES = ("background", "backgroundSquare", "clearLogo", "coverPoster", "snapshot")

Schema = dict[str, Any]


def _object(required: tuple[str, ...], **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _list(of: Schema, least: int = 1, **more: Any) -> Schema:
    return {"type": "array", "items": of, "minItems": least, **more}


def _pattern(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


TEXT: Schema = {"type": "string", "minLength": 1, "pattern": r"\S"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TAG = _object(("tag",), tag=TEXT, originalTag=TEXT)
PERSON = _object(("tag",), tag=TEXT, thumb=_pattern(URL), role=TEXT, order={"type": "integer", "minimum": 1})
IMAGE = _object(("type", "url"), type={"enum": list(PICTURES)}, url=_pattern(URL), alt=TEXT)
RATING = _object(
    ("image", "type", "value"),
    image={"enum": list(BADGES)},
    type={"enum": ["audience", "critic"]},
    value={"type": "number", "minimum": 0, "maximum": 10},
)
FIELDS: dict[str, Schema] = {
    "ratingKey": _pattern(KEY),
    "key": _pattern(PATH),
    "guid": _pattern(GUID),
    "type": {"const": "movie"},
    "title": TEXT,
    "originallyAvailableAt": _pattern(DATE),
    "year": {"type": "integer", "minimum": 1, "maximum": 9999},
    "isAdult": {"type": "boolean"},
    "duration": {"type": "integer", "minimum": 1},
    "thumb": _pattern(URL),
    "art": _pattern(URL),
    **dict.fromkeys(("summary", "tagline", "studio", "contentRating", "originalTitle", "titleSort"), TEXT),
    "Image": _list(IMAGE),
    "Rating": _list(RATING),
    "Guid": _list(_object(("id",), id=_pattern(r"^[a-z0-9.+-]+://\S+$"))),
    **dict.fromkeys(("Role", "Director", "Producer", "Writer"), _list(PERSON)),
    **dict.fromkeys(("Genre", "Studio", "Country", "Collection"), _list(TAG)),
}
SCORE: Schema = {"type": "integer", "minimum": 0, "maximum": 100}
CANDIDATE = _object(("guid", "type", "title", "ratingKey", "key"), **FIELDS, score=SCORE)
ITEM = _object(("guid", "type", "title", "ratingKey", "key"), **FIELDS)


def _container(required: tuple[str, ...], **lists: Schema) -> Schema:
    pages = {"offset": COUNT, "totalSize": COUNT, "size": COUNT, "identifier": {"const": IDENTIFIER}}
    inner = _object((*pages, *required), **pages, **lists)
    return _object(("MediaContainer",), MediaContainer=inner)


_ROOT = _object(
    ("identifier", "title", "Types", "Feature"),
    identifier={"const": IDENTIFIER},
    title=TEXT,
    version=TEXT,
    Types=_list(
        _object(
            ("type", "Scheme"),
            type={"const": 1},
            Scheme=_list(_object(("scheme",), scheme={"const": IDENTIFIER}), maxItems=1),
        ),
        maxItems=1,
    ),
    Feature=_list(
        _object(("type", "key"), type={"enum": ["metadata", "match"]}, key=_pattern(FEATURE)),
        least=2,
        maxItems=2,
        uniqueItems=True,
    ),
)
SCHEMAS: dict[str, Schema] = {
    "root": _object(("MediaProvider",), MediaProvider=_ROOT),
    "match": _container(("Metadata",), Metadata=_list(CANDIDATE, least=0)),
    "metadata": _container(("Metadata",), Metadata=_list(ITEM, maxItems=1)),
    "images": _container((), Image=_list(IMAGE)),
    "empty": _container((), Metadata=_list(ITEM, least=0, maxItems=0)),
    "error": _object(("error",), error=TEXT),
}
_VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}


def check(kind: str, document: Any) -> Any:
    """Return the document; an AssertionError that names every fault when it is not an answer of this kind."""
    faults = [
        f"{'/'.join(map(str, error.absolute_path)) or 'the document'}: {error.message[:200]}"
        for error in _VALIDATORS[kind].iter_errors(document)
    ]
    if not faults:
        faults = _contradictions(kind, document)
    assert not faults, f"not an answer of kind {kind}: " + "; ".join(faults)
    return document


check_root, check_match, check_metadata = partial(check, "root"), partial(check, "match"), partial(check, "metadata")
check_images, check_empty, check_error = partial(check, "images"), partial(check, "empty"), partial(check, "error")


def _contradictions(kind: str, document: Any) -> list[str]:
    """What the schema cannot see: places that have to agree."""
    if kind == "root":
        types = [feature["type"] for feature in document["MediaProvider"]["Feature"]]
        return [] if sorted(types) == ["match", "metadata"] else ["one feature is named twice"]
    return [] if kind == "error" else _of_container(kind, document["MediaContainer"])


def _of_container(kind: str, container: Any) -> list[str]:
    rows = container.get("Image" if kind == "images" else "Metadata", [])
    faults = []
    if container["size"] != len(rows):
        faults.append(f"size {container['size']} for {len(rows)} rows")
    if container["offset"] + container["size"] > max(container["totalSize"], container["offset"]):
        faults.append("the page ends behind totalSize")
    return faults + [fault for row in container.get("Metadata", []) for fault in _of_item(row)]


def _of_item(row: Any) -> list[str]:
    key, faults = row["ratingKey"], []
    if row["guid"].rpartition("/")[2] != key or row["key"].rpartition("/")[2] != key:
        faults.append(f"guid, key and ratingKey of {key} do not agree")
    date = row.get("originallyAvailableAt")
    if date and row.get("year", int(date[:4])) != int(date[:4]):
        faults.append(f"year and date of {key} do not agree")
    order = [person["order"] for person in row.get("Role", []) if "order" in person]
    if order != sorted(set(order)):
        faults.append(f"the roles of {key} are not in their order")
    return faults
