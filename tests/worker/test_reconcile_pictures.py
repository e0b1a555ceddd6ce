"""What a comparison makes of pictures: they differ when somebody chose another one, or took their locks away."""

from __future__ import annotations

import pytest

from tests.processes.living import cover
from tests.worker.reconciling import edit_in_plex, reconcile, writes
from tests.worker.rivaling import poster, poster_of
from tests.worker.steps import FULL, Stage


@pytest.fixture
def scene(stage: Stage) -> int:
    """One whose picture Plex shows."""
    made = stage.scene(**{**FULL, "cover": cover("ours")})
    stage.settle(made)
    stage.clock.now += 60
    return made


@pytest.mark.parametrize("kind", ["posters", "arts"])
def test_a_picture_that_somebody_chose_gives_way_to_the_scene_s(stage: Stage, scene: int, kind: str) -> None:
    stage.plex.give_picture(stage.keys[scene], kind, "a person's")
    assert reconcile(stage)["gaps"] == {"drifted": 1}
    assert poster(stage, scene) == poster_of("ours")
    assert reconcile(stage)["gaps"] == {}


def test_a_picture_that_somebody_chose_stays_while_their_edits_are_preserved(stage: Stage, scene: int) -> None:
    stage.configure(preserve_plex_edits=True)
    stage.settle(scene)
    chosen, before = stage.plex.give_picture(stage.keys[scene], "posters", "a person's"), writes(stage)
    assert reconcile(stage)["gaps"] == {}
    assert poster(stage, scene) == chosen and writes(stage) == before


def test_a_picture_that_lost_its_lock_is_locked_again(stage: Stage, scene: int) -> None:
    edit_in_plex(stage, scene, locks=set(stage.item(scene)["locks"]) - {"thumb"})
    assert reconcile(stage)["gaps"] == {"drifted": 1}
    assert "thumb" in stage.item(scene)["locks"] and reconcile(stage)["gaps"] == {}


def test_a_picture_that_never_came_is_sent(stage: Stage) -> None:
    """Somebody wrote into Plex, by hand, all that the scene says."""
    stage.configure(preserve_plex_edits=True)
    scene = stage.scene(**{**FULL, "cover": cover("ours")})
    edit_in_plex(stage, scene, **stage.wanted(scene))
    assert reconcile(stage)["gaps"] == {"stale": 1}
    assert poster(stage, scene) == poster_of("ours") and reconcile(stage)["gaps"] == {}


@pytest.mark.parametrize("locks", [None, ["title"]], ids=["another picture", "unlocked"])
def test_what_becomes_of_the_picture_of_a_scene_without_cover_is_no_gap(
    stage: Stage, scene: int, locks: list[str] | None
) -> None:
    stage.save(scene, cover=None)
    stage.settle(scene)
    if locks is None:
        stage.plex.give_picture(stage.keys[scene], "posters", "a person's")
    else:
        edit_in_plex(stage, scene, locks=locks)
    reconcile(stage)
    assert reconcile(stage)["gaps"] == {}
