"""A bulk edit of which no hook ran, and a worker that is killed at one point of its look: the next one sends all."""

from __future__ import annotations

from typing import Any

import pytest

from stash.client import StashClient
from sync_queue.store import Store
from tests.worker.steps import Killed, Stage
from worker.changes import CURSOR
from worker.ingest import Ingest

HOUR_S = 3_600.0
SCENES = 30
PAGE = 8
# Where: whose method, before or after it, and at which call of it.
POINTS: dict[str, tuple[type, str, str, int]] = {
    "before the query": (StashClient, "changed", "before", 1),
    "between the query and the first page": (Ingest, "queue_changed", "before", 1),
    "after the first page": (Ingest, "queue_changed", "after", 1),
    "before the second query": (StashClient, "changed", "before", 2),
    "in the middle of the pages": (Ingest, "queue_changed", "after", 2),
    "between the last page and the cursor": (Store, "remember", "before", 1),
    "after the cursor": (Store, "remember", "after", 1),
}


def die_at(patch: pytest.MonkeyPatch, point: str) -> None:
    """From now on the worker dies at that point."""
    owner, name, when, number = POINTS[point]
    real, calls = getattr(owner, name), [0]

    def method(self: Any, *args: Any) -> Any:
        counts = name != "remember" or args[0] == CURSOR
        calls[0] += counts
        if counts and calls[0] == number and when == "before":
            raise Killed
        result = real(self, *args)
        if counts and calls[0] == number:
            raise Killed
        return result

    patch.setattr(owner, name, method)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("seconds", [0, SCENES], ids=["in one second", "over a minute"])
def test_whatever_the_point_each_scene_is_sent_and_only_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, point: str, seconds: int
) -> None:
    monkeypatch.setattr("reconcile.sweep.PAGE_SCENES", PAGE)
    scenes = stage.scenes(SCENES)
    stage.run_for(HOUR_S)
    for scene in scenes:
        stage.clock.now += seconds / SCENES
        stage.stash.change(scene, title=f"Bulk {scene}")
    stage.clock.now += 130
    with monkeypatch.context() as patch:
        die_at(patch, point)
        with pytest.raises(Killed):
            stage.run()
    stage.reopen()
    stage.run()
    assert stage.differing() == {}
    assert {scene: stage.puts(scene) for scene in scenes} == dict.fromkeys(scenes, 1)
