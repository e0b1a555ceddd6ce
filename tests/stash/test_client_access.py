"""Requests to Stash with whichever credential it accepts, and what follows when it does not answer."""

from __future__ import annotations

import socket
from contextlib import contextmanager

import pytest

from stash import client as module
from stash import log
from tests.canaries import API_KEY, secret
from validation.errors import Kind, Trouble


@contextmanager
def silent():
    """The address of somebody who accepts connections and says nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    try:
        yield "http://127.0.0.1:%d" % listener.getsockname()[1]
    finally:
        listener.close()


def kind_of(call, *arguments):
    with pytest.raises(Trouble) as raised:
        call(*arguments)
    return raised.value.kind


# who we are


def test_cookies_are_tried_in_turn(locked, connect):
    client = connect(locked, ["bad", locked.sessions.issue(""), locked.cookie()])
    assert client.scenes([1])[1].title == "A"
    before = client.requests
    client.newest()
    assert client.requests == before + 1


@pytest.mark.parametrize("cookies", [[], ["bad"], ["bad", "worse"]])
def test_without_a_good_credential_stash_refuses_us(locked, connect, cookies):
    assert kind_of(connect(locked, cookies).newest) is Kind.STASH_REFUSED


def test_a_cookie_is_kept_alive_by_each_answer(locked, connect, clock):
    client = connect(locked, [locked.cookie()])
    for _ in range(5):
        clock[0] += 50 * 60
        assert client.newest()


def test_the_cookie_that_stash_renewed_is_hidden_in_the_log(locked, connect, clock):
    first = locked.cookie()
    client = connect(locked, [first])
    clock[0] += 60
    assert client.newest()
    renewed = client.s.cookies.get("session")
    assert renewed != first and log.redact(f"{first} {renewed}") == "*** ***"


def test_a_cookie_that_ran_out_is_refused(locked, connect, clock):
    client = connect(locked, [locked.cookie()])
    clock[0] += 61 * 60
    assert kind_of(client.newest) is Kind.STASH_REFUSED


def test_the_api_key_is_taken_over_and_outlives_the_cookie(locked, connect, clock):
    locked.api_key = API_KEY
    client = connect(locked, [locked.cookie()])
    assert client.configuration().api_key == API_KEY
    clock[0] += 24 * 3600
    assert client.newest()


def test_a_new_api_key_in_stash_lets_us_go_back_to_the_cookie(locked, connect):
    locked.api_key = secret("old")
    client = connect(locked, [locked.cookie()])
    client.configuration()
    locked.api_key = secret("new")
    assert client.newest()
    assert client.configuration().api_key == secret("new")


def test_every_api_key_that_stash_tells_is_hidden_in_the_log(locked, connect):
    """Also the one that is not used, since our settings have their own."""
    locked.api_key = secret("in-use")
    locked.configure("Stash2Plex", {"stash_api_key": secret("own")})
    connect(locked, [locked.cookie()]).configuration()
    assert log.redact(f"{secret('own')} {secret('in-use')}") == "*** ***"


def test_an_api_key_alone_is_enough_and_a_wrong_one_is_refused(locked, connect):
    locked.api_key = API_KEY
    assert connect(locked, (), API_KEY).newest()
    assert kind_of(connect(locked, (), "wrong").newest) is Kind.STASH_REFUSED


# when it does not answer


def test_one_answer_that_gets_lost_is_asked_for_again(stash, client):
    stash.faults.drop(1)
    assert client.newest() == ""
    assert client.requests == 2


@pytest.mark.parametrize("fault", [500, 502, 503, "drop"])
def test_a_stash_that_goes_on_failing_is_away(stash, client, fault):
    if fault == "drop":
        stash.faults.drop(5)
    else:
        stash.faults.status(fault, 5)
    assert kind_of(client.newest) is Kind.STASH_AWAY
    stash.faults.clear()
    assert client.newest() == ""


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_not_followed_but_means_a_login(stash, client, status):
    stash.faults.status(status, 5)
    assert kind_of(client.newest) in (Kind.STASH_REFUSED, Kind.STASH_AWAY)


def test_a_silent_stash_is_away(connect, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUTS_S", (5.0, 0.2))
    with silent() as url:
        assert kind_of(connect(url).newest) is Kind.STASH_AWAY


def test_a_closed_port_is_away(stash, connect):
    client = connect(stash)
    stash.kill()
    assert kind_of(client.newest) is Kind.STASH_AWAY


def test_asking_for_a_worker_does_not_wait_for_its_end(connect):
    with silent() as url:
        assert connect(url).launch_worker() is None


def test_asking_for_a_worker_tells_when_nobody_is_there(stash, connect):
    client = connect(stash)
    stash.kill()
    assert kind_of(client.launch_worker) is Kind.STASH_AWAY


def test_an_error_of_stash_is_told_in_its_words(client):
    with pytest.raises(Trouble) as raised:
        client._ask("query{nothingOfTheKind}", {})
    assert raised.value.kind is Kind.STASH_AWAY and "nothingOfTheKind" in raised.value.message


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY"])
def test_no_proxy_of_the_environment_sees_our_cookie(stash, connect, monkeypatch, name):
    with silent() as proxy:
        monkeypatch.setenv(name, proxy)
        assert connect(stash, ["cookie"]).newest() == ""


def test_the_transport_s_log_says_nothing(stash, client, capfd):
    stash.faults.status(500, 5)
    with pytest.raises(Trouble):
        client.newest()
    assert capfd.readouterr() == ("", "")
