"""What Plex's scanner tells a provider about a file: a title and a year made of its name, and where it lies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tests.doubles.plex_model import basename

_YEAR = re.compile(r"(?<!\d)(19\d\d|20\d\d)(?!\d)")
# What stands in the field ``filename`` is documented as a relative path and nowhere shown (provider.md 2.1).
FORMS = ("relative", "slash", "root_name", "absolute", "basename", "backslashes")


def guess(file: str) -> dict[str, Any]:
    """Return the title of a file name, and the year when something in there looks like one."""
    stem = basename(file).rsplit(".", 1)[0]
    words = re.sub(r"[._\[\](){}]+", " ", stem)
    years = _YEAR.findall(words)
    title = " ".join(_YEAR.sub(" ", words).split()) or stem
    return {"title": title, **({"year": int(years[0])} if years else {})}


def filename(file: str, locations: Iterable[str], form: str) -> str:
    """Return the file's path as the field ``filename`` has it, in one of FORMS."""
    root = max((each for each in locations if _below(file, each)), key=len, default="")
    inner = file[len(root.rstrip("/\\")) :].lstrip("/\\") if root else basename(file)
    whole = {
        "relative": inner,
        "slash": "/" + inner.replace("\\", "/"),
        "root_name": basename(root.rstrip("/\\")) + ("\\" if "\\" in root else "/") + inner,
        "absolute": file,
        "basename": basename(file),
        "backslashes": inner.replace("/", "\\"),
    }
    return whole[form]


def _below(file: str, folder: str) -> bool:
    bare = folder.rstrip("/\\")
    return file.startswith((bare + "/", bare + "\\"))


def match_body(file: str, locations: Iterable[str], form: str = "relative", **more: Any) -> dict[str, Any]:
    """Return the body of the match request for a file that was just found; ``more`` are fields to add."""
    return {"type": 1, **guess(file), "filename": filename(file, locations, form), **more}
