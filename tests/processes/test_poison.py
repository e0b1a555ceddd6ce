"""A scene that kills the worker: given up after three times, and nobody else pays for it."""

from __future__ import annotations

from tests.processes.world import copy_of_plugin
from tests.waiting import until

POISON = "6"
KILLS = (
    """
_work = Comparer.work
def work(self, scene, known):
    if scene.id == %s and scene.title != "mended":
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
    return _work(self, scene, known)
Comparer.work = work
"""
    % POISON
)


def run_until_given_up(world):
    """Wake-ups by a scene that is not in the job, until the poison is a dead letter; how many workers died."""

    def given_up():
        if not world.living:
            world.stash.save(bystander, code=f"wake-up {len(world.workers)}")
        return world.logged(f"Scene {POISON} is given up")

    bystander = world.add(50, details="only wakes workers up")
    until(given_up, 60, "the scene to be given up")
    return len([record for record in world.workers if record.exit_code == -9])


def test_a_scene_that_kills_the_worker_three_times_is_given_up_alone(build, tmp_path):
    world = build(plugin=copy_of_plugin(tmp_path / "plugins", reconcile__compare=KILLS))
    ids = world.seed(12)
    world.stash.bulk_save(ids, code="X")
    assert run_until_given_up(world) == 3
    world.synced(only=[id for id in world.keys if id != POISON])
    status = world.status()
    assert status["dead_letters"] == {"poison": 1}
    assert [letter["scene"] for letter in status["newest_dead_letters"]] == [int(POISON)]
    assert (status["queued"], status["waiting"]) == (0, {})
    assert world.plex.item(world.keys[POISON])["title"] == "a file"


def test_a_scene_that_was_given_up_is_tried_again_when_it_is_saved(build, tmp_path):
    world = build(plugin=copy_of_plugin(tmp_path / "plugins", reconcile__compare=KILLS))
    world.stash.bulk_save(world.seed(8), code="X")
    run_until_given_up(world)
    world.stash.save(POISON, title="mended")
    world.synced()
    assert world.status()["dead_letters"] == {}
