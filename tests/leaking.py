"""Tests that let a secret slip on purpose, each in another place; run by `tests.test_secret_net`, not by themselves.

Only the tests of CLEAN let nothing slip.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import time

import pytest

from stash import log
from tests.canaries import API_KEY, LOGIN, PLEX_TOKEN, secret
from tests.doubles.plex_server import PlexDouble
from tests.doubles.stash_client import fetch
from tests.doubles.stash_probe import Probe
from tests.doubles.stash_server import StashDouble
from validation.errors import Kind, Trouble

CLEAN = {"test_nothing", "test_our_log_after_another_test_hid_it_1"}
PRINT = "import os; print(os.environ['LEAK'])"
CHILD = """
import os, subprocess, sys
subprocess.run([sys.executable, "-c", "print('up', flush=True); input()", os.environ["LEAK"]])
"""


@pytest.fixture
def probed(tmp_path):
    with StashDouble([Probe(tmp_path).folder], python=sys.executable, config_dir=str(tmp_path)) as stash:
        yield stash


def test_stdout():
    print(PLEX_TOKEN)


def test_stderr():
    os.write(2, PLEX_TOKEN.encode())


def test_logging():
    logging.getLogger("x").warning(PLEX_TOKEN)


def test_capfd(capfd):
    print(PLEX_TOKEN)
    assert PLEX_TOKEN in capfd.readouterr().out


def test_capsys(capsys):
    print(PLEX_TOKEN)
    assert PLEX_TOKEN in capsys.readouterr().out


def test_setup(slips):
    pass


@pytest.fixture
def slips():
    print(PLEX_TOKEN)
    yield


def test_teardown(slips_late):
    pass


@pytest.fixture
def slips_late():
    yield
    print(PLEX_TOKEN)


def test_our_log():
    log.error("Worker", PLEX_TOKEN)


def test_our_log_after_another_test_hid_it_1():
    log.hide(PLEX_TOKEN)
    log.error("Worker", PLEX_TOKEN + " is hidden")  # and so no leak


def test_our_log_after_another_test_hid_it_2():
    log.error("Worker", PLEX_TOKEN)


def test_file(tmp_path):
    (tmp_path / "some.log").write_text(PLEX_TOKEN)


def test_file_name(tmp_path):
    (tmp_path / secret("in-a-name", "")).touch()


def test_deep_file(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "queue").write_bytes(b"\0\1" + API_KEY.encode())


def test_database(tmp_path):
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("CREATE TABLE t (v TEXT)")
        db.execute("INSERT INTO t VALUES (?)", (PLEX_TOKEN,))
    db.close()


def test_write_ahead_log(tmp_path):
    test_write_ahead_log.db = db = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("CREATE TABLE t (v TEXT)")
    db.execute("INSERT INTO t VALUES (?)", (PLEX_TOKEN,))
    assert PLEX_TOKEN.encode() not in (tmp_path / "x.db").read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="modes of Unix")
def test_cookie_for_everybody(tmp_path):
    (tmp_path / "cookie").write_text(StashDouble(credentials=LOGIN).cookie())
    (tmp_path / "cookie").chmod(0o644)


def test_cookie_with_more(tmp_path):
    (tmp_path / "cookie").write_text(StashDouble(credentials=LOGIN).cookie() + PLEX_TOKEN)
    (tmp_path / "cookie").chmod(0o600)


def test_error():
    Trouble(Kind.PERMANENT, "about " + PLEX_TOKEN)


def test_output():
    environment = {**os.environ, "LEAK": PLEX_TOKEN}
    subprocess.run([sys.executable, "-c", PRINT], env=environment, capture_output=True)


def test_arguments():
    subprocess.run([sys.executable, "-c", "pass", PLEX_TOKEN])


def test_stash_log(probed):
    probed.run_task("Probe", None, {"mode": "say", "text": "\x01d\x02" + PLEX_TOKEN + "\n"})
    while "debug" not in {level for level, _, _ in probed.log}:
        time.sleep(0.01)


def test_answer(probed):
    probed.operation("Probe", {"mode": "echo", "leak": PLEX_TOKEN})


def test_job(probed):
    probed.wait_job(probed.run_task("Probe", None, {"mode": "echo", "leak": PLEX_TOKEN}))


def test_address():
    with PlexDouble() as plex:
        fetch(plex.url + "/?X-Plex-Token=" + API_KEY)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no /proc to look into")
def test_grandchild(grandchild):
    pass


@pytest.fixture
def grandchild():
    started = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        env={**os.environ, "LEAK": PLEX_TOKEN},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert started.stdout.readline() == b"up\n"
    yield
    started.communicate(b"\n")


def test_nothing(tmp_path, capfd):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "token").write_text(PLEX_TOKEN)
    (tmp_path / "cookie").write_text(StashDouble(credentials=LOGIN).cookie())
    (tmp_path / "cookie").chmod(0o600)
    with PlexDouble() as plex:
        assert fetch(plex.url + "/", headers={"X-Plex-Token": PLEX_TOKEN})[0] == 200
    print("nothing")
    assert capfd.readouterr().out == "nothing\n"
