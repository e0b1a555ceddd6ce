"""The libraries: found, or installed once by the real pip, or lent, or one sentence that says what to do. Offline."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.worker.ensure_process import MODULE, ROOT, ensure, make_plugin
from worker import deps, neighbour, wheels

LENDS = """
import os, subprocess, sys
def ensure_import(*wanted):
    print("installing", wanted)
    os.write(1, b"from below")
    subprocess.run([sys.executable, "-c", "print('from a child')"])
    with open(os.path.join(os.path.dirname(__file__), "asked"), "a") as file:
        file.write(repr(wanted) + "\\n")
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(__file__)), "py_dependencies", "probe_1.0"))
"""
FAILS = {
    "raises": "def ensure_import(*wanted): raise RuntimeError('git is required')",
    "ends the process": "import sys\ndef ensure_import(*wanted): sys.exit(1)",
    "is another plugin of that name": "",
    "cannot be read": "def ensure_import(",
    "lends nothing": "def ensure_import(*wanted): print('[]')",
}


@pytest.fixture
def plugin_dir(tmp_path, monkeypatch):
    """A plugin whose only requirement is a wheel that pip finds in a folder."""
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return make_plugin(tmp_path / "plugins" / "Stash2Plex", tmp_path / "wheels")


@pytest.fixture
def no_wheels(plugin_dir, tmp_path):
    """As with no network: pip finds nothing any more."""
    shutil.rmtree(tmp_path / "wheels")


def folders(data_dir):
    return sorted(name for name in os.listdir(data_dir) if name.startswith(wheels.PREFIX))


def put_neighbour(folder, code):
    home = folder / "PythonDepManager"
    home.mkdir()
    (home / "__init__.py").write_text(code)
    return home


# --- found ------------------------------------------------------------------------------------------------------------


def test_what_is_importable_needs_no_installation(data_dir):
    ended = ensure(ROOT, data_dir, what="ours")
    assert (ended.worked, ended.runs) == (True, 0)
    assert os.listdir(data_dir) == []


def test_nothing_is_missing_here():
    assert deps.missing() == []


@pytest.mark.parametrize(("name", "version"), [("pydantic", "1.10.27"), ("plexapi", "5.0"), ("tenacity", "8.9")])
def test_a_version_that_we_cannot_use_counts_as_missing(monkeypatch, name, version):
    real = deps.importlib.metadata.version
    monkeypatch.setattr(deps.importlib.metadata, "version", lambda asked: version if asked == name else real(asked))
    (lacking,) = deps.missing()
    assert lacking.startswith(f"{name}>=")


def test_a_library_of_unknown_version_will_do(monkeypatch):
    def unknown(name):
        raise deps.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(deps.importlib.metadata, "version", unknown)
    assert deps.missing() == []


@pytest.mark.parametrize(
    ("version", "ranges", "fits"),
    [
        ("2.14.3", ">=2.7,<3", True),
        ("2.7", ">=2.7.0,<3", True),
        ("2.6.9", ">=2.7,<3", False),
        ("3.0", ">=2.7,<3", False),
        ("3.0.0rc1", ">=2.7,<3", False),
        ("2.31.0+local.9", ">=2.31,<3", True),
        ("0.2.59", ">=0.2.59,<0.3", True),
        ("0.10", ">=0.9", True),
        ("1.0", "", True),
    ],
)
def test_a_version_is_compared_by_its_numbers(version, ranges, fits):
    assert deps.fits(version, ranges) == fits


# --- installed --------------------------------------------------------------------------------------------------------


def test_what_is_missing_is_installed_once_into_the_data_folder(plugin_dir, data_dir):
    ended = ensure(plugin_dir, data_dir)
    assert (ended.worked, ended.runs) == (True, 1)
    (folder,) = folders(data_dir)
    assert folder.startswith(f"deps-{sys.implementation.cache_tag}-")
    assert ended.found.startswith(os.path.join(data_dir, folder))
    again = ensure(plugin_dir, data_dir)
    assert (again.worked, again.runs, again.found) == (True, 0, ended.found)


def test_nothing_that_stash_would_take_for_a_plugin_is_installed(plugin_dir, data_dir):
    ensure(plugin_dir, data_dir)
    names = [name for _, _, names in os.walk(data_dir) for name in names]
    assert "__init__.py" in names and not [name for name in names if name.endswith(".yml")]


def test_an_installation_that_lost_a_part_is_made_again(plugin_dir, data_dir):
    shutil.rmtree(Path(ensure(plugin_dir, data_dir).found).parent)
    again = ensure(plugin_dir, data_dir)
    assert (again.worked, again.runs) == (True, 1)


def test_a_file_other_than_the_one_that_was_tested_is_refused(plugin_dir, data_dir):
    (plugin_dir / "requirements.lock").write_text(f"{MODULE}==1.0 --hash=sha256:{'0' * 64}\n")
    ended = ensure(plugin_dir, data_dir)
    assert "a package is not the file that was tested" in ended.said[0]
    assert folders(data_dir) == []


def test_a_python_newer_than_the_lock_installs_from_the_ranges(plugin_dir, data_dir):
    (plugin_dir / "requirements.lock").write_text("nowhere==1.0\n")
    assert ensure(plugin_dir, data_dir, newest="newer than the lock").worked


def test_other_requirements_are_another_installation_and_the_former_one_goes(plugin_dir, data_dir):
    ensure(plugin_dir, data_dir)
    (former,) = folders(data_dir)
    other, long_unused = os.path.join(data_dir, "deps-cpython-38-1"), os.path.join(data_dir, "deps-cpython-38-2")
    for folder in (other, long_unused):
        os.makedirs(folder)
    os.utime(long_unused, (1, 1))
    with open(plugin_dir / "requirements.lock", "a") as file:
        file.write("# another version\n")
    assert ensure(plugin_dir, data_dir).worked
    assert former not in folders(data_dir)
    assert (os.path.exists(other), os.path.exists(long_unused)) == (True, False)


def test_a_former_installation_stays_while_the_new_one_does_not_work(plugin_dir, data_dir):
    ensure(plugin_dir, data_dir)
    before = folders(data_dir)
    (plugin_dir / "requirements.lock").write_text("nowhere==1.0 --hash=sha256:" + "0" * 64)
    assert not ensure(plugin_dir, data_dir).worked
    assert folders(data_dir) == before


# --- lent -------------------------------------------------------------------------------------------------------------


def test_what_pip_cannot_get_is_lent_by_python_dep_manager(plugin_dir, data_dir, no_wheels):
    home = put_neighbour(plugin_dir.parent, LENDS)
    lent = plugin_dir.parent / "py_dependencies" / "probe_1.0" / MODULE
    lent.mkdir(parents=True)
    (lent / "__init__.py").touch()
    ended = ensure(plugin_dir, data_dir)
    assert (ended.worked, ended.found) == (True, str(lent / "__init__.py"))
    again = ensure(plugin_dir, data_dir)
    assert (again.worked, again.runs) == (True, 0)
    assert len((home / "asked").read_text().splitlines()) == 1


def test_it_is_found_where_stash_puts_plugins_of_another_source_too(tmp_path, capfd):
    put_neighbour(tmp_path, LENDS)
    assert neighbour.borrow(str(tmp_path / "source" / "Stash2Plex"), ["x:x>=1"]) != []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("code", FAILS.values(), ids=FAILS)
def test_it_does_no_harm_when_it_fails(tmp_path, capfd, code):
    put_neighbour(tmp_path, code)
    assert neighbour.borrow(str(tmp_path / "Stash2Plex"), ["x:x>=1"]) == []
    assert capfd.readouterr() == ("", "")


def test_without_it_nothing_is_lent(tmp_path):
    assert neighbour.borrow(str(tmp_path / "Stash2Plex"), ["x:x>=1"]) == []


def test_it_is_asked_for_each_library_as_it_reads_them():
    assert deps._as_it_reads("persistqueue") == "persistqueue:persist-queue>=1.1.0"
    assert deps._as_it_reads("pydantic") == "pydantic:pydantic>=2.7"


# --- one sentence -----------------------------------------------------------------------------------------------------


def test_what_cannot_be_installed_is_one_sentence_with_the_command(plugin_dir, data_dir, no_wheels):
    ended = ensure(plugin_dir, data_dir)
    sentence = ended.said[0]
    assert f"({MODULE}) and could not be installed: no ready-made package fits this Python and system" in sentence
    assert f'Run: "{sys.executable}" -m pip install' in sentence
    assert f'--target "{data_dir}' in sentence and str(plugin_dir / "requirements.lock") in sentence
    assert "\n" not in sentence
    assert folders(data_dir) == []


def test_a_plugin_without_its_lock_says_so(plugin_dir, data_dir):
    (plugin_dir / "requirements.lock").unlink()
    assert "requirements.lock cannot be read" in ensure(plugin_dir, data_dir).said[0]


@pytest.mark.skipif(os.name == "nt", reason="file modes of Unix")
def test_a_data_folder_that_cannot_be_written_is_a_sentence_too(plugin_dir, tmp_path):
    (tmp_path / "data").write_text("a file in its place")
    assert "cannot be written (Not a directory)" in ensure(plugin_dir, tmp_path / "data").said[0]


# --- the two lists ----------------------------------------------------------------------------------------------------


def requirements(name):
    """The requirements in one of our two lists, without hashes."""
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        lines = [line.partition(" \\")[0].partition("#")[0].strip() for line in file]
    return [Requirement(line) for line in lines if line and not line.startswith("--")]


def hashes_of_each():
    with open(os.path.join(ROOT, wheels.LOCKED), encoding="utf-8") as file:
        blocks = file.read().split("\n")
    return [line for line in blocks if "==" in line and "--hash" not in line and not line.endswith("\\")]


@pytest.mark.parametrize("python", ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"])
def test_the_lock_fixes_every_requirement_once_within_its_range(python):
    environment = {"python_version": python, "python_full_version": f"{python}.1"}
    locked = [one for one in requirements(wheels.LOCKED) if not one.marker or one.marker.evaluate(environment)]
    fixed = {one.name: str(one.specifier)[2:] for one in locked}
    assert len(fixed) == len(locked)
    for wanted in requirements(wheels.RANGES):
        assert wanted.specifier.contains(fixed[wanted.name.lower()]), wanted.name


def test_everything_in_the_lock_has_a_hash():
    assert hashes_of_each() == []


@pytest.mark.parametrize("module", deps.MODULES)
def test_every_library_that_we_look_for_is_required(module):
    name = "pydantic" if module == deps.BROUGHT_ALONG else deps.DISTRIBUTIONS.get(module, module)
    assert name in {one.name for one in requirements(wheels.RANGES)}


def test_the_ranges_are_read_as_pip_reads_them():
    read = {name: set(ranges.split(",")) for name, ranges in deps._ranges().items()}
    assert read == {one.name: set(str(one.specifier).split(",")) for one in requirements(wheels.RANGES)}
