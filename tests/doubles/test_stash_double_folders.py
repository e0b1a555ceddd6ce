"""The Stash double lists folders, and says where a plugin lies, as a running Stash was seen to do it."""

import os
import sys

import pytest

from tests.doubles.stash_probe import posix_only
from tests.doubles.stash_scripts import said, saved, script
from tests.doubles.stash_server import GraphQLFailed, StashDouble

links_only = pytest.mark.skipif(os.name == "nt", reason="making a link may need a privilege")


@pytest.fixture
def folder(tmp_path):
    """A plugins folder."""
    made = tmp_path / "plugins"
    made.mkdir()
    return made


# -- folders ------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path):
    for name in ("a9", "a10", "B", "_x", "plugins/Sub"):
        (tmp_path / "disk" / name).mkdir(parents=True)
    (tmp_path / "disk" / "afile").write_text("", "utf-8")
    return tmp_path / "disk"


def listed(path, **variables):
    with StashDouble() as stash:
        query = "query($p:String,$l:String){directory(path:$p,locale:$l){path parent directories}}"
        return stash.gql(query if variables else query.replace(",$l:String", "").replace(",locale:$l", ""),
                         {"p": str(path), **variables})["directory"]  # fmt: skip


def names(answer):
    return [os.path.basename(path) for path in answer["directories"]]


def test_a_folder_is_listed_with_its_folders_in_the_order_of_the_language(disk):
    answer = listed(disk)
    assert answer["directories"] == [str(disk / name) for name in ("_x", "a9", "a10", "B", "plugins")]
    assert (answer["path"], answer["parent"]) == (str(disk), str(disk.parent))
    assert names(listed(disk, l=None)) == ["B", "_x", "a10", "a9", "plugins"]


@pytest.mark.parametrize("path, found", [("A", ["a9", "a10"]), ("zzz", []), ("afile", []), ("PLUGINS", ["plugins"])])
def test_of_what_is_no_folder_the_folders_are_told_that_begin_like_it(disk, path, found):
    if os.path.isdir(disk / path):
        pytest.skip("a file system that knows no case")
    answer = listed(disk / path)
    assert (names(answer), answer["parent"]) == (found, str(disk))


@posix_only
def test_a_folder_that_cannot_be_found_at_all_is_an_error_with_its_arguments_in_the_log(disk):
    with StashDouble() as stash:
        for path, reason in (
            (disk / "no" / "x", "no such file or directory"),
            (disk / "afile" / "x", "not a directory"),
        ):
            with pytest.raises(GraphQLFailed, match=reason):
                stash.gql("query($p:String){directory(path:$p){path}}", {"p": str(path)})
            assert stash.log[-2:] == [
                ("error", "", f"directory: input: directory open {path.parent}: {reason}"),
                ("debug", "", 'directory: {"locale":"en","path":"%s"}' % path),
            ]


@links_only
def test_a_link_is_no_folder_in_a_list_but_a_path_may_lead_over_one(disk):
    os.symlink(disk / "plugins", disk / "link")
    os.symlink(disk / "gone", disk / "dangling")
    assert names(listed(disk)) == ["_x", "a9", "a10", "B", "plugins"]
    assert listed(disk / "link")["directories"] == [str(disk / "link" / "Sub")]
    assert listed(disk / "dangling")["directories"] == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_a_path_may_lead_over_an_open_descriptor(disk):
    descriptor = os.open(disk / "plugins", os.O_RDONLY)
    os.symlink(f"/proc/{os.getpid()}/fd/{descriptor}", disk / "alive")
    try:
        assert listed(disk / "alive")["directories"] == [str(disk / "alive" / "Sub")]
    finally:
        os.close(descriptor)
    assert listed(disk / "alive")["directories"] == []


# -- where a plugin lies ----------------------------------------------------------------------


@links_only
def test_a_linked_plugin_folder_keeps_the_name_of_the_link(folder, tmp_path):
    real = tmp_path / "elsewhere" / "sub"
    real.mkdir(parents=True)
    script(real, "Bell", "log.Info(input.ServerConnection.PluginDir);")
    os.symlink(real, real / "round")
    os.symlink(tmp_path / "elsewhere", folder / "linked")
    with saved(folder) as stash:
        assert said(stash, "Bell") == [str(folder / "linked" / "sub")]


def test_a_relative_plugins_folder_gives_a_relative_plugin_folder(folder, monkeypatch):
    """Only what a process can import from is told in full."""
    monkeypatch.chdir(folder.parent)
    (folder / "below").mkdir()
    script(folder / "below", "Bell", "log.Info(input.ServerConnection.PluginDir);")
    program = "import os; print(os.environ['PYTHONPATH'])"
    (folder / "below" / "Raw.yml").write_text(f'name: Raw\nexec: [python3, -c, "{program}"]\n', "utf-8")
    with saved("plugins") as stash:
        assert said(stash, "Bell") == [os.path.join("plugins", "below")]
        assert stash.operation("Raw").strip().split(os.pathsep)[-1] == os.path.realpath(folder)


def test_of_two_plugins_with_one_id_the_second_is_left_out(folder):
    for name in ("a", "b"):
        (folder / name).mkdir()
    script(folder / "a", "Bell", "")
    script(folder / "b", "BELL", "")
    with StashDouble([folder]) as stash:
        assert list(stash.plugins.loaded) == ["Bell"]
        assert stash.log[0][2].endswith("BELL.yml: plugin ID BELL already exists")
