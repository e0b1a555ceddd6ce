"""Steps that several tests of the Plex double share."""

from __future__ import annotations

from typing import Any, Optional
from urllib.parse import urlencode

import requests
from plexapi.server import PlexServer

from tests.doubles.plex_server import PlexDouble


def seed(plex: PlexDouble, count: int = 1, **fields: Any) -> str:
    """Add a section with ``count`` items and return the rating key of the first."""
    section = plex.add_section("Movies", ["/media"])
    keys = [plex.add_item(section, f"/media/{n}.mp4", 100 + n, title=f"Scene {n}", **fields) for n in range(count)]
    return keys[0]


def connect(plex: PlexDouble) -> Any:
    """Return plexapi's view of the only section."""
    return PlexServer(plex.url, plex.token).library.section("Movies")


def put(plex: PlexDouble, session: requests.Session, key: Optional[str], **args: Any) -> requests.Response:
    """Send one edit to the section form, without ``id`` when ``key`` is None."""
    named = {"type": 1, **({"id": key} if key else {}), **args}
    return session.put(f"{plex.url}/library/sections/1/all?{urlencode(named)}", timeout=10)


def listing(plex: PlexDouble, session: requests.Session, query: str = "type=1", **headers: str) -> Any:
    """Return the container of a JSON listing."""
    answer = session.get(
        f"{plex.url}/library/sections/1/all?{query}", headers={"Accept": "application/json", **headers}, timeout=10
    )
    assert answer.status_code == 200, answer.status_code
    return answer.json()["MediaContainer"]
