"""Stdin as Stash writes it and as nobody should: read without a word, or named as a problem."""

from __future__ import annotations

import base64
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash import protocol

ROOT = str(Path(__file__).resolve().parents[2])
PARSER_SAYS_NO = (ValueError, StopIteration, RecursionError)
HOOK = {"args": {"hookContext": {"id": 7, "type": "Scene.Update.Post", "inputFields": ["title"]}}}
TEXT = json.dumps(HOOK)

# Poison that is still JSON: it must be read, and the event in it be found.
READABLE = {
    "plain": TEXT.encode(),
    "byte order mark": b"\xef\xbb\xbf" + TEXT.encode(),
    "utf-16": TEXT.encode("utf-16"),
    "utf-16 big endian": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "white space around": b"\r\n\t " + TEXT.encode() + b"\n",
    "something after it": TEXT.encode() + b"\n{}",
    "lone surrogate": TEXT.replace("title", "\\ud800").encode(),
    "invalid utf-8": TEXT.replace("title", "@").encode().replace(b"@", b"\xff\xfe\xc3\x28"),
    "nul in a text": TEXT.replace("title", "\x00").encode(),
    "nul escaped": TEXT.replace("title", "\\u0000").encode(),
    "control characters": TEXT.replace("title", "\x01e\x02\n").encode(),
    "5,000 digits": TEXT.replace('"args"', '"n":%s,"args"' % ("9" * 5_000)).encode(),
    "not a number": TEXT.replace('"args"', '"n":NaN,"m":-Infinity,"args"').encode(),
    "same key twice": TEXT.replace('"args"', '"args":5,"args"').encode(),
    "a cover of 5 MB": TEXT.replace(
        '"args"', '"cover":"%s","args"' % base64.b64encode(b"x" * 5_000_000).decode()
    ).encode(),
    "10,000 fields": TEXT.replace('"args"', '"f":%s,"args"' % json.dumps(["t"] * 10_000)).encode(),
    "nested a little": TEXT.replace('"args"', '"f":%s,"args"' % ("[" * 100 + "]" * 100)).encode(),
}
UNREADABLE = {
    "nothing": b"",
    "only spaces": b"  \n",
    "only a mark": b"\xef\xbb\xbf",
    "cut off": TEXT.encode()[:-5],
    "cut off in a text": b'{"args": "a',
    "deep nesting": b"[" * 200_000,
    "deep objects": b'{"a":' * 200_000,
    "html": b"<html></html>",
    "nul bytes": b"\x00" * 100,
    "utf-16 without a mark": TEXT.encode("utf-16-le"),
    "half a utf-16": b"\xff\xfe{",
    "bare word": b"nil",
}
READ = """
import sys
sys.path.insert(0, sys.argv[1])
from stash.protocol import read_request, answer
request = read_request("/plugin")
answer("%s|%s" % (request.hook and request.hook["id"], request.problem))
"""


def read_in_a_process(data):
    done = subprocess.run([sys.executable, "-I", "-S", "-c", READ, ROOT], input=data, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)["output"].split("|")


@pytest.mark.parametrize("name", READABLE)
def test_poison_that_is_json_is_read(name):
    request = protocol.Request(protocol.parse(READABLE[name]), "/plugin")
    assert (request.hook["id"], request.hook["type"]) == (7, "Scene.Update.Post")


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_json_is_told_by_the_parser(name):
    with pytest.raises(PARSER_SAYS_NO):
        protocol.parse(UNREADABLE[name])


@pytest.mark.parametrize("name", ["plain", "a cover of 5 MB", "lone surrogate", "utf-16", "5,000 digits"])
def test_a_process_reads_all_of_its_stdin(name):
    assert read_in_a_process(READABLE[name]) == ["7", ""]


@pytest.mark.parametrize("name", ["nothing", "cut off", "deep nesting", "deep objects", "html"])
def test_a_process_with_an_unreadable_stdin_names_the_problem_and_ends_well(name):
    hook, problem = read_in_a_process(UNREADABLE[name])
    assert hook == "None" and problem.startswith("stdin is not the JSON that Stash writes")


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_not(data):
    try:
        protocol.parse(data)
    except PARSER_SAYS_NO:
        pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(JSON)
def test_json_comes_back_as_it_was(value):
    assert protocol.parse(json.dumps(value).encode()) == value
    assert protocol.parse(
        json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    ) == value or "\\ud" in json.dumps(value)


@given(JSON | st.dictionaries(st.sampled_from(["args", "server_connection"]), JSON))
def test_any_payload_makes_a_request(payload):
    request = protocol.Request(payload, "/plugin")
    assert isinstance(request.args, dict) and isinstance(request.connection, dict) and isinstance(request.mode, str)
    protocol.address(request.connection)
    protocol.cookie(request.connection)


def test_a_number_of_many_digits_is_no_integer():
    assert protocol.parse(b"12345678901234567890123") == pytest.approx(1.2345678901234568e22)
    assert protocol.parse(b"1234567890123456789") == 1234567890123456789
    assert math.isinf(protocol.parse(b"9" * 5_000))


def test_a_task_has_a_mode_and_no_hook():
    request = protocol.Request({"args": {"mode": "sync_all"}}, "/plugin")
    assert (request.mode, request.hook, request.problem) == ("sync_all", None, "")


def test_the_data_folder_is_where_the_environment_says_else_beside_the_plugin():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\nfrom stash.protocol import data_folder; print(data_folder('/p'))"
    )
    command = [sys.executable, "-I", "-S", "-c", code, ROOT]
    bare = {name: value for name, value in os.environ.items() if name != "STASH_PLUGIN_DATA"}
    found = []
    for environment in (bare, {**bare, "STASH_PLUGIN_DATA": ""}, {**bare, "STASH_PLUGIN_DATA": "/elsewhere"}):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        found.append(done.stdout.strip())
    assert found == ["/p/data", "/p/data", "/elsewhere"]


@pytest.mark.parametrize(
    ("server", "address"),
    [
        ({"Host": "0.0.0.0", "Port": 9998}, ("127.0.0.1", 9998)),
        ({"Host": "", "Port": 9998}, ("127.0.0.1", 9998)),
        ({"Host": "::", "Port": 9998}, ("127.0.0.1", 9998)),
        ({"Host": "[::]", "Port": 9998}, ("127.0.0.1", 9998)),
        ({"Host": "192.168.1.5", "Port": 80}, ("192.168.1.5", 80)),
        ({"Host": "[::1]", "Port": 80}, ("::1", 80)),
        ({}, ("127.0.0.1", 9999)),
        ({"Host": 5, "Port": "x"}, ("127.0.0.1", 9999)),
    ],
)
def test_where_stash_listens(server, address):
    assert protocol.address(server) == address


@pytest.mark.parametrize(
    ("server", "value"),
    [
        ({"SessionCookie": {"Value": "abc="}}, "abc="),
        ({"SessionCookie": {"Value": ""}}, ""),
        ({"SessionCookie": {"Value": "a\r\nX-Evil: 1"}}, ""),
        ({"SessionCookie": {"Value": 5}}, ""),
        ({"SessionCookie": None}, ""),
        ({}, ""),
    ],
)
def test_the_session_cookie(server, value):
    assert protocol.cookie(server) == value


@pytest.mark.parametrize("call", ["answer", "fail"])
def test_an_answer_that_nobody_reads_is_no_fault(call):
    code = "import sys; sys.path.insert(0, sys.argv[1])\n"
    code += f"from stash.protocol import {call}; sys.stdin.read(); {call}('x' * 9)"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code, ROOT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    process.stdin.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), errors) == (0, b"")


@pytest.mark.parametrize("text", ["plain", 'a"b\\c', "é😀", "\ud800", "\x00\n", "x" * 3_000_000])
def test_an_answer_is_one_json_object_in_ascii(capfd, text):
    protocol.answer(text)
    protocol.fail(text)
    protocol.answer_json('{"a": 1}')
    written = capfd.readouterr().out
    assert written.isascii()
    decoder, place, found = json.JSONDecoder(), 0, []
    while place < len(written):
        value, place = decoder.raw_decode(written, place)
        found.append(value)
    assert found == [{"output": text}, {"error": text}, {"output": {"a": 1}}]
