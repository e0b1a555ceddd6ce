"""The kinds of trouble. Made once at the edge; inside, code switches on the kind and never on text."""

from __future__ import annotations

from enum import Enum


class Kind(str, Enum):
    """What went wrong, in the words of the architecture page; the policy decides what follows from each."""

    UNREACHABLE = "unreachable"  # no connection, time-out, 5xx, or an answer that is not Plex's
    BUSY = "busy"  # 503 maintenance, 429
    REFUSED = "refused"  # 401, 403: the token
    MISSING = "missing"  # no Plex item has the scene's file, yet
    STALE_MATCH = "stale match"  # 404 on a key that we knew
    AMBIGUOUS = "ambiguous"  # several items could be meant, or one only by name
    PERMANENT = "permanent"  # this scene will never do as it is
    PARTIAL = "failed part"  # some of the scene's fields went through, others were refused
    TOO_LARGE = "too large"  # 413, 414, 431
    GONE = "gone"  # the scene is no longer in Stash
    POISON = "poison"  # the worker died three times at this scene
    STASH_AWAY = "stash away"  # Stash does not answer
    STASH_REFUSED = "stash refused"  # Stash wants another credential
    UNEXPECTED = "unexpected"  # anything else; charged to the scene


class Trouble(Exception):
    """Something went wrong, of a known kind, in a sentence without secrets.

    ``retry_after_s`` is what a busy server asked for, None when it did not say.
    """

    def __init__(self, kind: Kind, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after_s = retry_after_s
