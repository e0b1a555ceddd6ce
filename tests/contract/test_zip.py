"""The zip is what people install: what is in it, what is not, and that Stash can unpack and find it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.contract.source_tree import ENTRY_FILES, ROOT, Module, imports, modules
from tools import plugin_zip

SHIPPED_FOLDERS = {"hooks", "launcher", "plex", "reconcile", "stash", "sync_queue", "validation", "worker"}
SHIPPED_AT_ROOT = {
    "LICENSE",
    "README.md",
    "Stash2Plex.py",
    "Stash2Plex.yml",
    "process_queue.py",
    "requirements.lock",
    "requirements.txt",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> plugin_zip.Built:
    return plugin_zip.build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def entries(built: plugin_zip.Built) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(built.zip_path) as archive:
        return {info.filename: info for info in archive.infolist()}


@pytest.fixture(scope="module")
def listed(built: plugin_zip.Built) -> dict[str, object]:
    (package,) = yaml.safe_load(built.index_path.read_text(encoding="utf-8"))
    return package


def test_two_builds_are_the_same_bytes(built: plugin_zip.Built, tmp_path: Path):
    again = plugin_zip.build(ROOT, tmp_path)
    assert again.zip_path.read_bytes() == built.zip_path.read_bytes()
    assert again.index_path.read_bytes() == built.index_path.read_bytes()


def test_a_build_does_not_depend_on_time_zone_or_umask(built: plugin_zip.Built, tmp_path: Path):
    program = f"import pathlib, tools.plugin_zip as z; z.build(folder=pathlib.Path({str(tmp_path)!r}))"
    environment = {**os.environ, "TZ": "Pacific/Chatham", "PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True, timeout=60)
    assert (tmp_path / "Stash2Plex.zip").read_bytes() == built.zip_path.read_bytes()


@pytest.fixture(scope="module")
def commits(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same commit in two folders, whose files differ in mode and time."""
    folders = [tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("another") / "folder"]
    for number, folder in enumerate(folders):
        for name in plugin_zip.shipped(ROOT):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
            os.utime(folder / name, (1e9 * (number + 1),) * 2)
            (folder / name).chmod(0o600 + 0o77 * number)
        who = {
            "GIT_AUTHOR_NAME": "x",
            "GIT_AUTHOR_EMAIL": "x@x",
            "GIT_COMMITTER_NAME": "x",
            "GIT_COMMITTER_EMAIL": "x@x",
        }
        environment = {**os.environ, **who, "GIT_COMMITTER_DATE": "@1700000000 +0000"}
        for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
            subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, timeout=60)
    return folders


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_same_commit_elsewhere_is_the_same_bytes(commits: list[Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    one, another = (plugin_zip.build(folder) for folder in commits)
    assert one.zip_path.read_bytes() == another.zip_path.read_bytes()
    assert one.index_path.read_bytes() == another.index_path.read_bytes()
    (package,) = yaml.safe_load(one.index_path.read_text(encoding="utf-8"))
    assert package["date"] == "2023-11-14 22:13:20"


def test_only_allowed_files_are_in_the_zip(entries: dict[str, zipfile.ZipInfo]):
    def fits(name: str) -> bool:
        folder, _, rest = name.partition("/")
        if not rest:
            return name in SHIPPED_AT_ROOT
        return folder in SHIPPED_FOLDERS and name.endswith((".yml", ".js") if folder == "launcher" else (".py", ".sql"))

    assert [name for name in entries if not fits(name)] == []


def test_stray_files_stay_out(tmp_path: Path):
    for name in SHIPPED_AT_ROOT:
        (tmp_path / name).write_text("name: Stash2Plex\ndescription: x\nversion: 1.0.0\n", encoding="utf-8")
    strays = ["data/stash2plex.db", "tests/test_x.py", "worker/__pycache__/run.pyc", "worker/notes.yml", ".env"]
    for name in strays:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    assert set(plugin_zip.shipped(tmp_path)) == SHIPPED_AT_ROOT


def test_nothing_that_the_packages_need_is_left_behind(entries: dict[str, zipfile.ZipInfo]):
    files = (path for folder in SHIPPED_FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file())
    wanted = {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    assert wanted - set(entries) == set()


def test_every_module_that_can_be_reached_is_in_the_zip(entries: dict[str, zipfile.ZipInfo]):
    assert {module.path.relative_to(ROOT).as_posix() for module in reachable()} - set(entries) == set()


def reachable() -> list[Module]:
    """Every module of ours that an entry file imports, directly or through others, packages above it included."""
    known = {module.name: module for module in modules()}
    waiting = [known[Path(name).stem] for name in ENTRY_FILES]
    seen: dict[str, Module] = {}
    while waiting:
        module = waiting.pop()
        if module.name in seen:
            continue
        seen[module.name] = module
        for found in imports(module):
            parts = found.target.split(".")
            above = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
            waiting += [known[name] for name in above if name in known]
    return list(seen.values())


def test_the_entry_files_reach_the_roles():
    """A walk that finds nothing would prove nothing."""
    roles = {"hooks.receive", "hooks.tasks", "worker.run", "sync_queue.inbox", "stash.client", "plex.client"}
    assert roles - {module.name for module in reachable()} == set()


def test_the_manifest_is_at_the_root_of_the_zip(entries: dict[str, zipfile.ZipInfo]):
    assert "Stash2Plex.yml" in entries


def test_stash_finds_no_manifest_but_ours_in_the_zip(entries: dict[str, zipfile.ZipInfo]):
    """Stash loads every .yml below its plugins folder as a plugin."""
    manifests = [name for name in entries if name.endswith((".yml", ".yaml"))]
    assert [name for name in manifests if not re.fullmatch(r"Stash2Plex\.yml|launcher/[^/]+\.yml", name)] == []
    assert len(manifests) == 2


def test_every_script_that_the_launcher_names_is_in_the_zip(entries: dict[str, zipfile.ZipInfo]):
    launcher = yaml.safe_load((ROOT / "launcher" / "Stash2PlexLauncher.yml").read_text(encoding="utf-8"))
    scripts = {f"launcher/{name}" for name in [*launcher["exec"], *launcher["ui"]["javascript"]]}
    assert scripts == {name for name in entries if name.endswith(".js")}


def test_stash_can_read_every_file_it_unpacks(entries: dict[str, zipfile.ZipInfo]):
    modes = {name: info.external_attr >> 16 for name, info in entries.items()}
    assert {mode & 0o777 for mode in modes.values()} == {0o644, 0o755}
    assert {name for name, mode in modes.items() if mode & 0o111} == {"Stash2Plex.py", "process_queue.py"}
    assert {info.create_system for info in entries.values()} == {3}


def test_entries_are_of_one_time(entries: dict[str, zipfile.ZipInfo]):
    assert len({info.date_time for info in entries.values()}) == 1


def test_the_entry_file_comes_first_and_the_manifest_last(entries: dict[str, zipfile.ZipInfo]):
    """Stash deletes and writes in this order while hooks fire and a worker watches the manifest."""
    names = list(entries)
    assert (names[0], names[-1]) == ("Stash2Plex.py", "Stash2Plex.yml")
    assert names[1:-1] == sorted(names[1:-1])


def test_stash_needs_no_more_than_its_ten_seconds(built: plugin_zip.Built):
    """At 200 kB/s, which is slow for where a plugin comes from."""
    assert built.zip_path.stat().st_size < plugin_zip.DOWNLOAD_S * 200_000


def test_text_has_unix_line_ends(built: plugin_zip.Built, entries: dict[str, zipfile.ZipInfo]):
    with zipfile.ZipFile(built.zip_path) as archive:
        assert [name for name in entries if b"\r\n" in archive.read(name)] == []


def test_the_index_describes_the_zip_beside_it(built: plugin_zip.Built, listed: dict[str, object]):
    assert listed["id"] == "Stash2Plex"
    assert listed["path"] == built.zip_path.name
    assert listed["sha256"] == hashlib.sha256(built.zip_path.read_bytes()).hexdigest()


def test_the_index_repeats_the_manifest(listed: dict[str, object]):
    manifest = yaml.safe_load((ROOT / "Stash2Plex.yml").read_text(encoding="utf-8"))
    assert listed["name"] == manifest["name"]
    assert listed["version"] == str(manifest["version"])
    assert listed["metadata"] == {"description": manifest["description"]}


def test_the_index_says_all_that_stash_reads_and_nothing_else(listed: dict[str, object]):
    assert set(listed) == {"id", "name", "version", "date", "path", "sha256", "metadata"}
    assert all(isinstance(value, str) for name, value in listed.items() if name != "metadata")


def test_the_index_has_the_date_that_stash_compares(listed: dict[str, object]):
    assert isinstance(listed["date"], str)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", listed["date"])


def test_a_release_can_fix_the_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    built = plugin_zip.build(ROOT, tmp_path)
    (package,) = yaml.safe_load(built.index_path.read_text(encoding="utf-8"))
    assert package["date"] == "2023-11-14 22:13:20"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("name: Stash2Plex", "Stash2Plex"),
        ('name: "Stash: \\"2\\" Plex"', 'Stash: "2" Plex'),
        ("name: 'it''s'  ", "it's"),
    ],
)
def test_a_manifest_value_is_read_as_yaml_reads_it(line: str, value: str):
    assert plugin_zip.top_level(f"# x\n{line}\nother: 1\n", "name") == value == yaml.safe_load(line)["name"]


@pytest.mark.parametrize("manifest", ["other: 1\n", "name: |\n  two\n  lines\n", "name:\n"])
def test_a_manifest_value_that_cannot_be_read_stops_the_build(manifest: str):
    with pytest.raises(ValueError, match="name"):
        plugin_zip.top_level(manifest, "name")


def test_a_missing_file_stops_the_build_and_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"Stash2Plex\.yml"):
        plugin_zip.shipped(tmp_path)
