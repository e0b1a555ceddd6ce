"""The routes for whoever runs the provider."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from starlette.applications import Starlette

from provider import admin
from provider.metrics import Metrics
from provider.upstream import Upstream
from validation.errors import Kind, Trouble


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


class Answers:
    """In place of a Stash: what it answers when asked for its version, and how often it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    async def version(self):
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, asyncio.Event):
            await answer.wait()
        return "v0.28"


async def explain(filename):
    return {"filename": filename, "candidates": ["/media/é.mp4", "\udc80"]}


def client(upstream, clock=None, patience_s=3.0):
    app = Starlette(routes=admin.routes(upstream, Metrics(), explain, clock or Clock(), patience_s))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://p")


def get(path, upstream=None):
    async def play():
        async with client(upstream or Answers("v")) as asking:
            return await asking.get(path)

    return asyncio.run(play())


def test_it_lives_whatever_stash_does():
    upstream = Answers(Trouble(Kind.STASH_AWAY, "no"))
    assert get("/livez", upstream).status_code == 200
    assert upstream.asked == 0


def test_it_is_ready_when_stash_answers():
    answer = get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(Kind.STASH_AWAY, "Stash does not answer"), (Kind.STASH_REFUSED, "Stash refuses our API key")],
)
def test_it_is_not_ready_without_stash_and_says_why_in_a_few_words(kind, reason):
    answer = get("/readyz", Answers(Trouble(kind, "http://stash:9999/media/Jane.mp4 does not answer")))
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "reasons": [reason]})


def test_a_real_stash_makes_it_ready_until_it_goes(stash):
    async def play():
        clock, upstream = Clock(), Upstream(stash.url, stash.api_key, Metrics())
        async with client(upstream, clock) as asking:
            before = await asking.get("/readyz")
            await asyncio.get_running_loop().run_in_executor(None, stash.stop)
            clock.now += admin.STASH_EVERY_S
            after = await asking.get("/readyz")
        await upstream.close()
        return before.status_code, after.status_code

    assert asyncio.run(play()) == (200, 503)


def test_stash_is_asked_once_in_five_seconds_however_many_ask_us():
    async def play():
        clock, upstream = Clock(), Answers("v")
        async with client(upstream, clock) as asking:
            await asyncio.gather(*(asking.get("/readyz") for _ in range(20)))
            clock.now += admin.STASH_EVERY_S - 0.1
            await asking.get("/readyz")
            before = upstream.asked
            clock.now += 0.1
            await asking.get("/readyz")
        return before, upstream.asked

    assert asyncio.run(play()) == (1, 2)


def test_readiness_comes_back_with_stash():
    async def play():
        clock, upstream = Clock(), Answers(Trouble(Kind.STASH_AWAY, "no"), "v")
        async with client(upstream, clock) as asking:
            first = await asking.get("/readyz")
            clock.now += admin.STASH_EVERY_S
            return first.status_code, (await asking.get("/readyz")).status_code

    assert asyncio.run(play()) == (503, 200)


def test_a_stash_that_takes_its_time_is_not_waited_for_and_not_asked_again():
    async def play():
        clock, answers = Clock(), asyncio.Event()
        upstream = Answers(answers)
        async with client(upstream, clock, patience_s=0.02) as asking:
            first = await asking.get("/readyz")
            clock.now += 60
            second = await asking.get("/readyz")
            asked = upstream.asked
            answers.set()
            await asyncio.sleep(0.01)
            clock.now -= 60
            third = await asking.get("/readyz")
        return first.json()["reasons"], second.status_code, asked, third.status_code

    assert asyncio.run(play()) == (["Stash takes too long to answer"], 503, 1, 200)


def test_metrics_are_prometheus_own_text():
    answer = get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'stash2plex_matches_total{route="path"} 0.0' in answer.text


def test_explain_shows_all_of_it_to_be_read_by_people():
    answer = get("/explain?filename=%2Fa%20b%26c.mp4")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    assert answer.json()["filename"] == "/a b&c.mp4"
    assert "\n  " in answer.text and "é" in answer.text
    assert json.loads(answer.content)["candidates"][1] == "\udc80"


@pytest.mark.parametrize("path", ["/explain", "/explain?filename=", "/explain?file=a"])
def test_explain_without_a_filename_says_what_is_missing(path):
    answer = get(path)
    assert answer.status_code == 400 and "filename" in answer.json()["error"]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_a_head_is_answered_as_well(path):
    async def play():
        async with client(Answers("v")) as asking:
            return await asking.head(path)

    assert asyncio.run(play()).status_code == 200
