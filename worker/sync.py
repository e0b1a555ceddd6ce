"""One scene and one item: push what differs.

Every method may raise Trouble; what that means for which scene is the executor's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from plex import edits
from plex.client import PlexClient
from plex.model import PICTURES, PlexItem
from plex.projection import shrunk
from reconcile.compare import Comparer
from reconcile.work import Push, Pushed, Work, shown_of
from sync_queue.settlement import LogEntry
from validation.errors import Kind, Trouble
from validation.settings import Settings
from worker.pictures import NAMES, NO_COVER, PARTS, Cover, Pictures


class Sync:
    """What that needs: Plex, and the settings that shape what is pushed."""

    def __init__(self, plex: PlexClient, pictures: Pictures, comparer: Comparer, settings: Settings) -> None:
        self._plex, self._pictures, self._comparer = plex, pictures, comparer
        self._settings = settings

    # reading

    def same_cover(self, work: Work) -> bool:
        """Whether the scene still has the cover that was pushed; asks Stash when its date alone does not tell."""
        if work.cover_unchanged:
            return True
        try:
            cover = self._pictures.cover(work.scene.id, work.known[0])
        except Trouble as trouble:
            if trouble.kind not in PARTS:
                raise
            return False  # `apply` meets it again, and says which field it is about
        kinds = {*work.projection.pictures}
        return not cover.sha1 or all(one.cover == cover.sha1 and kinds <= one.pictures.keys() for one in work.known)

    # writing

    def apply(self, push: Push, force: bool) -> Pushed:
        """Send the edit, the rating and the pictures; what only some of the fields meet does not stop the others.

        ``force`` looks at the pictures even if ours were sent before.
        """
        work, item = push.work, push.item
        before = _before(work, item)
        cover, unread = self._cover_or_why(work)
        push = self._with_picture_locks(push, cover)
        push, refused = self._edit(push)
        failed = {**unread, **refused, **self._rate(push)}
        kinds = work.projection.pictures if cover.sha1 else ()
        brought = self._pictures.bring(item, kinds, cover, before, force)
        failed.update(brought.failed)
        fields = (*(name for name in push.edit.fields if name not in failed), *brought.sent)
        entry = _entry(push, failed, before)
        if kinds:
            tags = (one for one in entry.intended if one[0] not in PICTURES)
            entry = replace(entry, cover=cover.sha1, etag=cover.etag, pictures=brought.shown)
            entry = replace(entry, intended=_sorted((*tags, *brought.earlier)))
        elif work.projection.pictures and not unread:  # what becomes of its picture is people's business
            entry = replace(entry, etag="")
        return Pushed(entry, fields or ("locks",) * (not push.edit.empty and not failed), failed)

    def learn_addresses(self, rows: Sequence[LogEntry]) -> list[LogEntry]:
        """The same rows with the addresses of the pictures that were just sent: one request for 100 items."""
        try:
            items = self._plex.items(list(dict.fromkeys(row.item for row in rows)))
        except Trouble:
            return []  # they stay unknown, and the next comparison looks
        return [replace(row, pictures=_addresses(row, items.get(row.item))) for row in rows]

    @property
    def _preserve(self) -> bool:
        return self._settings.preserve_plex_edits

    def cover(self, work: Work) -> Cover:
        """The scene's cover, as far as pictures are switched on."""
        if not work.projection.pictures:
            return NO_COVER
        return self._pictures.cover(work.scene.id, work.known[0] if work.known else None)

    def _cover_or_why(self, work: Work) -> tuple[Cover, Mapping[str, str]]:
        """The cover, or why its fields fail: a cover that Stash cannot read must not keep the others waiting."""
        try:
            return self.cover(work), {}
        except Trouble as trouble:
            if trouble.kind not in PARTS:
                raise
            return NO_COVER, {NAMES[kind]: trouble.message for kind in work.projection.pictures}

    def _with_picture_locks(self, push: Push, cover: Cover) -> Push:
        names = self._comparer.picture_locks(push.work, push.item) if cover.sha1 else []
        return replace(push, edit=push.edit.with_locks(names)) if names else push

    def _edit(self, push: Push) -> tuple[Push, Mapping[str, str]]:
        """One PUT, more only when it is too long for one, shorter once when Plex refuses that.

        Returns what was sent in the end, and what failed of it.
        """
        if push.edit.empty:
            return push, {}
        try:
            self._send(push)
        except Trouble as trouble:
            if trouble.kind is Kind.TOO_LARGE:
                return self._send_shrunk(push), {}
            if trouble.kind is Kind.PERMANENT:
                return push, self._send_apart(push, trouble)
            raise
        return push, {}

    def _rate(self, push: Push) -> Mapping[str, str]:
        if push.edit.rating is None:
            return {}
        try:
            self._plex.rate(push.item.key, push.edit.rating)
        except Trouble as trouble:
            if trouble.kind not in PARTS:
                raise
            return {"rating": trouble.message}
        return {}

    def _send(self, push: Push) -> None:
        item, parts = push.item, edits.pieces(push.edit)
        for part in parts:
            self._plex.edit(item.section, item.key, part)
        if len(parts) > 1:
            self._verify(push)

    def _verify(self, push: Push) -> None:
        """A server that replaces lists keeps only the last piece of one: then the whole goes in one request."""
        left = edits.left_of(push.edit, self._as_it_is(push))
        if not left.empty:
            self._plex.edit(push.item.section, push.item.key, edits.encode(left))

    def _send_shrunk(self, push: Push) -> Push:
        """Compared with the item as it is now: some pieces may have gone through, and what they added is ours."""
        small, item = shrunk(push.work.projection), self._as_it_is(push)
        owned = push.work.owned(push.item) | shown_of(push.edit.owned, item)
        edit = edits.diff(small, item, owned, self._preserve, self._settings.lock_fields)
        edit = edit.with_locks(name for name in push.edit.locks if name in PICTURES.values() and name not in item.locks)
        if not edit.empty:
            self._plex.edit(item.section, item.key, edits.encode(edit))
        return replace(push, item=item, edit=edit)

    def _send_apart(self, push: Push, whole: Trouble) -> Mapping[str, str]:
        """Plex refuses the edit as a whole: send it field by field. Raises ``whole`` when nothing of it is taken."""
        failed: dict[str, str] = {}
        parts = edits.apart(push.edit)
        for name, part in parts.items():
            try:
                self._plex.edit(push.item.section, push.item.key, edits.encode(part))
            except Trouble as trouble:
                if trouble.kind not in PARTS:
                    raise
                failed[name] = trouble.message
        if len(failed) == len(parts) and not push.work.known:
            raise whole
        return failed

    def _as_it_is(self, push: Push) -> PlexItem:
        item = self._plex.items([push.item.key]).get(push.item.key)
        if item is None:
            raise Trouble(Kind.STALE_MATCH, "Plex lost the item while it was edited")
        return item


def _before(work: Work, item: PlexItem) -> LogEntry | None:
    """What we knew of the item; pictures that it shows of other scenes are ours too, and may give way."""
    before = work.before(item.key)
    others = [row for row in work.inherited if row.item == item.key]
    if not others:
        return before
    shown = {(kind, row.cover) for row in others for kind in row.pictures if row.cover}
    shown |= {one for row in others for one in row.intended if one[0] in PICTURES}
    row = before or LogEntry(work.scene.id, item.key, item.section)
    return replace(row, intended=_sorted({*row.intended, *shown}))


def intent(push: Push) -> LogEntry:
    """The log's row before a push: with the tags that it is about to add, and else as it was."""
    before = push.work.before(push.item.key)
    row = before or LogEntry(push.work.scene.id, push.item.key, push.item.section)
    return replace(row, intended=_sorted({*row.intended, *push.edit.owned} - {*row.owned}))


def _entry(push: Push, failed: Mapping[str, str], before: LogEntry | None) -> LogEntry:
    """The log's row after a push. Of lists that failed, what was ours still is, and what was new is only intended."""
    work, item, after = push.work, push.item, push.edit.owned
    row = before or LogEntry(work.scene.id, item.key, item.section)
    owned = {tag for tag in after if tag[0] not in failed} | {tag for tag in work.owned(item) if tag[0] in failed}
    intended = {tag for tag in after if tag[0] in failed} - owned | {one for one in row.intended if one[0] in PICTURES}
    fingerprint = "" if failed else work.fingerprint
    return replace(
        row,
        section=item.section,
        fingerprint=fingerprint,
        updated_at=work.scene.updated_at,
        place=work.place,
        owned=_sorted(owned),
        intended=_sorted(intended),
    )


def _sorted(tags: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(tags))


def _addresses(row: LogEntry, item: PlexItem | None) -> Mapping[str, str]:
    marks = item.marks if item else {}
    return {kind: address or marks.get(kind, "") for kind, address in row.pictures.items()}
