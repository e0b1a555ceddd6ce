"""A run that is killed at every page, and libraries that change under it."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from random import Random
from typing import Any

import pytest

from reconcile.gaps import MISSING, ORPHANED
from reconcile.scan import QUICK, Plan
from reconcile.schedule import DELETED
from sync_queue.store import Store
from tests.worker.random_library import Library
from tests.worker.reconciling import dry_run, edit_in_plex, reconcile, writes
from tests.worker.steps import FULL, Killed, Stage

COUNTS = ("gaps", "healthy", "checked", "skipped", "doubtful")


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of scenes, of rows of those that are gone, and of listings."""
    monkeypatch.setattr("reconcile.scan.PAGE_SCENES", 3)
    monkeypatch.setattr("reconcile.scan.PAGE_ROWS", 2)
    monkeypatch.setattr("plex.client.PAGE_ITEMS", 4)
    monkeypatch.setattr("worker.reconciler.FULL_SCENES", 100_000)


def disturbed(stage: Stage, seed: int) -> Library:
    """A library in step, to which many things happened since."""
    library = Library(stage, Random(seed), preserve=False)
    stage.settle(*library.add(12, days_old=30))
    library.note()
    library.happen()
    stage.clock.now += 7_200
    return library


def begun(stage: Stage) -> None:
    stage.session.reconciler.begin(Plan(), stage.clock.now)


def last(stage: Stage) -> dict[str, Any]:
    """The run that began last."""
    return stage.session.reconciler.runs()[0]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_that_is_killed_after_every_page_counts_the_same(stage: Stage, seed: int) -> None:
    library = disturbed(stage, seed)
    expected, kills = dry_run(stage), 0
    begun(stage)
    while stage.session.reconciler.running:
        stage.step()
        stage.reopen()
        kills += 1
    assert kills > 8 and {name: last(stage)[name] for name in COUNTS} == {name: expected[name] for name in COUNTS}
    stage.run()
    library.note()
    assert {kind for _, kind in library.gaps()} <= {MISSING, ORPHANED}


@pytest.mark.parametrize("last_act", ["revive", "run_goes_on"])
def test_a_run_that_is_killed_within_every_page_repairs_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, last_act: str
) -> None:
    """What a page found is queued before the page is kept: the page is done again, and some of it is repaired then."""
    library = disturbed(stage, 3)
    expected, kills = dry_run(stage), 0
    begun(stage)
    while stage.session.reconciler.running:
        kept = last(stage)["checked"]
        with monkeypatch.context() as patch:
            patch.setattr(Store, last_act, die)
            try:
                while stage.session.reconciler.running:
                    stage.step()
            except Killed:
                kills += 1
        stage.reopen()
        while stage.session.reconciler.running and last(stage)["checked"] == kept:
            stage.step()
    run = last(stage)
    assert kills > 2 and [run[name] for name in COUNTS[2:]] == [expected[name] for name in COUNTS[2:]]
    assert all(count <= expected["gaps"][kind] for kind, count in run["gaps"].items())
    stage.run()
    library.note()
    assert {kind for _, kind in library.gaps()} <= {MISSING, ORPHANED}


def die(*_: Any, **__: Any) -> None:
    raise Killed


def test_scenes_and_items_that_are_deleted_in_the_middle_disturb_nobody_else(stage: Stage) -> None:
    scenes = [stage.scene(**{**FULL, "title": f"Title {number}"}) for number in range(15)]
    stage.settle(*scenes)
    edit_in_plex(stage, *scenes)
    begun(stage)
    while last(stage)["checked"] < 6:
        stage.step()
    gone, removed = [scenes[2], scenes[7], scenes[8], scenes[14]], [scenes[3], scenes[8], scenes[10]]
    for scene in gone:
        stage.stash.destroy(scene)
    for scene in removed:
        stage.plex.remove_item(stage.keys[scene])
    stage.run()
    run = last(stage)
    assert run["ended"] and not run["note"]
    assert run["checked"] == 15 - 3  # what is gone was not reached yet, but one
    assert run["gaps"] == {"missing": 1, "empty": 11, "orphaned": 2}
    assert stage.differing(*({*scenes} - {*gone, *removed})) == {} and stage.session.state == ""
    again = reconcile(stage)
    assert again["gaps"] == {"missing": 2, "orphaned": 3} and again["checked"] == 11
    before = writes(stage)
    assert reconcile(stage)["gaps"] == {"missing": 2, "orphaned": 3} and writes(stage) == before


def test_scenes_that_come_in_the_middle_are_compared_too(stage: Stage) -> None:
    scenes = stage.scenes(7, **FULL)
    stage.settle(*scenes)
    begun(stage)
    while last(stage)["checked"] < 3:
        stage.step()
    new = stage.scenes(4, **FULL)
    stage.run()
    assert last(stage)["checked"] == 11 and stage.differing(*scenes, *new) == {}


def test_a_library_that_shrinks_while_it_is_listed_is_compared_whole(stage: Stage) -> None:
    """Pages of a listing move up then, and rows fall between two of them: what was not seen is read."""
    scenes = stage.scenes(12, **FULL)
    stage.settle(*scenes)
    reconcile(stage)
    stage.clock.now += 7_200
    edit_in_plex(stage, scenes[9])
    stage.session.reconciler.begin(Plan(depth=QUICK), stage.clock.now)
    stage.step()
    stage.step()
    for scene in scenes[:3]:
        stage.plex.remove_item(stage.keys[scene])
    stage.run()
    assert last(stage)["gaps"] == {"empty": 1} and stage.differing(*scenes[3:]) == {}
    stage.session.reconciler.begin(Plan(depth=QUICK), stage.clock.now)
    stage.run()
    assert last(stage)["gaps"] == {"missing": 3}


def test_what_was_deleted_disappears_although_another_run_took_the_place_of_the_one_that_looked_for_it(
    stage: Stage,
) -> None:
    scenes = stage.scenes(9, **FULL)
    stage.settle(*scenes)
    stage.clock.now += 3 * 86_400
    stage.run()
    ann = stage.stash.id_of("performer", "Ann")
    stage.stash.gql(f'mutation {{ performerDestroy(input: {{id: "{ann}"}}) }}')
    stage.mark(1, kind="any")
    while not [run for run in stage.session.reconciler.runs() if run["why"] == DELETED]:
        stage.step()
        stage.clock.now += 1
    stage.session.reconciler.begin(Plan("24h"), stage.clock.now)
    stage.run_for(1_200)
    assert stage.differing() == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cursor", {"stage": 5}),
        ("cursor", {"no such": 1}),
        ("cursor", None),
        ("checked", "many"),
        ("depth", None),
        ("gaps", None),
        ("gaps", 5),
        ("scope", "x"),
    ],
    ids=str,
)
def test_a_run_whose_record_is_damaged_is_over_and_stops_nobody(stage: Stage, name: str, value: Any) -> None:
    scenes = stage.scenes(2, **FULL)
    stage.settle(*scenes)
    begun(stage)
    stage.session.close()
    with closing(sqlite3.connect(os.path.join(stage.data_dir, "stash2plex.db"))) as db:
        ((text,),) = db.execute("SELECT content FROM runs ORDER BY id DESC LIMIT 1")
        content = {**json.loads(text), name: value}
        if value is None:
            del content[name]
        db.execute("UPDATE runs SET content = ?", (json.dumps(content),))
        db.commit()
    stage.open()
    stage.save(*scenes, title="New")
    stage.run()
    assert all(run["ended"] for run in stage.session.reconciler.runs()) and stage.differing() == {}
