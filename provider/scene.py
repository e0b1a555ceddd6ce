"""A scene as the provider needs it: the plugin's `Scene`, and what only Plex's questions ask for."""

from __future__ import annotations

from typing import Any, Optional

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from validation import scene, text
from validation.errors import Kind, Trouble

_DEFAULT_PICTURE = "default=true"  # in a performer's image_path when Stash would only draw a silhouette


class Person(BaseModel):
    """A performer. ``pictured`` tells whether Stash has a picture of them."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    updated_at: str = ""
    pictured: bool = False

    @field_validator("name", mode="before")
    @classmethod
    def _name(cls, value: Any) -> str:
        return text.one_line(value if isinstance(value, str) else "", text.TAG_LENGTH)

    @model_validator(mode="before")
    @classmethod
    def _picture(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        path = raw.get("image_path")
        return {**raw, "pictured": isinstance(path, str) and path != "" and _DEFAULT_PICTURE not in path}


class Brief(BaseModel):
    """A scene as a comparison of whole libraries needs it."""

    model_config = ConfigDict(frozen=True)

    id: int
    title: str = ""
    paths: tuple[str, ...] = ()

    @field_validator("title", mode="before")
    @classmethod
    def _title(cls, value: Any) -> str:
        return text.one_line(value if isinstance(value, str) else "", text.TITLE_LENGTH)

    @model_validator(mode="before")
    @classmethod
    def _paths(cls, raw: Any) -> Any:
        return {**raw, "paths": _paths_in(raw)} if isinstance(raw, dict) else raw


class Entry(scene.Scene):
    """A scene, cleaned. ``date`` is full or empty as in `Scene`, but never padded: ``year`` keeps what is known of it.

    ``studios`` are its studio and that one's parents, ``groups`` the names of its groups when they were asked for;
    ``duration_ms`` is that of the first file.
    """

    year: Optional[int] = None
    duration_ms: Optional[int] = None
    studios: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of its files, as Stash has them."""
        return tuple(file.path for file in self.files)

    @model_validator(mode="before")
    @classmethod
    def _more(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        stated = raw.get("date")
        whole = text.full_date(stated if isinstance(stated, str) else "")
        more: dict[str, Any] = {
            "date": whole if isinstance(stated, str) and len(stated.strip()) == len(whole) else "",
            "year": int(whole[:4]) if whole else None,
            "duration_ms": _duration_ms(raw.get("files")),
            "studios": text.distinct([text.one_line(name, text.TITLE_LENGTH) for name in _studios(raw.get("studio"))]),
            "people": _people(raw.get("performers")),
            "groups": text.distinct([text.one_line(name, text.TAG_LENGTH) for name in _groups(raw.get("groups"))]),
        }
        return {**raw, **more}


def parse(raw: Any) -> Entry:
    """Read one scene of an answer; raises Trouble (permanent) when it has not the shape of a scene."""
    try:
        return Entry.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Trouble(Kind.PERMANENT, f"Stash's answer has a scene that cannot be read: {where}") from None


def brief(raw: Any) -> Brief:
    """Read a scene of a comparison's page; raises Trouble as `parse` does."""
    try:
        return Brief.model_validate(raw)
    except ValidationError:
        raise Trouble(Kind.PERMANENT, "Stash's answer has a scene that cannot be read") from None


def _paths_in(raw: dict[str, Any]) -> tuple[str, ...]:
    rows = raw.get("files")
    found = [row.get("path") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return tuple(path for path in found if isinstance(path, str))


def _duration_ms(files: Any) -> int | None:
    first = files[0] if isinstance(files, list) and files and isinstance(files[0], dict) else {}
    seconds = first.get("duration")
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 < seconds < 10**6:
        return None
    return round(seconds * 1_000)


def _studios(studio: Any) -> list[str]:
    names = []
    while isinstance(studio, dict) and isinstance(studio.get("name"), str):
        names.append(studio["name"])
        studio = studio.get("parent_studio")
    return names


def _people(rows: Any) -> tuple[Person, ...]:
    people: dict[str, Person] = {}
    for row in rows if isinstance(rows, list) else []:
        person = Person.model_validate(row)
        if person.name:
            people.setdefault(text.folded(person.name), person)
    return tuple(people.values())


def _groups(rows: Any) -> list[str]:
    """Stash has ``groups{group{name}}`` since v0.27."""
    found = [row.get("group") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [one["name"] for one in found if isinstance(one, dict) and isinstance(one.get("name"), str)]
