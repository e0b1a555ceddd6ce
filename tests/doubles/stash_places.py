"""Which scenes may have a file at a path, so that a look-up by path costs the same in a library of any size.

The comparison is Stash's: a LIKE, in which % and _ are wildcards and upper and lower case are alike.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Callable

_BASE_NAME = re.compile(r"[^/\\]*\Z")
_LITERAL_END = re.compile(r"[^%_]*\Z")
# What `re` takes for an i without case, and casefold() does not.
_KINDS_OF_I = dict.fromkeys((0x130, 0x131), "i")
_LAST = chr(0x10FFFF)


def like(pattern: str) -> Callable[[str], bool]:
    """The test of SQL's LIKE, which EQUALS on text is in Stash. Each text is like itself, and that is seen at once."""
    return lambda text: text == pattern or _expression(pattern).fullmatch(text) is not None


@lru_cache(4096)
def _expression(pattern: str) -> re.Pattern[str]:
    """What stands between two ``%`` is taken where it is first found, which is enough, and never looked for again.

    With a mere ``.*`` the time would double with each ``%``. A group that was looked ahead at is not gone back into.
    """
    first, *parts = ["".join("." if c == "_" else re.escape(c) for c in part) for part in pattern.split("%")]
    last = ".*" + parts.pop() if parts else ""
    found = [f"(?=(.*?{part}))\\{number}" for number, part in enumerate(filter(None, parts), 1)]
    return re.compile(first + "".join(found) + last, re.IGNORECASE | re.DOTALL)


class Places:
    """By base name, every path that a scene has or once had: whoever is told of a scene looks at its files.

    Promised scenes are described when the first path is looked up, and not made.
    """

    def __init__(self) -> None:
        self._known: dict[str, list[tuple[int, str]]] = {}
        self._backwards: list[str] = []
        self._promised: list[tuple[Sequence[int], Callable[[int], str]]] = []

    def add(self, number: int, path: str) -> None:
        """The scene of this number has a file there now."""
        self._known.setdefault(_folded(_BASE_NAME.search(path)), []).append((number, path))

    def promise(self, numbers: Sequence[int], path_of: Callable[[int], str]) -> None:
        """So will these scenes, where `path_of` says."""
        self._promised.append((numbers, path_of))

    def clear(self) -> None:
        """Nothing is anywhere any more."""
        self._known.clear()
        self._promised.clear()

    def like(self, pattern: str) -> set[int]:
        """The numbers of scenes that have, or had, a file whose path is like this."""
        self._describe()
        fits = like(pattern)
        return {number for name in self._names(pattern) for number, path in self._known[name] if fits(path)}

    def _describe(self) -> None:
        for numbers, path_of in self._promised:
            for number in numbers:
                self.add(number, path_of(number))
        self._promised.clear()

    def _names(self, pattern: str) -> Sequence[str]:
        """The base names in question: the one that is said, or all with the end behind the last wildcard."""
        end = _LITERAL_END.search(pattern)
        name = _BASE_NAME.search(pattern)
        if end and name and end.start() < name.start():
            return [said for said in [_folded(name)] if said in self._known]
        return self._ending(_folded(end))

    def _ending(self, end: str) -> Sequence[str]:
        if len(self._backwards) != len(self._known):  # names are never taken out one by one
            self._backwards = sorted(name[::-1] for name in self._known)
        first = bisect.bisect_left(self._backwards, end[::-1])
        return [name[::-1] for name in self._backwards[first : bisect.bisect_left(self._backwards, end[::-1] + _LAST)]]


def _folded(found: re.Match[str] | None) -> str:
    """Equal for all texts that `re` takes for equal without case."""
    return found[0].translate(_KINDS_OF_I).casefold() if found else ""
