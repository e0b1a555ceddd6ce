"""Stash's package store: how it puts a plugin from a source into its folder, updates it and takes it away.

In the order and with the modes that Stash's own store uses: files as they come in the zip, deleted as they were listed.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Callable

import yaml

from tests.processes.world import PLUGIN, ROOT, copy_of_plugin
from tools import plugin_zip

LISTING = "manifest"
Pause = Callable[[str], object]


def build_zip(folder: Path) -> Path:
    """The zip of what is here."""
    return plugin_zip.build(ROOT, folder / "dist").zip_path


def build_other_zip(folder: Path, **appended: str) -> Path:
    """The zip of another version, with lines added as for `copy_of_plugin`."""
    copy = copy_of_plugin(folder / "other", **appended)
    for name in ("LICENSE", "README.md"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    text = (copy / f"{PLUGIN}.yml").read_text(encoding="utf-8")
    (copy / f"{PLUGIN}.yml").write_text(text.replace("\nversion: ", "\nversion: 99."), encoding="utf-8")
    return plugin_zip.build(copy).zip_path


def install(package: Path, folder: Path, pause: Pause = lambda moment: None) -> Path:
    """Install or update; ``pause`` is called when it is half ``deleting``, ``deleted``, ``writing`` and ``written``.

    Gives the plugin's folder. It is ``writing`` when only the entry file is there again.
    """
    made = folder / PLUGIN
    if (made / LISTING).exists():
        delete(made, pause)
    files = []
    with zipfile.ZipFile(package) as archive:
        for info in archive.infolist():
            _write(made / info.filename, archive.read(info), info.external_attr >> 16 & 0o777)
            files.append(info.filename)
            if len(files) == 1:
                pause("writing")
    (made / LISTING).write_text(yaml.safe_dump({"id": PLUGIN, "files": files}))
    pause("written")
    return made


def delete(made: Path, pause: Pause = lambda moment: None) -> None:
    """What was listed, and then nothing else: what the plugin made itself stays."""
    files = yaml.safe_load((made / LISTING).read_text())["files"]
    for number, name in enumerate(files):
        if number == len(files) // 2:
            pause("deleting")
        (made / name).unlink(missing_ok=True)
    (made / LISTING).unlink()
    pause("deleted")


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
