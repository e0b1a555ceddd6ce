"""The operations that throw something away: they say how much, and how it comes back."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sync_queue import marks
from validation.errors import Trouble
from worker.ingest import ANY, EXPANDED, OF_SCENES, WANTED
from worker.tasks_base import AtOnce

SENT = (*OF_SCENES, *EXPANDED, ANY)  # kinds of marks that would lead to something sent
BACK = "The next change of a scene, or Sync All Scenes, brings it back"


class ClearQueue(AtOnce):
    """Forget everything that would be sent: what is queued, what waits, and changes that nobody read yet."""

    def act(self, now: float) -> dict[str, Any]:
        """Marks first, so that none becomes a job after the queue was cleared."""
        session = self._session
        unread = self._clear_marks()
        waits = {row["scene"] for row in session.store.waiting()}
        waiting = len(waits - set(session.queue.forced))  # a due scene is in both
        queued = session.queue.clear()
        session.reconciler.cancel(now)
        session.store.clear_waiting()
        session.store.remember(WANTED, None)
        self._pass_over_changes()
        total = queued + waiting + unread
        return {
            "cleared": total,
            "cleared_queued": queued,
            "cleared_waiting": waiting,
            "cleared_unread_changes": unread,
            "dead_letters_kept": sum(session.store.numbers()["dead_letters"].values()),
            "note": BACK if total else "There was nothing to clear",
        }

    def _clear_marks(self) -> int:
        """Also what we scheduled for ourselves, such as a comparison of everything: nobody waits for its answer."""
        found, _ = marks.read(self._session.data_dir, marks.EVERY)
        unread = [mark for mark in found if mark.kind in SENT]
        scheduled = [mark for mark in found if mark.kind == "request" and not mark.reply]
        self._session.ingest.forget(unread)
        for request in scheduled:
            self._session.ingest.accepted(request)
        requests = self._session.ingest.requests
        requests[:] = [request for request in requests if request.reply]
        return len(unread)

    def _pass_over_changes(self) -> None:
        """Else the sweep finds every change behind the cursor again."""
        with suppress(Trouble):  # the next sweep begins at the newest scene all the same
            self._session.changes.pass_over()


class ClearDeadLetters(AtOnce):
    """Forget every scene that was given up."""

    def act(self, now: float) -> dict[str, Any]:
        """All of them at once."""
        return {"cleared_dead_letters": self._session.store.purge_dead_letters(), "note": BACK}


class PurgeDeadLetters(AtOnce):
    """Forget the dead letters that are older than the setting says; the worker does so once a day too."""

    def act(self, now: float) -> dict[str, Any]:
        """Only with the settings at hand: a default must not throw away what the user wants to keep."""
        session = self._session
        if session.heard_at == float("-inf"):
            return {"error": f"The settings are not known: {session.silence}"}
        purged = session.purge_dead_letters(now)
        kept = sum(session.store.numbers()["dead_letters"].values())
        return {
            "purged_dead_letters": purged,
            "older_than_days": session.settings.dlq_retention_days,
            "dead_letters_kept": kept,
        }


class ClearMatchCache(AtOnce):
    """Forget what was learnt about Plex's libraries; it is asked anew when it is needed."""

    def act(self, now: float) -> dict[str, Any]:
        """In memory and on disk."""
        self._session.clear_match_cache()
        return {"match_cache": "cleared", "note": "The next scenes take longer: Plex is asked for its items again"}
