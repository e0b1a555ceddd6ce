"""A save that rings at a living worker starts no process, and none is lost when that worker is not what it was."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.canaries import LOGIN
from tests.processes.world import PLUGIN, copy_of_plugin
from tests.waiting import until

LAUNCHER = PLUGIN + "Launcher"
ROUNDS = int(os.environ.get("STASH2PLEX_KILL_ROUNDS", "12"))
DATES = "SETTLED_S = 1.5"


@pytest.fixture
def ringing(world):
    """A world with a worker that lives and can be seen."""
    return seen(world)


def seen(world):
    """The same, once a first save has brought a worker that announces how far it has seen."""
    world.stash.save("1", code="first")
    world.synced(only=["1"])
    until(lambda: announced(world), what="the worker to be seen")
    return world


def announced(world):
    """What launcher.js sees of the worker."""
    alive = os.path.join(os.path.dirname(world.data), "launcher", "alive")
    return os.listdir(alive) if os.path.isdir(alive) else []


def started(world):
    """What was started for hooks: operation and mode of each process."""
    return [(record.kind, record.trigger) for record in world.stash.processes if record.trigger in ("mark", "wake")]


def test_a_save_starts_no_process_and_arrives(ringing):
    before = len(ringing.stash.processes)
    ringing.stash.save("2", title="New", code="X")
    ringing.synced(only=["2"])
    assert len(ringing.stash.processes) == before
    assert ringing.marks() == []


def test_a_bulk_edit_starts_no_process_and_arrives(ringing):
    before = len(ringing.stash.processes)
    ringing.stash.bulk_save(list(ringing.keys), details="All of them")
    ringing.synced()
    assert len(ringing.stash.processes) == before


def test_a_bulk_edit_whose_tab_is_closed_arrives_as_a_whole(ringing):
    ids = list(ringing.keys)
    query = "mutation($input:BulkSceneUpdateInput!){bulkSceneUpdate(input:$input){id}}"
    ringing.stash.gql(query, {"input": {"ids": ids, "details": "Gone"}}, drop_after=0.001)
    until(lambda: ringing.stash.library.scene(ids[-1]).details == "Gone", what="the edit to be committed")
    ringing.synced()


@pytest.mark.parametrize(
    "change",
    [
        lambda stash: stash.rename("studio", "A studio", "Another name"),
        lambda stash: stash.destroy("3"),
        lambda stash: stash.wait_job(stash.scan(rescan=True), 30),
    ],
    ids=["a name", "a deletion", "a scan that moves no date"],
)
def test_what_moves_no_date_puts_a_mark(world, change):
    world.stash.change("1", touch=False, studio="A studio")
    seen(world)
    change(world.stash)
    assert ("operation", "mark") in started(world)[1:]
    until(lambda: not world.marks(), what="the mark to be taken")
    world.synced(only=["1"])
    assert world.errors() == []


def test_a_worker_that_was_killed_is_replaced_without_any_event(ringing):
    ringing.plex.down()
    ringing.stash.save("2", code="X")
    ringing.kill_worker()
    ringing.plex.up()
    ringing.synced(only=["2"])


@pytest.mark.timeout(30 + 4 * ROUNDS)
def test_a_save_within_a_second_after_the_worker_was_killed_arrives_without_any_further_event(ringing):
    """STASH2PLEX_KILL_ROUNDS says how often; pauses between kill and save are spread over a second."""
    for number in range(ROUNDS):
        until(lambda: announced(ringing), what="the worker to be seen")
        os.kill(ringing.worker().pid, signal.SIGKILL)
        time.sleep(number / ROUNDS)
        ringing.stash.save("2", code=f"round {number}")
        ringing.synced(only=["2"])


def test_of_a_worker_that_dies_again_and_again_there_is_an_end(build, tmp_path):
    dies = "import os, signal\n_serve = lambda *_: sleep(0.5) or os.kill(os.getpid(), signal.SIGKILL)"
    folder = copy_of_plugin(tmp_path / "plugins", worker__run=dies)
    script = folder / "launcher" / "launcher.js"
    script.write_text(script.read_text("utf-8").replace("Sleep(1000", "Sleep(10"), "utf-8")
    world = build(plugin=folder)
    world.seed(1)
    world.stash.save("1", code="X")
    until(lambda: len(world.workers) == 6, what="the tries")
    until(lambda: not world.living, what="the last one to die")
    time.sleep(0.5)
    assert (len(world.workers), world.living) == (6, [])
    assert len(world.marks()) == 1


def test_a_save_whose_commit_took_longer_than_the_look_behind_it_arrives(build, tmp_path):
    """Its date is one that the worker has passed: taken before the commit, which waited for somebody else's."""
    world = build(plugin=copy_of_plugin(tmp_path / "plugins", reconcile__watch=DATES))
    world.seed(3)
    seen(world)
    before = announced(world)
    world.stash.save("2", code="X")
    until(lambda: announced(world) not in ([], before), what="the date to be passed")
    world._clock.behind_s = 60.0
    world.stash.save("3", code="Late")
    world.synced(only=["3"])
    assert started(world)[-1] == ("operation", "mark")


def test_with_the_plugin_disabled_a_save_leaves_no_error_line(build, tmp_path):
    world = build(plugin=copy_of_plugin(tmp_path / "plugins", worker__session="SETTINGS_IDLE_S = 0.5"))
    world.seed(3)
    seen(world)
    world.stash.set_enabled(PLUGIN, False)
    until(lambda: not world.living, what="the worker to end")
    start = len(world.stash.log)
    world.stash.save("2", code="X")
    assert [text for level, _, text in world.stash.log[start:] if level in ("error", "warning")] == []


def test_without_the_launcher_tasks_find_what_was_saved(world):
    seen(world)
    world.kill_worker(signal.SIGTERM)
    world.stash.set_enabled(LAUNCHER, False)
    before = len(world.stash.processes)
    world.stash.save("2", code="X")
    assert len(world.stash.processes) == before
    assert world.run_task("Process Queue")["error"] is None
    world.synced(only=["2"])
    (row,) = [row for row in world.run_task("Health Check")["output"]["checks"] if row["check"] == "Launcher"]
    assert not row["ok"] and "nothing notices what is saved" in row["says"]


def test_with_a_login_the_cookie_goes_along_only_to_start_a_worker(build):
    world = build(credentials=LOGIN)
    world.seed(3)
    seen(world)
    assert started(world) == [("operation", "mark"), ("operation", "wake")]
    world.stash.save("2", code="X")
    world.synced(only=["2"])
    assert len(started(world)) == 2
    world.kill_worker()
    world.stash.save("3", code="Y")
    world.synced(only=["3"])
    assert [text for text in world.errors() if "killed" not in text] == []


def test_a_python_that_is_not_there_costs_no_secret(build):
    """Of an operation that fails Stash logs the arguments; the net of the suite looks through its log."""
    world = build(credentials=LOGIN, python="/nowhere/python3")
    world.seed(1)
    world.stash.save("1", code="X")
    assert world.stash.library.scene("1").code == "X"
    assert [text for level, _, text in list(world.stash.log) if level == "error"]


def test_a_worker_with_nothing_to_do_for_long_leaves_and_what_was_let_go_before_it_is_not_lost(build, tmp_path):
    """Saves meet the worker at every moment of its leaving."""
    world = build(
        plugin=copy_of_plugin(tmp_path / "plugins", worker__loop="IDLE_S = 0.3", reconcile__watch="SETTLED_S = 0.2")
    )
    world.seed(5)
    world.configure(poll_interval="0.1")
    for number in range(25):
        world.stash.save("2", code=f"number {number}")
        world.synced(only=["2"])
        time.sleep(0.25 + 0.01 * number)
    assert len(world.workers) > 1


def test_a_worker_that_stays_for_an_interval_dozes_and_wakes(build, tmp_path):
    world = build(
        plugin=copy_of_plugin(tmp_path / "plugins", worker__loop="IDLE_S = 1.0", reconcile__watch="SETTLED_S = 0.2")
    )
    world.seed(3)
    world.configure(reconcile_interval="weekly", poll_interval="0.1")
    seen(world)
    until(lambda: not announced(world), what="the worker to doze")
    asked = world.stash.count("findScenes")
    time.sleep(1.0)
    assert world.stash.count("findScenes") - asked < 5  # and not every tenth of a second
    world.stash.save("2", code="X")
    world.synced(only=["2"])
    assert len(world.workers) == 1
    assert until(lambda: announced(world), what="the worker to be seen again")
