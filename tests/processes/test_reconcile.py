"""Comparing both sides, asked for by tasks and in a terminal: real processes, and what Plex holds in the end."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing

import pytest

from sync_queue import lease
from tests.processes.reconciling import add_old, rename_folder, run, runs, settle_down
from tests.processes.test_tasks import TASKS
from tests.processes.world import PLUGIN, copy_of_plugin
from tests.waiting import until
from tests.worker.reconciling import edit_in_plex

OK, USAGE, BLOCKED = 0, 2, 3
ALL, DRY_RUN = "Reconcile Library (All)", "Reconcile (Dry Run)"
KINDS = ("missing", "empty", "stale", "drifted", "moved", "orphaned")
ANY_WORKER = pytest.mark.parametrize("worker_lives", [True, False], ids=["with a worker", "without a worker"])


@pytest.fixture
def paged(build, tmp_path):
    """A world whose runs take a page of 5 scenes at a time."""
    return build(copy_of_plugin(tmp_path / "plugins", reconcile__scan="PAGE_SCENES = 5"))


def begun(world, pages=2):
    """Let a worker begin a run over everything and leave it in the middle, as a person does who stops the task."""
    world.plex.latency_s = 0.05
    job = world.stash.run_task(PLUGIN, ALL)
    until(lambda: runs(world) and runs(world)[0]["checked"] >= 5 * pages, what="the first pages")
    until(lambda: 0 < (world.stash.jobs.find(job).progress or 0) < 1, what="progress in Stash's list of jobs")
    world.stash.gql("mutation($j:ID!){stopJob(job_id:$j)}", {"j": job})
    assert world.stash.wait_job(job)["status"] == "CANCELLED"
    assert not runs(world)[0]["ended"]


# tasks


def tear_apart(world):
    """One gap of each kind, and no hook tells of it; the number of the scene by kind."""
    world.stash.hooks_enabled = False
    world.plex.remove_item(world.keys.pop("2"))
    edit_in_plex(world, "3")
    world.stash.change("4", touch=False, details="Changed behind everybody's back")
    edit_in_plex(world, "5", summary="Somebody's words")
    rename_folder(world, "6")
    world.stash.destroy("7")
    world.stash.hooks_enabled = True
    return dict(zip(KINDS, range(2, 8)))


@pytest.mark.proves("task:reconcile", "task:reconcile_dry_run")
@ANY_WORKER
def test_every_kind_of_gap_is_told_by_the_dry_run_and_repaired_by_the_run(paged, worker_lives):
    paged.seed(12)
    settle_down(paged, worker_lives)
    run(paged, "Sync All Scenes")
    gone = paged.keys["7"]
    wanted = tear_apart(paged)
    orphan, before, kept = paged.plex.item(paged.keys.pop("7")), paged.plex.items(), dump(paged)

    dry = run(paged, DRY_RUN)
    assert (dry["state"], dry["checked"], dry["healthy"]) == ("ok", 11, 6)
    assert dry["gaps"] == dict.fromkeys(KINDS, 1)
    assert {row["kind"]: row["scene"] for row in dry["examples"]} == wanted
    assert paged.plex.items() == before and dump(paged) == kept
    assert paged.logged("gaps: 6 (missing 1, empty 1, stale 1, drifted 1, moved 1, orphaned 1)")
    assert paged.logged("Scene 5 is drifted: ") and not paged.logged("Reconcile begins")

    found = run(paged, ALL)
    assert (found["gaps"], found["repairs"], found["state"]) == (dry["gaps"], 5, "ok")
    assert (found["done"]["synced"], found["done"]["missing"], found["waiting"]) == (4, 1, {"missing": 1})
    assert paged.differences() == [] and paged.plex.item(gone) == orphan
    (line,) = paged.logged("Reconcile ends: ")
    assert "11 scenes checked, 1 missing, 1 empty, 1 stale, 1 drifted, 1 moved, 1 orphaned, 5 queued; " in line
    assert len(paged.logged("Scene 7 is orphaned: ")) == 2

    assert run(paged, ALL)["gaps"] == {"missing": 1, "orphaned": 1}
    last, first = run(paged, "View Queue Status")["reconcile_runs"]
    assert (last["repairs"], first["repairs"], first["gaps"]) == (0, 5, dry["gaps"])
    assert paged.logged("Reconcile of all scenes (asked for) began ")
    assert paged.errors() == [] and lease.held(paged.data) == worker_lives


@ANY_WORKER
def test_each_task_looks_at_the_scenes_that_its_name_says(world, worker_lives):
    ages = {"Reconcile Library (Added in 7 Days)": (3, 3), "Reconcile Library (Recent 24 h)": (10, 0)}
    ages.update({"Reconcile Library (Last 7 Days)": (10, 3), ALL: (10, 10)})
    assert {name for name in TASKS if name.startswith("Reconcile")} == {*ages, DRY_RUN}
    scenes = {name: add_old(world, 50 + number, *ages[name]) for number, name in enumerate(ages)}
    settle_down(world, worker_lives)
    for name, scene in scenes.items():
        assert world.differences([scene]) != [], name
        assert run(world, name)["gaps"]["empty"] > 0
        assert world.differences([scene]) == [], name
    assert world.differences() == []


def dump(world):
    """All rows of the store but what is counted."""
    with closing(sqlite3.connect(os.path.join(world.data, "stash2plex.db"))) as db:
        return {row for row in db.iterdump() if not row.startswith('INSERT INTO "counters"')}


# in the middle of a run


def test_a_run_whose_worker_is_killed_goes_on_where_it_was_with_the_next_worker(paged):
    paged.seed(40)
    settle_down(paged)
    begun(paged)
    paged.kill_worker()
    paged.plex.latency_s = 0.0
    (left,) = runs(paged)
    assert 10 <= left["checked"] < 40 and not left["ended"]
    paged.stash.load_page()
    paged.synced()
    (ended,) = until(lambda: runs(paged)[0]["ended"] and runs(paged), what="the end of the run")
    assert (ended["checked"], ended["gaps"], ended["note"]) == (40, {"empty": 39}, "")
    assert len(paged.logged("Reconcile begins")) == 1 and paged.errors() == []


def test_a_task_whose_worker_is_killed_in_the_middle_sees_the_run_to_its_end(paged):
    paged.seed(40)
    settle_down(paged)
    paged.plex.latency_s = 0.05
    job = paged.stash.run_task(PLUGIN, ALL)
    until(lambda: runs(paged) and runs(paged)[0]["checked"] >= 10, what="the first pages")
    paged.kill_worker()
    paged.plex.latency_s = 0.0
    ended = paged.stash.wait_job(job, 60)
    assert (ended["error"], ended["output"]["state"]) == (None, "ok")
    assert all(one["ended"] for one in runs(paged))
    assert paged.differences() == [] and paged.errors() == []


def test_clear_pending_queue_ends_a_run(paged):
    paged.seed(40)
    settle_down(paged)
    begun(paged)
    run(paged, "Clear Pending Queue")
    (ended,) = runs(paged)
    assert ended["ended"] and ended["note"] == "the queue was cleared" and ended["checked"] < 40
    assert paged.logged("Reconcile ends: ")[0].endswith("; the queue was cleared")
    paged.plex.latency_s = 0.0
    assert run(paged, "Process Queue")["queued"] == 0
    assert len({text.split(":")[0] for text in paged.differences()}) >= 40 - ended["checked"]


# in a terminal


def answer(world, code, *arguments):
    """The JSON that the command prints, when it ends with this exit code."""
    ended, out, err = world.shell("--json", *arguments)
    assert ended == code, out + err
    return json.loads(out)


def test_in_a_terminal_it_compares_what_the_options_say(world):
    """Without a worker first, then through the living one."""
    settle_down(world, worker_lives=False)
    recent, added = add_old(world, 50, 10, 0), add_old(world, 51, 0, 0)
    code, out, err = world.shell("--reconcile-dry-run")
    assert (code, "gaps: 12 (empty 12)" in out, "Scene 2 is empty: " in out) == (OK, True, True), err
    assert world.plex.count("PUT") == 0
    answer(world, OK, "--reconcile", "24h", "--by", "created_at")
    assert world.differences([recent]) != [] == world.differences([added])

    world.stash.set_enabled(PLUGIN + "Launcher", True)
    settle_down(world)
    edit_in_plex(world, added)
    assert answer(world, OK, "--reconcile-dry-run")["gaps"] == {"empty": 2}
    code, out, err = world.shell("--reconcile", "24h")
    assert (code, "repairs: 2" in out) == (OK, True), out + err
    assert world.differences() == [] and len(world.workers) == 1
    assert answer(world, OK, "--reconcile", "all")["gaps"] == {}


def test_in_a_terminal_exit_codes_tell_what_is_in_the_way_and_what_is_wrong(world):
    world.stash.set_enabled(PLUGIN + "Launcher", False)
    world.plex.down()
    away = answer(world, BLOCKED, "--reconcile", "all")
    assert away["state"].startswith("Plex is away") and away["note"] == "It goes on by itself"
    assert answer(world, BLOCKED, "--reconcile-dry-run")["state"].startswith("Plex cannot be reached")
    world.configure(plex_url=None)
    assert answer(world, BLOCKED, "--reconcile-dry-run")["state"].startswith("Setting plex_url is missing")
    for wrong in (("--reconcile", "often"), ("--reconcile", "all", "--by", "title"), ("--reconcile",)):
        assert world.shell(*wrong)[0] == USAGE
