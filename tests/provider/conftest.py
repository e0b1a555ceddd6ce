"""What the slow tests of the provider share: its image, made once."""

from __future__ import annotations

import pytest

from tests.provider.image import made


@pytest.fixture(scope="session")
def image():
    """The Dockerfile's image as a folder; skips when it cannot be made for want of a package index."""
    yield from made()
