"""``python -m provider`` as people type it: real processes, their exit codes, and what they say on which stream."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from provider.__main__ import COMMANDS
from provider.version import VERSION
from tests.provider.service import OURS, ROOT, Service

NOTHING_HERE = "127.0.0.1:1"


def run(*words, cwd=ROOT, python=(sys.executable,), **env):
    """One command; ``env`` are settings without the prefix."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    named = {f"S2P_{name.upper()}": value for name, value in env.items()}
    command = [*python, "-m", "provider", *words]
    return subprocess.run(command, cwd=cwd, env={**kept, **named}, capture_output=True, text=True, timeout=90)


@contextmanager
def answering(status):
    """Something that answers each request so; gives its port, and the list of what it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["Host"]))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


# --- what every command has in common ---------------------------------------------------------------------------------


def test_help_names_every_command_and_needs_no_settings():
    ended = run("--help")
    assert ended.returncode == 0
    assert [name for name in COMMANDS if f" {name} " not in ended.stdout] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    ended = run(command, "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert COMMANDS[command].split(",")[0] in " ".join(ended.stdout.split())


def test_it_tells_its_version():
    assert run("--version").stdout == f"{VERSION}\n"


@pytest.mark.parametrize("words", [["serv"], ["explain"], ["gaps", "--jsn"], ["register", "x"]])
def test_what_is_not_understood_is_refused_with_the_usage(words):
    ended = run(*words, stash_url=NOTHING_HERE)
    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: python -m provider")


@pytest.mark.parametrize("words", [[], ["serve"], ["register"], ["doctor"], ["explain", "/a.mp4"], ["gaps"]])
def test_without_the_address_of_stash_it_says_so_in_one_line(words):
    ended = run(*words)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("provider: Setting S2P_STASH_URL is missing: give it an address")
    assert len(ended.stderr.splitlines()) == 1


def test_a_file_of_settings_that_is_not_there_is_told_in_one_line():
    ended = run(stash_url=NOTHING_HERE, config="/nowhere/at/all.yaml")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "provider: The file in S2P_CONFIG cannot be read (No such file or directory)\n"


def test_without_its_packages_it_says_how_to_install_them(tmp_path):
    """`-S` leaves them out."""
    ended = run(stash_url=NOTHING_HERE, python=(sys.executable, "-S"))
    assert ended.returncode == 1
    assert ended.stderr.startswith("provider: The package ")
    assert ended.stderr.endswith("is missing. Run: python -m pip install -r provider/requirements.txt\n")


def test_a_fault_of_ours_is_no_missing_package(tmp_path):
    """Who has half of a copy is told what is missing, and not to install packages."""
    (tmp_path / "provider").mkdir()
    for name in ("__init__.py", "__main__.py", "version.py"):
        (tmp_path / "provider" / name).write_bytes((ROOT / "provider" / name).read_bytes())
    ended = run(cwd=tmp_path, stash_url=NOTHING_HERE)
    assert ended.returncode == 1
    assert "provider.logs" in ended.stderr or "'logs'" in ended.stderr
    assert "pip install" not in ended.stderr


# --- serve ------------------------------------------------------------------------------------------------------------


def test_it_serves_until_it_is_stopped_and_logs_one_object_per_line(tmp_path, stash):
    with Service(tmp_path, stash, max_tags="many", secret="a-long-secret", max_tgs="5") as service:
        pass
    lines = [json.loads(line) for line in service.log().splitlines()]
    assert service.process.returncode == 0
    assert {"time", "level", "logger", "request_id", "message"} <= set(lines[0])
    told = [line["message"] for line in lines if line["level"] == "warning"]
    assert "Setting S2P_MAX_TGS is unknown and ignored; did you mean S2P_MAX_TAGS?" in told
    assert any(one.startswith("Setting S2P_MAX_TAGS: 'many' is not a whole number") for one in told)
    assert "a-long-secret" not in service.log()


# --- explain and gaps -------------------------------------------------------------------------------------------------


def test_explain_tells_what_is_found_and_why(stash):
    scene = stash.add_scene(path="/data/Some Scene.mp4", title="Some Scene")
    ended = run("explain", "/data/Some Scene.mp4", stash_url=stash.url, library_roots="/data")
    assert ended.returncode == 0, ended.stderr
    told = json.dumps(json.loads(ended.stdout))
    assert "/data/Some Scene.mp4" in told and str(scene) in told


def test_explain_says_in_one_line_that_stash_is_away():
    ended = run("explain", "/a.mp4", stash_url=NOTHING_HERE)
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("provider: Stash")


def test_gaps_shows_what_only_one_side_has(stash, plex):
    plex.add_item(plex.add_section("Movies", ["/media"]), file="/media/only in plex.mp4", size=1, title="x")
    stash.add_scene(path="/media/only in stash.mp4")
    settings = {"stash_url": stash.url, "plex_url": plex.url, "plex_token": plex.token}
    text, as_json = run("gaps", **settings), run("gaps", "--json", **settings)
    assert (text.returncode, as_json.returncode) == (0, 0), text.stderr + as_json.stderr
    assert "/media/only in plex.mp4" in json.dumps(json.loads(as_json.stdout))
    assert "1" in text.stdout


# --- health -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (404, 1)])
def test_health_is_what_the_provider_says_of_itself(status, code):
    with answering(status) as (port, asked):
        ended = run("health", port=str(port), host="0.0.0.0")
    assert (ended.returncode, ended.stderr) == (code, "")
    assert asked == [("/livez", "localhost")]


def test_health_fails_where_nothing_answers():
    ended = run("health", port="1")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout == "The provider does not answer on port 1 (ConnectionRefusedError)\n"


def test_health_finds_the_port_in_the_file(tmp_path):
    with answering(200) as (port, asked):
        (tmp_path / "c.yaml").write_text(f"{{stash_url: x, port: {port}, host: 127.0.0.1}}")
        assert run("health", config=str(tmp_path / "c.yaml")).returncode == 0
    assert asked


def test_health_goes_through_no_proxy(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with answering(200) as (port, _):
        assert run("health", port=str(port)).returncode == 0


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({}, ("127.0.0.1", 9090)),
        ({"S2P_HOST": "::", "S2P_PORT": "1"}, ("::1", 1)),
        ({"S2P_HOST": "[::1]", "S2P_PORT": '"2"'}, ("::1", 2)),
        ({"S2P_HOST": "192.168.1.2", "S2P_PORT": "abc"}, ("192.168.1.2", 9090)),
        ({"S2P_PORT": "70000"}, ("127.0.0.1", 9090)),
        ({"S2P_CONFIG": "/nowhere", "S2P_PORT": "3"}, ("127.0.0.1", 3)),
    ],
)
def test_health_asks_where_the_settings_say(environ, place):
    from provider.health import where

    assert where(environ) == place


def test_health_loads_no_package_but_those_of_python():
    """It runs every half minute, on a small computer."""
    program = (
        "import runpy, sys; sys.argv[1:] = ['health']\n"
        "try: runpy.run_module('provider', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print([n for n, m in sys.modules.items() if 'site-packages' in str(getattr(m, '__file__', ''))])\n"
        "print('asyncio' in sys.modules)"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environ["S2P_PORT"] = "1"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert said.stdout.splitlines()[1:] == ["[]", "False"], said
