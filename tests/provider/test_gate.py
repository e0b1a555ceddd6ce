"""What the gate lets through, what it says itself, and what it never says."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

from provider import logs
from provider.exchange import BODY_BYTES, LINGER_BYTES
from provider.gate import Gate
from provider.metrics import Metrics
from provider.settings import Settings
from stash import log
from tests.canaries import MARKER
from validation.errors import Kind, Trouble
from validation.text import private

SECRET = MARKER + "_gate"
NEAR, FAR = ("192.168.1.5", 4711), ("8.8.8.8", 4711)


@pytest.fixture
def logged(monkeypatch, capsys):
    """Sets up the provider's log for these settings, and gives a function that reads what it holds by now."""
    monkeypatch.setattr(logging, "raiseExceptions", True)
    monkeypatch.setattr(logging.root, "handlers", [])
    levels = {name: logging.getLogger(name).level for name in (None, "stash2plex", "uvicorn", "uvicorn.access")}

    def set_up(held):
        logs.setup(held)
        return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    yield set_up
    log.mask_private(False)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def settings(**values):
    return Settings(**{"stash_url": "http://stash:9999", "deadline_s": 20, **values})


def app(**handlers):
    """Says back what it was asked; a handler per name takes the place of `/name`."""

    async def echo(request: Request):
        body = await request.body()
        told = {"path": request.url.path, "body": body.decode("latin-1"), "id": request.scope["stash2plex.request_id"]}
        return JSONResponse(told)

    routes = [Route("/" + name, handler, methods=["GET", "POST"]) for name, handler in handlers.items()]
    paths = ("/", "/livez", "/readyz", "/metrics", "/gaps", "/explain", "/images/scene/{id}", "/library/metadata/{id}")
    echoes = [Route(path, echo) for path in paths]
    posts = [Route(path, echo, methods=["POST"]) for path in ("/library/metadata/matches", "/gaps/run")]
    return Starlette(routes=[*routes, *posts, *echoes])


class Line:
    """One connection to a gate, as a server would hold it; `status`, `headers` and `body` of what came back."""

    def __init__(self, chunks=(b"",), then="stays"):
        self.left, self.then = list(chunks), then
        self.messages, self.taken, self.asked = [], 0, 0

    async def receive(self):
        self.asked += 1
        if self.left:
            body = self.left.pop(0)
            self.taken += len(body)
            return {"type": "http.request", "body": body, "more_body": bool(self.left) or self.then != "stays"}
        if self.then == "goes":
            return {"type": "http.disconnect"}
        await asyncio.sleep(3600)

    async def send(self, message):
        self.messages.append(message)

    @property
    def status(self):
        return self.messages[0]["status"]

    @property
    def headers(self):
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def body(self):
        return b"".join(message["body"] for message in self.messages[1:])

    @property
    def complete(self):
        return not self.messages[-1].get("more_body", False)

    @property
    def error(self):
        assert self.headers["content-type"] == "application/json" and self.complete
        assert self.headers["content-length"] == str(len(self.body))
        return json.loads(self.body)["error"]


async def asked(gate, path, method="GET", headers=(), host="p:9090", client=NEAR, line=None, raw_path=None):
    line = line or Line()
    names = ([] if host is None else [(b"host", host.encode())]) + [(k.encode(), v.encode()) for k, v in headers]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode() if raw_path is None else raw_path,
        "query_string": b"",
        "headers": names,
        "client": client,
        "server": ("p", 9090),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
    }
    await asyncio.wait_for(gate(scope, line.receive, line.send), 60)
    return line


def ask(gate, *arguments, **options):
    return asyncio.run(asked(gate, *arguments, **options))


def gate(inner=None, body_s=10.0, metrics=None, **values):
    return Gate(inner or app(), settings(**values), metrics or Metrics(), body_s)


def post(*chunks, length=None, then="stays"):
    """The arguments of a request with this body."""
    named = ("transfer-encoding", "chunked") if length is None else ("content-length", str(length))
    return {"method": "POST", "headers": [named], "line": Line(chunks, then)}


MATCHES = "/library/metadata/matches"


# the secret


def test_below_the_secret_the_routes_see_their_own_paths():
    through = gate(secret=SecretStr(SECRET))
    for path, seen in (("", "/"), ("/", "/"), ("/library/metadata/7", "/library/metadata/7"), ("/gaps", "/gaps")):
        line = ask(through, f"/{SECRET}{path}")
        assert line.status == 200 and json.loads(line.body)["path"] == seen


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/gaps",
        "/library/metadata/7",
        f"/{SECRET[:-1]}",
        f"/{SECRET}x/gaps",
        f"//{SECRET}/gaps",
        f"/{SECRET.lower()}/gaps",
        "/é/gaps",
        "/livez/x",
        "/images",
    ],
)
def test_without_the_right_secret_there_is_nothing(path):
    line = ask(gate(secret=SecretStr(SECRET)), path)
    assert line.status == 404 and line.error
    assert SECRET not in str(line.messages)


def test_a_slash_that_is_encoded_does_not_end_the_secret():
    line = ask(gate(secret=SecretStr(SECRET)), f"/{SECRET}/gaps", raw_path=f"/{SECRET}%2Fgaps".encode())
    assert line.status == 404


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/images/scene/7"])
def test_health_and_pictures_are_at_the_root_whatever_the_secret(path):
    assert ask(gate(secret=SecretStr(SECRET)), path).status == 200


# hosts


KNOWN = {"base_url": "http://Plex-Side:9090/x", "image_base_url": "https://img.example.org"}


@pytest.mark.parametrize(
    "host", ["plex-side", "PLEX-SIDE:1", "plex-side.", "localhost:9090", "127.0.0.1", "[::1]:9090"]
)
def test_the_hosts_of_our_addresses_and_this_computer_are_known(host):
    assert ask(gate(**KNOWN), "/gaps", host=host).status == 200


@pytest.mark.parametrize("host", ["evil.example", "plex-side.evil.example", "192.168.1.7:9090", "[::2]"])
def test_another_host_is_refused_with_a_sentence_that_names_the_setting(host):
    line = ask(gate(**KNOWN), "/gaps", host=host)
    assert line.status == 421 and "S2P_ALLOWED_HOSTS" in line.error
    assert ask(gate(**KNOWN), "/livez", host=host).status == 200, "a container asks under any name"


def test_without_a_base_url_any_host_will_do():
    assert ask(gate(), "/gaps", host="anything.example").status == 200


@pytest.mark.parametrize(("allowed", "status"), [(("nas",), 421), (("*",), 200), (("other:9090",), 200)])
def test_the_list_of_hosts_is_what_the_setting_says(allowed, status):
    assert ask(gate(allowed_hosts=allowed, **KNOWN), "/gaps", host="other:1").status == status


@pytest.mark.parametrize(
    "host", [None, "", "a b", "a/b", "a:b", "u@a", "[::1", "a" * 300, "a:123456", "é", "a,b", "\0"]
)
def test_a_request_without_a_proper_host_is_malformed(host):
    line = ask(gate(allowed_hosts=("*",)), "/livez", host=host)
    assert line.status == 400 and line.error


def test_a_request_with_two_hosts_is_malformed():
    assert ask(gate(), "/livez", headers=[("host", "p:9090")]).status == 400


@pytest.mark.parametrize("path", ["/", "/gaps", "/livez", "/metrics", MATCHES])
def test_the_public_name_for_pictures_leads_to_pictures_only(path):
    assert ask(gate(**KNOWN), path, host="img.example.org").status == 404
    assert ask(gate(**KNOWN), "/images/scene/7", host="img.example.org").status == 200


def test_one_name_for_all_leads_to_all():
    assert ask(gate(base_url="http://nas:9090", image_base_url="https://nas"), "/gaps", host="nas").status == 200


# reports


@pytest.mark.parametrize("path", ["/gaps", "/explain"])
@pytest.mark.parametrize(
    ("client", "forwarded", "status"),
    [
        (NEAR, "", 200),
        (("127.0.0.1", 1), "", 200),
        (("::1", 1), "", 200),
        (("fe80::1%eth0", 1), "", 200),
        (("::ffff:10.0.0.9", 1), "", 200),
        (NEAR, "192.168.1.9", 200),
        (FAR, "", 403),
        (("::ffff:8.8.8.8", 1), "", 403),
        (("2a00:1450::1", 1), "", 403),
        (NEAR, "8.8.8.8", 403),
        (NEAR, "10.0.0.1, 8.8.8.8", 403),
        (NEAR, "unknown", 403),
        (None, "", 403),
    ],
)
def test_without_a_secret_reports_are_for_the_own_network(path, client, forwarded, status):
    headers = [("x-forwarded-for", forwarded)] if forwarded else []
    assert ask(gate(), path, client=client, headers=headers).status == status


def test_with_a_secret_reports_are_for_whoever_knows_it():
    assert ask(gate(secret=SecretStr(SECRET)), f"/{SECRET}/gaps", client=FAR).status == 200


def test_plex_may_be_anywhere():
    assert ask(gate(), "/library/metadata/7", client=FAR).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 200),
        ([("origin", "http://p:9090")], 200),
        ([("sec-fetch-site", "same-origin"), ("origin", "https://behind-a-proxy")], 200),
        ([("sec-fetch-site", "none")], 200),
        ([("origin", "http://evil.example")], 403),
        ([("origin", "http://p:9091")], 403),
        ([("origin", "null")], 403),
        ([("sec-fetch-site", "cross-site"), ("origin", "http://p:9090")], 403),
        ([("sec-fetch-site", "same-site")], 403),
    ],
)
def test_a_web_page_of_somebody_else_starts_nothing(headers, status):
    line = ask(gate(), "/gaps/run", "POST", headers=headers)
    assert line.status == status
    assert status == 200 or line.error


# bodies


def test_a_body_arrives_whole_however_it_was_cut():
    line = ask(gate(), MATCHES, **post(b"{", b"", b"}" * 10))
    assert json.loads(line.body)["body"] == "{" + "}" * 10


def test_a_body_of_64_kb_passes_and_one_byte_more_does_not():
    assert ask(gate(), MATCHES, **post(b"x" * BODY_BYTES, length=BODY_BYTES)).status == 200
    for length in (BODY_BYTES + 1, None):
        line = ask(gate(), MATCHES, **post(b"x" * (BODY_BYTES + 1), length=length))
        assert line.status == 413 and "64 KB" in line.error and line.headers["connection"] == "close"


def test_of_an_endless_body_little_is_taken():
    request = post(*[b"x" * 8192] * 40_000)
    line = ask(gate(), MATCHES, **request)
    assert line.status == 413 and line.error
    assert line.taken <= BODY_BYTES + LINGER_BYTES + 2 * 8192


@pytest.mark.parametrize("length", ["65537", "9" * 30, "9" * 5000])
def test_a_length_that_is_too_large_is_refused_before_anything_is_read(length):
    request = post(length=length, then="goes")
    assert ask(gate(), MATCHES, **request).status == 413


def test_a_body_that_nobody_may_send_is_not_kept_and_the_connection_ends():
    line = ask(gate(secret=SecretStr(SECRET)), MATCHES, **post(*[b"x" * 8192] * 40_000))
    assert line.status == 404 and line.headers["connection"] == "close"
    assert line.taken <= LINGER_BYTES + 8192


def test_a_body_that_comes_too_slowly_is_given_up():
    request = post(b"{", then="hangs")
    line = ask(gate(body_s=0.05), MATCHES, **request)
    assert line.status == 408 and line.error and line.headers["connection"] == "close"
    assert line.asked == 2, "it is not waited for once more"


def test_nothing_is_said_to_who_has_gone():
    line = ask(gate(), MATCHES, **post(b"{", then="goes"))
    assert line.messages == []


# what goes wrong


def failing(error):
    async def fail(request):
        raise error

    return app(fail=fail)


@pytest.mark.parametrize("kind", [Kind.STASH_AWAY, Kind.STASH_REFUSED, Kind.UNREACHABLE, Kind.BUSY])
def test_trouble_with_a_neighbour_is_503_with_its_sentence(kind):
    line = ask(gate(failing(Trouble(kind, "Stash does not answer", 7.2))), "/fail")
    assert (line.status, line.error, line.headers["retry-after"]) == (503, "Stash does not answer", "7")


def test_a_path_in_a_sentence_is_masked_in_the_answer_as_in_the_log(logged):
    logged(settings())
    trouble = Trouble(Kind.STASH_AWAY, f"Stash does not know {private('/media/Jane.mp4')}")
    line = ask(gate(failing(trouble)), "/fail")
    assert "Jane" not in line.error and "path-" in line.error


@pytest.mark.parametrize("error", [ValueError("/media/Jane.mp4"), Trouble(Kind.PERMANENT, "no"), RecursionError()])
def test_a_fault_is_told_to_the_log_once_and_to_nobody_else(error, logged):
    told = logged(settings())
    line = ask(gate(failing(error)), "/fail")
    assert line.status == 503 and "Traceback" not in line.error and "Jane" not in line.error
    faults = [one for one in told() if one["level"] == "error"]
    assert len(faults) == 1 and "in fail" in faults[0]["trace"] and "Jane" not in str(faults)
    assert faults[0]["request_id"] == line.headers["x-request-id"]


def test_a_route_that_says_500_or_nothing_is_503(caplog):
    async def broken(request):
        return PlainTextResponse("Internal Server Error", 500)

    async def silent(scope, receive, send):
        pass

    assert ask(gate(app(broken=broken)), "/broken").status == 503
    assert ask(gate(silent), "/").status == 503


def test_a_route_that_gives_up_because_nobody_waits_any_more_is_no_fault(caplog):
    async def patient(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass

    line = ask(gate(patient), "/", line=Line([b""], "goes"))
    assert line.messages == [] and not [one for one in caplog.records if one.levelname == "ERROR"]


def test_trouble_after_the_answer_began_adds_nothing_to_it(caplog):
    caplog.set_level(logging.INFO, "stash2plex.gate")

    async def half():
        yield b"half"
        raise Trouble(Kind.STASH_AWAY, "Stash does not answer")

    async def stream(request):
        return StreamingResponse(half())

    line = ask(gate(app(stream=stream)), "/stream")
    assert (line.status, line.body, line.complete) == (200, b"half", False)
    assert "200, cut off in" in caplog.text and "Stash does not answer" in caplog.text


def test_what_starlette_says_in_plain_text_is_json():
    line = ask(gate(), "/nowhere")
    assert (line.status, line.error) == (404, "Not Found")
    line = ask(gate(), MATCHES, "DELETE")
    assert (line.status, line.error, line.headers["allow"]) == (405, "Method Not Allowed", "POST")


def test_a_path_that_is_none_is_malformed():
    assert ask(gate(), "*", "OPTIONS").status == 400


# time and number


def test_an_answer_that_takes_too_long_is_given_up_and_its_work_with_it():
    ended = []

    async def slow(request):
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)

    through = gate(app(slow=slow))
    through._deadline_s = 0.05
    line = ask(through, "/slow")
    assert line.status == 503 and line.headers["retry-after"] and "0.05 s" in line.error and ended


def test_a_request_that_the_server_cancels_is_503():
    async def slow(request):
        await asyncio.sleep(3600)

    async def play():
        line = Line()
        task = asyncio.ensure_future(asked(gate(app(slow=slow)), "/slow", line=line))
        for _ in range(5):
            await asyncio.sleep(0)
        waiting = [other for other in asyncio.all_tasks() if other not in (task, asyncio.current_task())]
        for one in waiting or [task]:
            one.cancel()
        await asyncio.wait({task})
        return line

    assert asyncio.run(play()).status == 503


def test_one_request_too_many_is_refused_at_once_and_health_is_not():
    async def play():
        go = asyncio.Event()

        async def slow(request):
            await go.wait()
            return JSONResponse({})

        through = gate(app(slow=slow), concurrency=2)
        running = [asyncio.ensure_future(asked(through, "/slow")) for _ in range(2)]
        await asyncio.sleep(0.01)
        third, health = await asked(through, "/"), await asked(through, "/livez")
        go.set()
        lines = await asyncio.gather(*running)
        return third, health, lines, await asked(through, "/")

    third, health, lines, after = asyncio.run(play())
    assert third.status == 503 and int(third.headers["retry-after"]) >= 1 and third.error
    assert [line.status for line in (health, *lines, after)] == [200] * 4


# what is written down


def test_a_request_keeps_the_number_it_came_with_when_that_is_sane():
    line = ask(gate(), "/", headers=[("x-request-id", "abc-1.2_3")])
    assert line.headers["x-request-id"] == json.loads(line.body)["id"] == "abc-1.2_3"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "é"])
def test_a_request_with_an_odd_number_gets_another_one(given):
    line = ask(gate(), "/", headers=[("x-request-id", given)])
    assert line.headers["x-request-id"] not in ("", given)


def test_the_log_has_one_line_per_request_without_path_id_query_or_secret(logged):
    held = settings(secret=SecretStr(SECRET), log_level="debug")
    told = logged(held)
    through, line = Gate(app(), held, Metrics()), Line()
    asyncio.run(asked(through, f"/{SECRET}/library/metadata/815", line=line))
    asyncio.run(asked(through, f"/{SECRET}x/Jane.mp4"))
    lines = told()
    assert [one["level"] for one in lines] == ["debug", "info"]
    assert lines[0]["message"].startswith("GET /library/metadata/{id}: 200 in ") and "815" not in lines[0]["message"]
    assert lines[0]["request_id"] == line.headers["x-request-id"]
    assert "Jane" not in lines[1]["message"] and ": 404 in " in lines[1]["message"]


def test_only_what_did_not_go_well_is_in_the_log_without_debugging_and_no_health_check(caplog):
    caplog.set_level(logging.DEBUG, "stash2plex.gate")
    for path in ("/livez", "/", "/nowhere"):
        ask(gate(), path)
    levels = [entry.levelname for entry in caplog.records if entry.name == "stash2plex.gate"]
    assert levels == ["DEBUG", "DEBUG", "INFO"]


def test_a_method_that_somebody_made_up_is_not_shown(caplog):
    caplog.set_level(logging.INFO, "stash2plex.gate")
    ask(gate(), "/", "JANE")
    assert "JANE" not in caplog.text and "? /: 405" in caplog.text


def test_the_metrics_know_routes_and_not_paths():
    metrics = Metrics()
    through = gate(metrics=metrics)
    for path in ("/library/metadata/815", "/library/metadata/815/Jane", "/images/scene/815/poster", "/Jane", "/"):
        ask(through, path)
    text = metrics.render()[0].decode()
    assert "815" not in text and "Jane" not in text
    routes = ("/library/metadata/{id}", "/library/metadata/{id}/other", "/images/scene/{id}/poster", "other", "/")
    assert all(f'stash2plex_request_seconds_count{{route="{route}"' in text for route in routes)


def test_no_page_hands_the_secret_on_as_its_referrer():
    assert ask(gate(), "/gaps").headers["referrer-policy"] == "no-referrer"


# the rest of ASGI


def test_the_life_of_the_application_passes_through():
    seen = []

    async def inner(scope, receive, send):
        seen.append((scope["type"], await receive()))
        await send({"type": "lifespan.startup.complete"})

    async def receive():
        return {"type": "lifespan.startup"}

    async def send(message):
        seen.append(message)

    asyncio.run(gate(inner)({"type": "lifespan", "state": {}}, receive, send))
    assert seen == [("lifespan", {"type": "lifespan.startup"}), {"type": "lifespan.startup.complete"}]
