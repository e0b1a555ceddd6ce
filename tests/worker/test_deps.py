"""The libraries: found, or installed once by the real pip, or one sentence that says what to do. All offline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from worker import deps

ROOT = str(Path(__file__).resolve().parents[2])
MODULE = "stash2plex_probe"
ENSURE = f"""
import json, sys; sys.path.insert(0, sys.argv[1])
from worker import deps
if sys.argv[4] == "probe":
    deps.MODULES = ("{MODULE}",)
runs, real = [], deps.subprocess.run
def run(command, **options):
    runs.append(command)
    return real(command, **options)
deps.subprocess.run = run
said = [deps.ensure(sys.argv[2], sys.argv[3]) for _ in range(2)]
found = ""
if not said[0] and sys.argv[4] == "probe":
    import {MODULE}
    found = {MODULE}.__file__
print(json.dumps([said, len(runs), found]))
"""


def ensure(plugin_dir, data_dir, what="probe", **environment):
    """Twice in one bare process: what was said, how often pip ran, where the probe was found."""
    command = [sys.executable, "-I", "-S", "-c", ENSURE, ROOT, str(plugin_dir), str(data_dir), what]
    whole = {**os.environ, "PIP_NO_INDEX": "1", **environment}
    done = subprocess.run(command, capture_output=True, text=True, env=whole, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def plugin_dir(tmp_path):
    """A plugin whose only requirement is a wheel that lies beside it, with a file in it that Stash would load."""
    folder = tmp_path / "plugin"
    folder.mkdir()
    wheel, info = folder / f"{MODULE}-1.0-py3-none-any.whl", f"{MODULE}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{MODULE}/__init__.py", "")
        archive.writestr(f"{MODULE}/manifest.yml", "name: not a plugin of Stash\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {MODULE}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    (folder / "requirements.txt").write_text(f"{wheel}\n")
    return folder


def test_what_is_importable_needs_no_installation(data_dir):
    assert ensure(ROOT, data_dir, "ours")[:2] == [["", ""], 0]
    assert os.listdir(data_dir) == []


def test_what_is_missing_is_installed_once_into_the_data_folder(plugin_dir, data_dir):
    said, runs, found = ensure(plugin_dir, data_dir)
    assert (said, runs) == (["", ""], 1)
    (folder,) = os.listdir(data_dir)
    assert folder.startswith(f"deps-{sys.implementation.cache_tag}-") and found.startswith(
        os.path.join(data_dir, folder)
    )
    assert ensure(plugin_dir, data_dir)[:2] == [["", ""], 0]


def test_nothing_that_stash_would_take_for_a_plugin_is_installed(plugin_dir, data_dir):
    ensure(plugin_dir, data_dir)
    names = [name for _, _, names in os.walk(data_dir) for name in names]
    assert "__init__.py" in names and not [name for name in names if name.endswith(".yml")]


def test_what_an_interrupted_installation_left_does_no_harm(plugin_dir, data_dir):
    tag = deps._tag(str(plugin_dir / "requirements.txt"))
    left = os.path.join(data_dir, f"deps-{tag}{deps.TEMPORARY}", MODULE)
    os.makedirs(left)
    assert ensure(plugin_dir, data_dir)[:2] == [["", ""], 1]
    assert os.listdir(data_dir) == [f"deps-{tag}"]


def test_what_cannot_be_installed_is_one_sentence_with_the_command(plugin_dir, data_dir):
    (plugin_dir / "requirements.txt").write_text(str(plugin_dir / "nowhere-1.0-py3-none-any.whl"))
    said, _, _ = ensure(plugin_dir, data_dir)
    assert (
        MODULE in said[0] and "-m pip install --target" in said[0] and str(plugin_dir / "requirements.txt") in said[0]
    )
    assert "\n" not in said[0]
    assert not [name for name in os.listdir(data_dir) if not name.endswith(deps.TEMPORARY)]


def test_other_requirements_are_another_installation(plugin_dir):
    requirements = plugin_dir / "requirements.txt"
    before = deps._tag(str(requirements))
    requirements.write_text(requirements.read_text() + "# changed\n")
    assert deps._tag(str(requirements)) != before


def test_an_old_pydantic_counts_as_missing(monkeypatch):
    monkeypatch.setattr(deps.importlib.metadata, "version", lambda name: "1.10.27")
    assert deps.missing() == ["pydantic>=2.7"]


def test_nothing_is_missing_here():
    assert deps.missing() == []


@pytest.mark.parametrize("module", deps.MODULES)
def test_every_library_that_we_look_for_is_required(module):
    names = {"persistqueue": "persist-queue", "stashapi": "stashapp-tools", "pydantic_core": "pydantic"}
    with open(os.path.join(ROOT, "requirements.txt"), encoding="utf-8") as file:
        assert names.get(module, module) in file.read()
