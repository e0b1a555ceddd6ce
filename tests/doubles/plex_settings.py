"""The switches of the Plex double."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from tests.canaries import GUEST_TOKEN, PLEX_TOKEN


@dataclass
class PlexSettings:
    """How the double behaves; every field may be changed while it runs.

    ``mode``: added tags ``append`` to the list or ``replace`` it (unknown for real servers, plex.md A.5).
    ``guest_token``: a second token that may read and gets 403 for writes.
    ``maintenance``: answer 503 to everything, as while starting.
    ``latency_s``: wait before every answer.
    ``page_cap``: most items on a page; ``require_size``: 400 for listings without a size.
    ``file_needs_type``: 500 for ``file=`` without ``type=``; ``comma_means_or``: split its value at commas.
    ``listing_extras``: show Collection, Label and Field in listings too.
    ``unknown_id_status``: answer of the section PUT when none of its ids exists.
    ``refused_fields``: names of fields (``tagline``, ``genre``); a PUT that sets one of them is refused with 400.
    ``claimed``: False refuses ``editionTitle``.
    ``url_limit``: longest request target in bytes, refused with ``url_limit_status``.
    ``filename_form``: what the match request of a scan says of the file, one of FORMS in `plex_agents_scan`.
    ``send_hashes``: let it name the hashes that the file's Part has too.
    ``agents_in_json``: answer what is asked about agents in JSON although XML was asked for.
    ``keep_alive_s``: idle connections are closed after this.
    """

    mode: str = "append"
    token: str = PLEX_TOKEN
    guest_token: Optional[str] = GUEST_TOKEN
    maintenance: bool = False
    latency_s: float = 0.0
    page_cap: Optional[int] = None
    require_size: bool = False
    file_needs_type: bool = True
    comma_means_or: bool = True
    listing_extras: bool = False
    unknown_id_status: int = 200
    refused_fields: Sequence[str] = ()
    claimed: bool = True
    url_limit: Optional[int] = None
    url_limit_status: int = 431
    filename_form: str = "relative"
    send_hashes: bool = False
    agents_in_json: bool = False
    keep_alive_s: float = 20.0
    machine_id: str = "5f0c2b7e9d3a41c8b6e4d2f1a0978653c4b5d6e7"
    friendly_name: str = "Plex Double"
    version: str = "1.43.1.10611-1e34174b1"
