"""Every way in which a server, a proxy or a network can fail: the right kind of trouble, an end, no leaked token."""

from __future__ import annotations

import socket
import sys
import threading
import tracemalloc

import pytest

from plex import transport as module
from plex.exceptions import BrokenOff, TimedOut
from plex.session import deadline_s
from tests.canaries import PLEX_TOKEN
from tests.doubles.plex_server import PlexDouble
from validation.errors import Kind, Trouble

TOKEN = PLEX_TOKEN
SOON_S = 0.2
LATE_S = 60.0

# Fault, its options, the kind of trouble that it must be for a read.
FAULTS = [
    ("drop", {}, Kind.UNREACHABLE),
    ("reset", {}, Kind.UNREACHABLE),
    ("drop_after", {}, Kind.UNREACHABLE),
    ("drop_body", {}, Kind.UNREACHABLE),
    ("truncated", {}, Kind.UNREACHABLE),
    ("html", {}, Kind.UNREACHABLE),
    ("json", {}, Kind.UNREACHABLE),
    ("empty", {}, Kind.UNREACHABLE),
    ("other_root", {}, Kind.UNREACHABLE),
    ("redirect", {}, Kind.UNREACHABLE),
    ("redirect", {"status": 307}, Kind.UNREACHABLE),
    ("gzip_bomb", {}, Kind.UNREACHABLE),
    ("huge_body", {}, Kind.UNREACHABLE),
    ("maintenance", {}, Kind.BUSY),
    ("rate_limit", {"retry_after": 7}, Kind.BUSY),
    ("status", {"status": 503, "retry_after": 7}, Kind.BUSY),
    ("status", {"status": 500}, Kind.UNREACHABLE),
    ("status", {"status": 502, "body": "<html>Bad gateway</html>"}, Kind.UNREACHABLE),
    ("status", {"status": 504}, Kind.UNREACHABLE),
    ("status", {"status": 520}, Kind.UNREACHABLE),
    ("status", {"status": 400}, Kind.PERMANENT),
    ("status", {"status": 401}, Kind.REFUSED),
    ("status", {"status": 403}, Kind.REFUSED),
    ("status", {"status": 404}, Kind.STALE_MATCH),
    ("status", {"status": 413}, Kind.TOO_LARGE),
    ("status", {"status": 414}, Kind.TOO_LARGE),
    ("status", {"status": 431}, Kind.TOO_LARGE),
]
SLOW_FAULTS = [
    ("hang", {"seconds": LATE_S}),
    ("latency", {"seconds": LATE_S}),
    ("drip_body", {"chunk": 1, "pause_s": 0.05}),
    ("drip_headers", {"chunk": 1, "pause_s": 0.05}),
]


def named(fault):
    return fault if isinstance(fault, str) else None


@pytest.fixture
def plex():
    with PlexDouble(token=TOKEN) as double:
        double.add_section("Movies", ["/media"])
        yield double


@pytest.fixture
def met(plex, connect, deadline):
    """What a read meets while a fault lasts, and whether the client works again afterwards."""

    def met(kind, ends_in_s=LATE_S, **options):
        client = connect(plex.url, TOKEN)
        client.machine()
        plex.faults.add(kind, times=None, match="/library/sections", **options)
        with pytest.raises(Trouble) as raised, deadline(ends_in_s):
            client.sections()
        plex.faults.clear()
        assert [section.title for section in client.sections()] == ["Movies"]
        return raised.value

    return met


@pytest.mark.parametrize(("fault", "options", "kind"), FAULTS, ids=named)
def test_a_fault_is_the_right_kind_of_trouble_and_leaves_the_client_usable(met, fault, options, kind):
    trouble = met(fault, **options)
    assert trouble.kind is kind
    assert TOKEN not in trouble.message and "http" not in trouble.message.lower().replace("(http ", "")


@pytest.mark.parametrize(("fault", "options"), SLOW_FAULTS, ids=named)
def test_an_answer_that_never_ends_is_cut_at_the_deadline_whatever_drips(met, fault, options):
    trouble = met(fault, SOON_S, **options)
    assert isinstance(trouble, TimedOut) and trouble.kind is Kind.UNREACHABLE


@pytest.mark.parametrize("fault", ["hang", "latency"])
def test_silence_ends_at_the_read_time_out(plex, connect, fault):
    plex.faults.add(fault, times=None, seconds=LATE_S)
    with pytest.raises(Trouble) as raised:
        connect(plex.url, TOKEN, (10.0, SOON_S)).sections()
    assert isinstance(raised.value, TimedOut) and raised.value.kind is Kind.UNREACHABLE


@pytest.mark.parametrize("connect_s", [1.0, 5.0, 30.0])
@pytest.mark.parametrize("read_s", [5.0, 30.0, 60.0, 120.0])
def test_the_deadline_leaves_room_for_every_time_out_that_can_be_set(connect_s, read_s):
    """A server that is silent for almost the read time-out and then answers is slow, and not away."""
    assert deadline_s((connect_s, read_s)) >= connect_s + read_s


@pytest.mark.parametrize("fault", [("rate_limit", {"retry_after": 7}), ("status", {"status": 503, "retry_after": 7})])
def test_a_busy_server_is_asked_again_when_it_says(met, fault):
    assert met(fault[0], **fault[1]).retry_after_s == 7.0


def test_a_closed_port_is_unreachable_and_comes_back(plex, connect):
    client = connect(plex.url, TOKEN)
    plex.down()
    with pytest.raises(Trouble) as raised:
        client.sections()
    assert raised.value.kind is Kind.UNREACHABLE
    plex.up()
    assert client.sections()


@pytest.mark.parametrize("url", ["http://no-such-host.invalid:32400", "http://127.0.0.1:1"])
def test_a_name_nobody_knows_and_a_port_nobody_has_are_unreachable(connect, url):
    with pytest.raises(Trouble) as raised:
        connect(url, TOKEN, (2.0, 2.0)).identity()
    assert not isinstance(raised.value, (TimedOut, BrokenOff))
    assert raised.value.kind is Kind.UNREACHABLE and TOKEN not in raised.value.message


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_token_elsewhere(plex, connect, status):
    with PlexDouble(token=TOKEN) as other:
        client = connect(plex.url, TOKEN)
        plex.faults.add("redirect", times=None, location=other.url + "/library/sections", status=status)
        with pytest.raises(Trouble):
            client.sections()
        with pytest.raises(Trouble):
            client.edit("1", "1", "title.value=x")
        assert other.requests() == []


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_no_proxy_of_the_environment_gets_the_token(plex, connect, monkeypatch, name):
    with PlexDouble(token=TOKEN) as proxy:
        monkeypatch.setenv(name, proxy.url)
        assert connect(plex.url, TOKEN).sections()
        assert proxy.requests() == []


def test_no_netrc_of_the_user_changes_what_is_sent(plex, connect, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hush\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen = []
    inner = plex._routes.respond
    plex._routes.respond = lambda request: seen.append(request.headers) or inner(request)
    assert connect(plex.url, TOKEN).sections()
    assert seen and all("authorization" not in headers for headers in seen)


@pytest.mark.parametrize("fault", ["gzip_bomb", "huge_body"])
def test_a_bomb_is_cut_before_it_fills_the_memory(plex, connect, fault):
    client = connect(plex.url, TOKEN)
    client.machine()
    plex.faults.add(fault, size_bytes=256 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(Trouble) as raised:
            client.sections()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert raised.value.kind is Kind.UNREACHABLE
    assert peak < 5 * module.BODY_LIMIT_BYTES


def test_a_read_is_tried_once_more_on_a_connection_that_was_open(met, plex):
    """Plex drops idle connections: the first request after a pause meets a closed one."""
    assert isinstance(met("drop"), BrokenOff)
    assert plex.count("GET", "/library/sections") == 3  # twice in vain, then well


def test_a_read_on_a_dropped_connection_succeeds(plex, connect):
    client = connect(plex.url, TOKEN)
    client.machine()
    plex.faults.add("drop", times=1)
    assert client.sections()


def test_a_write_is_never_sent_twice(plex, connect):
    client = connect(plex.url, TOKEN)
    client.machine()
    key = plex.add_item("1", file="/media/a.mp4")
    plex.faults.add("drop_after", method="PUT")
    with pytest.raises(Trouble) as raised:
        client.edit("1", key, "title.value=x")
    assert raised.value.kind is Kind.UNREACHABLE
    assert (plex.count("PUT"), plex.item(key)["title"]) == (1, "x")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems drop what came before a reset")
def test_an_answer_that_comes_while_we_still_send_counts(connect):
    """A proxy says 413 to a large picture and hangs up without reading it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_refuse_large, args=(listener,), daemon=True).start()
        client = connect(f"http://127.0.0.1:{listener.getsockname()[1]}", TOKEN)
        client.machine()
        with pytest.raises(Trouble) as raised:
            client.upload("1", "posters", b"x" * (32 << 20))
    assert raised.value.kind is Kind.TOO_LARGE


def _refuse_large(listener):
    peer, _ = listener.accept()
    with peer:
        peer.recv(65_536)
        body = b'<MediaContainer machineIdentifier="m"/>'
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        peer.recv(10)
        peer.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
