"""A stage for each test, and one in each way in which a Plex server may take tag lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.steps import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A Stash and a Plex without scenes, and a session that begins with the first step."""
    with Stage(str(tmp_path / "data")) as made:
        yield made


@pytest.fixture(params=["append", "replace"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Like ``stage``, on a Plex that appends tags and on one that replaces them."""
    with Stage(str(tmp_path / "data"), mode=request.param) as made:
        yield made
