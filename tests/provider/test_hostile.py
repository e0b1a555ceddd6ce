"""The provider among people who mean no good: odd requests, endless ones, and ones that never end."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from provider.exchange import BODY_BYTES
from tests import canaries
from tests.canaries import MARKER
from tests.doubles.stash_server import StashDouble
from tests.provider.odd_client import Client
from tests.provider.odd_requests import NAMED, Maker, matches, reads
from tests.provider.service import MATCHES, Service
from tests.provider.serving import HELLO, Served, answer, rest

SEED = int(os.environ.get("STASH2PLEX_SEED", "1"))
SECRET = MARKER + "_hostile"
# Of each half: what hypothesis makes, in groups, and what comes from a seed.
GROUPS, GROUP, SEEDED = 200, 5, 4_000
GROWTH_BYTES = 8 << 20
FINE = {200, 303, 304, 307, 400, 403, 404, 405, 408, 409, 413, 421, 431, 202}
HUGE = 300 << 20


@pytest.fixture
def service(tmp_path):
    with StashDouble(python=sys.executable, config_dir=str(tmp_path / "stash"), credentials=canaries.LOGIN) as stash:
        stash.api_key = canaries.API_KEY
        for number in range(3):
            picture = b"\xff\xd8\xff\xe0" + bytes([number]) * 2_000
            path, name = f"/data/Library A/Studio/{NAMED} {number}.mp4", f"{NAMED} {number}"
            stash.add_scene(path=path, title=name, date="2001-02-03", performers=[name], tags=[name], cover=picture)
        with Service(
            tmp_path, stash, secret=SECRET, library_roots="/plex/Library A", path_rules="/data => /plex"
        ) as one:
            yield one


def addresses(service):
    """Of pictures, signed, as Plex is told of them."""
    found = re.findall(rb'"(http://[^"]+/images/[^"]+)"', service.ask("/library/metadata/1").body)
    assert found
    return sorted({one.decode().partition("/images/")[2] for one in found})


def matched(service):
    return service.matched(filename=f"/Library A/Studio/{NAMED} 1.mp4") == ["2"]


def memory_bytes(process):
    """What the process holds in memory now, 0 where that cannot be read."""
    try:
        held = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc", str(process.pid), "status").read_text())
    except OSError:
        print("memory is not looked at: there is no /proc here")
        return 0
    return int(held[1]) * 1024


class Watcher:
    """Looks at each answer as it comes."""

    def __init__(self):
        self.statuses, self.wrong = Counter(), []

    def __call__(self, odd, status, head, body):
        self.statuses[status, odd.proper] += 1
        why = self._wrong(odd, status, head, body)
        if why:
            self.wrong.append((why, odd.raw[:600], status, body[:300]))

    def _wrong(self, odd, status, head, body):
        if status is None:
            return "no answer" if odd.proper else ""
        if status not in FINE:
            return "a status that there is not"
        if MARKER.encode() in head + body:
            return "a secret"
        if b"Traceback" in body or b'File "' in body:
            return "a traceback"
        if odd.proper and status >= 400 and not odd.head and list(json.loads(body)) != ["error"]:
            return "an error that is not in our form"
        if b"application/json" in head and not odd.head and odd.proper:
            json.loads(body)
        return ""


def half(number, client, base, pictures):
    """Half of all requests, other ones for each number."""
    client.ask(Maker(number, base, pictures).make(SEEDED))
    requests = st.lists(matches(base) | reads(base), min_size=GROUP, max_size=GROUP)
    every = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

    @seed(number)
    @settings(
        max_examples=GROUPS, derandomize=False, database=None, phases=[Phase.generate], suppress_health_check=every
    )
    @given(requests)
    def play(group):
        client.ask(group)

    play()


@pytest.mark.slow
def test_ten_thousand_odd_requests_do_no_harm(service):
    watcher, base = Watcher(), "/" + SECRET
    pictures = ["/images/" + one for one in addresses(service)]
    client = Client("127.0.0.1", int(service.root.rpartition(":")[2]), watcher)
    half(SEED, client, base, pictures)
    before = memory_bytes(service.process)
    half(-SEED, client, base, pictures)
    after = memory_bytes(service.process)
    print(f"seed {SEED}:", dict(watcher.statuses), f"{before >> 20} MB, then {after >> 20} MB")
    assert watcher.wrong == []
    assert sum(watcher.statuses.values()) >= 2 * (SEEDED + GROUPS * GROUP)
    assert after - before < GROWTH_BYTES
    assert matched(service)
    log = service.log()
    assert MARKER not in log and "Traceback" not in log and '"level": "error"' not in log
    assert NAMED not in log, "a title or a path is in the log"
    assert NAMED.encode() not in service.ask(service.root + "/metrics").body


HUGE_HEADS = {
    "with its length": f"Content-Length: {HUGE}\r\n",
    "with another length": "Content-Length: 10\r\n",
    "in chunks": "Transfer-Encoding: chunked\r\n",
}


@pytest.mark.parametrize("kind", HUGE_HEADS)
@pytest.mark.parametrize("base", ["/" + SECRET, ""], ids=["wanted", "unwanted"])
def test_a_body_of_300_mb_is_cut_off_early(service, kind, base):
    assert matched(service)
    before, sent = memory_bytes(service.process), 0
    block = (b"10000\r\n" + b"x" * 65_536 + b"\r\n") if kind == "in chunks" else b"x" * 65_536
    with socket.create_connection(("127.0.0.1", int(service.root.rpartition(":")[2])), 30) as line:
        line.settimeout(30)
        line.sendall(f"POST {base}{MATCHES} HTTP/1.1\r\nHost: p\r\n{HUGE_HEADS[kind]}\r\n".encode())
        with pytest.raises(ConnectionError):
            while sent < HUGE:
                line.sendall(block)
                sent += len(block)
    # What the kernels of both sides hold for a connection counts as sent, so it is megabytes.
    assert sent < 32 << 20
    assert memory_bytes(service.process) - before < GROWTH_BYTES
    assert matched(service)


def test_a_body_that_is_too_long_is_answered_before_it_is_there(service):
    with socket.create_connection(("127.0.0.1", int(service.root.rpartition(":")[2])), 30) as line:
        line.settimeout(30)
        line.sendall(
            f"POST /{SECRET}{MATCHES} HTTP/1.1\r\nHost: p\r\nContent-Length: {BODY_BYTES + 1}\r\n\r\n".encode()
        )
        assert answer(line).startswith(b"HTTP/1.1 413 ")


def test_hundreds_who_never_finish_their_request_keep_nobody_else_out(service):
    port = int(service.root.rpartition(":")[2])
    begun = [HELLO[:-1], f"POST /{SECRET}{MATCHES} HTTP/1.1\r\nHost: p\r\nContent-Length: 9\r\n\r\n{{".encode(), b""]
    lines = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(300)]
    try:
        for number, line in enumerate(lines):
            line.sendall(begun[number % 3])
        assert matched(service)
    finally:
        for line in lines:
            line.close()


@pytest.mark.parametrize("parser", ["h11", "httptools"])
@pytest.mark.parametrize(
    "begun", [b"", b"POST / HTTP/1.1\r\nHost: p\r\nContent-Length: 50000\r\n\r\n"], ids=["head", "body"]
)
def test_a_byte_now_and_then_keeps_no_connection_open(parser, begun):
    with Served(parser, head_s=0.3, body_s=0.3) as served, served.connect() as line:
        line.sendall(begun)
        with pytest.raises(OSError):
            for _ in range(2_000):  # a minute, unless it is cut off
                line.sendall(b"x")
                time.sleep(0.03)
        rest(line)
        assert served.say(HELLO[:-2] + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")
