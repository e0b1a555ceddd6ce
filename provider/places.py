"""Whole libraries in little memory: which scene has a file, the texts of each, and whether a folder holds a path."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
import zlib
from array import array
from collections.abc import Iterator

from plex import paths

BUCKETS = 4_096
BLOCK = 256

_LIKE_WINDOWS = re.compile(r"[a-z]:/|//")


class Numbers:
    """Numbers by a text, of which only a digest is kept: 16 bytes for each pair, and never a moment's rearranging."""

    def __init__(self) -> None:
        self._digests = [array("Q") for _ in range(BUCKETS)]
        self._numbers = [array("q") for _ in range(BUCKETS)]

    def put(self, text: str, number: int) -> None:
        """One more number for this text."""
        digest = _digest(text)
        self._digests[digest % BUCKETS].append(digest)
        self._numbers[digest % BUCKETS].append(number)

    def get(self, text: str) -> Iterator[int]:
        """The numbers of this text, in the order in which they came."""
        digest = _digest(text)
        digests = self._digests[digest % BUCKETS]
        if digest in digests:
            yield from (held for each, held in zip(digests, self._numbers[digest % BUCKETS]) if each == digest)


class Index:
    """Numbers by a path. Paths that are `paths.same` meet, in whatever form of their system they come."""

    def __init__(self) -> None:
        self._held = Numbers()
        self._empty = True

    def put(self, path: str, number: int) -> None:
        """The path belongs to this number."""
        self._empty = False
        for key in _kept(path):
            self._held.put(key, number)

    def get(self, path: str) -> Iterator[int]:
        """The numbers to which this path belongs, some perhaps twice."""
        for key in () if self._empty else _looked_up(path):
            yield from self._held.get(key)


class Shelf:
    """Texts by their number, from 0, packed in blocks. Cheap to read in order."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._last: list[list[str]] = []
        self._open: tuple[int, list[list[str]]] = (-1, [])

    def put(self, *texts: str) -> None:
        """The texts of the next number."""
        self._last.append([*texts])
        if len(self._last) == BLOCK:
            self._packed.append(zlib.compress(json.dumps(self._last).encode("ascii"), 1))
            self._last = []

    def get(self, number: int) -> list[str]:
        """The texts of a number that was put."""
        block, place = divmod(number, BLOCK)
        if block == len(self._packed):
            return self._last[place]
        if self._open[0] != block:
            self._open = block, json.loads(zlib.decompress(self._packed[block]))
        return self._open[1][place]


class Root:
    """A folder of a library: its names compare as on the system it belongs to."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._exact, self._loose = (form(folder).rstrip("/") + "/" for form in (_nfc, _folded))

    def holds(self, path: str) -> bool:
        """Whether the path lies below this folder."""
        if paths.is_windows(path) or paths.is_windows(self._folder):
            return _folded(path).startswith(self._loose)
        return _nfc(path).startswith(self._exact)


def _kept(path: str) -> Iterator[str]:
    """The keys under which a path is held: a POSIX path also as it compares with one of Windows, should it look so."""
    folded = _folded(path)
    if paths.is_windows(path):
        yield "windows:" + folded
        return
    yield "posix:" + _nfc(path)
    if _LIKE_WINDOWS.match(folded):
        yield "either:" + folded


def _looked_up(path: str) -> Iterator[str]:
    """The keys under which all paths are held that are the same as this one."""
    folded = _folded(path)
    if paths.is_windows(path):
        yield "windows:" + folded
        yield "either:" + folded
        return
    yield "posix:" + _nfc(path)
    if _LIKE_WINDOWS.match(folded):
        yield "windows:" + folded


def _digest(text: str) -> int:
    """64 bits: of 100,000 texts looked up among 100,000 others, one meets another's in two thousand million tries."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _folded(path: str) -> str:
    """As `paths.same` compares a path when one side is Windows."""
    return _nfc(paths.short(path).replace("\\", "/")).casefold()


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
