"""The user's settings, read from what Stash keeps: one bad value falls back and is named, nothing else is touched."""

from __future__ import annotations

from typing import Any, Optional
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

SECRETS = frozenset(("plex_token", "plex_url"))  # people paste addresses with a password or a token in them


class Settings(BaseModel):
    """Every setting of the plugin, with its default."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    plex_url: str = Field("", description="an address such as http://192.168.1.10:32400")
    plex_token: str = Field("", description="the token as text without white space")
    plex_library: tuple[str, ...] = Field((), description="library names, separated by commas")
    enabled: bool = Field(True, description="on or off")
    strict_matching: bool = Field(True, description="on or off")
    preserve_plex_edits: bool = Field(False, description="on or off")

    @field_validator("plex_url", mode="before")
    @classmethod
    def _url(cls, value: Any) -> str:
        return clean_url(value)

    @field_validator("plex_token", mode="before")
    @classmethod
    def _token(cls, value: Any) -> str:
        token = _text(value)
        if not token.isascii() or any(c.isspace() or not c.isprintable() for c in token):
            raise ValueError("white space or unprintable characters")
        return token

    @field_validator("plex_library", mode="before")
    @classmethod
    def _library(cls, value: Any) -> tuple[str, ...]:
        names = value if isinstance(value, (list, tuple)) else _text(value).split(",")
        return tuple(name for name in map(_text, names) if name)

    @property
    def lacks(self) -> str:
        """One sentence for what must be set before anything can be sent, "" when all is there."""
        missing = [name for name, value in (("plex_url", self.plex_url), ("plex_token", self.plex_token)) if not value]
        if not missing:
            return ""
        return (
            f"Setting {' and '.join(missing)} is missing: changes are kept and will be sent once it is set "
            "under Settings > Plugins > Stash2Plex"
        )


def read(raw: dict[str, Any]) -> tuple[Settings, list[str]]:
    """The settings and one warning per value that had to fall back to its default, naming setting, value and range."""
    values = {name: value for name, value in raw.items() if name in Settings.model_fields and value is not None}
    warnings: list[str] = []
    while True:
        try:
            return Settings.model_validate(values), warnings
        except ValidationError as error:
            for name in {str(problem["loc"][0]) for problem in error.errors()}:
                warnings.append(_warning(name, values.pop(name)))


def clean_url(value: Any) -> str:
    """An address people type, as scheme, host and port: ``http://`` when no scheme is given, nothing after the port."""
    address = _text(value)
    if not address:
        return ""
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise ValueError("not an http address")
    path = (parts.path + "/").partition("/web/")[0]  # as copied from a browser
    port = f":{parts.port}" if parts.port else ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{path.rstrip('/')}"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value.strip()


def _warning(name: str, value: Any) -> str:
    field = Settings.model_fields[name]
    shown = "the given value" if name in SECRETS else repr(value)[:80]
    default: Optional[Any] = field.default
    used = ("on" if default else "off") if isinstance(default, bool) else repr(default) if default else "none"
    return f"Setting {name}: {shown} is not {field.description}; its default ({used}) is used instead"
