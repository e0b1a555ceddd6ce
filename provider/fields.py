"""Every setting of the provider: what it may be, how it is cleaned, and its default. `provider.settings` reads them."""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from plex.rules import separated
from provider.sources import PREFIX
from validation.settings import clean_key, clean_url
from validation.text import one_line

DEFAULT_PORT = 9090

SECRETS = frozenset(("stash_api_key", "plex_token", "secret"))
ADDRESSES = ("stash_url", "plex_url", "base_url", "image_base_url")  # people paste ones with a password in them
NAMING = frozenset(("library_roots", "path_rules"))  # what they hold is a path that a log may have to hide
# Without these there is nothing to serve, or nothing to guard it with: no default will do.
NEEDED = ("stash_url", "secret")

ON_OFF = "true or false"
ADDRESS = "an address such as http://192.168.1.10:9999, without user and password"
KEY = "text without white space"
# What the address bar of a browser shows behind the address of Stash.
_STASH_PAGE = re.compile(r"/(graphql|playground|login|settings|scenes|performers|studios|tags)(/.*)?$")


class RuleText(BaseModel):
    """One or several path rules as they were written, with the Plex library they are for and a pair to try them on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str = Field(min_length=1)
    plex_library_root: str = ""
    test_plex_path: str = ""
    test_stash_path: str = ""


class Settings(BaseSettings):
    """Every setting, with its default; ``description`` says what a value may be."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix=PREFIX, enable_decoding=False)

    stash_url: str = Field(min_length=1, description=ADDRESS)
    stash_api_key: SecretStr = Field(SecretStr(""), description=KEY)
    stash_verify: bool = Field(True, description=ON_OFF)
    plex_url: str = Field("", description=ADDRESS)
    plex_token: SecretStr = Field(SecretStr(""), description=KEY)
    plex_library: str = Field("", description="the title or the number of a library")

    host: str = Field("0.0.0.0", description="an address of this computer, such as 0.0.0.0 for all")
    port: int = Field(DEFAULT_PORT, ge=0, le=65_535, description="a whole number from 1 to 65535")
    base_url: str = Field("", description=ADDRESS)
    image_base_url: str = Field("", description=ADDRESS)
    secret: SecretStr = Field(SecretStr(""), description="8 to 128 letters, digits, - or _")
    allowed_hosts: tuple[str, ...] = Field((), description="names of hosts, separated by commas")

    library_roots: tuple[str, ...] = Field((), description="folders, separated by semicolons")
    path_rules: tuple[RuleText, ...] = Field((), description="a path rule")

    gaps_interval: Literal["manual", "hourly", "daily", "weekly"] = Field(
        "daily", description="manual, hourly, daily or weekly"
    )
    heal: bool = Field(False, description=ON_OFF)

    poster: Literal["original", "fit", "crop"] = Field("original", description="original, fit or crop")
    content_rating: str = Field("", description="text")
    strict_adult: bool = Field(False, description=ON_OFF)
    max_tags: int = Field(100, ge=10, le=500, description="a whole number from 10 to 500")
    collections: bool = Field(False, description=ON_OFF)
    ratings: Literal["", "imdb", "tmdb", "rottentomatoes"] = Field(
        "", description="imdb, tmdb, rottentomatoes or empty"
    )

    cache_s: float = Field(300, ge=0, le=86_400, description="a number of seconds from 0 to 86400")
    concurrency: int = Field(256, ge=1, le=10_000, description="a whole number from 1 to 10000")
    deadline_s: float = Field(25, ge=1, le=85, description="a number of seconds from 1 to 85")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug, info, warning or error")
    show_paths: bool = Field(False, description=ON_OFF)
    config: str = Field("", description="the path of a YAML file")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Whoever makes settings from values gets these values, whatever the environment holds."""
        return (init_settings,)

    @field_validator("stash_url", mode="before")
    @classmethod
    def _stash(cls, value: Any) -> str:
        return _STASH_PAGE.sub("", _address(value))

    @field_validator("plex_url", "base_url", "image_base_url", mode="before")
    @classmethod
    def _url(cls, value: Any) -> str:
        return _address(value)

    @field_validator("stash_api_key", "plex_token", mode="before")
    @classmethod
    def _key(cls, value: Any) -> str:
        return clean_key(_text(value))

    @field_validator("secret", mode="before")
    @classmethod
    def _secret(cls, value: Any) -> str:
        secret = _text(value)
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{8,128}", secret):
            raise ValueError("not a segment of an address")
        return secret

    @field_validator("host", mode="before")
    @classmethod
    def _host(cls, value: Any) -> str:
        host = _text(value).strip("[]")
        if not re.fullmatch(r"[\w.:%-]+", host):
            raise ValueError("not an address")
        return host

    @field_validator("plex_library", "content_rating", mode="before")
    @classmethod
    def _line(cls, value: Any) -> str:
        return one_line(_text(value), 255)

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: Any) -> tuple[str, ...]:
        names = value if isinstance(value, (list, tuple)) else re.split(r"[,;\s]+", _text(value))
        return tuple(name.lower() for name in map(_text, names) if name)

    @field_validator("library_roots", mode="before")
    @classmethod
    def _roots(cls, value: Any) -> tuple[str, ...]:
        if isinstance(value, (list, tuple)):
            return tuple(filter(None, map(_text, value)))
        return tuple(separated(_text(value)))

    @field_validator("path_rules", mode="before")
    @classmethod
    def _rules(cls, value: Any) -> list[Any]:
        entries = value if isinstance(value, (list, tuple)) else [value]
        return [{"rule": entry.strip()} if isinstance(entry, str) else entry for entry in entries]

    @field_validator("gaps_interval", "poster", "ratings", "log_level", mode="before")
    @classmethod
    def _word(cls, value: Any) -> str:
        word = _text(value).lower()
        return "" if word == "none" else word


def _address(value: Any) -> str:
    """As the plugin cleans it; besides, nothing that no address has, since it ends up in requests and headers."""
    cleaned = clean_url(value)
    if re.search(r"""[\s"'<>\\^`{|}\x00-\x1f\x7f]""", cleaned) or not (urlsplit(cleaned).hostname or not cleaned):
        raise ValueError("not an http address")
    return cleaned


def _text(value: Any) -> str:
    """YAML makes a number of what looks like one."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value.strip()
