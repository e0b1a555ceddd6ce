"""What Plex asks in a match request, whichever way it writes numbers and flags."""

from __future__ import annotations

from typing import Any, Optional

from pydantic import BaseModel, ConfigDict, field_validator

from provider.contract import Malformed

_TRUE = ("1", "true", "True")
HASHES = ("openSubtitlesHash", "openSubtitleHash", "oshash", "ohash", "hash")
DOCUMENTED = frozenset(
    (
        "parentTitle", "grandparentTitle", "index", "parentIndex", "date", "includeChildren", "episodeOrder",
        "includeElements", "includeFields", "excludeElements", "excludeFields",
    )
)  # fmt: skip


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
    def _text(cls, value: Any) -> str:
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


def read(body: bytes) -> Question:
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
