"""How a worker shows Stash that it lives, and up to which date it has seen every change.

`launcher/launcher.js` can do nothing but ask Stash, and Stash lists folders. So beside that script stands ``alive``: on
Linux a link to a folder that we hold open, which leads nowhere the moment we are dead, whatever killed us; elsewhere a
folder that is written to every second. Its one sub-folder is named after the date.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from contextlib import suppress

ALIVE = "alive"
FOLDER = "announced"
BEAT_S = 1.0


class Presence:
    """Of the one worker of this plugin folder. Where the folder cannot be written nothing is shown: saves cost more.

    Only with the data folder in its usual place: the script knows no other. Used by the thread that announces and by
    the one that beats.
    """

    def __init__(self, plugin_dir: str, data_dir: str) -> None:
        self._alive = os.path.join(plugin_dir, "launcher", ALIVE)
        self._kept = os.path.join(data_dir, FOLDER)
        self._possible = os.path.abspath(data_dir) == os.path.abspath(os.path.join(plugin_dir, "data"))
        self._opened = -1
        self._folder = self._shown = ""
        self._beat_at = 0.0
        self._lock = threading.Lock()

    def announce(self, stamp: str) -> bool:
        """From now on show this date, one that Stash wrote; whether that is possible."""
        with self._lock:
            try:
                if self._possible:
                    self._show(stamp.replace(":", "."))
            except OSError:
                self._possible = False
                self._end()
            return self._possible

    def beat(self) -> None:
        """To be called about every second; on Linux there is nothing to do."""
        with self._lock:
            if self._shown and self._opened < 0 and not 0 <= time.time() - self._beat_at < BEAT_S:
                with suppress(OSError):
                    self._show(os.path.basename(self._shown).partition("~")[0])

    def retract(self) -> None:
        """Show nothing any more, until the next date is announced."""
        with self._lock:
            self._end()

    def _show(self, stamp: str) -> None:
        """Make the sub-folder, or give it this name: with the time of day where we cannot be seen to live."""
        if not self._folder:
            self._begin()
        self._beat_at = time.time()
        name = os.path.join(self._folder, stamp if self._opened >= 0 else f"{stamp}~{int(self._beat_at)}")
        if self._shown:
            os.rename(self._shown, name)
        else:
            os.mkdir(name, 0o755)
        self._shown = name

    def _begin(self) -> None:
        self._end()
        if sys.platform.startswith("linux") and self._link():
            return
        os.mkdir(self._alive, 0o755)
        self._folder = self._alive

    def _link(self) -> bool:
        """Link to the folder by way of our own process; False on a Linux without /proc.

        Its name is new each time: a later process of our number may hold some other folder open under the same one,
        and Stash looks for plugins wherever a link leads.
        """
        name = os.urandom(8).hex()
        os.makedirs(os.path.join(self._kept, name), 0o700)
        self._opened = os.open(self._kept, os.O_RDONLY | os.O_DIRECTORY)
        shown = f"/proc/{os.getpid()}/fd/{self._opened}/{name}"
        if not os.path.isdir(shown):
            os.close(self._opened)
            self._opened = -1
            return False
        os.symlink(shown, self._alive)
        self._folder = os.path.join(self._kept, name)
        return True

    def _end(self) -> None:
        """Leave nothing behind, also of those that were killed."""
        self._folder = self._shown = ""
        if os.path.islink(self._alive):
            with suppress(OSError):
                os.unlink(self._alive)
        for left in (self._alive, self._kept):
            shutil.rmtree(left, ignore_errors=True)
        if self._opened >= 0:
            os.close(self._opened)
            self._opened = -1
