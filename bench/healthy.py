"""A library that is in sync without the hours of work: the sync log as if the worker had pushed every scene.

Plex's half is `bench.doubles.synced_item`. Ours is written here, with the product's own fingerprints of what Stash
answers. Nothing here compares the two: that is for the proof in `bench.reconcile`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from time import time

from bench.doubles import picture
from plex import paths
from plex.client import BATCH_ITEMS, PlexClient
from plex.model import PlexItem
from reconcile.compare import Comparer
from reconcile.work import Work
from stash.client import StashClient
from sync_queue.settlement import LogEntry, Settlement, Verdict
from validation.scene import Scene
from worker.policy import PUSHED
from worker.session import Session


def write_log(data_dir: str, stash_url: str, scenes: int) -> int:
    """Write the rows of the scenes 1 to ``scenes`` into this data folder; returns how many were written."""
    session = Session(data_dir, StashClient(stash_url))
    try:
        session.look(time())
        if session.tools is None:
            raise RuntimeError(session.state)
        plex, comparer = session.tools.plex, Comparer(session.rules, session.settings)
        keys, written = dict(_keys(plex)), 0
        for read in _batches(session.stash, scenes):
            works = [comparer.work(scene, ()) for scene in read]
            shown = {work.scene.id: keys[paths.base_name(work.files[0].path)] for work in works}
            items = plex.items(list(shown.values()))
            entries = [_entry(work, items[shown[work.scene.id]]) for work in works]
            session.store.settle([_settlement(entry) for entry in entries], time())
            written += len(entries)
        return written
    finally:
        session.close()


def _batches(stash: StashClient, scenes: int) -> Iterator[list[Scene]]:
    for start in range(1, scenes + 1, BATCH_ITEMS):
        read = stash.scenes(range(start, min(start + BATCH_ITEMS, scenes + 1)))
        yield [scene for scene in read.values() if isinstance(scene, Scene)]


def _keys(plex: PlexClient) -> Iterator[tuple[str, str]]:
    """Base name and rating key of every item."""
    for section in plex.sections():
        for page in plex.walk(section.key):
            yield from ((paths.base_name(one.files[0].path), one.key) for one in page)


def _entry(work: Work, item: PlexItem) -> LogEntry:
    """The row after a push that added every tag."""
    scene, kinds = work.scene, work.projection.pictures
    owned = sorted((kind, tag) for kind, tags in work.projection.lists.items() for tag in tags)
    content = picture(scene.id) if kinds else b""
    return LogEntry(
        scene=scene.id,
        item=item.key,
        section=item.section,
        fingerprint=work.fingerprint,
        owned=tuple(owned),
        updated_at=scene.updated_at,
        cover=hashlib.sha1(content, usedforsecurity=False).hexdigest() if kinds else "",
        etag=f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"' if kinds else "",
        pictures={kind: item.marks[kind] for kind in kinds},
        place=work.place,
    )


def _settlement(entry: LogEntry) -> Settlement:
    return Settlement(entry.scene, Verdict.DONE, PUSHED, log=(entry,))
