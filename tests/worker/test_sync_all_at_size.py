"""Sync All of a library of some size: what a person who waits for it is told, and what it costs when all is well."""

from __future__ import annotations

from sync_queue.queue import FORCED_SCENES
from tests.worker.steps import Stage
from worker import operations
from worker.policy import UNCHANGED

SCENES = 2_000


def test_progress_is_the_share_of_all_scenes_that_are_done_from_the_first_page_on(stage: Stage) -> None:
    stage.configure(sync_poster=False, sync_background=False)
    stage.stash.promise_scenes(SCENES, "bench.doubles:scene")
    stage.plex.promise_items(stage.section, SCENES, "bench.doubles:synced_item")
    stage.step()
    task, shown = operations.begin(stage.session, "sync_all", {}), [0.0]
    for _ in range(SCENES):
        step = stage.step()
        task.advance(stage.clock())
        shown.append(task.fraction())
        if task.finished(step):
            break
    most = FORCED_SCENES / SCENES
    assert all(0 <= after - before <= most * 1.001 for before, after in zip(shown, shown[1:]))
    assert shown[-1] == 1
    assert len(shown) >= SCENES / FORCED_SCENES
    assert task.result()["done"] == {UNCHANGED: SCENES}
    assert stage.plex.count("PUT") == 0
