"""What Plex must show of a scene after a run: a second, small description of the rules, without a word of the code."""

from __future__ import annotations

import copy
import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Any

from plex.projection import project
from tests.worker.steps import Stage
from validation import scene as scenes
from validation.settings import Settings

SCALARS = ("title", "studio", "summary", "tagline", "originallyAvailableAt")
PLURALS = {"actor": "actors", "genre": "genres", "director": "directors", "collection": "collections"}
FOLDERS = {"posters": "posters", "arts": "art"}  # kind of picture -> folder of its uploads
LOCKS = {"posters": "thumb", "arts": "art"}


def folds(names: Iterable[str]) -> set[str]:
    """Names as Plex compares them."""
    return {unicodedata.normalize("NFC", name).strip().casefold() for name in names}


def look(stage: Stage, scene: int) -> dict[str, Any]:
    """What Plex shows of a scene, in a form that can be compared."""
    item = stage.item(scene)
    shown: dict[str, Any] = {name: item[name] for name in (*SCALARS, "userRating")}
    shown.update({kind: folds(item[plural]) for kind, plural in PLURALS.items()})
    shown["locks"] = set(item["locks"])
    for kind in FOLDERS:
        shown[kind] = next((each["ratingKey"] for each in item[kind] if each["selected"]), "")
    return shown


class Expected:
    """What one scene's item must show: changed by `push`, and from outside where a person changed it."""

    def __init__(self, shown: dict[str, Any], preserve: bool) -> None:
        self.shown, self.preserve = shown, preserve
        self.ours: dict[str, set[str]] = {kind: set() for kind in PLURALS}
        self.by_people: set[tuple[str, str]] = set()  # tags that we did not add
        self._pushed: Any = None
        self._cover = ""

    def push(self, stage: Stage, scene: int, force: bool) -> None:
        """The scene as Stash has it now was brought to Plex, unless it is unfinished or unchanged."""
        row, cover = stage.stash.scene(scene), _sha1(stage.stash.library.scene(scene).cover)
        finished = any(row[name] for name in ("studio", "performers", "tags", "details")) or _date(row)
        if not finished or not (row["organized"] or not stage.session.settings.organized_only):
            return
        now = project(scenes.parse({**row, "id": scene}), Settings(sync_rating=True))
        if not force and now == self._pushed and cover in ("", self._cover):
            return
        before = copy.deepcopy(self.shown)
        wanted = stage.wanted(scene)
        lists = {kind: folds(wanted[plural]) for kind, plural in PLURALS.items()}
        summary = unicodedata.normalize("NFC", row["details"])
        scalars = {**{name: wanted[name] for name in SCALARS}, "summary": summary, "originallyAvailableAt": _date(row)}
        self._texts(scalars)
        for kind, names in lists.items():
            self._tags(kind, names)
        self._rate(row["rating100"])
        if cover:
            self._picture(cover, force)
        if not self.preserve:
            said = {name for name, value in {**scalars, **lists}.items() if value or self.shown[name] != before[name]}
            self.shown["locks"] |= said | (set(LOCKS.values()) if cover else set())
        self._pushed, self._cover = now, cover or self._cover

    def _texts(self, wanted: dict[str, str]) -> None:
        for name, text in wanted.items():
            free = not self.shown[name] and name not in self.shown["locks"]
            if free if self.preserve else text or name != "title":
                self.shown[name] = text

    def _tags(self, kind: str, wanted: set[str]) -> None:
        have, ours = self.shown[kind], self.ours[kind]
        if self.preserve and kind in self.shown["locks"]:
            self.ours[kind] = ours & wanted
            return
        cautious = self.preserve or kind == "collection"
        taken_away_by_people = ours - have if self.preserve else set()
        self.ours[kind] = ours & wanted | wanted - have
        kept = have - (ours - wanted) if cautious else have & wanted
        self.shown[kind] = kept | wanted - taken_away_by_people

    def _rate(self, rating100: int | None) -> None:
        if rating100 is not None and not 0 < rating100 <= 100:
            rating100 = None
        stars = "" if rating100 is None else str(max(1, int(rating100 / 10 + 0.5)))
        if not (self.preserve and self.shown["userRating"]):
            self.shown["userRating"] = stars

    def _picture(self, cover: str, force: bool) -> None:
        same = cover == self._cover
        for kind, folder in FOLDERS.items():
            ours = f"upload://{folder}/{self._cover}"
            a_persons = self.shown[kind].startswith("upload://") and self.shown[kind] != ours
            locked = LOCKS[kind] in self.shown["locks"]
            if not (same or locked or a_persons if self.preserve else same and not force):
                self.shown[kind] = f"upload://{folder}/{cover}"


def _sha1(cover: bytes | None) -> str:
    return hashlib.sha1(cover, usedforsecurity=False).hexdigest() if cover else ""


def _date(row: dict[str, Any]) -> str:
    text = row["date"] or ""
    return "" if text == "0000-00-00" else text + {4: "-01-01", 7: "-01"}.get(len(text), "")
