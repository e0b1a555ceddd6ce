"""The net catches: a secret that is let slip on purpose, in each place and each form, makes its test fail."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests import canaries, leaking, secret_net
from tests.canaries import API_KEY, GUEST_TOKEN, LOGIN, PASSWORD, PLEX_TOKEN
from tests.doubles.stash_session import Sessions

ROOT = Path(__file__).resolve().parents[1]
COOKIE = Sessions(LOGIN).issue(LOGIN[0])
ENCODED = {
    "raw": str,
    "URL-encoded": lambda secret: quote(secret, safe=""),
    "URL-encoded in part": lambda secret: quote_plus(secret, safe="/"),
    "URL-encoded twice": lambda secret: quote(quote(secret)),
    "JSON": json.dumps,
    "JSON in JSON": lambda secret: json.dumps(json.dumps({"a": secret})),
    "escaped for HTML": lambda secret: json.dumps(secret).replace("<", "\\u003c"),
    "Base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "Base64 after one letter": lambda secret: base64.b64encode(f"x{secret}".encode()).decode(),
    "Base64 after two letters": lambda secret: base64.urlsafe_b64encode(f"xy{secret}".encode()).decode(),
    "cut off": lambda secret: secret[:20],
    "its end": lambda secret: secret[-20:],
    "repr of bytes": lambda secret: repr([secret.encode()]),
}

LEAKING = ROOT / "tests" / "leaking.py"


@pytest.mark.parametrize("form", ENCODED.values(), ids=list(ENCODED))
@pytest.mark.parametrize(
    "secret", [PLEX_TOKEN, GUEST_TOKEN, API_KEY, PASSWORD, COOKIE], ids=["token", "guest", "key", "password", "cookie"]
)
def test_a_secret_is_found_in_every_form(secret, form):
    (sentence,) = secret_net.found_in("a place", f"before {form(secret)} after")
    assert sentence.startswith("A secret shows in a place: …")
    assert list(secret_net.found_in("a place", sentence)) == []


@pytest.mark.parametrize("text", ["", None, b"", "nothing of the kind", b"\xff\x00", "\ud800"])
def test_in_other_texts_nothing_is_found(text):
    assert list(secret_net.found_in("a place", text)) == []


def test_a_secret_takes_another_form_in_a_url_and_in_json():
    """Else the tests would not notice who masks one form and shows the other."""
    for secret in (PLEX_TOKEN, GUEST_TOKEN, API_KEY, PASSWORD):
        assert quote(secret, safe="") != secret and json.dumps(secret) != f'"{secret}"'
        assert secret.isascii() and secret.isprintable() and not any(letter.isspace() for letter in secret)
    assert quote(COOKIE, safe="") != COOKIE


def test_every_place_is_looked_at(tmp_path):
    """The tests in LEAKING, run by a pytest of their own with nothing but the net."""
    command = [sys.executable, "-m", "pytest", "--noconftest", "-p", "tests.secret_net", "--import-mode=importlib"]
    command += ["-c", os.devnull, "--rootdir", str(ROOT), "--basetemp", str(tmp_path / "secrets"), "-q", "-rpfEs"]
    command += ["--show-capture=no", "-p", "no:cacheprovider", str(LEAKING)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    outcomes = [line.split()[:2] for line in done.stdout.splitlines() if "leaking.py::" in line]
    failed = {name.partition("::")[2] for outcome, name in outcomes if outcome == "ERROR"}
    named = {name for name, test in vars(leaking).items() if name.startswith("test_") and not skipped(test)}
    assert (failed, done.returncode) == (named - leaking.CLEAN, 1), done.stdout
    assert done.stdout.count("A secret shows in") >= len(failed) and "FAILED" not in done.stdout


def skipped(test):
    return any(mark.name == "skipif" and mark.args[0] for mark in getattr(test, "pytestmark", []))


def test_no_two_secrets_are_alike():
    held = [PLEX_TOKEN, GUEST_TOKEN, API_KEY, PASSWORD, COOKIE, Sessions(LOGIN).issue(""), canaries.secret("another")]
    assert len(set(held)) == len(held)
