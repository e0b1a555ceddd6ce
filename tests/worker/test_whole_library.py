"""A whole library with pictures: brought to Plex once, and after that comparing all of it costs next to nothing."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.worker.asked import Asked
from tests.worker.steps import FULL, Stage
from tests.worker.test_pictures import BOTH, jpeg, shows

SCENES = 1_000
PER_SCENE = 0.05


@pytest.mark.slow
def test_a_second_sync_of_a_thousand_scenes_sends_no_edit_and_no_picture(stage: Stage) -> None:
    stage.configure(sync_rating=True)
    for number in range(SCENES):
        stage.scene(**{**FULL, "title": f"Title {number}"}, rating100=number % 101, cover=jpeg(f"cover {number}"))
    first, asked = _sync_all(stage)
    print(f"first sync of {SCENES} scenes: {asked} requests to Stash, to Plex {dict(first)}")
    assert first["PUT edit"] == SCENES and first["POST"] == 2 * SCENES
    assert stage.differing() == {}
    assert all(shows(stage, scene, jpeg(f"cover {scene - 1}")) == BOTH for scene in stage.keys)

    second, asked = _sync_all(stage)
    print(f"second sync: {asked} requests to Stash, to Plex {dict(second)}: {second['GET'] / SCENES:.3f} per scene")
    assert set(second) == {"GET"} and second["GET"] <= PER_SCENE * SCENES
    assert stage.plex.uploads()["requests"] == 2 * SCENES

    stage.reopen()
    third, asked = _sync_all(stage)
    print(f"the same after a restart: {asked} requests to Stash, to Plex {dict(third)}")
    assert set(third) == {"GET"} and third["GET"] <= PER_SCENE * SCENES and stage.dead() == {}


def _sync_all(stage: Stage) -> tuple[Counter[str], int]:
    """Run the task; how many requests of which kind it sent to Plex, and how many to Stash."""
    stage.plex.clear_requests()
    before = stage.session.stash.requests
    Asked(stage, "sync_all").answer()
    stage.run()
    kinds = [
        f"PUT {'rating' if '/:/' in r.path else 'edit'}" if r.method == "PUT" else r.method
        for r in stage.plex.requests()
    ]
    return Counter(kinds), stage.session.stash.requests - before
