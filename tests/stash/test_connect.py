"""From what Stash told us about itself to a client."""

from __future__ import annotations

import os

import pytest

from stash import log
from stash.connect import connect
from stash.protocol import COOKIE_FILE


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch):
    monkeypatch.setattr(log, "_secrets", [])


def server(port=9999, cookie="", scheme="http", host="127.0.0.1"):
    return {"Scheme": scheme, "Host": host, "Port": port, "SessionCookie": {"Value": cookie} if cookie else None}


def hand_over(data_dir, value):
    with open(os.path.join(data_dir, COOKIE_FILE), "w", encoding="latin-1") as file:
        file.write(value)


@pytest.mark.parametrize(
    ("told", "url"),
    [
        (server(), "http://127.0.0.1:9999/graphql"),
        (server(scheme="https"), "https://127.0.0.1:9999/graphql"),
        (server(host="0.0.0.0", port=80), "http://127.0.0.1:80/graphql"),
        (server(host="[::1]"), "http://[::1]:9999/graphql"),
        (server(scheme="gopher"), "http://127.0.0.1:9999/graphql"),
        ({}, "http://127.0.0.1:9999/graphql"),
    ],
)
def test_the_address_is_what_stash_says(data_dir, told, url):
    assert connect(told, data_dir).url == url


def test_stash_s_own_certificate_is_usually_self_signed(data_dir):
    assert connect(server(scheme="https"), data_dir).s.verify is False


def test_a_cookie_that_a_hook_handed_over_is_read_once_and_not_left_lying_about(data_dir, stash):
    stash.sessions.credentials = ("user", "password")
    stash.add_scene(path="/data/a.mp4")
    hand_over(data_dir, stash.cookie() + "\n")
    told = server(port=int(stash.url.rpartition(":")[2]), cookie=stash.sessions.issue(""))
    assert connect(told, data_dir).newest()
    assert not os.path.exists(os.path.join(data_dir, COOKIE_FILE))


def test_our_own_cookie_does_when_the_one_that_was_handed_over_has_gone_stale(data_dir, stash):
    stash.sessions.credentials = ("user", "password")
    stash.add_scene(path="/data/a.mp4")
    hand_over(data_dir, "stale")
    told = server(port=int(stash.url.rpartition(":")[2]), cookie=stash.cookie())
    assert connect(told, data_dir).newest()


def test_both_cookies_are_hidden_in_the_log(data_dir):
    hand_over(data_dir, "handed-over")
    connect(server(cookie="our-own"), data_dir)
    assert log.redact("handed-over our-own") == "*** ***"
