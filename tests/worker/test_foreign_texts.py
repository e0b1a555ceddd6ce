"""What a neighbour repeats of our secrets, and what a person types in the wrong place, goes nowhere.

`tests.secret_net` looks after each test at the log, the databases, the replies and our errors' own texts.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.canaries import API_KEY, MARKER, PASSWORD, PLEX_TOKEN, secret
from tests.worker.asked import Asked
from tests.worker.steps import Stage

PAGE = f"<html>GET /?X-Plex-Token={PLEX_TOKEN} failed: {PLEX_TOKEN}</html>"
REPEATING: list[tuple[str, dict[str, Any]]] = [
    *(("status", {"status": status, "body": PAGE}) for status in (200, 400, 401, 403, 404, 413, 429, 500, 502, 503)),
    ("status", {"status": 200, "body": f"<{'long' * 5}{MARKER}/>"}),
    ("status", {"status": 429, "retry_after": PLEX_TOKEN}),
    ("redirect", {"location": f"http://elsewhere.invalid/?X-Plex-Token={PLEX_TOKEN}"}),
]


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize(("fault", "options"), REPEATING, ids=str)
def test_what_plex_repeats_of_the_token_goes_nowhere(
    stage: Stage, fault: str, options: dict[str, Any], method: str
) -> None:
    scenes = stage.scenes(2)
    stage.plex.faults.add(fault, times=None, method=method, match="/library", **options)
    stage.mark(*scenes)
    stage.run_for(300)
    Asked(stage, "queue_status").answer(within_s=60)
    Asked(stage, "explain_scene", scene_id=str(scenes[0])).answer(within_s=60)
    assert [asked for asked in stage.plex.requests() if asked.method == method]


def test_what_stash_repeats_of_our_settings_goes_nowhere(stage: Stage) -> None:
    stage.stash.api_key = API_KEY
    stage.configure(stash_api_key=API_KEY)
    scene = stage.scene()
    stage.settle(scene)
    execute = stage.stash.execute

    def echo(query: str, *others: Any) -> Any:
        if "findScene" not in query:
            return execute(query, *others)
        return True, {"errors": [{"message": f"{API_KEY} and {quote(PLEX_TOKEN, safe='')} may not see scenes"}]}

    stage.stash.execute = echo
    stage.mark(scene)
    stage.run_for(60)
    assert "*** and *** may not see scenes" in stage.session.state
    assert Asked(stage, "explain_scene", scene_id=str(scene)).answer(within_s=60)["error"]


@pytest.mark.parametrize("password", [PASSWORD, secret("password", "")])
def test_an_address_with_a_password_in_it_is_refused_and_not_shown(stage: Stage, password: str) -> None:
    stage.configure(plex_url=f"http://someone:{password}@127.0.0.1:32400")
    stage.mark(stage.scene())
    stage.run_for(60)
    assert "plex_url is missing" in stage.session.state
    for operation in ("queue_status", "health_check"):
        assert "plex_url" in str(Asked(stage, operation).answer(within_s=60))


def test_a_token_in_an_address_is_not_shown_and_not_sent(stage: Stage) -> None:
    stage.configure(plex_url=f"{stage.plex.url}/?X-Plex-Token={secret('typed', '')}")
    scene = stage.scene()
    stage.settle(scene)
    assert stage.differing() == {} and Asked(stage, "health_check").answer(within_s=60)


def test_what_is_no_token_is_not_shown_either(stage: Stage) -> None:
    stage.configure(plex_token=f"{PLEX_TOKEN} {PLEX_TOKEN}", stash_api_key=f"{MARKER} {MARKER}")
    stage.mark(stage.scene())
    stage.run_for(60)
    assert "plex_token is missing" in stage.session.state
    assert Asked(stage, "health_check").answer(within_s=60)
