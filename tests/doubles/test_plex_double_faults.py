"""A Plex double that is away, starting, slow, broken or busy."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import pytest
import requests

from tests.canaries import PLEX_TOKEN
from tests.doubles.plex_server import PlexDouble
from tests.doubles.plex_steps import listing, put, seed


@pytest.fixture
def plex() -> Iterator[PlexDouble]:
    with PlexDouble() as double:
        yield double


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.headers["X-Plex-Token"] = PLEX_TOKEN
        yield made


def test_down_refuses_connections_and_up_opens_the_same_port_with_the_same_state(
    plex: PlexDouble,
    session: requests.Session,
) -> None:
    seed(plex)
    url = plex.url
    assert listing(plex, session)["size"] == 1
    plex.down()
    with pytest.raises(requests.ConnectionError):
        session.get(url, timeout=10)
    plex.up()
    assert (plex.url, listing(plex, session)["size"]) == (url, 1)


def test_a_starting_server_answers_503_with_a_json_body(plex: PlexDouble, session: requests.Session) -> None:
    plex.maintenance = True
    answer = session.get(f"{plex.url}/identity", timeout=10)
    assert (answer.status_code, answer.json()["title"]) == (503, "Maintenance")


@pytest.mark.parametrize("status", [414, 431])
def test_a_url_beyond_the_limit_is_refused(plex: PlexDouble, session: requests.Session, status: int) -> None:
    key = seed(plex)
    plex.url_limit, plex.url_limit_status = 4096, status
    assert put(plex, session, key, **{"summary.value": "x" * 5000}).status_code == status
    assert plex.item(key)["summary"] == ""


def test_a_request_line_far_beyond_64_kb_is_read(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    put(plex, session, key, **{"summary.value": "x" * 200_000})
    assert len(plex.item(key)["summary"]) == 200_000


def test_an_answer_is_packed_only_on_request(plex: PlexDouble, session: requests.Session) -> None:
    packed = session.get(f"{plex.url}/", timeout=10)
    plain = session.get(f"{plex.url}/", headers={"Accept-Encoding": "identity"}, timeout=10)
    assert packed.headers["X-Plex-Content-Original-Length"] == plain.headers["Content-Length"]
    assert "Content-Encoding" not in plain.headers


def test_concurrent_edits_of_one_item_all_arrive(plex: PlexDouble) -> None:
    key = seed(plex)

    def edit(worker: int) -> None:
        with requests.Session() as own:
            own.headers["X-Plex-Token"] = PLEX_TOKEN
            for number in range(20):
                put(plex, own, key, **{"genre[0].tag.tag": f"{worker}-{number}"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(edit, range(8)))
    assert len(plex.item(key)["genres"]) == 160
    assert plex.count("PUT") == 160


def test_an_idle_connection_is_closed_after_the_promised_time(plex: PlexDouble) -> None:
    plex.keep_alive_s = 0.05
    with socket.create_connection(("127.0.0.1", int(plex.url.rsplit(":", 1)[1])), timeout=10) as idle:
        assert idle.recv(1) == b""


Check = Callable[[PlexDouble, requests.Session, str], None]


def is_status(status: int) -> Check:
    def check(plex: PlexDouble, session: requests.Session, url: str) -> None:
        answer = session.get(url, timeout=10, allow_redirects=False)
        assert answer.status_code == status

    return check


def fails_with(error: type[Exception], timeout: float = 5) -> Check:
    def check(plex: PlexDouble, session: requests.Session, url: str) -> None:
        with pytest.raises(error):
            session.get(url, timeout=timeout)

    return check


def body_is(expected: Callable[[bytes], bool]) -> Check:
    def check(plex: PlexDouble, session: requests.Session, url: str) -> None:
        answer = session.get(url, timeout=10)
        assert answer.status_code == 200 and expected(answer.content)

    return check


FAULTS: list[tuple[str, dict[str, Any], Check]] = [
    ("status", {"status": 500}, is_status(500)),
    ("status", {"status": 502}, is_status(502)),
    ("status", {"status": 520}, is_status(520)),
    ("rate_limit", {"retry_after": 7}, is_status(429)),
    ("maintenance", {}, is_status(503)),
    ("redirect", {}, is_status(302)),
    ("drop", {}, fails_with(requests.ConnectionError)),
    ("drop_after", {}, fails_with(requests.ConnectionError)),
    ("reset", {}, fails_with(requests.ConnectionError)),
    ("drop_body", {}, fails_with(requests.exceptions.ChunkedEncodingError)),
    ("hang", {}, fails_with(requests.ReadTimeout, 0.2)),
    ("latency", {"seconds": 5}, fails_with(requests.ReadTimeout, 0.2)),
    ("drip_headers", {"pause_s": 0.001, "chunk": 50}, is_status(200)),
    ("drip_body", {"pause_s": 0.001, "chunk": 50}, body_is(lambda body: body.endswith(b"</MediaContainer>\n"))),
    ("truncated", {}, body_is(lambda body: body.startswith(b"<?xml") and b"</MediaContainer>" not in body)),
    ("html", {}, body_is(lambda body: body.startswith(b"<!DOCTYPE html>"))),
    ("json", {}, body_is(lambda body: "MediaContainer" in json.loads(body))),
    ("empty", {}, body_is(lambda body: body == b"")),
    ("other_root", {}, body_is(lambda body: b"<Response" in body)),
    ("gzip_bomb", {"size_bytes": 3 << 20}, body_is(lambda body: len(body) == 3 << 20)),
    ("huge_body", {"size_bytes": (3 << 20) + 5}, body_is(lambda body: len(body) == (3 << 20) + 5)),
]


@pytest.mark.parametrize("kind, options, check", FAULTS, ids=[f"{kind} {options}" for kind, options, _ in FAULTS])
def test_a_fault_strikes_once_and_then_all_is_well(
    plex: PlexDouble,
    session: requests.Session,
    kind: str,
    options: dict[str, Any],
    check: Check,
) -> None:
    seed(plex)
    url = f"{plex.url}/library/sections"
    plex.faults.add(kind, **options)
    check(plex, session, url)
    plex.faults.clear()
    assert session.get(url, timeout=10).text.endswith("</MediaContainer>\n")
    assert plex.count() == 2


def test_too_many_requests_tell_when_to_come_back(plex: PlexDouble, session: requests.Session) -> None:
    plex.faults.add("rate_limit", retry_after=7)
    assert session.get(plex.url, timeout=10).headers["Retry-After"] == "7"


def test_a_fault_strikes_only_the_method_and_path_it_names(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    plex.faults.add("status", status=503, times=None, match="/library", method="PUT")
    assert session.get(f"{plex.url}/library", timeout=10).status_code == 200
    assert [put(plex, session, key).status_code for _ in range(3)] == [503, 503, 503]
    plex.faults.clear()
    assert put(plex, session, key).status_code == 200


def test_a_fault_can_let_requests_pass_first_and_strike_a_number_of_times(
    plex: PlexDouble,
    session: requests.Session,
) -> None:
    plex.faults.add("status", status=500, skip=1, times=2)
    assert [session.get(plex.url, timeout=10).status_code for _ in range(4)] == [200, 500, 500, 200]


@pytest.mark.parametrize("kind, title", [("drop", "Scene 0"), ("drop_after", "New"), ("drop_body", "New")])
def test_a_dropped_write_took_effect_or_not_as_its_name_says(
    plex: PlexDouble,
    session: requests.Session,
    kind: str,
    title: str,
) -> None:
    key = seed(plex)
    plex.faults.add(kind)
    with pytest.raises(requests.RequestException):
        put(plex, session, key, **{"title.value": "New"})
    assert plex.item(key)["title"] == title


def test_an_unknown_fault_is_refused_by_name(plex: PlexDouble) -> None:
    with pytest.raises(ValueError, match="no fault named nonsense"):
        plex.faults.add("nonsense")


def test_latency_slows_every_answer(plex: PlexDouble, session: requests.Session) -> None:
    plex.latency_s = 0.05
    started = time.monotonic()
    session.get(f"{plex.url}/identity", timeout=10)
    assert time.monotonic() - started >= 0.05


@pytest.mark.parametrize("refused", ["tagline", "genre"])
def test_a_refused_field_refuses_the_whole_edit_and_nothing_else(
    plex: PlexDouble,
    session: requests.Session,
    refused: str,
) -> None:
    key = seed(plex)
    plex.refused_fields = [refused]
    fields = {"tagline": {"tagline.value": "t"}, "genre": {"genre[0].tag.tag": "g"}, "title": {"title.value": "New"}}
    assert put(plex, session, key, **fields["title"], **fields[refused]).status_code == 400
    assert plex.item(key)["title"] == "Scene 0"
    alone = {name: put(plex, session, key, **values).status_code for name, values in fields.items()}
    assert alone == {name: 400 if name == refused else 200 for name in fields}


def test_a_scan_makes_items_of_the_files_below_its_folder(plex: PlexDouble, session: requests.Session) -> None:
    section = plex.add_section("Movies", ["/media", "D:\\Media"])
    for file in ("/media/a/1.mp4", "/media/a/b/2.mp4", "/media/ab/3.mp4", "D:\\Media\\a\\4.mp4"):
        plex.lay_file(section, file, 5, title="found")
    seen = []
    for folder in ("/media/a", "D:\\Media", ""):
        session.get(f"{plex.url}/library/sections/{section}/refresh", params={"path": folder}, timeout=10)
        seen.append([row["file"] for row in plex.items().values()])
    assert [len(files) for files in seen] == [2, 3, 4] and "/media/ab/3.mp4" not in seen[1]
    assert {(row["title"], row["size"]) for row in plex.items().values()} == {("found", 5)}
