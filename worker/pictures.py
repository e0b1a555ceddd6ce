"""Pictures: a scene's cover becomes its item's poster and background, uploaded only when it changed.

Every different picture stays in Plex for ever (no call removes an upload), and equal bytes are stored once under their
SHA-1. So that is how we tell them apart; always bytes are sent, never an address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from plex.client import PlexClient
from plex.exceptions import BrokenOff, TimedOut
from plex.model import BACKGROUND, PICTURES, POSTER, Picture, PlexItem
from stash import log
from stash.client import StashClient
from sync_queue.settlement import LogEntry
from validation.errors import Kind, Trouble

COMPONENT = "Worker"
NAMES = {POSTER: "poster", BACKGROUND: "background"}
PARTS = frozenset((Kind.PERMANENT, Kind.TOO_LARGE, Kind.UNEXPECTED))  # what may befall one field of a scene alone


@dataclass(frozen=True)
class Cover:
    """A scene's cover by the SHA-1 of its bytes, "" when it has none; ``etag`` is Stash's name for it."""

    sha1: str = ""
    etag: str = ""
    content: Callable[[], bytes] = field(default=lambda: b"", compare=False)


NO_COVER = Cover()


@dataclass(frozen=True)
class Plan:
    """What is to be done about one picture: "" for nothing, "choose" one that Plex has already, or "send" it."""

    act: str = ""
    picture: str = ""


NOTHING, SEND = Plan(), Plan("send")


@dataclass(frozen=True)
class Brought:
    """What came of an item's pictures: those shown, by kind with their address ("" unknown), those sent, the failed.

    ``earlier`` are those of ours, as (kind, SHA-1), that it may show where it does not show the cover.
    """

    shown: Mapping[str, str]
    sent: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    earlier: tuple[tuple[str, str], ...] = ()


class Pictures:
    """Reads covers from Stash and brings them to Plex. With ``preserve`` a picture that a person chose stays."""

    def __init__(self, stash: StashClient, plex: PlexClient, preserve: bool) -> None:
        self._stash, self._plex, self._preserve = stash, plex, preserve
        self._unsure: set[tuple[str, str, str]] = set()  # sent, and not in the log: Plex went away meanwhile

    def cover(self, scene: int, before: LogEntry | None) -> Cover:
        """The scene's cover; Stash sends its bytes only when it is another one than ``before``."""
        known = before if before is not None and before.cover and before.etag else None
        try:
            found = self._stash.cover(scene, known.etag if known else "")
        except Trouble as trouble:
            if trouble.kind is not Kind.TOO_LARGE:
                raise
            log.warning(COMPONENT, f"Scene {scene} keeps its picture in Plex: {trouble.message}")
            return NO_COVER
        if found is None:
            return NO_COVER
        if known and found.unchanged:
            return Cover(known.cover, known.etag, lambda: self._content(scene))
        digest = hashlib.sha1(found.content, usedforsecurity=False).hexdigest()
        return Cover(digest, found.etag, lambda: found.content)

    def bring(
        self, item: PlexItem, kinds: tuple[str, ...], cover: Cover, before: LogEntry | None, force: bool
    ) -> Brought:
        """Let the item show the cover in these kinds; what fails for this item alone is in ``failed``.

        ``force`` looks whether Plex still shows what we sent earlier. Raises Trouble when Plex is away.
        """
        shown: dict[str, str] = dict(before.pictures) if before and before.cover == cover.sha1 else {}
        sent, failed = [], {}
        for kind in kinds:
            try:
                new = self._show(item, kind, cover, before, force)
                if new or force or kind not in shown:  # else nobody looked: what it shows now may be a person's
                    shown[kind] = "" if new else item.marks.get(kind, "")
                sent += [NAMES[kind]] * new
            except Trouble as trouble:
                if trouble.kind not in PARTS:
                    raise
                shown.pop(kind, None)
                failed[NAMES[kind]] = trouble.message
        self._unsure -= {one for one in self._unsure if one[0] == item.key}
        earlier = {(kind, sha1) for kind in NAMES if kind not in shown for sha1 in _ours(before, kind)}
        earlier |= {(kind, cover.sha1) for kind in kinds if NAMES[kind] in failed}
        return Brought(shown, tuple(sent), failed, tuple(sorted(earlier)))

    def plan(self, item: PlexItem, kind: str, cover: Cover, before: LogEntry | None, force: bool) -> Plan:
        """What has to be done so that the item shows the cover. Only reads, and mostly without asking Plex."""
        known = before.pictures.get(kind) if before is not None and before.cover == cover.sha1 else None
        same = known is not None
        if same and not (force and known != (item.marks.get(kind) or "?")):
            return NOTHING
        if self._preserve and PICTURES[kind] in item.locks:
            return NOTHING
        if same or self._preserve or (item.key, kind, cover.sha1) in self._unsure:
            return self._after_a_look(item.key, kind, cover, before, same)
        return SEND

    def _after_a_look(self, key: str, kind: str, cover: Cover, before: LogEntry | None, same: bool) -> Plan:
        there = self._plex.pictures(key, kind)
        selected = next((picture for picture in there if picture.selected), None)
        if selected and selected.sha1 == cover.sha1:
            return NOTHING
        if self._preserve and (same or (selected and not self._is_ours(key, kind, selected, before))):
            return NOTHING  # a person's choice
        return next((Plan("choose", picture.key) for picture in there if picture.sha1 == cover.sha1), SEND)

    def _is_ours(self, key: str, kind: str, shown: Picture, before: LogEntry | None) -> bool:
        """Whether this picture may give way: it was sent by us, or was never uploaded by anybody."""
        return not shown.sha1 or shown.sha1 in _ours(before, kind) or (key, kind, shown.sha1) in self._unsure

    def _show(self, item: PlexItem, kind: str, cover: Cover, before: LogEntry | None, force: bool) -> bool:
        """Whether something was sent for this kind of picture."""
        plan = self.plan(item, kind, cover, before, force)
        if plan != NOTHING:
            self._unsure.add((item.key, kind, cover.sha1))
        if plan.act == "choose":
            self._plex.select(item.key, kind, plan.picture)
        elif plan.act == "send":
            self._upload(item.key, kind, cover)
        return plan != NOTHING

    def _upload(self, key: str, kind: str, cover: Cover) -> None:
        """An upload without an answer often took effect all the same: look before it counts as failed."""
        content = cover.content()
        if not content:
            return  # it went away meanwhile; the next change of the scene brings the new one
        try:
            self._plex.upload(key, kind, content)
        except (TimedOut, BrokenOff):
            if not any(picture.selected and picture.sha1 == cover.sha1 for picture in self._plex.pictures(key, kind)):
                raise

    def _content(self, scene: int) -> bytes:
        found = self._stash.cover(scene)
        return found.content if found else b""


def _ours(before: LogEntry | None, kind: str) -> set[str]:
    """The SHA-1 of each picture of this kind that the item may show because we sent it."""
    if before is None:
        return set()
    sent = {before.cover} if kind in before.pictures else set()
    return sent | {sha1 for name, sha1 in before.intended if name == kind}
