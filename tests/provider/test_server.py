"""uvicorn as we run it: its limits, over real sockets, with both of its parsers; and its beginning and end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from provider import server
from provider.gate import Gate
from provider.metrics import Metrics
from provider.server import HEAD_BYTES, WAITING, Server, config
from provider.settings import Settings
from tests.provider.serving import HELLO, Served, answer, app, rest
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio, os, signal, sys
from provider import logs, server
from provider.gate import Gate
from provider.metrics import Metrics
from provider.settings import Settings

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        if "broken" in sys.argv:
            await send({"type": "lifespan.startup.failed", "message": "The kettle is cold"})
            return
        if "early" in sys.argv:
            os.kill(os.getpid(), signal.SIGTERM)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if "stuck" in sys.argv:
            await asyncio.sleep(3600)
        print("closed", flush=True)
        await send({"type": "lifespan.shutdown.complete"})
    else:
        if scope["path"] == "/slow":
            print("asked", flush=True)
            await asyncio.sleep(0.5)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})

settings = Settings(stash_url="http://stash:9999", host="127.0.0.1", port=int(sys.argv[1]))
logs.setup(settings)
if "stuck" in sys.argv:
    server.END_S = 0.3
sys.exit(server.serve(Gate(app, settings, Metrics()), settings))
"""


@pytest.fixture(params=["h11", "httptools"])
def parser(request):
    return request.param


@pytest.fixture(scope="module", params=["h11", "httptools"])
def served(request):
    with Served(request.param) as one:
        yield one


def test_a_connection_serves_many_requests_one_after_the_other(served):
    with served.connect() as line:
        for number in range(50):
            line.sendall(b"GET /%d HTTP/1.1\r\nHost: p\r\n\r\n" % number)
            assert answer(line).endswith(b"/%d" % number)


def test_requests_that_do_not_wait_for_answers_are_answered_in_order(served):
    with served.connect() as line:
        line.sendall(b"".join(b"GET /%d HTTP/1.1\r\nHost: p\r\n\r\n" % number for number in range(30)))
        assert [answer(line)[-3:].lstrip(b"\n/") for _ in range(30)] == [b"%d" % number for number in range(30)]


def test_of_requests_that_do_not_wait_for_answers_only_some_are_kept():
    with Served("httptools") as served:
        assert served.say(HELLO * 40_000).count(b"HTTP/1.1 200") <= 40_000 // 2
        assert served.say(HELLO[:-2] + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert WAITING < 1_000


def test_who_never_finishes_a_head_is_cut_off(parser):
    with Served(parser, head_s=0.2) as served:
        for begun in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: p\r\nX: "):
            assert served.say(begun) == b""


def test_dripping_does_not_lengthen_the_time_for_a_head(parser):
    with Served(parser, head_s=0.2) as served, served.connect() as line, pytest.raises(OSError):
        for _ in range(1_000):
            line.sendall(b"x")
            time.sleep(0.01)


def test_the_time_for_a_head_runs_for_each_of_a_connection(parser):
    with Served(parser, head_s=0.2) as served, served.connect() as line:
        line.sendall(HELLO)
        answer(line)
        line.sendall(HELLO[:-1])
        assert rest(line) == b""


def test_who_answers_in_time_may_be_idle_for_longer(parser):
    with Served(parser, head_s=0.2) as served, served.connect() as line:
        line.sendall(HELLO)
        answer(line)
        time.sleep(0.5)
        line.sendall(HELLO)
        assert answer(line).startswith(b"HTTP/1.1 200")


def test_who_is_idle_for_too_long_is_cut_off(parser, monkeypatch):
    monkeypatch.setattr(server, "IDLE_S", 0.2)
    with Served(parser) as served, served.connect() as line:
        line.sendall(HELLO)
        answer(line)
        assert rest(line) == b""


def test_who_never_finishes_a_body_is_told_and_cut_off(parser):
    with Served(parser, body_s=0.2) as served:
        said = served.say(b"POST / HTTP/1.1\r\nHost: p\r\nContent-Length: 10\r\n\r\nabc")
        assert said.startswith(b"HTTP/1.1 408 ") and b'{"error": ' in said


def test_a_head_of_any_size_is_cut_off(served):
    endless = b"X-Long: " + b"x" * (HEAD_BYTES * 2) + b"\r\n"
    many = b"".join(b"X-%d: y\r\n" % number for number in range(20_000))
    for head in (endless, many):
        said = served.say(b"GET / HTTP/1.1\r\nHost: p\r\n" + head)
        assert said.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 ")) or said == b""
        assert b"200" not in said


def test_a_head_of_usual_size_passes(served):
    head = b"X-Long: " + b"x" * 8_000 + b"\r\n"
    assert served.say(HELLO[:-2] + head + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "odd",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),  # TLS
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost p\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: p\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: p\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: p\r\n\x00: x\r\n\r\n",
        b"CONNECT p:80 HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_proper_request_is_refused_in_json(served, odd, caplog):
    with served.connect() as line:
        line.sendall(odd)
        said = answer(line)
    assert re.match(rb"HTTP/1\.1 4\d\d ", said)
    assert list(json.loads(said.partition(b"\r\n\r\n")[2])) == ["error"]
    assert not caplog.records


def test_nonsense_after_an_answer_is_no_fault(served, caplog):
    with served.connect() as line:
        line.sendall(HELLO)
        answer(line)
        line.sendall(b"\0nonsense\r\n\r\n")
        assert rest(line).startswith(b"HTTP/1.1 400")
    assert not caplog.records


def test_nonsense_in_the_middle_of_an_answer_is_not_answered_in_the_middle_of_it(served):
    with served.connect() as line:
        line.sendall(b"GET /begun HTTP/1.1\r\nHost: p\r\n\r\n")
        held = b""
        while not held.endswith(b"\r\n\r\n/be"):
            held += line.recv(1)
        line.sendall(b"\0nonsense\r\n\r\n")
        assert not rest(line).startswith(b"HTTP")


def test_an_upgrade_to_what_we_do_not_speak_is_an_ordinary_request(served, caplog):
    head = b"GET /ws HTTP/1.1\r\nHost: p\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n"
    with served.connect() as line:
        line.sendall(head + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        assert answer(line).endswith(b"/ws")
    assert not caplog.records


def test_who_takes_nothing_of_a_large_answer_is_cut_off(parser, monkeypatch):
    monkeypatch.setattr(server, "WRITE_S", 0.2)
    with Served(parser) as served, served.connect() as line:
        line.sendall(b"GET /large HTTP/1.1\r\nHost: p\r\n\r\n")
        until(lambda: served.open == 1, what="the connection")
        until(lambda: served.open == 0, what="the end of the connection")
        assert len(rest(line)) < 64 << 20


def test_one_connection_too_many_is_closed_and_the_others_stay(parser, monkeypatch):
    monkeypatch.setattr(server, "CONNECTIONS", 2)
    with Served(parser, head_s=300) as served, served.connect() as one, served.connect() as two:
        for line in (one, two):
            line.sendall(HELLO)
            answer(line)
        with served.connect() as three:
            assert rest(three) == b""
        one.sendall(HELLO)
        assert answer(one).startswith(b"HTTP/1.1 200")


def test_an_answer_that_ends_too_early_ends_its_connection_and_is_no_error(served, caplog):
    assert served.say(b"GET /half HTTP/1.1\r\nHost: p\r\n\r\n").endswith(b"\r\n\r\n/h")
    assert not [line for line in caplog.records if line.levelname in ("WARNING", "ERROR")]


def test_refused_bodies_are_answered_though_much_is_still_to_come(served):
    head = b"POST / HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n\r\n"
    with served.connect() as line:
        line.sendall(head + (b"1000\r\n" + b"x" * 4096 + b"\r\n") * 30 + b"0\r\n\r\n")
        assert answer(line).startswith(b"HTTP/1.1 413 ")
        assert rest(line) == b""


def test_continue_is_said_to_who_waits_for_it_unless_the_body_is_unwanted(served):
    head = b"POST / HTTP/1.1\r\nHost: p\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    with served.connect() as line:
        line.sendall(head % 2)
        assert line.recv(100).startswith(b"HTTP/1.1 100 ")
        line.sendall(b"{}")
        assert rest(line).startswith(b"HTTP/1.1 200 ")
    with served.connect() as line:
        line.sendall(head % 100_000)
        assert answer(line).startswith(b"HTTP/1.1 413 ")


# beginning and end


class Running:
    """The program above as a process."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def wait_for(self, pattern):
        """Reads on to a line like this."""
        for line in self.process.stdout:
            found = re.search(pattern, line)
            if found:
                return found
        raise AssertionError(f"there was no {pattern}")

    def end(self):
        """The rest of what it says, and its exit code."""
        said = self.process.communicate(timeout=60)[0]
        return said, self.process.returncode


LISTENS = r"listens on http://127\.0\.0\.1:(\d+)"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_requests_that_are_under_way(number):
    with Running("0") as running:
        port = int(running.wait_for(LISTENS)[1])
        with socket.create_connection(("127.0.0.1", port), 30) as line, socket.create_connection(("127.0.0.1", port)):
            line.sendall(b"GET /slow HTTP/1.1\r\nHost: p\r\n\r\n")
            running.wait_for("asked")
            running.process.send_signal(number)
            assert rest(line).endswith(b"done")
        said, code = running.end()
        assert code == 0 and "closed" in said and "Traceback" not in said


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_signal_while_it_starts_ends_it_as_well():
    with Running("0", "early") as running:
        said, code = running.end()
        assert code == 0 and "closed" in said and "Traceback" not in said and "listens" not in said


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_an_application_that_does_not_end_is_not_waited_for():
    with Running("0", "stuck") as running:
        running.wait_for(LISTENS)
        running.process.terminate()
        said, code = running.end()
        assert code == 0 and "was not done after" in said and "Traceback" not in said


def test_a_port_in_use_is_one_clear_line_and_exit_code_1():
    with socket.create_server(("127.0.0.1", 0)) as other, Running(str(other.getsockname()[1])) as running:
        said, code = running.end()
        lines = [json.loads(line) for line in said.splitlines()]
        assert code == 1 and len(lines) == 1 and lines[0]["level"] == "error"
        assert f"127.0.0.1 port {other.getsockname()[1]}: " in lines[0]["message"]


def test_an_application_that_cannot_start_is_exit_code_1():
    with Running("0", "broken") as running:
        said, code = running.end()
        assert code == 1 and "The kettle is cold" in said and "listens" not in said


def test_it_listens_on_ipv6_for_both_when_told_so():
    try:
        listening = server._listen("::", 0)
    except OSError:
        pytest.skip("this computer has no IPv6")
    with listening:
        assert listening.family == socket.AF_INET6
        with socket.create_connection(("127.0.0.1", listening.getsockname()[1]), 10):
            pass


def test_the_event_loop_and_parser_are_the_fast_ones_when_there(monkeypatch):
    assert server.protocol().__name__ == "LimitedHttpToolsProtocol"
    monkeypatch.setattr(server.importlib.util, "find_spec", lambda name: None)
    assert server.protocol().__name__ == "LimitedH11Protocol"


def test_on_the_loop_of_the_standard_library_it_works_as_well(parser):
    held = config(Gate(app, Settings(stash_url="http://stash:9999"), Metrics()), 30.0, parser)
    held.loop = "asyncio"
    listening = socket.create_server(("127.0.0.1", 0))
    one = Server(held)
    thread = threading.Thread(target=one.run, args=([listening],))
    thread.start()
    try:
        until(lambda: one.started, what="the server")
        with socket.create_connection(listening.getsockname(), 30) as line:
            line.sendall(HELLO)
            assert answer(line).startswith(b"HTTP/1.1 200")
            line.sendall(b"\0\r\n\r\n")
            assert rest(line).startswith(b"HTTP/1.1 400")
    finally:
        one.should_exit = True
        thread.join(30)


def test_nothing_of_the_process_is_told_in_headers(served):
    said = served.say(HELLO[:-2] + b"Connection: close\r\n\r\n").lower()
    assert b"uvicorn" not in said and b"server:" not in said
