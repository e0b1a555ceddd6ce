"""One folder as two systems name it: the plain form of a path rule, such as ``/data => D:\\media``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from plex import paths
from validation.text import private

LONGEST_SHOWN = 200  # of a rule or a path inside a sentence

_DRIVE = re.compile(r"[A-Za-z]:(?:[\\/]|$)")
_SHARE = re.compile(r"(?://|\\\\)[^\\/]")
_EXPRESSION = re.compile(r"^\^|\.[*+]|\(\?|\[\^|\\g<")


class Unusable(ValueError):
    """Why a rule is disabled and what to do, as the end of a sentence about it."""


class Prefix:
    """A folder, and what lies below it. Windows names compare without case and with either slash, POSIX names exactly.

    Raises `Unusable` for anything but a full path.
    """

    def __init__(self, text: str) -> None:
        self.windows = is_windows(text)
        if not self.windows and not text.startswith("/"):
            hint = "Begin it with /, with a drive such as D:\\ or with \\\\server\\share"
            raise Unusable(f"{shown(text)} is not a full path. {hint}")
        plain = backslashed(paths.short(text)) if self.windows else re.sub("/+", "/", text)
        self._separator = "\\" if self.windows else "/"
        self._parts = plain.rstrip(self._separator).split(self._separator)
        self._keys = [self._key(part) for part in self._parts]

    def below(self, path: str) -> list[str] | None:
        """The names that lead from this folder to the path, none to the folder itself; None when it lies elsewhere."""
        plain = paths.short(path).replace("/", "\\") if self.windows else path
        parts = plain.split(self._separator)
        depth = len(self._keys)
        if [self._key(part) for part in parts[:depth]] != self._keys:
            return None
        return [] if parts[depth:] == [""] else parts[depth:]

    def join(self, names: Sequence[str]) -> str | None:
        """The path to which the names lead from this folder; None when they cannot be written here.

        A backslash may be part of a name on POSIX systems and never on Windows.
        """
        if self.windows and any("\\" in name for name in names):
            return None
        path = self._separator.join([*self._parts, *names])
        return path + self._separator if len(self._parts) == 1 and not names else path  # "/" and "D:\" keep theirs

    def _key(self, name: str) -> str:
        whole = unicodedata.normalize("NFC", name)
        return whole.casefold() if self.windows else whole


def folders(text: str) -> tuple[Prefix, Prefix]:
    """The folder of Stash and the folder of Plex in ``/data => /media``; raises `Unusable`."""
    sides = [side.strip() for side in text.split("=>")]
    if len(sides) < 2:
        raise Unusable("it has no =>. Write the folder in Stash, =>, and the same folder in Plex: /data => /media")
    if len(sides) > 2:
        raise Unusable(
            "it has more than one =>. Separate two rules by ; (behind a folder that ends in a backslash put a space "
            "first), and the two directions of a regular expression by | with spaces around it"
        )
    if any(map(_EXPRESSION.search, sides)):
        raise Unusable(
            "it looks like a regular expression with one direction. Write both: "
            "Stash pattern => Plex template | Plex pattern => Stash template"
        )
    return Prefix(sides[0]), Prefix(sides[1])


def move(path: str, source: Prefix, target: Prefix) -> str | None:
    """The path with one folder in place of the other, or None when it does not lie below the first."""
    names = source.below(path)
    return None if names is None else target.join(names)


def is_windows(text: str) -> bool:
    """Whether a person means a drive or a share: in a rule, a share may be written with slashes."""
    return _DRIVE.match(text) is not None or _SHARE.match(text) is not None


def backslashed(text: str) -> str:
    """A Windows path in its usual form; several separators in a row are one, at the beginning (a share) two."""
    plain = text.replace("/", "\\")
    head = "\\\\" if plain.startswith("\\\\") else ""
    return head + re.sub(r"\\+", r"\\", plain[len(head) :].lstrip("\\") if head else plain)


def shown(text: str) -> str:
    """A rule or a path for use inside a sentence."""
    return private(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…")
