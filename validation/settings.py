"""The user's settings, read from what Stash keeps: one bad value falls back and is named, nothing else is touched."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from validation.text import private

SECRETS = frozenset(("plex_token", "plex_url", "stash_api_key"))  # people paste addresses with a password in them
NAMING = frozenset(("path_rules", "tag_exclude"))  # what they hold is a path or a name that a log may have to hide
# Used where Stash keeps nothing: a container is often given these.
ENVIRONMENT = {"plex_url": "PLEX_URL", "plex_token": "PLEX_TOKEN", "plex_library": "PLEX_LIBRARY"}

ON_OFF = "on or off"
NAMES = "names, separated by commas"
KEY = "text without white space"
INTERVALS = "never, hourly, daily or weekly"
SCOPES = "all, 24h or 7days"

# What shapes neither what is sent nor to which item: all others are part of a scene's fingerprint. Another address may
# still be the same server; whether it is one shows in its identity (`worker.executor`).
SHAPELESS = frozenset(
    (
        "plex_url", "plex_token", "stash_api_key", "enabled", "max_retries", "poll_interval", "connect_timeout",
        "read_timeout", "plex_tls_fingerprint", "trigger_plex_scan", "debug_logging", "obfuscate_paths",
        "dlq_retention_days", "reconcile_interval", "reconcile_scope", "reconcile_missing",
    )
)  # fmt: skip


class Settings(BaseModel):
    """Every setting of the plugin, with its default; ``description`` says what a value may be."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    plex_url: str = Field("", description="an address such as http://192.168.1.10:32400")
    plex_token: str = Field("", description=KEY)
    plex_tls_fingerprint: str = Field("", description="a SHA-256 fingerprint: 64 hexadecimal digits")
    plex_library: tuple[str, ...] = Field((), description=NAMES)
    stash_api_key: str = Field("", description=KEY)
    enabled: bool = Field(True, description=ON_OFF)
    path_rules: str = Field("", description="text")
    strict_matching: bool = Field(True, description=ON_OFF)
    preserve_plex_edits: bool = Field(False, description=ON_OFF)
    lock_fields: bool = Field(True, description=ON_OFF)
    organized_only: bool = Field(False, description=ON_OFF)
    trigger_plex_scan: bool = Field(False, description=ON_OFF)

    sync_master: bool = Field(True, description=ON_OFF)
    sync_title: bool = Field(True, description=ON_OFF)
    sync_studio: bool = Field(True, description=ON_OFF)
    sync_summary: bool = Field(True, description=ON_OFF)
    sync_tagline: bool = Field(True, description=ON_OFF)
    sync_date: bool = Field(True, description=ON_OFF)
    sync_performers: bool = Field(True, description=ON_OFF)
    sync_tags: bool = Field(True, description=ON_OFF)
    sync_director: bool = Field(True, description=ON_OFF)
    sync_poster: bool = Field(True, description=ON_OFF)
    sync_background: bool = Field(True, description=ON_OFF)
    sync_collection: bool = Field(True, description=ON_OFF)
    sync_rating: bool = Field(False, description=ON_OFF)
    max_tags: int = Field(100, ge=10, le=500, description="a whole number from 10 to 500")
    tag_exclude: tuple[str, ...] = Field((), description=NAMES)

    reconcile_interval: Literal["never", "hourly", "daily", "weekly"] = Field("never", description=INTERVALS)
    reconcile_scope: Literal["all", "24h", "7days"] = Field("all", description=SCOPES)
    reconcile_missing: bool = Field(True, description=ON_OFF)

    max_retries: int = Field(5, ge=1, le=20, description="a whole number from 1 to 20")
    poll_interval: float = Field(1.0, ge=0.1, le=60.0, description="a number of seconds from 0.1 to 60")
    connect_timeout: float = Field(5.0, ge=1.0, le=30.0, description="a number of seconds from 1 to 30")
    read_timeout: float = Field(30.0, ge=5.0, le=120.0, description="a number of seconds from 5 to 120")
    dlq_retention_days: int = Field(30, ge=1, le=365, description="a whole number of days from 1 to 365")
    debug_logging: bool = Field(False, description=ON_OFF)
    obfuscate_paths: bool = Field(False, description=ON_OFF)

    @field_validator("plex_url", mode="before")
    @classmethod
    def _url(cls, value: Any) -> str:
        return clean_url(value)

    @field_validator("plex_token", "stash_api_key", mode="before")
    @classmethod
    def _key(cls, value: Any) -> str:
        return clean_key(value)

    @field_validator("plex_tls_fingerprint", mode="before")
    @classmethod
    def _fingerprint(cls, value: Any) -> str:
        digits = re.sub(r"[\s:-]", "", _text(value)).lower()
        if digits and not re.fullmatch(r"[0-9a-f]{64}", digits):
            raise ValueError("not a SHA-256 fingerprint")
        return digits

    @field_validator("path_rules", mode="before")
    @classmethod
    def _rules(cls, value: Any) -> str:
        return _text(value)

    @field_validator("plex_library", "tag_exclude", mode="before")
    @classmethod
    def _names(cls, value: Any) -> tuple[str, ...]:
        names = value if isinstance(value, (list, tuple)) else _text(value).split(",")
        return tuple(name for name in map(_text, names) if name)

    @field_validator("reconcile_interval", "reconcile_scope", mode="before")
    @classmethod
    def _word(cls, value: Any) -> str:
        """People write 7 days and Daily."""
        return re.sub(r"\s+", "", _text(value)).lower()

    @field_validator("max_tags", "max_retries", "poll_interval", "connect_timeout", "read_timeout",
                     "dlq_retention_days", mode="before")  # fmt: skip
    @classmethod
    def _number(cls, value: Any) -> Any:
        """Stash's own number field takes whole numbers only, so decimals come as text, with a point or a comma."""
        if isinstance(value, bool):
            raise ValueError("not a number")
        return value.strip().replace(",", ".") if isinstance(value, str) else value

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

    @property
    def shape(self) -> str:
        """All that decides what is sent of a scene and where to, as one text: when it changes, all is compared anew."""
        return json.dumps(self.model_dump(exclude=set(SHAPELESS)), sort_keys=True)


SWITCHES = {name: field.default for name, field in Settings.model_fields.items() if isinstance(field.default, bool)}


def read(raw: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> tuple[Settings, list[str]]:
    """The settings, and one warning per value that had to fall back to its default or that nobody knows.

    ``raw`` is what Stash keeps; ``environ`` fills in what is empty there, under the names in ENVIRONMENT.
    """
    known = {name: value for name, value in raw.items() if name in Settings.model_fields and value is not None}
    warnings = [f"Setting {name[:60]!r} is unknown and ignored" for name in raw if name not in Settings.model_fields]
    values = {name: value for name, value in known.items() if not _unset(name, value)}
    for name, variable in ENVIRONMENT.items():
        if environ and environ.get(variable):
            values.setdefault(name, environ[variable])
    while True:
        try:
            return Settings.model_validate(values), warnings
        except ValidationError as error:
            for name in {str(problem["loc"][0]) for problem in error.errors()}:
                warnings.append(_warning(name, values.pop(name)))


def unset_switches(raw: Mapping[str, Any]) -> dict[str, bool]:
    """The switches that Stash keeps no value for, with their defaults: its settings page shows these as off."""
    return {name: default for name, default in SWITCHES.items() if raw.get(name) is None}


def clean_key(value: Any) -> str:
    """A token or API key that can be sent in a header; raises ValueError."""
    key = _text(value)
    if not key.isascii() or any(c.isspace() or not c.isprintable() for c in key):
        raise ValueError("white space or unprintable characters")
    return key


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


def _unset(name: str, value: Any) -> bool:
    """Whether a text field was emptied: that is no value, and no mistake."""
    return isinstance(value, str) and not value.strip() and name not in SWITCHES


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value.strip()


def _warning(name: str, value: Any) -> str:
    field = Settings.model_fields[name]
    shown = "the given value" if name in SECRETS else private(repr(value)[:80]) if name in NAMING else repr(value)[:80]
    default: Any = field.default
    used = ("on" if default else "off") if isinstance(default, bool) else repr(default) if default else "none"
    return f"Setting {name}: {shown} is not {field.description}; its default ({used}) is used instead"
