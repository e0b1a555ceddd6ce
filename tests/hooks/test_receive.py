"""The hook process: whatever Stash writes on stdin, the mark is durable before the answer, and it ends well."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from sync_queue import lease
from tests.hooks.hook_process import command, event, marks_in, payload, run

TITLED = event("Scene.Update.Post", 7, ["id", "title"])
COVER = "data:image/jpeg;base64," + "/9j/4AAQSkZJRgABAQ" * 250_000

POISON = {
    "plain": payload(TITLED),
    "cover of several megabytes": payload({**TITLED, "input": {"id": "7", "cover_image": COVER}}),
    "lone surrogate escapes": payload({**TITLED, "input": {"title": "\ud83d \udc00"}}),
    "lone surrogate bytes": payload({**TITLED, "input": {"title": "MARK"}}).replace(b"MARK", b"\xed\xa0\x80"),
    "escaped NUL": payload({**TITLED, "input": {"title": "a\0b"}}),
    "raw NUL and control characters": payload({**TITLED, "input": {"title": "MARK"}}).replace(b"MARK", b"\0\x01\n\x1f"),
    "byte order mark": b"\xef\xbb\xbf" + payload(TITLED),
    "UTF-16": payload(TITLED).decode().encode("utf-16"),
    "invalid UTF-8": payload({**TITLED, "input": {"title": "MARK"}}).replace(b"MARK", b"\xff\xfe\xc3("),
    "line break at the end": payload(TITLED) + b"\n",
    "number of ten thousand digits": payload({**TITLED, "input": {"n": "MARK"}}).replace(b'"MARK"', b"9" * 10_000),
    "lists 300 deep": payload({**TITLED, "input": {"n": "MARK"}}).replace(b'"MARK"', b"[" * 300 + b"]" * 300),
    "not a number": payload({**TITLED, "input": {"n": "MARK"}}).replace(b'"MARK"', b"NaN"),
    "field names that are none": payload({**TITLED, "inputFields": ["title", None, 5, "\ud800", "x" * 100_000]}),
}


@pytest.fixture
def busy(data_dir):
    """The data folder of a worker that lives: hooks have nothing to start."""
    held = lease.take(data_dir)
    yield data_dir
    lease.release(held)


@pytest.mark.parametrize("stdin", POISON.values(), ids=POISON)
def test_a_mark_is_written_and_acknowledged_whatever_the_payload_holds(busy, stdin):
    ended = run(stdin, busy)
    assert (ended.code, ended.answer, ended.stderr) == (0, {"output": "queued scene 7"}, b"")
    (mark,) = marks_in(busy)
    assert (mark["kind"], mark["id"], mark["event"]) == ("scene", 7, "Scene.Update.Post")
    assert "title" in mark["fields"]


@pytest.mark.parametrize(
    "stdin",
    [b"", b"\0\0\0", b"not json", b"{", b'{"args":', b"[" * 100_000, b"\xff\xfe", b"nul", b'"text"', b"[1]", b"{}"],
)
def test_garbage_on_stdin_is_answered_with_an_error_and_leaves_no_mark(data_dir, stdin):
    ended = run(stdin, data_dir)
    assert ended.code == 0
    assert list(ended.answer) == ["error"]
    assert (ended.stderr, marks_in(data_dir)) == (b"", [])


@pytest.mark.parametrize(
    "context",
    [
        event("Scene.Update.Post", 7, ["id", "play_count"]),
        event("Performer.Update.Post", 7, ["id", "details"]),
        event("Tag.Create.Post", 7, ["name"]),
        event("Scene.Update.Post", 0, ["title"]),
        event("Gallery.Update.Post", 7, ["title"]),
        {},
    ],
)
def test_an_event_that_can_change_nothing_leaves_no_trace(tmp_path, context):
    ended = run(payload(context), tmp_path / "data")
    assert (ended.code, ended.answer, ended.stderr) == (0, {"output": "nothing to do for Plex"}, b"")
    assert not (tmp_path / "data").exists()


def test_the_data_folder_and_its_files_are_for_their_owner_only(busy):
    run(payload(TITLED), busy)
    modes = {name: os.stat(os.path.join(busy, name)).st_mode & 0o777 for name in ("inbox", "worker.lock")}
    assert modes == {"inbox": 0o700, "worker.lock": 0o600}
    assert [os.stat(entry).st_mode & 0o777 for entry in os.scandir(os.path.join(busy, "inbox"))] == [0o600]


def test_folders_that_do_not_exist_yet_are_made(tmp_path):
    folder = tmp_path / "config" / "stash" / "data"
    ended = run(payload(TITLED), folder)
    assert ended.answer == {"output": "queued scene 7"}
    assert len(marks_in(folder)) == 1
    assert {path.stat().st_mode & 0o777 for path in (folder, folder / "inbox")} == {0o700}


def test_a_folder_that_cannot_be_written_is_one_error_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    ended = run(payload(TITLED), tmp_path / "file" / "data")
    assert (ended.code, ended.answer) == (0, {"output": "not queued"})
    (line,) = ended.errors
    assert str(tmp_path / "file" / "data") in line


@pytest.mark.parametrize("room_bytes", [0, 10])
def test_a_full_disk_is_one_error_line_and_never_half_a_mark(busy, room_bytes):
    resource = pytest.importorskip("resource", reason="this system has no file size limits")
    os.mkdir(os.path.join(busy, "inbox"))
    limit = (room_bytes, room_bytes)
    ended = run(payload(TITLED), busy, before_exec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert (ended.code, ended.answer) == (0, {"output": "not queued"})
    assert len(ended.errors) == 1
    assert marks_in(busy) == []


def test_an_answer_that_nobody_reads_is_no_fault(busy):
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        command(), stdin=subprocess.PIPE, stdout=writing, stderr=subprocess.PIPE,
        env={**os.environ, "STASH_PLUGIN_DATA": busy},
    ) as process:  # fmt: skip
        os.close(writing)
        _, stderr = process.communicate(payload(TITLED), timeout=60)
    assert (process.returncode, stderr, len(marks_in(busy))) == (0, b"", 1)


def test_the_mark_and_its_name_are_on_disk_before_the_answer(busy, tmp_path):
    trace = tmp_path / "trace"
    traced = _strace(trace)
    ended = run(payload(TITLED), busy, argv=command(*traced))
    if ended.code != 0 and not ended.stdout:
        pytest.skip("strace may not trace here")
    calls = _calls(trace.read_text("utf-8", "replace"))
    assert ended.answer == {"output": "queued scene 7"}
    assert calls == ["write mark", "fsync", "rename", "fsync", "answer"]


def _strace(trace):
    found = shutil.which("strace")
    if not found:
        pytest.skip("strace is not installed")
    return [found, "-o", str(trace), "-e", "trace=write,fsync,fdatasync,rename,renameat,renameat2"]


def _calls(trace):
    """What the process wrote and made durable, in order."""
    names = []
    for line in trace.splitlines():
        if re.match(r"write\(1, ", line):
            names.append("answer")
        elif re.match(r"write\(\d+, \"\{", line):
            names.append("write mark")
        elif re.match(r"(fsync|fdatasync)\(", line):
            names.append("fsync")
        elif line.startswith("rename"):
            names.append("rename")
    return names
