"""Whatever library, and whatever happened to it unseen: exactly the gaps are found, and after that there are none."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from reconcile.gaps import MISSING, ORPHANED
from reconcile.scan import ALL, DEEP, QUICK, Plan
from tests.worker.random_library import Library
from tests.worker.reconciling import writes
from tests.worker.steps import Stage

SEED = int(os.environ.get("STASH2PLEX_SEED", "20240229"))
PLAYS = 2
HOURS_2 = 7_200.0
STAYS = (MISSING, ORPHANED)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of scenes, of rows of those that are gone, and of listings; and every gap is told."""
    monkeypatch.setattr("reconcile.scan.PAGE_SCENES", 4)
    monkeypatch.setattr("reconcile.scan.PAGE_ROWS", 3)
    monkeypatch.setattr("plex.client.PAGE_ITEMS", 5)
    monkeypatch.setattr("worker.runs.EXAMPLES", 1_000)


def compare(stage: Stage, depth: str = DEEP) -> list[tuple[int, str]]:
    """Let a run and the drain come to their end; the gaps that it found, in order."""
    stage.clock.now += HOURS_2  # what was listed of Plex before is too old to count
    stage.session.reconciler.begin(Plan(ALL, depth), stage.clock.now)
    stage.run()
    run = stage.session.reconciler.runs()[0]
    assert run["ended"] and not run["note"] and not run["doubtful"], run
    found = sorted((row["scene"], row["kind"]) for row in run["examples"])
    assert len(found) == sum(run["gaps"].values())
    assert run["checked"] == len(stage.stash.scenes())
    assert run["healthy"] + run["skipped"] == run["checked"] - len([kind for _, kind in found if kind != ORPHANED])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("quick", [False, True], ids=["deep", "quick"])
@pytest.mark.parametrize(("mode", "preserve"), [("append", False), ("replace", True)], ids=["mirror", "preserve"])
def test_exactly_the_gaps_are_found_and_repaired_once(tmp_path: Path, mode: str, preserve: bool, quick: bool) -> None:
    for number in range(PLAYS):
        seed = SEED + number
        with Stage(str(tmp_path / f"data {number}"), mode=mode, preserve_plex_edits=preserve) as stage:
            library = Library(stage, Random(seed), preserve)
            try:
                play(library, quick)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, {library.acts}: {error}") from error


def play(library: Library, quick: bool) -> None:
    stage = library.stage
    stage.settle(*library.add(9, days_old=30))
    library.note()
    assert compare(stage) == library.gaps() and {kind for _, kind in library.gaps()} <= {*STAYS}
    library.add(3, days_old=60)  # before the newest of the others: so no sweep finds them
    before = {scene: library.listed(scene) for scene in library.pushed}
    library.happen()
    if quick:
        expected = library.gaps()
        unseen = {scene for scene, listed in before.items() if listed == library.listed(scene)}
        assert compare(stage, QUICK) == [gap for gap in expected if gap[0] not in unseen or gap[1] in STAYS]
        library.note(but=unseen)
    expected = library.gaps()
    assert compare(stage) == expected
    library.note()
    left = [gap for gap in expected if gap[1] in STAYS]
    assert library.gaps() == left
    written = writes(stage)
    assert compare(stage) == left and compare(stage, QUICK) == left
    assert writes(stage) == written and stage.session.store.numbers()["dead_letters"].keys() <= {"missing"}
