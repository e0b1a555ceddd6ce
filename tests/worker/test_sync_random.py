"""Whatever is edited in whatever order, and whatever goes wrong meanwhile, Plex ends as the projection of Stash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.worker.expected import Expected
from tests.worker.random_edits import play_all
from tests.worker.steps import Stage


def nothing_more(before: dict[str, Any], after: dict[str, Any], expected: Expected) -> None:
    """A mirror has no further promise."""


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "number"), [("append", 0), ("replace", 1)])
def test_after_two_thousand_random_edits_plex_shows_what_stash_has(tmp_path: Path, mode: str, number: int) -> None:
    with Stage(str(tmp_path / "data"), mode=mode, sync_rating=True, organized_only=mode == "replace") as stage:
        play_all(stage, number, preserve=False, check=nothing_more)
