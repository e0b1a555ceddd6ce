"""The `directory` query: the folders in a folder, or those whose names begin like a path that is none."""

import os
import re
import unicodedata
from typing import Any, Optional

from tests.doubles.stash_go import go_error

PUNCTUATION = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"


def directory(path: Optional[str], locale: Optional[str]) -> dict[str, Any]:
    """What Stash says of a path; OSError with its words when not even the parent can be listed."""
    at = path or os.path.expanduser("~")
    where, entries = _listed(at)
    folders = [name for name, is_folder in sorted(entries) if is_folder]
    if locale is not None:
        folders.sort(key=_collated)
    return {
        "path": at,
        "parent": None if at == "/" else os.path.normpath(at + "/.."),
        "directories": [os.path.normpath(os.path.join(where, name)) for name in folders],
    }


def _listed(path: str) -> tuple[str, list[tuple[str, bool]]]:
    """(folder, its entries); for a path that cannot be listed those of its parent that begin with its last part."""
    try:
        return path, _entries(path)
    except (OSError, ValueError):
        parent, last = _parent(path), os.path.basename(path.rstrip("/")).lower()
    try:
        found = _entries(parent)
    except (OSError, ValueError) as error:
        raise OSError(f"open {parent}: {go_error(error)}") from None
    return parent, [entry for entry in found if last in ("", ".") or entry[0].lower().startswith(last)]


def _parent(path: str) -> str:
    """Cut at the last separator: the parent of a path that ends in one is the path itself."""
    return os.path.normpath(os.path.dirname(path) or ".")


def _entries(path: str) -> list[tuple[str, bool]]:
    """(name, is it a folder); the path itself may be a link, a link in it is no folder."""
    with os.scandir(path) as entries:
        return [(_utf8(entry.name), entry.is_dir(follow_symlinks=False)) for entry in entries]


def _utf8(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "replace")


def _collated(name: str) -> list[tuple[int, Any]]:
    """The order of a language: punctuation first, numbers by value, neither case nor accents."""
    plain = [char for char in unicodedata.normalize("NFKD", name).casefold() if not unicodedata.combining(char)]
    return [_rank(part) for part in re.findall("[0-9]+|[^0-9]", "".join(plain))]


def _rank(part: str) -> tuple[int, Any]:
    if part in PUNCTUATION:
        return 0, PUNCTUATION.index(part)
    return (1, int(part)) if part.isdigit() and part.isascii() else (2, part)
