"""The secrets of all tests: each is unmistakable, so that `tests.secret_net` sees wherever one of them lands.

MARKER stands at both ends of each, so a part of a secret is found too, and it is letters and digits only, so no
encoding but Base64 changes it. Between the two stands what encodings do change: who masks a secret in one form and
shows it in another is found. A test that needs a further secret takes `secret`.
"""

from __future__ import annotations

from typing import Any

MARKER = "kAn4r1enV0geL"


def secret(name: str, between: str = "/+=&%\"<'>") -> str:
    """One more secret: ASCII without white space, as tokens and keys are."""
    return f"{MARKER}.{name}{between}{MARKER}"


PLEX_TOKEN = secret("token-of-plex")
GUEST_TOKEN = secret("token-of-a-guest")
API_KEY = secret("key-of-stash")
PASSWORD = secret("password-of-stash")
USER = "someone"
LOGIN = (USER, PASSWORD)
# What a cookie of Stash begins and ends with; a cookie takes neither white space nor quotes, commas and semicolons.
COOKIE_HEAD, COOKIE_TAIL = f"{MARKER}|/", f"=+{MARKER}"

# The doubles that were started in this process, for whoever wants to know what they were told.
started: list[Any] = []
