"""What it takes to look at Plex and to write there, made from one state of the settings."""

from __future__ import annotations

from dataclasses import dataclass

from plex.cache import Cache
from plex.client import PlexClient
from plex.index import PathIndex
from plex.rules import PathRules
from reconcile.compare import Comparer
from stash.client import StashClient
from sync_queue.store import Store
from validation.settings import Settings
from worker.finder import Finder
from worker.pictures import Pictures
from worker.rivals import Rivals
from worker.sync import Sync


@dataclass(frozen=True)
class Tools:
    """One Plex server, where to find items in it, and how scenes are compared with them."""

    settings: Settings
    plex: PlexClient
    index: PathIndex
    pictures: Pictures
    finder: Finder
    comparer: Comparer
    sync: Sync


def build(
    settings: Settings, stash: StashClient, store: Store, rules: PathRules, cache: Cache, identifier: str
) -> Tools:
    """Nothing is asked of anybody yet; ``identifier`` names this installation to Plex."""
    timeouts = (settings.connect_timeout, settings.read_timeout)
    plex = PlexClient(settings.plex_url, settings.plex_token, identifier, timeouts, settings.plex_tls_fingerprint)
    index = PathIndex(plex, settings.plex_library, cache)
    pictures = Pictures(stash, plex, settings.preserve_plex_edits)
    comparer = Comparer(rules, settings)
    finder = Finder(plex, index, Rivals(store, stash, comparer), settings.strict_matching)
    return Tools(settings, plex, index, pictures, finder, comparer, Sync(plex, pictures, comparer, settings))
