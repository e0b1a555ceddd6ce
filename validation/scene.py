"""A scene as we use it, read from Stash's GraphQL answer."""

from __future__ import annotations

from typing import Any, Optional

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from validation import text
from validation.errors import Kind, Trouble


class SceneFile(BaseModel):
    """One file of a scene: its path as Stash sees it, its size in bytes."""

    model_config = ConfigDict(frozen=True)

    path: str
    size: int = 0


class Scene(BaseModel):
    """One scene, cleaned: texts are safe and within limits, the date is full or empty, names are distinct."""

    model_config = ConfigDict(frozen=True)

    id: int
    title: str = ""
    code: str = ""
    details: str = ""
    director: str = ""
    date: str = ""
    rating100: Optional[int] = None
    organized: bool = False
    updated_at: str = ""
    studio: str = ""
    performers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    files: tuple[SceneFile, ...] = ()

    @field_validator("title", "director", "studio", mode="before")
    @classmethod
    def _title(cls, value: Any) -> str:
        return text.one_line(_named(value), text.TITLE_LENGTH)

    @field_validator("code", mode="before")
    @classmethod
    def _code(cls, value: Any) -> str:
        return text.one_line(_optional(value), text.TAGLINE_LENGTH)

    @field_validator("details", mode="before")
    @classmethod
    def _details(cls, value: Any) -> str:
        return text.paragraphs(_optional(value), text.SUMMARY_LENGTH)

    @field_validator("date", mode="before")
    @classmethod
    def _date(cls, value: Any) -> str:
        return text.full_date(_optional(value))

    @field_validator("rating100", mode="before")
    @classmethod
    def _rating(cls, value: Any) -> Optional[int]:
        """1 to 100; whatever else there may be is no rating."""
        return value if type(value) is int and 0 < value <= 100 else None

    @field_validator("performers", "tags", mode="before")
    @classmethod
    def _names(cls, value: Any) -> tuple[str, ...]:
        rows: list[Any] = value if isinstance(value, list) else []
        return text.distinct([text.one_line(_named(row), text.TAG_LENGTH) for row in rows])

    @property
    def says_nothing(self) -> bool:
        """Whether the scene is unfinished: with none of these there is nothing to tell Plex, and nothing to wipe."""
        return not (self.studio or self.performers or self.tags or self.details or self.date)


def parse(raw: Any) -> Scene:
    """Read one scene of an answer; raises Trouble (permanent) when it has not the shape of a scene."""
    try:
        return Scene.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Trouble(
            Kind.PERMANENT, f"Stash's answer has a scene that cannot be read: {where}: {first['msg']}"
        ) from None


def _optional(value: Any) -> Optional[str]:
    return value if isinstance(value, str) else None


def _named(value: Any) -> Optional[str]:
    return _optional(value.get("name") if isinstance(value, dict) else value)
