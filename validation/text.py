"""Text made safe once, at the border: whatever Stash holds, the same input gives the same, harmless output."""

from __future__ import annotations

import datetime
import re
import unicodedata
from functools import lru_cache

TITLE_LENGTH = 255
TAG_LENGTH = 255
TAGLINE_LENGTH = 255
SUMMARY_LENGTH = 5_000

# Control characters but for tab and line feed, lone surrogates, and the two code points that are no characters.
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DATE_PARTS = {4: "-01-01", 7: "-01", 10: ""}
# Around a path or a title inside one of our sentences, for `stash.log`: it takes the marks away, or masks what they
# hold. Neither XML nor our own cleaned texts can contain these two characters.
PRIVATE, PUBLIC = "\x0e", "\x0f"


def one_line(text: str | None, limit: int) -> str:
    """NFC text in one line, without control characters, lone surrogates or white space at its ends."""
    return _cut(" ".join(_safe(text or "").split()), limit)


def paragraphs(text: str | None, limit: int) -> str:
    """Like `one_line`, but line breaks stay, as ``\\n``."""
    lines = _safe((text or "").replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    return _cut("\n".join(line.rstrip() for line in lines).strip(), limit)


def full_date(text: str | None) -> str:
    """``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` as a full date, "" for what is none; Stash has partial dates."""
    candidate = (text or "").strip()
    candidate += _DATE_PARTS.get(len(candidate), "?")
    try:
        date = datetime.date.fromisoformat(candidate).isoformat()
    except ValueError:
        return ""
    return date if date == candidate else ""  # newer Pythons read week dates too


def distinct(names: list[str]) -> tuple[str, ...]:
    """The names that differ when folded, in their order, empty ones left out."""
    seen: dict[str, str] = {}
    for name in names:
        if name:
            seen.setdefault(folded(name), name)
    return tuple(seen.values())


@lru_cache(maxsize=4_096)  # one library has the same few thousand names again and again
def folded(name: str) -> str:
    """How two tags are compared: Plex shares one row between spellings that differ in case only."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def private(text: str) -> str:
    """A path or title for use inside a sentence: the log shows it, or a code in its place when it has to be hidden."""
    return PRIVATE + text.replace(PRIVATE, "").replace(PUBLIC, "") + PUBLIC


def _safe(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unicodedata.normalize("NFC", _HARMFUL.sub(_harmless, whole))


def _harmless(found: re.Match[str]) -> str:
    """A space for a control character that separates, nothing for what XML cannot carry."""
    return " " if found[0].isspace() else ""


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
