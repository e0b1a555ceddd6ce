"""Build dist/Stash2Plex.zip, the plugin as people install it, and dist/index.yml, the list Stash finds it in.

The same commit gives the same bytes everywhere: entries are sorted, carry the commit's time, are stored uncompressed
(compressed bytes differ between zlib versions) and have Unix line ends.
What goes in is a list of what is allowed, so a stray file, a test or a data folder can never be shipped.

Stash updates a plugin by deleting its files and writing the new ones, both in the order of the zip, while hooks go on
firing (seen in Stash's package store). So the entry file comes first: it is away for the shortest time, and waits for
the modules it misses. The manifest comes last: a living worker that sees it change finds the new version whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PLUGIN_ID = "Stash2Plex"
MANIFEST = f"{PLUGIN_ID}.yml"
ENTRY = f"{PLUGIN_ID}.py"
EXECUTABLE = (ENTRY, "process_queue.py")
ROOT_FILES = (MANIFEST, *EXECUTABLE, "requirements.txt", "requirements.lock", "LICENSE", "README.md")
PACKAGES = ("hooks", "plex", "reconcile", "stash", "sync_queue", "validation", "worker")
PACKAGE_SUFFIXES = (".py", ".sql")
# Stash loads every .yml below its plugins folder as a plugin, so only the two manifests may go in.
LAUNCHER_SUFFIXES = (".yml", ".js")
DOWNLOAD_S = 10  # what Stash grants a download of a package, from connecting to the last byte
EARLIEST_S = 315532800  # 1980-01-01, where the clock of zip files begins


class Built(NamedTuple):
    """The two files that one build wrote."""

    zip_path: Path
    index_path: Path


def build(root: Path = ROOT, folder: Path | None = None) -> Built:
    """Write both files into `folder` (default: dist/). Raises FileNotFoundError naming what is missing."""
    folder = folder or root / "dist"
    folder.mkdir(parents=True, exist_ok=True)
    names = shipped(root)
    made_at = moment(root, names)
    zip_path = folder / f"{PLUGIN_ID}.zip"
    write_zip(zip_path, root, names, made_at)
    index_path = folder / "index.yml"
    index_path.write_bytes(index(root, zip_path, made_at).encode())
    return Built(zip_path, index_path)


def shipped(root: Path) -> list[str]:
    """The names of all files that are allowed into the zip, relative to `root`: sorted, but see the module."""
    missing = [name for name in ROOT_FILES if not (root / name).is_file()]
    if missing:
        raise FileNotFoundError(f"the zip needs {', '.join(missing)}")
    names = set(ROOT_FILES) | set(files_below(root, "launcher", LAUNCHER_SUFFIXES))
    for package in PACKAGES:
        names |= set(files_below(root, package, PACKAGE_SUFFIXES))
    return [ENTRY, *sorted(names - {ENTRY, MANIFEST}), MANIFEST]


def files_below(root: Path, folder: str, suffixes: tuple[str, ...]) -> list[str]:
    found = (path for path in (root / folder).rglob("*") if path.is_file() and path.suffix in suffixes)
    return [path.relative_to(root).as_posix() for path in found]


def moment(root: Path, names: list[str]) -> datetime:
    """The time the build stands for: SOURCE_DATE_EPOCH, else the last commit, else the newest shipped file.

    Not a constant: Python trusts a .pyc whose source has the same time and size, so a version unpacked by hand over
    another one must not look like it. And Stash offers an update only when the date in the index moved.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH") or commit_time(root)
    seconds = int(given) if given else max(int((root / name).stat().st_mtime) for name in names)
    seconds = max(seconds - seconds % 2, EARLIEST_S)  # a zip knows even seconds only
    return datetime.fromtimestamp(seconds, timezone.utc)


def commit_time(root: Path) -> str:
    if not (root / ".git").exists():
        return ""
    command = ["git", "log", "-1", "--format=%ct"]
    try:
        asked = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""


def write_zip(path: Path, root: Path, names: list[str], made_at: datetime) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            archive.writestr(entry(name, made_at), (root / name).read_bytes().replace(b"\r\n", b"\n"))


def entry(name: str, made_at: datetime) -> zipfile.ZipInfo:
    """One file's header. Stash gives unpacked files the mode recorded here; without one they would be unreadable."""
    info = zipfile.ZipInfo(name, made_at.timetuple()[:6])
    info.create_system = 3  # Unix, also when built on Windows
    info.external_attr = (0o100755 if name in EXECUTABLE else 0o100644) << 16
    info.compress_type = zipfile.ZIP_STORED
    return info


def index(root: Path, zip_path: Path, made_at: datetime) -> str:
    """The package list a Stash plugin source serves, with one entry."""
    manifest = (root / MANIFEST).read_text(encoding="utf-8")
    lines = {
        "id": PLUGIN_ID,
        "name": top_level(manifest, "name"),
        "version": top_level(manifest, "version"),
        "date": made_at.strftime("%Y-%m-%d %H:%M:%S"),
        "path": zip_path.name,
        "sha256": hashlib.sha256(zip_path.read_bytes()).hexdigest(),
    }
    # Every JSON string is a YAML string, so quotes and colons need no further thought.
    text = "".join(f"  {key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in lines.items())
    description = json.dumps(top_level(manifest, "description"), ensure_ascii=False)
    return "-" + text[1:] + f"  metadata:\n    description: {description}\n"


def top_level(manifest: str, key: str) -> str:
    """A one-line value at the top level of the manifest. Raises ValueError when it is not there as one line."""
    found = re.search(rf"^{key}:[ \t]*(\S.*?)[ \t]*$", manifest, re.MULTILINE)
    if not found or found.group(1)[0] in "|>":
        raise ValueError(f"{MANIFEST} needs `{key}:` with its value on the same line")
    return unquoted(found.group(1))


def unquoted(value: str) -> str:
    if value.startswith('"'):
        return str(json.loads(value))
    if value.startswith("'"):
        return value[1:-1].replace("''", "'")
    return value


def main() -> int:
    try:
        built = build()
    except (FileNotFoundError, ValueError) as error:
        print(f"plugin_zip: {error}", file=sys.stderr)
        return 1
    with zipfile.ZipFile(built.zip_path) as archive:
        count = len(archive.namelist())
    size_bytes = built.zip_path.stat().st_size
    print(f"{built.zip_path.relative_to(ROOT)}: {count} files, {size_bytes:,} bytes")
    print(f"Stash downloads it within {DOWNLOAD_S} s or not at all: {size_bytes / DOWNLOAD_S / 1000:.0f} kB/s will do")
    print(f"{built.index_path.relative_to(ROOT)}: {hashlib.sha256(built.zip_path.read_bytes()).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
