"""The libraries that everything but the hook role needs: found, or installed once into the data folder.

Never by a hook: marks pile up safely until the libraries are there. Standard library only, of course.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import site
import subprocess
import sys

MODULES = ("plexapi", "pydantic", "pydantic_core", "tenacity", "persistqueue", "diskcache", "stashapi", "requests")
PYDANTIC_MAJOR = "2."
INSTALL_S = 600
TEMPORARY = ".part"


def ensure(plugin_dir: str, data_dir: str) -> str:
    """Make the libraries importable; returns "" or one sentence that says what to do.

    They are looked for in this Python, then in the folder of an earlier installation, then installed there by pip.
    """
    _add_site_packages()
    if not missing():
        return ""
    requirements = os.path.join(plugin_dir, "requirements.txt")
    target = os.path.join(data_dir, f"deps-{_tag(requirements)}")
    if not os.path.isdir(target):
        _install(requirements, target)
    sys.path.insert(1, target)  # behind our own packages, before an older version elsewhere
    importlib.invalidate_caches()
    lacking = missing()
    if not lacking:
        return ""
    command = f'"{sys.executable}" -m pip install --target "{target}" -r "{requirements}"'
    return f"Python packages are missing ({', '.join(lacking)}) and could not be installed. Run: {command}"


def missing() -> list[str]:
    """The libraries that cannot be imported here, or only in a version we cannot use."""
    lacking = [name for name in MODULES if importlib.util.find_spec(name) is None]
    if "pydantic" not in lacking and not importlib.metadata.version("pydantic").startswith(PYDANTIC_MAJOR):
        lacking.append("pydantic>=2.7")
    return lacking


def _add_site_packages() -> None:
    """Undo ``-I -S``: those are for hooks, which must not pay for what the user has installed."""
    site.main()
    user = site.getusersitepackages()
    if os.path.isdir(user):
        site.addsitedir(user)


def _tag(requirements: str) -> str:
    """Names what an installation fits: this Python and these requirements."""
    with open(requirements, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()[:8]
    return f"{sys.implementation.cache_tag}-{digest}"


def _install(requirements: str, target: str) -> None:
    """Install into a temporary folder and rename it whole, so that a kill leaves no half installation."""
    part = target + TEMPORARY
    shutil.rmtree(part, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--only-binary", ":all:", "--target", part, "-r", requirements]
    try:
        done = subprocess.run(
            command, timeout=INSTALL_S, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return
    if done.returncode == 0:
        _remove_manifests(part)
        os.replace(part, target)


def _remove_manifests(folder: str) -> None:
    """Stash loads every ``.yml`` below its plugins folder as a plugin."""
    for where, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".yml"):
                os.unlink(os.path.join(where, name))
