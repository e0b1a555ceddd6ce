"""One installation by pip: into a folder of its own, whole or not at all. Standard library only.

What is installed is ``requirements.lock``: exact versions for each Python, with the hashes of their files, so that
everybody runs what was tested and a file that was replaced on its way is refused. The ranges in ``requirements.txt``
say what the code can live with; they decide whether packages that are already there will do. A Python that is newer
than the lock may find no ready-made packages in it, so that one installs from the ranges. Which of the two is decided
by the Python alone and never after a failure: else whoever tampers with a package could choose the weaker check.
"""

from __future__ import annotations

import glob
import hashlib
import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from typing import NamedTuple

from stash import log
from sync_queue import lease
from worker import pip_settings

COMPONENT = "Packages"
LOCKED, RANGES = "requirements.lock", "requirements.txt"
LOCKED_UP_TO = (3, 14)
TURN = "install.lock"
INSTALL_S = 600.0
RETRIES = "2"  # not none: only a retry makes pip say that it could not connect
LOOK_S = 0.2
PREFIX, PART = "deps-", ".part"

NO_PIP = "this Python has no pip (Debian, Ubuntu: apt install python3-pip; Alpine: apk add py3-pip)"
UNDER_WAY = "another installation is still under way"
TOO_SLOW = "pip did not end within 10 minutes"
# What pip says in English whatever the locale; seen with pip 20 to 26.
WHY = (
    (r"DO NOT MATCH THE HASHES", "a package is not the file that was tested (its hash differs)"),
    (r"No space left", "the disk is full"),
    (r"Permission denied|Read-only file system", "the data folder cannot be written"),
    (
        r"Connection|NameResolution|ProxyError|Timeout|Max retries|SSLError|unreachable",
        "the package index cannot be reached",
    ),
    (r"No matching distribution|Could not find a version", "no ready-made package fits this Python and system"),
)


class Recipe(NamedTuple):
    """What to install: the list, pip's options for that kind of list, and the name of the folder it makes."""

    listed: str
    options: tuple[str, ...]
    folder: str


def recipe(plugin_dir: str) -> Recipe:
    """The one for this Python. The folder's name tells the Python, its kind (libc, processor) and the list apart."""
    locked = sys.version_info[:2] <= LOCKED_UP_TO
    path = os.path.join(plugin_dir, LOCKED if locked else RANGES)
    with open(path, "rb") as file:
        digest = hashlib.sha256(importlib.machinery.EXTENSION_SUFFIXES[0].encode() + file.read()).hexdigest()[:8]
    options = ("--require-hashes", "--no-deps") if locked else ()
    return Recipe(path, options, f"{PREFIX}{sys.implementation.cache_tag}-{digest}")


def spelled(wanted: Recipe, target: str) -> str:
    """The command that a person can run instead of us."""
    options = " ".join(("--upgrade", "--only-binary :all:", *wanted.options))
    return f'"{sys.executable}" -m pip install {options} --target "{target}" -r "{wanted.listed}"'


def install(wanted: Recipe, target: str, there: Callable[[], bool]) -> str:
    """Install into ``target``; returns "" or why it did not work, in words without secrets.

    One at a time: who finds another installation under way waits for it and then asks ``there`` whether anything is
    left to do.
    """
    pip = _pip()
    if not pip:
        return NO_PIP
    try:
        held = _turn(os.path.dirname(target))
        if held is None:
            return UNDER_WAY
        try:
            return "" if there() else _install(pip, wanted, target, held)
        finally:
            lease.release(held)
    except OSError as error:
        return f"{error.filename or os.path.dirname(target)} cannot be written ({error.strerror})"


def _turn(data_dir: str) -> int | None:
    until = time.monotonic() + INSTALL_S
    while True:
        held = lease.take(data_dir, TURN)
        if held is not None or time.monotonic() > until:
            return held
        time.sleep(LOOK_S)


def _pip() -> list[str]:
    """pip as a command: the installed one, else the one that Python keeps for new environments."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    kept = [os.path.join(os.path.dirname(os.__file__), "ensurepip", "_bundled")]
    kept.append(sysconfig.get_config_var("WHEEL_PKG_DIR") or kept[0])
    found = [wheel for folder in kept for wheel in sorted(glob.glob(os.path.join(glob.escape(folder), "pip-*.whl")))]
    return [sys.executable, os.path.join(found[-1], "pip")] if found else []


def _install(pip: list[str], wanted: Recipe, target: str, held: int) -> str:
    """Through a folder of this attempt, renamed when it is whole: a kill at any moment leaves nothing half."""
    data_dir = os.path.dirname(target)
    _remove_leftovers(data_dir)
    log.info(COMPONENT, f"Python packages are being installed into {target}; this is done once per version")
    part = tempfile.mkdtemp(prefix=wanted.folder + ".", suffix=PART, dir=data_dir)
    try:
        made = os.path.join(part, "made")
        command = [*pip, "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir"]
        command += ["--retries", RETRIES, "--only-binary", ":all:", *wanted.options]
        command += ["--target", made, "-r", wanted.listed]
        why = _run(command, pip_settings.environment(pip, part), part, held)
        if not why:
            _remove_manifests(made)
            _keep(made, target)
        return why
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _run(command: list[str], environment: dict[str, str], folder: str, held: int) -> str:
    """pip keeps our turn for as long as it lives, even when we are killed. Its output is read, never shown."""
    try:
        done = subprocess.run(
            command,
            timeout=INSTALL_S,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,  # `-m` looks there first, and Stash's own folder may hold anything
            pass_fds=() if os.name == "nt" else (held,),
        )
    except subprocess.TimeoutExpired:
        return TOO_SLOW
    except OSError as error:
        return f"pip did not start ({error.strerror})"
    return "" if done.returncode == 0 else why_not(done.stdout.decode("utf-8", "replace"))


def why_not(said: str) -> str:
    """One reason out of all that pip said; addresses are left out, since an index may need a password."""
    for pattern, reason in WHY:
        if re.search(pattern, said):
            return reason
    lines = [line for line in said.splitlines() if line.strip()] or ["nothing"]
    wrong = [line for line in lines if line.startswith("ERROR")] or lines
    return "pip said: " + re.sub(r"\S*(?:://|@)\S*", "…", wrong[-1].strip())[:300]


def _keep(made: str, target: str) -> None:
    """Give it its name, once all of it is on the disk: after a power cut the name may be there and the files not."""
    if hasattr(os, "sync"):
        os.sync()
    shutil.rmtree(target, ignore_errors=True)
    os.replace(made, target)


def _remove_leftovers(data_dir: str) -> None:
    for name in os.listdir(data_dir):
        if name.startswith(PREFIX) and name.endswith(PART):
            shutil.rmtree(os.path.join(data_dir, name), ignore_errors=True)


def _remove_manifests(folder: str) -> None:
    """Stash loads every ``.yml`` below its plugins folder as a plugin."""
    for where, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".yml"):
                os.unlink(os.path.join(where, name))
