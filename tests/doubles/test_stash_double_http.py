"""The Stash double speaks HTTP as Stash does: logins, answers, images, faults, and from afar."""

import http.client
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doubles.stash_client import fetch
from tests.doubles.stash_probe import Probe, posix_only
from tests.doubles.stash_server import GraphQLFailed, RemoteStashDouble, StashDouble

PICTURE = b"\xff\xd8\xff\xe0 a picture"


def ask(stash, headers, query="{version{version}}"):
    sent = {"Content-Type": "application/json", **headers}
    return fetch(stash.url + "/graphql", "POST", json.dumps({"query": query}), sent)


@pytest.fixture
def probe(tmp_path):
    return Probe(tmp_path)


@pytest.fixture
def stash(probe):
    with StashDouble([probe.folder]) as double:
        yield double


# -- credentials ---------------------------------------------------------------------


@pytest.fixture
def locked(probe):
    with StashDouble([probe.folder], credentials=("me", "secret")) as double:
        yield double


def refused(stash, **options):
    with pytest.raises(GraphQLFailed) as failure:
        stash.gql("{version{version}}", **options)
    return failure.value.status == 401


def test_with_a_login_only_a_users_cookie_or_the_api_key_gets_in(locked):
    assert refused(locked, cookie="")
    assert refused(locked, cookie="forged")
    assert refused(locked, cookie=locked.sessions.issue(""))
    assert locked.gql("{version{version}}")
    locked.api_key = "key"
    assert ask(locked, {"ApiKey": "key"})[0] == 200
    assert ask(locked, {"ApiKey": "wrong", "Cookie": f"session={locked.cookie()}"})[0] == 401


def test_an_operations_cookie_works_and_that_of_a_launched_process_does_not(locked):
    direct = locked.operation("Probe", {"mode": "echo"})["cookie"][::-1]
    assert locked.gql("{version{version}}", cookie=direct)
    (locked.plugins.loaded["Launcher"].folder / "launch.js").write_text(
        '({Output: gql.Do(\'mutation{runPluginOperation(plugin_id:"Probe",args:{mode:"echo"})}\')})', "utf-8"
    )
    launched = locked.operation("Launcher")["runPluginOperation"]["cookie"][::-1]
    assert refused(locked, cookie=launched)


def test_a_cookie_is_renewed_by_each_request_and_expires_without(probe):
    now = [1_000_000.0]
    with StashDouble(credentials=("me", "x"), clock=lambda: now[0]) as stash:
        cookie = stash.cookie()
        now[0] += 3000
        status, headers, _ = ask(stash, {"Cookie": f"session={cookie}"})
        renewed = headers["Set-Cookie"].partition("=")[2].partition(";")[0]
        now[0] += 3000
        assert refused(stash, cookie=cookie)
        assert stash.gql("{version{version}}", cookie=renewed)


def test_images_send_strangers_to_the_login_page(locked):
    locked.add_scene("/d/a.mp4")
    status, headers, _ = fetch(locked.url + "/scene/1/screenshot")
    assert (status, headers["Location"]) == (302, "/login")
    assert fetch(locked.url + "/healthz")[0] == 200


def test_a_scene_without_cover_shows_the_placeholder(stash):
    stash.add_scene("/d/a.mp4")
    status, headers, _ = fetch(stash.url + "/scene/1/screenshot?t=1")
    assert (status, headers["Content-Type"]) == (200, "image/svg+xml")
    assert "immutable" in headers["Cache-Control"]


def test_a_performer_without_a_picture_shows_a_silhouette_and_its_address_says_so(stash):
    number = stash.portray("Ann", None)
    path = "{findPerformer(id:1){image_path}}"
    assert stash.gql(path)["findPerformer"]["image_path"].endswith("&default=true")
    drawn = fetch(f"{stash.url}/performer/{number}/image")
    assert (drawn[0], drawn[1]["Content-Type"]) == (200, "image/png")
    stash.portray("Ann", PICTURE)
    assert "default" not in stash.gql(path)["findPerformer"]["image_path"]
    assert fetch(f"{stash.url}/performer/{number}/image")[2] == PICTURE
    assert fetch(f"{stash.url}/performer/{number}/image?default=true")[2] == drawn[2]
    assert [fetch(f"{stash.url}/performer/{what}")[0] for what in ("9/image", "x/image", "1/nope")] == [404] * 3


def test_pictures_know_ranges_and_conditions_and_no_head(stash):
    stash.portray("Ann", PICTURE)
    url = stash.url + "/performer/1/image"
    etag = fetch(url)[1]["ETag"]
    status, headers, body = fetch(url, headers={"Range": "bytes=0-3"})
    assert (status, headers["Content-Range"], body) == (206, f"bytes 0-3/{len(PICTURE)}", PICTURE[:4])
    for held in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        assert fetch(url, headers={"If-None-Match": held, "Range": "bytes=0-3"})[0] == 304
    assert fetch(url, headers={"Range": "bytes=999-"})[0] == 416
    assert fetch(url, "HEAD")[0] == 405


def test_pictures_refuse_a_wrong_key(locked):
    locked.portray("Ann", PICTURE)
    locked.api_key = "key"
    statuses = [
        fetch(locked.url + "/performer/1/image", headers=sent)[0] for sent in ({"ApiKey": "x"}, {}, {"ApiKey": "key"})
    ]
    assert statuses == [401, 302, 200]


# -- HTTP --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "accept, kind, bad",
    [
        (None, "application/json", 422),
        ("application/json", "application/json", 422),
        ("*/*", "application/graphql-response+json", 400),
    ],
)
def test_the_answers_type_follows_the_accept_header(stash, accept, kind, bad):
    headers = {"Accept": accept} if accept else {}
    for query, status in (("{version{version}}", 200), ("{nope}", bad)):
        found, sent, _ = ask(stash, headers, query)
        assert (found, sent["Content-Type"]) == (status, kind)


def test_a_connection_serves_many_requests(stash):
    connection = http.client.HTTPConnection("127.0.0.1", int(stash.url.rpartition(":")[2]), timeout=10)
    sockets = set()
    for _ in range(3):
        connection.request("POST", "/graphql", b'{"query":"{version{version}}"}', {"Content-Type": "application/json"})
        connection.getresponse().read()
        sockets.add(id(connection.sock))
    connection.close()
    assert len(sockets) == 1
    assert stash.count("version") == 3


def test_faults_happen_as_often_as_asked(stash):
    stash.faults.status(503, times=2)
    stash.faults.drop()
    for _ in range(2):
        with pytest.raises(GraphQLFailed, match="503"):
            stash.gql("{version{version}}")
    with pytest.raises((OSError, http.client.HTTPException)):
        stash.gql("{version{version}}")
    assert stash.gql("{version{version}}")


# -- as a process of its own ----------------------------------------------------------------------


@posix_only
def test_the_double_can_be_a_process_of_its_own(probe):
    command = [sys.executable, "-m", "tests.doubles.stash_server", "--plugins", str(probe.folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    try:
        remote = RemoteStashDouble(json.loads(process.stdout.readline())["url"])
        scene = remote.batch([{"call": "add_scene", "args": ["/d/a.mp4"], "options": {"title": "a"}}])[0]
        remote.save(scene, title="b")
        remote.faults.status(503)
        remote.faults.latency_s = 0.01
        remote.hooks_enabled = False
        remote.restart()
        assert remote.scene(scene)["title"] == "b"
        assert [record["kind"] for record in remote.processes] == ["hook"]
        with pytest.raises(RuntimeError, match="503"):
            remote.save(scene, title="c")
        with pytest.raises(RuntimeError, match="not found"):
            remote.scene(99)
    finally:
        process.terminate()
        assert process.wait(10) == 0
        process.stdout.close()
