"""While people's edits in Plex are preserved: only what is empty is filled, and only what is ours is taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.worker.expected import LOCKS, PLURALS, SCALARS, Expected
from tests.worker.random_edits import play_all
from tests.worker.steps import Stage


def people_are_respected(before: dict[str, Any], after: dict[str, Any], expected: Expected) -> None:
    """What holds for every run, whatever was edited."""
    assert after["locks"] == before["locks"]
    for name in (*SCALARS, "userRating"):
        assert after[name] == before[name] or not before[name], f"{name} was filled already"
    for name in before["locks"] & {*SCALARS, *PLURALS}:
        assert after[name] == before[name], f"{name} was locked"
    for kind in PLURALS:
        gone = {(kind, tag) for tag in before[kind] - after[kind]}
        assert not gone & expected.by_people, "a person's tag was taken away"
    for kind, lock in LOCKS.items():
        assert after[kind] == before[kind] or lock not in before["locks"], f"{kind} were locked"


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "number"), [("append", 2), ("replace", 3)])
def test_two_thousand_random_edits_leave_what_people_did_in_plex_as_it_is(
    tmp_path: Path, mode: str, number: int
) -> None:
    switches = {"sync_rating": True, "preserve_plex_edits": True, "organized_only": mode == "append"}
    with Stage(str(tmp_path / "data"), mode=mode, **switches) as stage:
        play_all(stage, number, preserve=True, check=people_are_respected)
