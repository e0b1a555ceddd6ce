"""The parts of a path rule with regular expressions that need no engine: what is refused unread, and templates."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from plex import paths
from plex.prefixes import Unusable, backslashed

LONGEST = 500  # pattern or template, in characters
# Parts of a pattern once `regex` has written out its {n}; (((a{99}){99}){99}){99} would take all memory.
MOST_COPIES = 20_000

_COUNT = re.compile(r"(.?)\{([\d\s]+)", re.DOTALL)
_NESTED = re.compile(
    r"\((?:\?:|\?P?<\w+>)?(?:\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^()\\\[])(?:[+*]|\{\d*,\})[+?]?\)(?:[+*]|\{\d*,\})"
)
_REFERENCE = re.compile(r"\\([1-9])|\\g<(\w+)>")


def refuse_bombs(pattern: str, name: str) -> None:
    """Raises `Unusable` for what would take all time or memory before a time limit could end it."""
    copies, singles = 1, len(pattern)
    for before, digits in _COUNT.findall(pattern):
        times = max(1, int("0" + "".join(digits.split())))
        if before.isalnum() or before in ("]", "."):
            singles += times
        else:
            copies *= times
    if copies * singles > MOST_COPIES:
        raise Unusable(f"{name} repeats too much with {{}}. Use smaller numbers, or + and *")
    if _NESTED.search(pattern):
        raise Unusable(f"{name} repeats a repetition, as in (a+)+, and could take forever. Repeat once: a+")


class Template:
    r"""A path with places for groups, ``\1`` to ``\9`` and ``\g<name>``; any other backslash is an ordinary character.

    ``groups`` are the names and numbers that the pattern has, ``name`` says which pattern that is.
    """

    def __init__(self, text: str, groups: Mapping[str, int], name: str) -> None:
        if len(text) > LONGEST:
            raise Unusable(f"its template is longer than {LONGEST} characters. Shorten it")
        self._share = re.match("//[^/]", text) is not None
        self._parts: list[tuple[str, int]] = []  # the text before each group, and the group
        end = 0
        for found in _REFERENCE.finditer(text):
            group = found[1] or found[2]
            if group not in groups:
                raise Unusable(
                    f"its template names group {group[:30]}, which {name} does not have. Correct one of them"
                )
            self._parts.append((text[end : found.start()], groups[group]))
            end = found.end()
        self._rest = text[end:]

    def fill(self, found: Any, from_windows: bool) -> str | None:
        """The path for a match, with its system's separators, or None when that system cannot write it.

        A backslash may be part of a name on POSIX systems and never on Windows.
        """
        groups = [found[group] or "" for _, group in self._parts]
        path = self._with(groups)
        if self._share or paths.is_windows(path):
            return backslashed(path) if from_windows or not any("\\" in group for group in groups) else None
        return self._with([group.replace("\\", "/") for group in groups]) if from_windows else path

    def _with(self, groups: list[str]) -> str:
        return "".join(text + group for (text, _), group in zip(self._parts, groups)) + self._rest


def forms(path: str) -> list[str]:
    """The spellings of a path that a pattern may be written for."""
    plain = paths.short(path)
    spellings = [plain]
    if paths.is_windows(path):
        spellings = [plain.replace("/", "\\"), plain.replace("\\", "/")]
    return list(dict.fromkeys(form for one in spellings for form in (one, unicodedata.normalize("NFC", one))))
