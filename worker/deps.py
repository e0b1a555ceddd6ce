"""The libraries that everything but the hook role needs: found, or installed once into the data folder.

In this order: what this Python can import anyway, an earlier installation in the data folder, an installation by pip
(`worker.wheels`), what PythonDepManager has (`worker.neighbour`). When all fail, one sentence says what to do.
Never by a hook: marks pile up safely until the libraries are there. Standard library only, of course.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import site
import sys
import time

from sync_queue.files import read_json, write_json
from worker import neighbour, wheels

MODULES: tuple[str, ...] = (
    "plexapi", "pydantic", "pydantic_core", "tenacity", "persistqueue", "diskcache", "stashapi", "requests",
)  # fmt: skip
if platform.machine() != "armv7l":  # no wheels there, see requirements.txt; `plex.rules` does without
    MODULES += ("regex",)
# Import name -> name in the package index, where they differ.
DISTRIBUTIONS = {"persistqueue": "persist-queue", "stashapi": "stashapp-tools"}
BROUGHT_ALONG = "pydantic_core"  # comes with pydantic, in the one version that fits it
LENT = "lent.json"  # in the folder of an installation: the folders that PythonDepManager lent us
NOT_FOUND = "pip did its work, but they are still not found"
UNUSED_S = 30 * 86_400.0


def ensure(plugin_dir: str, data_dir: str) -> str:
    """Make the libraries importable; returns "" or one sentence that says what to do."""
    _add_site_packages()
    if not missing():
        return ""
    try:
        recipe = wheels.recipe(plugin_dir)
    except OSError as error:
        return f"{error.filename} cannot be read ({error.strerror}): install the plugin again"
    target = os.path.join(data_dir, recipe.folder)
    why = "" if _found_in(target) else wheels.install(recipe, target, lambda: _found_in(target))
    if missing() and not _found_in(target) and not _borrowed(plugin_dir, target):
        return _sentence(why or NOT_FOUND, wheels.spelled(recipe, target))
    _remove_former(target)
    return ""


def _sentence(why: str, command: str) -> str:
    return f"Python packages are missing ({', '.join(missing())}) and could not be installed: {why}. Run: {command}"


def missing() -> list[str]:
    """The libraries that cannot be imported here, or only in a version that requirements.txt excludes."""
    ranges = _ranges()
    return [_named(name, ranges) for name in MODULES if not _usable(name, ranges)]


def _usable(name: str, ranges: dict[str, str]) -> bool:
    if importlib.util.find_spec(name) is None:
        return False
    distribution = DISTRIBUTIONS.get(name, name)
    try:
        return fits(importlib.metadata.version(distribution), ranges.get(distribution, ""))
    except importlib.metadata.PackageNotFoundError:
        return True  # put there by other means than pip; its version cannot be known


def _named(name: str, ranges: dict[str, str]) -> str:
    distribution = DISTRIBUTIONS.get(name, name)
    return distribution + ranges.get(distribution, "")


def fits(version: str, ranges: str) -> bool:
    """Whether a version is in a range such as ``>=2.7,<3``; knows no other comparisons than these two."""
    at = _numbers(version)
    parts = [part.strip() for part in ranges.split(",")]
    return all(at >= _numbers(part) for part in parts if part.startswith(">=")) and all(
        at < _numbers(part) for part in parts if re.match("<[0-9]", part)
    )


def _numbers(version: str) -> list[int]:
    found = [int(digits) for digits in re.findall("[0-9]+", version.partition("+")[0])]
    return (found + [0, 0, 0, 0])[:4]


def _ranges() -> dict[str, str]:
    """Name in the package index -> range, from our requirements.txt; while an update replaces it, nothing."""
    path = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), wheels.RANGES)
    try:
        with open(path, encoding="utf-8") as file:
            return dict(re.findall(r"^([\w-]+)([<>=][^;#\s]*)", file.read(), re.MULTILINE))
    except OSError:
        return {}


def _add_site_packages() -> None:
    """Undo ``-I -S``: those are for hooks, which must not pay for what the user has installed."""
    site.main()
    user = site.getusersitepackages()
    if os.path.isdir(user):
        site.addsitedir(user)


def _found_in(target: str) -> bool:
    """Whether an installation makes all libraries importable; only then it stays on the path."""
    if not os.path.isdir(target):
        return False
    before = list(sys.path)
    lent = read_json(os.path.join(target, LENT))
    # Behind our own packages, before an older version elsewhere.
    sys.path[1:1] = [target, *(lent if isinstance(lent, list) else [])]
    importlib.invalidate_caches()
    if missing():
        sys.path[:] = before
        return False
    with contextlib.suppress(OSError):  # another user's, who ran the command for us
        os.utime(target)  # when it was last of use
    return True


def _borrowed(plugin_dir: str, target: str) -> bool:
    """Ask PythonDepManager, and write down what it lends, so that it is not asked at every start."""
    folders = neighbour.borrow(plugin_dir, [_as_it_reads(name) for name in MODULES if name != BROUGHT_ALONG])
    if folders:
        os.makedirs(target, mode=0o700, exist_ok=True)
        write_json(os.path.join(target, LENT), folders)
    return _found_in(target)


def _as_it_reads(name: str) -> str:
    distribution = DISTRIBUTIONS.get(name, name)
    return f"{name}:{distribution}{_ranges().get(distribution, '').partition(',')[0]}"


def _remove_former(target: str) -> None:
    """Installations of former versions; those of another Python, which a shell may use, only when long unused."""
    data_dir, current = os.path.split(target)
    ours = current.rpartition("-")[0] + "-"
    for name in os.listdir(data_dir):
        path = os.path.join(data_dir, name)
        former = name.startswith(wheels.PREFIX) and not name.endswith(wheels.PART) and name != current
        if former and (name.startswith(ours) or time.time() - os.path.getmtime(path) > UNUSED_S):
            shutil.rmtree(path, ignore_errors=True)
