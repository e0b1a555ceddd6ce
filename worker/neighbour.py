"""PythonDepManager, another Stash plugin: it may hold our packages already, or get them where we cannot.

It runs in a process of its own. It drops modules that are already imported, ends the process when it is displeased,
needs git, and writes to stdout, which is our answer to Stash (seen in its version 0.1.0). None of that reaches us.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

NAME = "PythonDepManager"
ASK_S = 300.0
# Its own copy of stdout is for the one answer; whatever else is written goes nowhere.
ASK = """
import json, os, sys
answer = os.dup(1)
os.dup2(2, 1)
sys.path.insert(0, sys.argv[1])
before = list(sys.path)
from PythonDepManager import ensure_import
ensure_import(*sys.argv[2:])
os.write(answer, json.dumps([path for path in sys.path if path not in before]).encode())
"""


def borrow(plugin_dir: str, wanted: list[str]) -> list[str]:
    """The folders in which it keeps these packages, [] when it is not there or does not succeed.

    ``wanted``: one text per package, ``import name:name in the index>=version``, as it reads them.
    """
    home = _home(plugin_dir)
    if not home:
        return []
    try:
        asked = subprocess.run(
            [sys.executable, "-I", "-c", ASK, home, *wanted],
            timeout=ASK_S,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return _folders(asked.stdout)
    except (OSError, subprocess.SubprocessError):
        return []


def _home(plugin_dir: str) -> str:
    """The folder that it can be imported from: the one our plugin lies in, or the one above that."""
    above = os.path.dirname(os.path.abspath(plugin_dir))
    for folder in (above, os.path.dirname(above)):
        if os.path.isfile(os.path.join(folder, NAME, "__init__.py")):
            return folder
    return ""


def _folders(answer: bytes) -> list[str]:
    try:
        given = json.loads(answer)
    except ValueError:
        return []
    return [folder for folder in given if isinstance(folder, str)] if isinstance(given, list) else []
