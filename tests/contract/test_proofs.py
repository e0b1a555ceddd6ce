"""Every setting and every task has a test that shows it to work with real processes."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.contract.source_tree import ROOT
from tools import proofs


def test_every_setting_and_every_task_is_proven_and_nothing_else():
    environment = {**os.environ, "PYTHONPATH": ""}
    ended = subprocess.run(
        [sys.executable, "-m", "tools.proofs"], cwd=ROOT, capture_output=True, text=True, env=environment, timeout=100
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    head, *rows = ended.stdout.splitlines()
    named = [row.split()[:2] for row in rows if not row.startswith(" ")]
    assert [f"{kind}:{name}" for name, kind in named] == proofs.wanted()
    assert all("  tests/processes/" in row for row in rows)


def test_what_is_not_proven_or_not_known_is_told():
    names, found = ["setting:a", "task:b"], {"setting:a": ["tests/x.py::test_a"], "task:c": ["tests/x.py::test_c"]}
    assert proofs.problems(names, found) == [
        "task:b is proven by no test",
        "task:c, named by tests/x.py::test_c, does not exist",
    ]
    assert proofs.table(names, found).splitlines()[1:] == [
        "a     setting  tests/x.py::test_a",
        "b     task     NOTHING",
    ]
