"""The inbox: whatever happens to a writer, there is a whole mark or none."""

from __future__ import annotations

import json
import os
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_queue import inbox, marks
from tests.sync_queue.other_process import run, start

needs_unix = pytest.mark.skipif(os.name == "nt", reason="modes and signals of Unix")

PUT_ONE = """
from sync_queue import inbox
sys.stdin.readline()
print(inbox.put(sys.argv[1], {"kind": "scene", "id": int(sys.argv[2])}))
"""
PUT_MANY = """
from sync_queue import inbox
for id in range(1, 100000):
    name = inbox.put(sys.argv[1], {"kind": "scene", "id": id, "fields": ["title"] * 50})
    print(name, flush=True)
"""
ROUNDS, AT_ONCE, KILLS = 4, 16, 60


def files(data_dir):
    return sorted(os.listdir(os.path.join(data_dir, inbox.FOLDER)))


@needs_unix
def test_a_mark_is_private_from_the_first_byte(tmp_path):
    data_dir = str(tmp_path / "new" / "data")
    before = os.umask(0)
    try:
        name = inbox.put(data_dir, {"kind": "scene", "id": 1})
    finally:
        os.umask(before)
    folder = os.path.join(data_dir, inbox.FOLDER)
    modes = [os.stat(path).st_mode & 0o777 for path in (data_dir, folder, os.path.join(folder, name))]
    assert modes == [0o700, 0o700, 0o600]


def test_a_mark_leaves_one_file_and_nothing_temporary(data_dir):
    names = [inbox.put(data_dir, {"kind": "scene", "id": id}) for id in (1, 2, 3)]
    assert files(data_dir) == sorted(names)


VALUES = st.integers() | st.text() | st.lists(st.text(), max_size=3)


@given(st.dictionaries(st.text(), VALUES))
def test_a_mark_is_json_in_ascii_whatever_it_says(mark):
    encoded = inbox.encode(mark)
    assert encoded.isascii()
    assert json.loads(encoded) == mark


def test_a_lone_surrogate_in_a_mark_stays_what_it_was():
    assert json.loads(inbox.encode({"event": "a\ud800\x00"})) == {"event": "a\ud800\x00"}


def test_an_unwritable_folder_is_an_error_and_not_a_taken_mark(tmp_path):
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(OSError):
        inbox.put(str(tmp_path / "data"), {"kind": "scene", "id": 1})


def test_sixteen_processes_may_race_on_a_missing_folder(tmp_path):
    for turn in range(ROUNDS):
        data_dir = str(tmp_path / f"round{turn}" / "data")
        writers = [start(PUT_ONE, data_dir, str(id)) for id in range(1, AT_ONCE + 1)]
        for writer in writers:
            writer.stdin.write("go\n")
            writer.stdin.flush()
        answers = [writer.communicate(timeout=60)[0].strip() for writer in writers]
        assert [writer.returncode for writer in writers] == [0] * AT_ONCE
        assert files(data_dir) == sorted(answers)
        found, damaged = marks.read(data_dir, 100)
        assert sorted(mark.id for mark in found) == list(range(1, AT_ONCE + 1)) and damaged == []


@needs_unix
def test_a_killed_writer_leaves_whole_marks_or_none(data_dir):
    chance = random.Random(4)
    acknowledged = []
    for _ in range(KILLS):
        writer = start(PUT_MANY, data_dir)
        acknowledged.append(writer.stdout.readline().strip())
        time.sleep(chance.random() * 0.02)
        writer.kill()
        rest = writer.communicate()[0].split("\n")
        acknowledged += rest[:-1]  # the last line may be cut
    found, damaged = marks.read(data_dir, 1_000_000)
    assert damaged == []
    assert set(acknowledged) <= {mark.file for mark in found}
    assert {name for name in files(data_dir) if not name.endswith(inbox.TEMPORARY)} == {mark.file for mark in found}


def test_the_inbox_needs_nothing_but_built_in_modules(data_dir):
    code = (
        "from sync_queue import inbox\nprint(sorted(name for name, m in sys.modules.items() if 'site-pack' in str(m)))"
    )
    assert run(code).strip() == "[]"
    code = "import sync_queue.inbox\nprint({'os', 'json', 're', 'typing'} & set(sys.modules) - before)"
    assert run("before = set(sys.modules)\n" + code).strip() == "set()"


@needs_unix
def test_on_windows_a_mark_is_written_in_binary_and_no_folder_is_opened(tmp_path):
    code = """
from sync_queue import inbox
flags = []
inner = inbox.system.open
def spy(path, flag, mode=0o777):
    flags.append(bool(flag & inbox.system.O_BINARY))
    return inner(path, flag, mode)
inbox.system.open = spy
print(inbox.system.__name__, len({inbox.put(sys.argv[1], {"kind": "scene", "id": i}) for i in range(50)}), set(flags))
"""
    data_dir = str(tmp_path / "deep" / "data")
    assert run(code, data_dir, windows=True).split() == ["nt", "50", "{True}"]
    assert len(marks.read(data_dir, 100)[0]) == 50


def test_names_differ_although_the_clock_stands_still(data_dir, monkeypatch):
    monkeypatch.setattr(inbox, "time_ns", lambda: 1_700_000_000_000_000_000)
    names = [inbox.put(data_dir, {"kind": "scene", "id": id}) for id in range(1, 30)]
    assert len(set(names)) == 29
