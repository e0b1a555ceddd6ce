"""Log lines as Stash reads them: one record is one line, short enough, without secrets; writing never fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash import log
from tests.validation.poison import POISON

ROOT = str(Path(__file__).resolve().parents[2])
ANY_TEXT = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, blacklist_categories=()))
LEVELS = {log.debug: b"d", log.info: b"i", log.warning: b"w", log.error: b"e"}


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch):
    """What a test hides is known to nobody else."""
    monkeypatch.setattr(log, "_secrets", [])


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


@pytest.mark.parametrize(
    "secret", ["abcd", "to/ken+1=", "ünïcode-token", "a b c d", "20%-off", "line\nbreak", "\ud800abc"]
)
def test_a_secret_is_masked_raw_and_url_encoded(secret):
    log.hide(secret)
    encoded = quote(secret.encode("utf-8", "replace"), safe="")
    record = log.line("i", "Worker", f"raw {secret}, encoded {encoded}, at the end {secret}").decode()
    assert secret not in record and encoded not in record
    assert record.count("***") == 3


SECRET = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x24F, blacklist_characters="*"), min_size=4, max_size=30
)


@given(st.lists(SECRET, min_size=1, max_size=3), ANY_TEXT, ANY_TEXT)
def test_no_secret_is_ever_in_a_line(secrets, before, after):
    log._secrets.clear()
    for secret in secrets:
        log.hide(secret)
    for secret in secrets:
        shown = log.redact(f"{before}|{secret}|{quote(secret, safe='')}|{after}")
        assert secret not in shown and quote(secret, safe="") not in shown


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_secret_that_begins_with_another_nothing_is_left(order):
    for secret in ["abcd", "abcd-and-more"][::order]:
        log.hide(secret)
    assert log.redact("x abcd-and-more y abcd z") == "x *** y *** z"


@pytest.mark.parametrize("secret", ["", "a", "abc"])
def test_what_is_too_short_to_be_a_secret_is_not_masked(secret):
    log.hide(secret)
    assert log.redact("abc") == "abc"


def test_where_a_fault_was_says_type_and_place_and_not_its_text():
    try:
        json.loads("{secret-in-a-text")
    except ValueError as fault:
        shown = log.where(fault)
    assert shown.startswith("JSONDecodeError in ") and ", line " in shown and "secret" not in shown


@pytest.mark.parametrize("closed", ["reader", "descriptor"])
def test_a_stash_that_no_longer_listens_is_no_fault(closed):
    code = "import sys; sys.path.insert(0, sys.argv[1])\nfrom stash import log\nsys.stdin.read()\n"
    if closed == "descriptor":
        code += "log.system.close(2)\n"
    code += "log.error('Hook', 'x' * 100000)\nlog.progress(1)\nprint('still here')"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code, ROOT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stderr.close()
    process.stdin.close()
    said = process.stdout.read()
    process.stdout.close()
    assert process.wait(60) == 0 and said.strip() == b"still here"


def test_in_a_terminal_a_line_is_what_a_person_reads(capfd, monkeypatch):
    monkeypatch.setattr(log, "_plain", False)
    log.speak_plainly()
    log.info("Worker", "Scene 1 synced")
    log.debug("Worker", "Scene 2 unchanged")
    assert capfd.readouterr().err == "[Stash2Plex Worker] Scene 1 synced\n"
