"""Https: whom we trust, and that nobody else hears the token."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import certifi
import pytest
import trustme

from plex.client import PlexClient
from plex.exceptions import TimedOut
from tests.canaries import PLEX_TOKEN
from tests.doubles.plex_server import PlexDouble
from tests.plex.identity import Identity
from validation.errors import Kind, Trouble

TOKEN = PLEX_TOKEN
OTHER_PIN = "0" * 64


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def here(authority):
    return Identity(authority, "127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def elsewhere(authority):
    """What an https address by number meets: Plex's certificate names a host of plex.direct."""
    return Identity(authority, "1-2-3-4.plex.direct")


@pytest.fixture
def trusted(authority, monkeypatch, tmp_path):
    """The authority is one of those that everybody trusts."""
    authority.cert_pem.write_to_path(tmp_path / "authorities.pem")
    monkeypatch.setattr(certifi, "where", lambda: str(tmp_path / "authorities.pem"))


@pytest.fixture
def client():
    made = []

    def client(url, pin="", timeouts=(10.0, 20.0)):
        made.append(PlexClient(url, TOKEN, "test-identifier", timeouts, pin))
        return made[-1]

    yield client
    for each in made:
        each.close()


@contextmanager
def plex_as(identity):
    with PlexDouble(token=TOKEN, tls=identity.context) as plex:
        plex.add_section("Movies", ["/media"])
        yield plex


@contextmanager
def eavesdropper(identity):
    """A TLS server that hangs up instead of an answer, the bytes that it was told, and its thread."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_listen, args=(listener, identity.context, heard), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", heard, thread


def _listen(listener, context, heard):
    try:
        with context.wrap_socket(listener.accept()[0], server_side=True) as peer:
            heard.append(peer.recv(65_536))
    except OSError:
        pass


def trouble_of(call):
    with pytest.raises(Trouble) as raised:
        call()
    assert TOKEN not in raised.value.message
    return raised.value


def test_a_certificate_of_a_known_authority_needs_no_fingerprint(trusted, here, client):
    with plex_as(here) as plex:
        assert [section.title for section in client(plex.url).sections()] == ["Movies"]


def test_a_certificate_of_nobody_we_know_is_refused_with_what_to_do(here, client):
    with plex_as(here) as plex:
        trouble = trouble_of(client(plex.url).sections)
        assert plex.requests() == []
    assert trouble.kind is Kind.UNREACHABLE
    assert "plex_tls_fingerprint" in trouble.message and "Health Check" in trouble.message


def test_a_certificate_for_another_name_is_refused_with_what_to_do(trusted, elsewhere, client):
    with plex_as(elsewhere) as plex:
        trouble = trouble_of(client(plex.url).sections)
        assert plex.requests() == []
    assert "plex_tls_fingerprint" in trouble.message and "Health Check" in trouble.message


@pytest.mark.parametrize("whose", ["here", "elsewhere"])
def test_a_pinned_certificate_is_good_whoever_signed_it_for_whatever_name(whose, client, request):
    identity = request.getfixturevalue(whose)
    with plex_as(identity) as plex:
        pinned = client(plex.url, identity.pin)
        assert pinned.machine() == plex.machine_id and pinned.sections()


def test_the_fingerprint_to_pin_is_shown_for_a_certificate_that_is_not_trusted(elsewhere, client):
    with plex_as(elsewhere) as plex:
        seen = client(plex.url).certificate()
        assert seen == elsewhere.pin
        assert client(plex.url, seen).sections()


def test_showing_the_fingerprint_tells_the_server_nothing(here, client):
    with eavesdropper(here) as (url, heard, thread):
        assert client(url).certificate() == here.pin
        thread.join(30)
    assert b"".join(heard) == b""


def test_another_certificate_than_the_pinned_one_is_named_and_told_nothing(here, client):
    with eavesdropper(here) as (url, heard, thread):
        trouble = trouble_of(client(url, OTHER_PIN).sections)
        thread.join(30)
    assert b"".join(heard) == b""
    assert trouble.kind is Kind.UNREACHABLE
    assert "another one than plex_tls_fingerprint" in trouble.message and here.pin in trouble.message


def test_a_pin_outweighs_a_certificate_that_is_trusted(trusted, here, client):
    with plex_as(here) as plex:
        assert here.pin in trouble_of(client(plex.url, OTHER_PIN).sections).message
        assert plex.requests() == []


def test_the_eavesdropper_would_hear_the_token(here, client):
    """Else the tests above could not fail."""
    with eavesdropper(here) as (url, heard, thread):
        trouble_of(client(url, here.pin).machine)
        thread.join(30)
    assert TOKEN.encode() in b"".join(heard)


def test_a_server_that_was_replaced_is_noticed_at_the_next_connection(here, elsewhere, client):
    with plex_as(here) as plex:
        pinned = client(plex.url, here.pin)
        assert pinned.sections()
        port = int(plex.url.rpartition(":")[2])
    with PlexDouble(token=TOKEN, port=port, tls=elsewhere.context) as impostor:
        with pytest.raises(Trouble):  # the old connection is closed, perhaps noticed only now
            pinned.sections()
        assert elsewhere.pin in trouble_of(pinned.sections).message
        assert impostor.requests() == []


def test_there_is_no_certificate_without_https(plex, client):
    assert client(plex.url).certificate() == ""
    assert plex.requests() == []


def test_a_large_picture_goes_over_https_whole(here, client):
    content = bytes(range(256)) * 8_000
    with plex_as(here) as plex:
        key = plex.add_item("1", file="/media/a.mp4")
        client(plex.url, here.pin).upload(key, "posters", content)
        assert plex.uploads()["bytes"] == len(content)


@pytest.mark.parametrize("pin", ["", OTHER_PIN])
def test_a_server_that_never_finishes_its_greeting_is_left_at_the_connect_time_out(client, pin):
    """Nothing was sent, so it is no time-out after which a write may have taken effect."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        silent = client(f"https://127.0.0.1:{listener.getsockname()[1]}", pin, (0.2, 20.0))
        for call in (silent.sections, silent.certificate):
            trouble = trouble_of(call)
            assert trouble.kind is Kind.UNREACHABLE and not isinstance(trouble, TimedOut)


def test_a_server_that_speaks_no_tls_is_unreachable(plex, client):
    url = plex.url.replace("http:", "https:")
    plex.keep_alive_s = 0.05  # it waits for the end of a line that never ends
    for call in (client(url).sections, client(url, OTHER_PIN).sections, client(url).certificate):
        assert trouble_of(call).kind is Kind.UNREACHABLE
