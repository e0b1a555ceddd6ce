"""The Plex double as a process of its own, steered over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.doubles.plex_server import PlexDouble, RemotePlexDouble

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def plex() -> Iterator[RemotePlexDouble]:
    command = [sys.executable, "-m", "tests.doubles.plex_server", "--token", "secret", "--until-stdin-closes"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        yield RemotePlexDouble(json.loads(process.stdout.readline())["url"])
        process.stdin.close()
        assert process.wait(10) == 0


def test_seeding_and_reading_go_over_the_control_address(plex: RemotePlexDouble) -> None:
    section = plex.add_section("Movies", ["/media"])
    key = plex.add_item(section, file="/media/a.mp4", size=5, title="a", genres=["A"])
    assert (plex.item(key)["title"], plex.item(key)["genres"]) == ("a", ["A"])
    assert plex.items()[key] == plex.item(key)


def test_many_calls_fit_into_one_request(plex: RemotePlexDouble) -> None:
    section = plex.add_section("Bulk", ["/bulk"])
    add = [{"call": "add_item", "args": {"section": section, "file": f"/bulk/{n}.mp4"}} for n in range(100)]
    assert len(set(plex.call_many(add))) == 100
    assert len(plex.add_items(section, [{"file": f"/bulk/{n}.mkv"} for n in range(50)])) == 50


def test_switches_counters_and_faults_are_at_hand(plex: RemotePlexDouble) -> None:
    plex.clear_requests()
    plex.mode = "replace"
    plex.faults.add("status", status=502)
    assert (plex.mode, plex.token) == ("replace", "secret")
    statuses = [requests.get(f"{plex.url}/identity", timeout=10).status_code for _ in range(2)]
    assert statuses == [502, 200]
    assert plex.count("GET", path_contains="/identity") == 2
    assert [entry.status for entry in plex.requests()] == [502, 200]


def test_control_works_while_everything_else_fails(plex: RemotePlexDouble) -> None:
    plex.faults.add("drop", times=None)
    assert plex.faults.left() == 1
    plex.faults.clear()


def test_the_double_can_go_down_and_come_back(plex: RemotePlexDouble) -> None:
    plex.down()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{plex.url}/identity", timeout=10)
    plex.up()
    assert requests.get(f"{plex.url}/identity", timeout=10).status_code == 200


def test_a_wrong_call_says_what_is_wrong(plex: RemotePlexDouble) -> None:
    with pytest.raises(RuntimeError, match="KeyError: 12345"):
        plex.item("12345")
    with pytest.raises(RuntimeError, match="no call named stop"):
        plex.call("stop")


def test_a_double_of_this_process_can_be_steered_too() -> None:
    with PlexDouble() as double:
        remote = RemotePlexDouble(double.url)
        remote.maintenance = True
        assert (double.maintenance, remote.machine_id) == (True, double.machine_id)
        with pytest.raises(RuntimeError, match="control port"):
            remote.down()
