"""The provider's settings: the environment over a YAML file. A bad value falls back, and is named.

Every name is ``S2P_`` and the field in capitals, and a key of the file without the prefix.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from provider import sources
from provider.fields import ADDRESSES, DEFAULT_PORT, NAMING, NEEDED, SECRETS, RuleText, Settings
from provider.sources import PREFIX, SettingsError
from validation.text import private

__all__ = [
    "ADDRESSES",
    "DEFAULT_PORT",
    "SECRETS",
    "Loaded",
    "RuleText",
    "Settings",
    "SettingsError",
    "env_name",
    "load",
]


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
        for place in sorted(wrong, key=lambda place: (place[0], *place[1:]), reverse=True):  # the last entry first
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
