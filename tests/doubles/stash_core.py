"""The parts of a running double that queries and mutations share."""

import threading
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.stash_disk import Disk
from tests.doubles.stash_jobs import Jobs
from tests.doubles.stash_model import Library
from tests.doubles.stash_plugins import Plugins
from tests.doubles.stash_session import Sessions


@dataclass
class Core:
    """`lock` is held while the library changes and never while a hook runs, as Stash does it.

    `settings` are the plugins' settings by plugin id; `disk` is what the next jobs find. `status` is Stash's own: while
    it is not OK there is no database.
    """

    library: Library
    plugins: Plugins
    jobs: Jobs
    sessions: Sessions
    log: list[tuple[str, str, str]]
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: str = "OK"
    disk: Disk = field(default_factory=Disk)

    @property
    def lock(self) -> threading.RLock:
        return self.library.lock
