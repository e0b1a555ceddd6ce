"""The note of a worker that cannot work: hooks that find it do not launch another one for ten minutes."""

from __future__ import annotations

import os
import time

from sync_queue.files import write_json
from sync_queue.lease import RESTING


def rest(data_dir: str, why: str) -> None:
    """Leave the note."""
    write_json(os.path.join(data_dir, RESTING), {"why": why, "since": time.time()})


def wake_up(data_dir: str) -> None:
    """Remove the note: the cause may be repaired."""
    try:
        os.unlink(os.path.join(data_dir, RESTING))
    except FileNotFoundError:
        pass
