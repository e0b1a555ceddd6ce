"""Paths as two programs on perhaps two systems see them: when they are the same, and what their base name is."""

from __future__ import annotations

import re
import unicodedata

_WINDOWS = re.compile(r"^(?:[A-Za-z]:[\\/]|\\\\)")
_LONG_PREFIXES = (("\\\\?\\UNC\\", "\\\\"), ("\\\\?\\", ""))


def is_windows(path: str) -> bool:
    """Whether this is a path with a drive letter or a share."""
    return _WINDOWS.match(path) is not None


def base_name(path: str) -> str:
    """The last part of the path; a backslash separates only in Windows paths."""
    plain = path.replace("\\", "/") if is_windows(path) else path
    return plain.rpartition("/")[2]


def same(one: str, other: str) -> bool:
    """Whether both name the same file: Windows paths without case and with either slash, POSIX paths exactly.

    Unicode forms are equal: macOS volumes hand out decomposed names.
    """
    if is_windows(one) or is_windows(other):
        return _fold(one) == _fold(other)
    return _nfc(one) == _nfc(other)


def same_name(one: str, other: str) -> bool:
    """Whether two paths, each in its own system's form, have the same base name."""
    left, right = _nfc(base_name(one)), _nfc(base_name(other))
    if is_windows(one) or is_windows(other):
        return left.casefold() == right.casefold()
    return left == right


def folders_in_common(one: str, other: str) -> int:
    """How many folder names agree, from the file upwards, without case: the roots differ between two containers."""
    count = 0
    for left, right in zip(reversed(_folders(one)), reversed(_folders(other))):
        if left != right:
            break
        count += 1
    return count


def short(path: str) -> str:
    """The path without the prefix that Windows needs for more than 260 characters."""
    for prefix, instead in _LONG_PREFIXES:
        if path.startswith(prefix):
            return instead + path[len(prefix) :]
    return path


def name_key(path: str) -> str:
    """A key under which all paths with the same base name fall; more may, so compare with `same_name` after."""
    return _nfc(base_name(path)).casefold()


def _folders(path: str) -> list[str]:
    plain = path.replace("\\", "/") if is_windows(path) else path
    return [_nfc(part).casefold() for part in plain.split("/")[:-1] if part]


def _fold(path: str) -> str:
    return _nfc(short(path).replace("\\", "/")).casefold()


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
