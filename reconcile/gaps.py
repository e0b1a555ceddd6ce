"""What a comparison of both sides can find, and which of it a scene has. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plex.model import PlexItem, word
from plex.projection import Projection
from reconcile.work import Found, Push, Work
from validation.errors import Kind, Trouble
from validation.text import private

MISSING = "missing"  # Plex has no item for a scene that has something to say
EMPTY = "empty"  # the item shows nothing of the scene
STALE = "stale"  # the scene is newer than what was pushed
DRIFTED = "drifted"  # Plex shows something else than what was pushed
MOVED = "moved"  # the scene's files are elsewhere than when it was pushed
ORPHANED = "orphaned"  # the item shows a scene that is gone: reported, never repaired
DOUBTFUL = "doubtful"  # no gap: it cannot be said which item is the scene's
KINDS = (MISSING, EMPTY, STALE, DRIFTED, MOVED, ORPHANED)


@dataclass(frozen=True)
class Gap:
    """One difference: the scene, its kind, and a sentence with the reason."""

    scene: int
    kind: str
    reason: str


@dataclass(frozen=True)
class Shown:
    """One item beside its scene: the edit that is lacking, and the kinds of pictures that are other ones."""

    push: Push
    pictures: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything would be sent to the item."""
        edit = self.push.edit
        return bool(not edit.empty or edit.rating is not None or self.pictures or self.locks)

    @property
    def fields(self) -> list[str]:
        """What differs, in people's words."""
        names = [*self.push.edit.fields, *self.pictures]
        return [word(name) for name in names] or ["locks"]


def of_trouble(scene: int, trouble: Trouble) -> Gap | None:
    """The gap of a scene for which no item was found; None when another kind of trouble kept us from finding one."""
    return Gap(scene, MISSING, trouble.message) if trouble.kind is Kind.MISSING else None


def of_sent(scene: int, moved: bool, changed: bool, path: str) -> Gap | None:
    """The gap that shows between Stash and the sync log alone, without a look at Plex."""
    if moved:
        return Gap(scene, MOVED, f"its file is now {private(path)}")
    return Gap(scene, STALE, "changed in Stash since it was sent") if changed else None


def of_items(found: Found, shown: Sequence[Shown]) -> Gap | None:
    """The gap of a scene whose items were read whole; None when they show it, and we know that we sent it."""
    work = shown[0].push.work
    differing = [one for one in shown if one.differs]
    fields = ", ".join(dict.fromkeys(name for one in differing for name in one.fields))
    told = of_sent(work.scene.id, work.moved, bool(work.known) and not _as_sent(work.unchanged, shown), _path(shown))
    if told is not None:
        return Gap(told.scene, told.kind, f"{told.reason}{f': {fields}' if fields else ''}")
    if not differing:
        return _unknown(work, found, shown)
    if all(_empty(one.push.work.projection, one.push.item) for one in differing):
        return Gap(work.scene.id, EMPTY, f"item {_keys(differing)} shows nothing of it")
    return Gap(work.scene.id, DRIFTED, f"item {_keys(differing)} shows it otherwise: {fields}")


def _unknown(work: Work, found: Found, shown: Sequence[Shown]) -> Gap | None:
    """The gap of a scene that Plex shows as other items than we know: what we do not know somebody else may claim."""
    known = {row.item for row in work.known}
    if known == {item.key for item in found.items}:
        return None
    if known:
        return Gap(work.scene.id, MOVED, f"Plex shows it as item {_keys(shown)} now")
    return Gap(work.scene.id, STALE, f"item {_keys(shown)} shows it, although it was never sent")


def _as_sent(unchanged: bool, shown: Sequence[Shown]) -> bool:
    """Whether nothing is newer in Stash than what was pushed; its cover may be when only the date moved."""
    return unchanged and shown[0].push.work.cover_unchanged


def _empty(projection: Projection, item: PlexItem) -> bool:
    """Whether the item has nothing where the scene says something; every item has some title."""
    said = [item.scalars[name] for name, value in projection.scalars.items() if value and name != "title"]
    said += [",".join(item.lists[kind]) for kind, tags in projection.lists.items() if tags]
    return bool(said) and not any(said)


def _path(shown: Sequence[Shown]) -> str:
    files = shown[0].push.work.scene.files
    return files[0].path if files else ""


def _keys(shown: Iterable[Shown]) -> str:
    return ", ".join(one.push.item.key for one in shown)
