"""The convergence storm: whatever happens in whatever order, once it is quiet one reconcile makes Plex show Stash.

What cannot be equal by nature is in `convergence_truth`. STASH2PLEX_STORM_SEEDS (numbers, separated by commas) and
STASH2PLEX_STORM_SCENES choose other storms than the usual ones; a storm that fails says how to play it again.
"""

from __future__ import annotations

import os

import pytest

from tests.processes.convergence import Storm
from tests.processes.convergence_world import Library, stormy_plugin

SEEDS = [int(number) for number in os.environ.get("STASH2PLEX_STORM_SEEDS", "1,2").split(",")]
SCENES = int(os.environ.get("STASH2PLEX_STORM_SCENES", "500"))
FILE = "tests/processes/test_convergence.py"
OF_US = ("met a fault in Stash2Plex", "Traceback", "was damaged")


@pytest.fixture
def storm(build, tmp_path, request):
    """A library in which nothing happened yet, of the test's seed."""
    plugin = stormy_plugin(tmp_path / "plugins")
    library = Library(build(plugin=plugin), plugin, SCENES, request.param)
    library.plex.mode = "replace" if request.param % 2 else "append"
    library.fill()
    return Storm(library)


@pytest.mark.slow
@pytest.mark.timeout(240 * (1 + SCENES // 1000))
@pytest.mark.parametrize("storm", SEEDS, indirect=True)
def test_after_a_storm_and_one_reconcile_plex_shows_what_stash_holds(storm):
    seed = storm.library.seed
    command = f"STASH2PLEX_STORM_SEEDS={seed} STASH2PLEX_STORM_SCENES={SCENES} python3 dev.py test {FILE}"
    print(f"seed {seed}; to play it again: {command}")
    try:
        storm.task("Sync All Scenes")
        assert storm.truth().differences() == []
        storm.rage()
        storm.quiet()
        reconciled(storm)
        nothing_is_left(storm)
    except AssertionError as error:
        raise AssertionError(f"seed {seed} of {SCENES} scenes; to play it again: {command}\n{error}") from error


def reconciled(storm):
    """One run makes both sides equal, and the next one finds nothing to send."""
    print(f"{storm.time_s():.0f} s: {storm.happened()}; {len(storm.truth().differences())} differences")
    first = storm.task("Reconcile Library (All)")
    storm.drain()
    truth = storm.truth()
    found = truth.differences()
    print(f"{storm.time_s():.0f} s: {first}")
    assert not found, f"{len(found)} differences\n{storm.history(found)}\n{truth.places()}"

    storm.library.plex.clear_requests()
    second = storm.task("Reconcile Library (All)")
    storm.drain()
    print(f"{storm.time_s():.0f} s: {second}")
    sent = [request for request in storm.library.plex.requests() if request.method != "GET"]
    assert not sent, f"the second run sent {sent[:5]}; {second}"
    assert second["gaps"].get("missing", 0) == len(truth.missing)
    assert set(second["gaps"]) <= {"missing", "orphaned"}, second


def nothing_is_left(storm):
    """What waits, waits for Plex to get its file; what was given up, has no file in Stash, or its item another scene.

    A scene that is gone, or has nothing to say any more, may still have a turn to wait for: only then it is looked at.
    """
    assert storm.library.plex.whole_section_edits() == []
    assert [text for _, _, text in storm.library.stash.log if any(words in text for words in OF_US)] == []
    assert [name for lane in storm.lanes for name in lane.never()] == []
    truth, left = storm.truth(), storm.left_over()
    waiting, given_up = ({kind: ids & truth.speaking for kind, ids in rows.items()} for rows in left)
    told = f"missing {sorted(truth.missing)}, waiting {waiting}, given up {given_up}"
    assert waiting.pop("missing", set()) | given_up.pop("missing", set()) == truth.missing, told
    assert given_up.pop("permanent", set()) <= truth.fileless, told
    assert given_up.pop("ambiguous", set()) <= truth.outdone, told
    assert not any(waiting.values()) and not any(given_up.values()), told
    assert (storm.world.queued_rows(), storm.world.marks()) == ([], [])
