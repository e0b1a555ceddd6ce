"""From what Stash told us about itself to a client."""

from __future__ import annotations

import os

from stash.client import StashClient
from stash.protocol import COOKIE_FILE, address, cookie


def connect(connection: dict[str, object], data_dir: str) -> StashClient:
    """A client for the Stash that started us.

    The cookie that a hook handed over is tried before our own: with a login set, a process that was started through
    a JS plugin has a cookie without a user.
    """
    host, port = address(connection)
    scheme = "https" if connection.get("Scheme") == "https" else "http"
    name = f"[{host}]" if ":" in host else host
    return StashClient(f"{scheme}://{name}:{port}", [_handed_over(data_dir), cookie(connection)])


def _handed_over(data_dir: str) -> str:
    """Read the cookie once; it is not left lying about."""
    path = os.path.join(data_dir, COOKIE_FILE)
    try:
        with open(path, encoding="latin-1") as file:
            value = file.read().strip()
        os.unlink(path)
        return value
    except OSError:
        return ""
