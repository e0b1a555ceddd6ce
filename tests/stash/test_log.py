"""Log lines as Stash reads them: one record is one line, short enough, without secrets; writing never fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash import log
from tests.validation.poison import POISON

ROOT = str(Path(__file__).resolve().parents[2])
ANY_TEXT = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, blacklist_categories=()))
LEVELS = {log.debug: b"d", log.info: b"i", log.warning: b"w", log.error: b"e"}


def is_one_line(record):
    body = record[3:-1]
    return (
        record[:1] == b"\x01"
        and record[2:3] == b"\x02"
        and record[-1:] == b"\n"
        and len(body.decode().splitlines()) <= 1
        and body.decode().isprintable()
        and len(record) < log.LINE_BYTES + 10 < 1 << 16
    )


@pytest.mark.parametrize("name", POISON)
def test_poison_is_one_line(name):
    assert is_one_line(log.line("i", "Worker", POISON[name]))


@given(ANY_TEXT)
def test_any_text_is_one_line(text):
    assert is_one_line(log.line("i", "Worker", text))


@pytest.mark.parametrize("character", ["a", "é", "😀", "\ud800", "\n"])
@pytest.mark.parametrize("length", [59_950, 59_999, 60_000, 60_001, 100_000])
def test_a_long_text_is_cut_to_less_than_stash_s_limit(character, length):
    record = log.line("e", "Worker", character * length)
    assert is_one_line(record) and len(record) <= log.LINE_BYTES + 4


@pytest.mark.parametrize("write", LEVELS, ids=lambda write: write.__name__)
def test_a_line_has_its_level_and_says_who_speaks(capfd, write):
    write("Hook", "text")
    assert capfd.readouterr().err.encode() == b"\x01" + LEVELS[write] + b"\x02[Stash2Plex Hook] text\n"


@pytest.mark.parametrize(
    ("fraction", "shown"), [(0, "0.0000"), (0.5, "0.5000"), (1, "1.0000"), (7, "1.0000"), (-1, "0.0000")]
)
def test_progress_is_between_0_and_1(capfd, fraction, shown):
    log.progress(fraction)
    assert capfd.readouterr().err == f"\x01p\x02{shown}\n"


def test_where_a_fault_was_says_type_and_place_and_not_its_text():
    try:
        json.loads("{secret-in-a-text")
    except ValueError as fault:
        shown = log.where(fault)
    assert shown.startswith("JSONDecodeError in ") and ", line " in shown and "secret" not in shown


START = "import sys; sys.path.insert(0, sys.argv[1])\nfrom stash import log\n"


def start(code, **options):
    """A Python that has the log and runs this code, with a pipe on stdin and stdout."""
    command = [sys.executable, "-I", "-S", "-c", START + code, ROOT]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)


def lines_until_end(descriptor):
    """What comes out of the pipe, as Stash takes it apart."""
    with os.fdopen(descriptor, "rb") as pipe:
        return pipe.read().split(b"\n")[:-1]


@pytest.mark.parametrize("closed", ["reader", "descriptor"])
def test_a_stash_that_no_longer_listens_is_no_fault(closed):
    code = "sys.stdin.read()\n"
    if closed == "descriptor":
        code += "log.system.close(2)\n"
    code += "log.error('Hook', 'x' * 100000)\nlog.progress(1)\nprint('still here')"
    with start(code, stderr=subprocess.PIPE) as process:
        process.stderr.close()
        process.stdin.close()
        said = process.stdout.read()
    assert process.returncode == 0 and said.strip() == b"still here"


@pytest.mark.skipif(sys.platform == "win32", reason="a process without stderr is made with a shell of Unix")
def test_without_stderr_no_line_ends_up_in_a_file_that_got_its_number(tmp_path):
    path = tmp_path / "ours"
    code = START + "opened = open(sys.argv[2], 'w')\nlog.error('Hook', 'text')\nprint(opened.fileno())"
    command = ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, "-I", "-S", "-c", code, ROOT, str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, b"2")
    assert path.read_bytes() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of Windows have no such mode")
def test_a_stash_that_does_not_read_costs_lines_but_never_mixes_two():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)  # a full pipe then says EAGAIN, and takes only a part before
    code = "for number in range(20): log.info('Hook', str(number) + 'x' * 10001)\n"
    code += "print('full', flush=True)\nsys.stdin.read()\nlog.error('Hook', 'after')"
    with start(code, stderr=writing) as process:
        assert process.stdout.readline().strip() == b"full"
        os.close(writing)
        taken = os.read(reading, 1 << 20)
        process.stdin.close()
        lines = (taken + os.read(reading, 1 << 20)).split(b"\n")[:-1]
    os.close(reading)
    assert process.returncode == 0
    assert lines[-1] == b"\x01e\x02[Stash2Plex Hook] after" and len(lines) < 21
    assert all(line.count(b"\x02") == 1 and line.startswith(b"\x01") for line in lines)
    assert any(len(line) < len(lines[0]) for line in lines[:-1]), "no line was cut, so this showed nothing"


def test_two_threads_never_write_into_one_line():
    reading, writing = os.pipe()
    code = "import threading\nthreads = [threading.Thread(target=lambda: [log.info('Worker', 'x' * 59000) "
    code += "for _ in range(40)]) for _ in range(2)]\n[thread.start() for thread in threads]"
    with start(code, stderr=writing):
        os.close(writing)
        lines = lines_until_end(reading)
    assert len(lines) == 80 and len(set(lines)) == 1


@pytest.fixture
def switches(monkeypatch):
    """What a test switches is switched back."""
    for name in ("_plain", "_verbose", "_debug_shown"):
        monkeypatch.setattr(log, name, False)


SAID, MARKED = "[Stash2Plex Worker] Scene 2 unchanged\n", "[Stash2Plex Worker] [DEBUG] Scene 2 unchanged\n"


@pytest.mark.parametrize(
    ("plain", "shown", "line"),
    [(False, False, f"\x01d\x02{SAID}"), (False, True, f"\x01i\x02{MARKED}"), (True, False, ""), (True, True, MARKED)],
)
def test_debug_shows_when_it_is_asked_for_because_stash_hides_its_own(capfd, switches, plain, shown, line):
    if plain:
        log.speak_plainly()
    log.show_debug(shown)
    log.debug("Worker", "Scene 2 unchanged")
    assert capfd.readouterr().err == line


def test_a_setting_does_not_silence_a_person_who_asked_for_more(capfd, switches):
    log.speak_plainly(verbose=True)
    log.show_debug(False)
    log.debug("Worker", "Scene 2 unchanged")
    assert capfd.readouterr().err == MARKED


@pytest.mark.parametrize("write", [log.info, log.warning, log.error], ids=lambda write: write.__name__)
def test_in_a_terminal_a_line_is_what_a_person_reads(capfd, switches, write):
    log.speak_plainly()
    write("Worker", "Scene 1 synced")
    assert capfd.readouterr().err == "[Stash2Plex Worker] Scene 1 synced\n"
