"""Our files: private from the first byte, replaced whole, set aside when damaged."""

from __future__ import annotations

import os
import sqlite3

import pytest

from sync_queue import files

needs_unix = pytest.mark.skipif(os.name == "nt", reason="modes of Unix")


@needs_unix
@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_what_we_make_is_for_its_owner_only(tmp_path, mask):
    before = os.umask(mask)
    try:
        files.private_file(str(tmp_path / "a"))
        files.write_json(str(tmp_path / "b"), {})
    finally:
        os.umask(before)
    assert [os.stat(tmp_path / name).st_mode & 0o777 for name in "ab"] == [0o600, 0o600]


def test_making_a_file_private_keeps_what_is_in_it(tmp_path):
    (tmp_path / "a").write_text("kept")
    files.private_file(str(tmp_path / "a"))
    assert (tmp_path / "a").read_text() == "kept"


def test_json_comes_back_and_nothing_temporary_stays(tmp_path):
    path = str(tmp_path / "a")
    for value in ({"a": ["ü", 1.5, None]}, []):
        files.write_json(path, value)
        assert files.read_json(path) == value
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"\x00" * 9, b"[" * 100_000], ids=lambda c: repr(c[:4]))
def test_damaged_json_is_no_value(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert files.read_json(str(tmp_path / "a")) is None


def test_absent_json_is_no_value(tmp_path):
    assert files.read_json(str(tmp_path / "none")) is None


def test_an_absent_database_is_sound_and_is_not_made(tmp_path):
    files.check_database(str(tmp_path / "none"))
    assert os.listdir(tmp_path) == []


def test_a_file_without_one_byte_has_lost_what_it_held(tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "full").write_bytes(b"x")
    with pytest.raises(sqlite3.DatabaseError):
        files.check_not_emptied(str(tmp_path / "empty"))
    for name in ("none", "full"):
        files.check_not_emptied(str(tmp_path / name))


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "a").write_bytes(b"no database at all" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        files.check_database(str(tmp_path / "a"))


def test_a_damaged_file_goes_aside_with_its_side_files_and_a_fresh_one_is_opened(tmp_path):
    path = str(tmp_path / "a")
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"a{suffix}").write_text("old")
    opened = []

    def opener():
        if os.path.exists(path):
            raise sqlite3.DatabaseError("file is not a database")
        opened.append(sorted(os.listdir(tmp_path)))
        return "fresh"

    result, aside = files.open_or_set_aside(path, opener)
    assert result == "fresh" and aside.startswith(f"{path}.corrupt-")
    assert opened == [[os.path.basename(aside)]]
    with open(aside) as file:
        assert file.read() == "old"


def test_a_sound_file_stays_where_it_is(tmp_path):
    assert files.open_or_set_aside(str(tmp_path / "a"), lambda: "opened") == ("opened", "")


def test_a_full_disk_is_no_damage(tmp_path):
    (tmp_path / "a").write_text("precious")

    def opener():
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(sqlite3.OperationalError):
        files.open_or_set_aside(str(tmp_path / "a"), opener)
    assert (tmp_path / "a").read_text() == "precious"
