"""The settings of comparisons: when one begins by itself, over which scenes, and what becomes of missing ones."""

from __future__ import annotations

import pytest

from tests.processes.living import quick_plugin
from tests.processes.reconciling import add_old, rename_folder, run, runs, settle_down
from tests.waiting import until

OFTEN = {"reconcile__schedule": 'INTERVALS_S["hourly"] = 1.0'}


@pytest.mark.proves("setting:reconcile_interval")
def test_with_an_interval_the_worker_stays_and_finds_what_no_hook_tells(build, tmp_path):
    world = build(quick_plugin(tmp_path / "plugins", worker__loop="IDLE_S = 0.5", **OFTEN))
    world.seed(4)
    world.configure(reconcile_interval="sometimes")
    settle_down(world)
    until(lambda: world.logged("Worker ends: nothing to do"), what="the worker to leave without an interval")
    assert (runs(world), world.differences(["2"]) != []) == ([], True)
    (warning,) = world.logged("Setting reconcile_interval: ")
    assert "'sometimes' is not never, hourly, daily or weekly; its default ('never') is used" in warning

    world.configure(reconcile_interval=" Hourly")
    world.stash.load_page()
    world.synced()
    worker = world.worker()
    world.stash.hooks_enabled = False
    rename_folder(world, "2")
    world.synced()
    many = len(runs(world)) + 2
    until(lambda: len(runs(world)) >= many, what="two more runs")
    assert world.living == [worker] and len(world.workers) == 2
    gaps = [one["gaps"] for one in runs(world) if one["gaps"]]
    assert gaps[-1] == {"empty": 3} and all(one == {"moved": 1} for one in gaps[:-1]) and len(gaps) > 1
    assert {(one["why"], one["scope"]) for one in runs(world)} == {("by itself", "all")}

    world.configure(reconcile_interval="never")
    until(lambda: worker.exit_code == 0, what="the worker to leave when the interval is gone")


@pytest.mark.proves("setting:reconcile_scope")
def test_by_itself_only_scenes_of_the_scope_that_is_set_are_compared(build, tmp_path):
    world = build(quick_plugin(tmp_path / "plugins", **OFTEN))
    world.seed(1)
    recent, long_ago = add_old(world, 50, 10, 3), add_old(world, 51, 10, 10)
    world.configure(reconcile_interval="hourly", reconcile_scope="7 Days")
    settle_down(world)
    world.synced([recent])
    until(lambda: len(runs(world)) >= 3, what="runs over what is recent")
    assert {one["scope"] for one in runs(world)} == {"7days"} and world.differences([long_ago]) != []
    world.configure(reconcile_interval="hourly", reconcile_scope="all")
    world.synced()


@pytest.mark.proves("setting:reconcile_missing")
def test_scenes_that_plex_does_not_have_are_looked_for_only_when_so_set(world):
    scene = world.add(50, in_plex=False, details="not in Plex")
    settle_down(world)
    for wanted, waiting in ((False, {}), (True, {"missing": 1})):
        world.configure(reconcile_missing=wanted)
        found = run(world, "Reconcile Library (All)")
        assert (found["gaps"]["missing"], found["waiting"]) == (1, waiting)
    assert world.logged(f"Scene {scene} waits ") and world.differences() == []
