"""Where settings come from: the environment, and the YAML file that it names. What they may be is in `settings`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic_settings import BaseSettings, EnvSettingsSource

from validation.text import one_line

PREFIX = "S2P_"
CONFIG = "S2P_CONFIG"


class SettingsError(Exception):
    """The provider cannot start; the message says which setting is to blame, and never holds a secret."""


def environment(environ: Mapping[str, str], model: type[BaseSettings]) -> dict[str, Any]:
    """What the environment holds, by field; without what is empty.

    A value in quotes is taken out of them: ``docker run --env-file`` leaves them on.
    """
    source = EnvSettingsSource(model)
    plain = ((name.lower(), re.sub(r"""^(["'])(.*)\1$""", r"\2", text.strip())) for name, text in environ.items())
    source.env_vars = {name: text for name, text in plain if text}
    return source()


def file(environ: Mapping[str, str], fields: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """What the file named in the environment holds, by field, and a sentence per key that nobody reads.

    Raises `SettingsError`, which quotes nothing of the file.
    """
    path = environ.get(CONFIG, "").strip()
    held = _mapping(path) if path else {}
    known = [field for field in fields if field != "config"]
    sentences = [_sentence(name, _bare(name), known) for name in held if name not in known]
    return {name: held[name] for name in known if not _unset(held.get(name))}, sentences


def unknown_names(environ: Mapping[str, str], fields: Sequence[str]) -> list[str]:
    """A sentence per name in the environment that looks like one of ours and is none."""
    known = [PREFIX + field.upper() for field in fields]
    names = sorted(name for name in environ if name.upper().startswith(PREFIX))
    return [_sentence(name, name.upper(), known) for name in names if name.upper() not in known]


def _mapping(path: str) -> dict[str, Any]:
    try:
        held = yaml.safe_load(Path(path).read_bytes())
    except OSError as error:
        raise SettingsError(f"The file in S2P_CONFIG cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise SettingsError(f"The file in S2P_CONFIG is not YAML{f' (line {mark.line + 1})' if mark else ''}") from None
    if not isinstance(held, (dict, type(None))):
        raise SettingsError("The file in S2P_CONFIG has to hold lines such as stash_url: http://192.168.1.10:9999")
    return {str(name): value for name, value in (held or {}).items()}


def _sentence(name: str, like: str, known: Sequence[str]) -> str:
    meant = difflib.get_close_matches(like, known, n=1)
    hint = f"; did you mean {meant[0]}?" if meant else ""
    return f"Setting {one_line(name, 60)} is unknown and ignored{hint}"


def _bare(name: str) -> str:
    """A key of the file as its nearest known name might be written."""
    low = name.lower().replace("-", "_")
    return low[len(PREFIX) :] if low.startswith(PREFIX.lower()) else low


def _unset(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
