"""Making the libraries importable in a bare process, as a worker does it, for a library that only exists in tests."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

ROOT = str(Path(__file__).resolve().parents[2])
MODULE = "stash2plex_probe"
ENSURE = f"""
import json, sys
root, plugin_dir, data_dir, what, newest = sys.argv[1:]
sys.path.insert(0, root)
from worker import deps, wheels
if what == "probe":
    deps.MODULES = ("{MODULE}",)
if newest == "newer than the lock":
    wheels.LOCKED_UP_TO = (3, 8)
runs, real = [], wheels.subprocess.run
def run(command, **options):
    runs.append("install" in command)
    return real(command, **options)
wheels.subprocess.run = run
said, found = [deps.ensure(plugin_dir, data_dir)], ""
if not said[0]:
    said.append(deps.ensure(plugin_dir, data_dir))
    if what == "probe":
        import {MODULE}
        found = {MODULE}.__file__
print(json.dumps([said, sum(runs), found]))
"""


@dataclass(frozen=True)
class Ensured:
    """What was said (after a success twice), how often pip installed, where the probe was found, and stderr."""

    said: list[str]
    runs: int
    found: str
    stderr: str = ""

    @property
    def worked(self) -> bool:
        return self.said == ["", ""]


def command(
    plugin_dir: Any, data_dir: Any, python: str = sys.executable, what: str = "probe", newest: str = ""
) -> list:
    return [python, "-I", "-S", "-c", ENSURE, ROOT, str(plugin_dir), str(data_dir), what, newest]


def ensure(plugin_dir: Any, data_dir: Any, environment: Optional[dict[str, str]] = None, **options: str) -> Ensured:
    """Do it to the end. Nothing but the answer may be on stdout: for a worker that is its answer to Stash."""
    whole = {**os.environ, "PIP_NO_INDEX": "1"} if environment is None else environment
    done = subprocess.run(command(plugin_dir, data_dir, **options), capture_output=True, env=whole, timeout=120)
    assert done.returncode == 0, done.stderr
    return Ensured(*json.loads(done.stdout), done.stderr.decode())


def make_wheel(folder: Path, version: str = "1.0") -> Path:
    """A wheel of the probe, with a file in it that Stash would take for a plugin."""
    wheel, info = folder / f"{MODULE}-{version}-py3-none-any.whl", f"{MODULE}-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{MODULE}/__init__.py", "")
        archive.writestr(f"{MODULE}/manifest.yml", "name: not a plugin of Stash\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {MODULE}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def make_plugin(folder: Path, wheels: Path) -> Path:
    """A plugin's folder that locks and requires the probe, whose wheel is made in ``wheels``."""
    folder.mkdir(parents=True, exist_ok=True)
    wheels.mkdir(exist_ok=True)
    digest = hashlib.sha256(make_wheel(wheels).read_bytes()).hexdigest()
    (folder / "requirements.lock").write_text(f"{MODULE}==1.0 --hash=sha256:{digest}\n")
    (folder / "requirements.txt").write_text(f"{MODULE}>=1.0,<2\n")
    return folder
