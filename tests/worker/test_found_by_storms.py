"""What convergence storms found (see `tests.processes.test_convergence`), each in the smallest form that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.processes.living import cover
from tests.worker.reconciling import reconcile
from tests.worker.steps import Stage

HOUR_S = 3_600.0


@pytest.mark.parametrize("hours", [0, 100])
def test_reconcile_finds_one_of_two_items_that_plex_made_anew(tmp_path: Path, hours: int) -> None:
    with Stage(str(tmp_path / "data")) as stage:
        more = stage.plex.add_section("More", ["/media"])
        scene = stage.scene()
        second = stage.plex.add_item(more, "/media/s1.mp4", 1_001, title="a copy")
        stage.settle(scene)
        assert stage.plex.item(second)["summary"] == "Details 1"
        stage.plex.remove_item(second)
        second = stage.plex.add_item(more, "/media/s1.mp4", 1_001, title="the copy, scanned anew")
        stage.clock.now += hours * HOUR_S
        reconcile(stage)
        assert stage.plex.item(second)["summary"] == "Details 1"


def test_reconcile_finds_an_item_that_came_to_another_library_since_the_last_walk(tmp_path: Path) -> None:
    with Stage(str(tmp_path / "data")) as stage:
        more = stage.plex.add_section("More", ["/media"])
        stage.settle(*stage.scenes(30))
        second = stage.plex.add_item(more, "/media/s1.mp4", 1_001, title="a copy")
        reconcile(stage)
        assert stage.plex.item(second)["summary"] == "Details 1"


def test_reconcile_repairs_at_once_what_waited_for_a_file_that_is_there_now(tmp_path: Path) -> None:
    with Stage(str(tmp_path / "data")) as stage:
        scene = stage.scene()
        stage.settle(scene)
        with stage.stash.core.lock:
            stage.stash.library.scene(scene).files[0].path = "/data/renamed.mp4"
        stage.stash.change(scene, touch=False, details="New")
        stage.settle(scene)
        stage.run_for(1_000)  # it waits ten minutes by now
        assert stage.numbers()["waiting"] == {"missing": 1}
        stage.plex.move_item(stage.keys[scene], "/media/renamed.mp4")
        reconcile(stage)
        assert stage.item(scene)["summary"] == "New"


def test_a_collection_stays_ours_when_plex_forgets_the_item_between_edit_and_picture(tmp_path: Path) -> None:
    with Stage(str(tmp_path / "data")) as stage:
        scene = stage.scene(studio="Old", cover=cover("picture"))
        stage.plex.faults.add("status", method="POST", status=404)
        stage.settle(scene)
        assert stage.item(scene)["collections"] == ["Old"]
        stage.save(scene, studio="New")
        stage.run()
        assert stage.item(scene)["collections"] == ["New"]


def test_a_collection_stays_ours_when_the_edit_went_through_and_the_rating_did_not(tmp_path: Path) -> None:
    with Stage(str(tmp_path / "data"), sync_rating=True) as stage:
        scene = stage.scene(studio="First")
        stage.settle(scene)
        stage.plex.faults.add("status", match="/:/rate", status=404, times=2)
        stage.save(scene, studio="Second", rating100=50)
        stage.run()
        assert stage.item(scene)["collections"] == ["Second"]
        stage.save(scene, studio="Third")
        stage.run()
        assert stage.item(scene)["collections"] == ["Third"]
