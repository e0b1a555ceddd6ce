"""Print a table of all settings and all tasks, each with the tests that prove it.

A test says what it proves with ``@pytest.mark.proves("setting:max_tags", "task:sync_all")``. Nothing is run: pytest
only collects. The exit code is 1 when something has no test, or when a test names what does not exist.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = ROOT / "Stash2Plex.yml"
MARK = "proves"

Proofs = dict[str, list[str]]


class _Collector:
    """A pytest plugin that notes what the tests say they prove."""

    def __init__(self) -> None:
        self.proofs: Proofs = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            for mark in item.iter_markers(MARK):
                for name in mark.args:
                    self.proofs.setdefault(name, []).append(item.nodeid)


def wanted() -> list[str]:
    """Everything that needs a proof: the settings of the model and the tasks of the manifest, as "kind:name"."""
    from validation.settings import Settings

    manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    settings = [f"setting:{name}" for name in sorted(Settings.model_fields)]
    return settings + [f"task:{task['defaultArgs']['mode']}" for task in manifest["tasks"]]


def collect() -> Proofs:
    """The ids of the tests that prove each name. Raises RuntimeError, with pytest's words, when collecting fails.

    Only files that have the mark are collected, which takes a second and not ten.
    """
    files = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if f".{MARK}(" in path.read_text("utf-8")]
    collector, said = _Collector(), io.StringIO()
    arguments = ["--collect-only", "-qq", "-p", "no:cacheprovider", f"--rootdir={ROOT}", f"--confcutdir={ROOT}"]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main([*arguments, *map(str, files)], plugins=[collector])
    if code != pytest.ExitCode.OK:
        raise RuntimeError(said.getvalue())
    return collector.proofs


def table(names: Iterable[str], proofs: Mapping[str, list[str]]) -> str:
    """The table as text: name, kind, and one line per test."""
    rows = [("name", "kind", "proven by")]
    for full in names:
        kind, _, name = full.partition(":")
        for number, test in enumerate(proofs.get(full) or ["NOTHING"]):
            rows.append(("" if number else name, "" if number else kind, test))
    width = max(len(row[0]) for row in rows)
    return "\n".join(f"{name:{width}}  {kind:7}  {test}" for name, kind, test in rows)


def problems(names: Iterable[str], proofs: Mapping[str, list[str]]) -> list[str]:
    """One sentence per name without a test, and per test that proves what does not exist."""
    known = list(names)
    unproven = [f"{name} is proven by no test" for name in known if not proofs.get(name)]
    strangers = [(name, tests[0]) for name, tests in sorted(proofs.items()) if name not in known]
    return unproven + [f"{name}, named by {test}, does not exist" for name, test in strangers]


def main() -> int:
    """Print table and problems."""
    names, proofs = wanted(), collect()
    print(table(names, proofs))
    wrong = problems(names, proofs)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
