"""The provider's settings: the environment over a YAML file. A bad value falls back, and is named.

Every name is ``S2P_`` and the field in capitals, and a key of the file without the prefix.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from provider import sources
from provider.sources import PREFIX, SettingsError
from validation.settings import clean_url
from validation.text import one_line, private

DEFAULT_PORT = 9090

SECRETS = frozenset(("stash_api_key", "plex_token", "secret"))
ADDRESSES = ("stash_url", "plex_url", "base_url", "image_base_url")  # people paste ones with a password in them
NAMING = frozenset(("library_roots", "path_rules"))  # what they hold is a path that a log may have to hide
# Without these there is nothing to serve, or nothing to guard it with: no default will do.
NEEDED = ("stash_url", "secret")

ON_OFF = "true or false"
ADDRESS = "an address such as http://192.168.1.10:9999, without user and password"
KEY = "text without white space"
_SEPARATED = re.compile(r"(?:\\.|[^\\;]|\\$)+", re.DOTALL)  # by ";", while "\;" belongs to a path
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
    """Every setting, with its default; ``description`` says what a value may be. `load` reads them."""

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
        key = _text(value)
        if not key.isascii() or any(c.isspace() or not c.isprintable() for c in key):
            raise ValueError("white space or unprintable characters")
        return key

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
        found = (part[0].replace("\\;", ";").strip() for part in _SEPARATED.finditer(_text(value)))
        return tuple(filter(None, found))

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

    @property
    def asks_plex(self) -> bool:
        """Whether we know a Plex server and may ask it."""
        return bool(self.plex_url and self.plex_token.get_secret_value())


class Loaded(NamedTuple):
    """The settings in force, and a sentence for each thing in them that a person may want to correct."""

    settings: Settings
    warnings: tuple[str, ...]


def load(environ: Mapping[str, str]) -> Loaded:
    """The settings in this environment and in the file that it names; raises `SettingsError`."""
    fields = tuple(Settings.model_fields)
    from_file, unknown = sources.file(environ, fields)
    warnings = sources.unknown_names(environ, fields) + unknown
    values = {**from_file, **sources.environment(environ, Settings)}
    for name in ADDRESSES:
        _without_query(values, name, warnings)
    settings = _valid(values, warnings)
    return Loaded(_without_secret(settings, warnings), (*warnings, *_lacking(settings)))


def _without_query(values: dict[str, Any], name: str, warnings: list[str]) -> None:
    """People copy addresses with what stands behind them, and that may be a token."""
    address = values.get(name)
    if isinstance(address, str) and re.search("[?#]", address):
        values[name] = re.split("[?#]", address)[0]
        warnings.append(f"Setting {env_name(name)}: what stands behind the ? or # of the address is left out")


def _valid(values: dict[str, Any], warnings: list[str]) -> Settings:
    """The settings of these values; what is wrong is taken out of them, and named."""
    while True:
        try:
            return Settings(**values)
        except ValidationError as error:
            wrong = {tuple(problem["loc"][:2]) for problem in error.errors(include_input=False, include_url=False)}
        for place in sorted(wrong, key=str, reverse=True):  # of a list, the last entry first
            _take_out(values, str(place[0]), place[1:], warnings)


def _take_out(values: dict[str, Any], name: str, entry: tuple[Any, ...], warnings: list[str]) -> None:
    if name in NEEDED:
        raise SettingsError(_needed(name, given=name in values))
    if name == "path_rules" and entry and isinstance(values[name], list):
        del values[name][entry[0]]
        warnings.append(f"Setting {env_name(name)}: entry {entry[0] + 1} is not a path rule and is left out")
    else:
        warnings.append(_warning(name, values.pop(name)))


def _needed(name: str, given: bool) -> str:
    description = Settings.model_fields[name].description
    if given:
        return f"Setting {env_name(name)}: the given value is not {description}"
    return f"Setting {env_name(name)} is missing: give it {description}"


def _warning(name: str, value: Any) -> str:
    field = Settings.model_fields[name]
    shown = repr(value)[:80]
    if name in SECRETS or name in ADDRESSES:
        shown = "the given value"
    elif name in NAMING:
        shown = private(shown)
    used = _spoken(field.default)
    return f"Setting {env_name(name)}: {shown} is not {field.description}; its default ({used}) is used instead"


def _spoken(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if isinstance(default, (int, float)) or str(default) not in ("", "()") else "none"


def _without_secret(settings: Settings, warnings: list[str]) -> Settings:
    """The secret is put behind the address by ourselves."""
    end = "/" + settings.secret.get_secret_value()
    if end == "/" or not settings.base_url.endswith(end):
        return settings
    warnings.append(f"Setting {env_name('base_url')}: the secret at its end is left out; it is added by itself")
    return settings.model_copy(update={"base_url": settings.base_url[: -len(end)]})


def _lacking(settings: Settings) -> list[str]:
    """What was meant to work and cannot, for want of a second setting."""
    plex = (("plex_url", settings.plex_url), ("plex_token", settings.plex_token.get_secret_value()))
    missing = [env_name(name) for name, value in plex if not value]
    if len(missing) == 1:
        return [f"Setting {missing[0]} is missing: Plex is not asked, neither for its folders nor for gaps"]
    if missing and settings.heal:
        return [f"Setting {env_name('heal')} does nothing without {missing[0]} and {missing[1]}"]
    return []


def env_name(field: str) -> str:
    """What a field is called in the environment."""
    return PREFIX + field.upper()


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
