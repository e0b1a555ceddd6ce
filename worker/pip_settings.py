"""What pip gets to know of its user's settings: how to reach a package index, and nothing else.

``PIP_USER``, ``PIP_TARGET``, ``PIP_REQUIRE_VIRTUALENV`` and their like, in the environment or in a pip.conf, would send
our packages elsewhere or make pip refuse. But without the user's index, proxy and certificates it may find nothing.
"""

from __future__ import annotations

import ast
import os
import subprocess

ASK_S = 60.0
REACH = frozenset(
    "index-url extra-index-url find-links no-index cert client-cert trusted-host proxy timeout default-timeout "
    "keyring-provider use-feature".split()
)


def environment(pip: list[str], part: str) -> dict[str, str]:
    """The environment for ``pip``, a command, with temporary files in ``part``, which is tidied away as a whole."""
    kept = {name: value for name, value in os.environ.items() if not _misleads(name)}
    temporary = os.path.join(part, "temporary")
    os.mkdir(temporary)
    kept.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary))
    return {**kept, **_reach(pip, kept, part), "PIP_CONFIG_FILE": os.devnull}


def _misleads(name: str) -> bool:
    upper = name.upper()
    if upper.startswith("PIP_"):
        return upper != "PIP_CONFIG_FILE" and upper[4:].lower().replace("_", "-") not in REACH
    return upper in ("PYTHONPATH", "PYTHONHOME")


def _reach(pip: list[str], environment: dict[str, str], part: str) -> dict[str, str]:
    """How this user reaches a package index, as pip itself reads it from its files and the environment."""
    try:
        asked = subprocess.run(
            [*pip, "config", "list"],
            timeout=ASK_S,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=part,
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    return settings_in(asked.stdout.decode("utf-8", "replace"))


def settings_in(listed: str) -> dict[str, str]:
    """The settings of REACH in pip's own list, as environment variables; the later section counts."""
    found = {}
    for section in ("global", "install", ":env:"):
        for line in listed.splitlines():
            name, _, value = line.partition("=")
            place, _, key = name.rpartition(".")
            if place == section and key in REACH:
                found["PIP_" + key.upper().replace("-", "_")] = _text(value)
    return found


def _text(literal: str) -> str:
    try:
        return str(ast.literal_eval(literal))
    except (ValueError, SyntaxError):
        return literal
