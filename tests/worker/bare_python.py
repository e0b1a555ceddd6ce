"""A Python as a container has it: no packages, closed to pip by its distribution, and to be thrown away."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

from tests.doubles.stash_plugins import base_python

CLOSED = "[externally-managed]\nError=This environment is externally managed\n"
NOT_TAKEN = {"site-packages", "dist-packages", "EXTERNALLY-MANAGED"}
# A pip that needs no network. It says when it starts and ends, and ends only when a file is there.
PIP_THAT_WAITS = """
import os, sys, time
if "install" in sys.argv:
    target = sys.argv[sys.argv.index("--target") + 1]
    said, go = os.environ["SAID"], os.environ["GO"]
    def say(word):
        with open(said, "a") as file:
            file.write(word + "\\n")
    os.makedirs(os.path.join(target, "stash2plex_probe"))
    say("start")
    while not os.path.exists(go):
        time.sleep(0.02)
    open(os.path.join(target, "stash2plex_probe", "__init__.py"), "w").close()
    say("end")
"""


class BarePython:
    """Made by links to the standard library of ours; ``without`` names modules that this one lacks."""

    def __init__(self, folder: Path, without: tuple[str, ...] = ()) -> None:
        library = Path(sysconfig.get_path("stdlib"))
        own = folder / "lib" / library.name
        self.site = own / "site-packages"
        self.site.mkdir(parents=True)
        for entry in library.iterdir():
            if entry.name not in NOT_TAKEN and entry.name not in without:
                (own / entry.name).symlink_to(entry)
        for shared in library.parent.glob("libpython*"):
            (own.parent / shared.name).symlink_to(shared)
        (own / "EXTERNALLY-MANAGED").write_text(CLOSED)
        (folder / "bin").mkdir()
        self.python = str(folder / "bin" / "python3")
        shutil.copy(Path(base_python()).resolve(), self.python)
        self.prefix = self.run("-c", "import sys; print(sys.prefix)").stdout.strip()
        assert self.prefix == str(folder)

    def run(self, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run this Python to its end."""
        return subprocess.run([self.python, *arguments], capture_output=True, text=True, timeout=60, **options)

    def gain_pip(self) -> None:
        """The real one."""
        (self.site / "pip").symlink_to(Path(sysconfig.get_path("purelib"), "pip"))

    def gain_pip_that_waits(self) -> None:
        """See PIP_THAT_WAITS."""
        (self.site / "pip").mkdir()
        (self.site / "pip" / "__init__.py").touch()
        (self.site / "pip" / "__main__.py").write_text(PIP_THAT_WAITS)

    def gain_packages(self) -> None:
        """As if somebody had installed all that we need."""
        (self.site / "found.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def files(self) -> set[str]:
        """Everything in it that an installation could have added."""
        own = self.site.parent
        return {str(path) for folder in (own, self.site) for path in folder.iterdir()}
