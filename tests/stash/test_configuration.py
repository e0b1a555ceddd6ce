"""What Stash tells about itself and keeps for us, with the credential it accepts; and what no Stash would tell."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stash import log
from stash.client import LAUNCHER_ID, PLUGIN_ID, REFUSED_KEY, Configuration, StashClient
from sync_queue.store import Store
from tests import canaries
from tests.doubles.stash_scripted import JSON, Given, ScriptedStash, data
from tests.doubles.stash_server import StashDouble
from validation.errors import Kind, Trouble
from worker.settings_reader import SettingsReader

STASH_KINDS = {Kind.STASH_AWAY, Kind.STASH_REFUSED}
COVER_KINDS = {*STASH_KINDS, Kind.UNEXPECTED}  # of one scene alone
THEIRS, MINE = canaries.secret("their-key"), canaries.secret("my-key")


def kept(stash):
    return stash.core.settings.get(PLUGIN_ID)


def kind_of(call, *arguments):
    with pytest.raises(Trouble) as raised:
        call(*arguments)
    return raised.value.kind


# settings are added, never taken away


def test_settings_are_added_to_those_that_are_there(stash, client):
    stash.configure(PLUGIN_ID, {"plex_url": "http://plex", "sync_title": False})
    stash.configure("Other", {"sync_title": "theirs"})
    client.configure({"sync_title": True, "sync_date": True})
    assert kept(stash) == {"plex_url": "http://plex", "sync_title": False, "sync_date": True}
    assert stash.core.settings["Other"] == {"sync_title": "theirs"}


def test_where_nothing_was_kept_all_is_added(stash, client):
    client.configure({"sync_title": True})
    assert kept(stash) == {"sync_title": True}


def test_what_the_user_set_meanwhile_wins(stash, client):
    stash.configure(PLUGIN_ID, {"plex_url": "http://plex"})
    unset = {"sync_title": True, "sync_tags": True}
    assert client.configuration().settings == {"plex_url": "http://plex"}
    stash.configure(PLUGIN_ID, {"plex_url": "http://other", "sync_tags": False})
    client.configure(unset)
    assert kept(stash) == {"plex_url": "http://other", "sync_tags": False, "sync_title": True}


def test_a_setting_without_a_value_counts_as_absent(stash, client):
    stash.configure(PLUGIN_ID, {"sync_title": None, "plex_library": None, "max_tags": 0, "plex_url": ""})
    client.configure({"sync_title": True})
    assert kept(stash) == {"sync_title": True, "max_tags": 0, "plex_url": ""}


def test_nothing_is_written_when_what_is_there_cannot_be_read(stash, client):
    stash.configure(PLUGIN_ID, {"plex_url": "http://plex"})
    stash.faults.status(500, 2)
    assert kind_of(client.configure, {"sync_title": True}) is Kind.STASH_AWAY
    assert kept(stash) == {"plex_url": "http://plex"} and stash.count("configurePlugin") == 0


def test_a_write_that_failed_is_not_repeated(scripted, connect):
    """Meanwhile a person may have set something, and each write replaces everything."""
    scripted.answer = lambda asked: Given(500) if b"mutation" in asked.body else whole_answer(asked)
    assert kind_of(connect(scripted).configure, {"sync_title": True}) is Kind.STASH_AWAY
    assert len([asked for asked in scripted.asked if b"mutation" in asked.body]) == 1


def test_a_stash_that_repeats_what_it_refuses_puts_no_token_into_our_words(scripted, connect):
    def answer(asked):
        if b"mutation" not in asked.body:
            return data(
                {**WHOLE, "configuration": {**CONFIG, "plugins": {PLUGIN_ID: {"plex_token": canaries.secret("x")}}}}
            )
        echo = {"errors": [{"message": "no: " + json.dumps(json.loads(asked.body)["variables"])}]}
        return Given(200, json.dumps(echo).encode(), JSON)

    scripted.answer = answer
    with pytest.raises(Trouble) as raised:
        connect(scripted).configure({"sync_title": True})
    assert raised.value.kind is Kind.STASH_AWAY and canaries.MARKER not in raised.value.message


# what else it tells


def test_the_version_is_as_stash_writes_it(client):
    assert client.version() == "v0.30.1"


def test_the_files_of_the_newest_scenes_are_samples(stash, client):
    for number in range(5):
        stash.add_scene(path=f"/data/{number}.mp4")
    stash.change(5, files=[])
    assert client.sample_files(3) == ["/data/3.mp4", "/data/2.mp4"]
    assert client.sample_files(50) == [f"/data/{number}.mp4" for number in (3, 2, 1, 0)]


def test_an_empty_library_has_no_samples(client):
    assert client.sample_files(50) == []


@pytest.mark.parametrize(("there", "enabled"), [(False, None), (True, True), (True, False)])
def test_whether_the_launcher_is_enabled_is_told_or_that_it_is_not_there(tmp_path, connect, there, enabled):
    for folder, name in [("plugin", PLUGIN_ID), *[("launcher", LAUNCHER_ID)] * there]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.yml").write_text("name: x\nexec: [python3]\n")
    with StashDouble(plugins=sorted(tmp_path.iterdir()), config_dir=str(tmp_path / "config")) as stash:
        if enabled is False:
            stash.set_enabled(LAUNCHER_ID, False)
        assert connect(stash).configuration() == Configuration({}, True, "", enabled)


# which credential is used


def test_the_key_in_our_settings_comes_before_the_one_of_stash_and_that_before_cookies(scripted, connect):
    client = connect(scripted, ["a-cookie"])
    used = []
    for own in ({}, {"stash_api_key": f" {MINE}\n"}, {"stash_api_key": ""}):
        config = {"general": {"apiKey": THEIRS}, "plugins": {PLUGIN_ID: own}}
        scripted.answer = lambda asked, config=config: data({**WHOLE, "configuration": config})
        client.configuration()
        client.configuration()
        used.append(scripted.asked[-1].headers.get("apikey"))
    assert used == [THEIRS, MINE, THEIRS]
    assert "cookie" in scripted.asked[0].headers and "cookie" not in scripted.asked[-1].headers


def test_without_any_key_the_cookie_goes_on(locked, connect):
    client = connect(locked, [locked.cookie()])
    assert client.configuration().api_key == "" and client.newest()


def test_a_wrong_key_in_our_settings_gives_way_to_the_key_of_stash(locked, connect):
    locked.api_key = THEIRS
    locked.configure(PLUGIN_ID, {"stash_api_key": MINE})
    client = connect(locked, [locked.cookie()])
    assert (client.configuration().api_key, client.configuration().warning) == (MINE, REFUSED_KEY)
    found = client.configuration()
    assert (found.api_key, found.warning) == (THEIRS, REFUSED_KEY)
    before = client.requests
    assert client.newest() and client.requests == before + 1


def test_a_wrong_key_gives_way_to_the_cookie_even_where_stash_has_no_login(stash, connect):
    """Stash answers 401 to a wrong key where it would answer everybody without one."""
    stash.configure(PLUGIN_ID, {"stash_api_key": MINE})
    client = connect(stash)
    client.configuration()
    assert client.newest() == "" and client.requests == 3
    assert client.configuration() == Configuration({"stash_api_key": MINE}, True, "", None, REFUSED_KEY)


@pytest.mark.parametrize("where", ["own", "stash"])
def test_a_refused_key_is_not_tried_a_second_time(stash, connect, where):
    if where == "own":
        stash.configure(PLUGIN_ID, {"stash_api_key": MINE})
    stash.sessions.admit, admit = (lambda key, cookie: admit(key and "refused", cookie)), stash.sessions.admit
    stash.api_key = THEIRS
    client = connect(stash)
    for _ in range(3):
        client.configuration()
        client.newest()
    settled = client.requests
    for _ in range(5):
        client.configuration()
        client.newest()
    assert client.requests == settled + 10


def test_a_key_that_is_put_right_is_used_and_no_longer_complained_about(locked, connect):
    locked.api_key = THEIRS
    locked.configure(PLUGIN_ID, {"stash_api_key": MINE})
    client = connect(locked, [locked.cookie()])
    while not client.configuration().warning:
        pass
    locked.configure(PLUGIN_ID, {"stash_api_key": THEIRS})
    assert client.configuration() == Configuration({"stash_api_key": THEIRS}, True, THEIRS)


def test_a_wrong_key_is_said_once(stash, connect, data_dir, capfd, monkeypatch):
    monkeypatch.setattr(log, "_secrets", [])
    stash.configure(PLUGIN_ID, {"stash_api_key": MINE})
    store = Store(f"{data_dir}/stash2plex.db")
    reader = SettingsReader(connect(stash), store)
    for now in range(5):
        reader.read(float(now))
    store.close()
    assert capfd.readouterr().err.count(REFUSED_KEY) == 1


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel", "日本", "\x00", 7, None, [1], True])
def test_what_can_be_no_key_is_never_sent_and_stops_nothing(stash, connect, key):
    stash.configure(PLUGIN_ID, {"stash_api_key": key})
    client = connect(stash)
    assert client.configuration().api_key == "" and client.configuration().warning == ""
    assert client.newest() == "" and client.requests == 3


@pytest.mark.parametrize("cookie", ["line\nbreak", "日本", "\ud800", "\x00", " "])
def test_what_can_be_no_cookie_is_passed_over(locked, connect, cookie):
    assert connect(locked, [cookie, locked.cookie()]).newest()
    assert kind_of(connect(locked, [cookie]).newest) is Kind.STASH_REFUSED


def test_no_other_place_is_ever_asked(scripted, connect):
    with ScriptedStash(whole_answer) as stranger:
        scripted.answer = lambda asked: Given(307, b"", {"Location": stranger.url + "/graphql"})
        client = connect(scripted, ["a-cookie"], "a-key")
        for call in CALLS.values():
            assert kind_of(call, client) is Kind.STASH_REFUSED
        assert stranger.asked == []


# what no Stash would answer


CONFIG = {"general": {"apiKey": ""}, "plugins": {PLUGIN_ID: {"plex_url": "http://plex"}}}
SCENE = {"id": "1", "updated_at": "2024-01-01T00:00:00Z", "files": [{"path": "/data/a.mp4", "size": 1}]}
WHOLE = {
    "configuration": CONFIG,
    "plugins": [{"id": PLUGIN_ID, "enabled": True}, {"id": LAUNCHER_ID, "enabled": True}],
    "version": {"version": "v0.30.1"},
    "findScenes": {"count": 1, "scenes": [SCENE]},
    "configurePlugin": {},
}
CALLS = {
    "configuration": lambda client: client.configuration(),
    "configure": lambda client: client.configure({"sync_title": True}),
    "version": lambda client: client.version(),
    "sample_files": lambda client: client.sample_files(5),
    "scenes": lambda client: client.scenes([1]),
    "scenes_after": lambda client: client.scenes_after(0, 10),
    "changed": lambda client: client.changed("2024", 5),
    "newest": lambda client: client.newest(),
    "page": lambda client: client.page(1),
    "page_of": lambda client: client.page_of("tag", 1),
    "cover": lambda client: client.cover(1, '"known"'),
}
TYPES = {
    "configuration": Configuration,
    "configure": type(None),
    "version": str,
    "sample_files": list,
    "scenes": dict,
    "scenes_after": tuple,
    "changed": list,
    "newest": str,
    "page": tuple,
    "page_of": tuple,
    "cover": object,
}
WRONG = [None, True, 0, -1, 1.5, "", "text", [], [None], ["text"], [[1]], {}, {"a": 1}, [{}], 10**400]
PATHS = [
    (), ("configuration",), ("configuration", "general"), ("configuration", "general", "apiKey"),
    ("configuration", "plugins"), ("configuration", "plugins", PLUGIN_ID), ("plugins",), ("plugins", 0),
    ("plugins", 0, "id"), ("plugins", 0, "enabled"), ("version",), ("version", "version"), ("findScenes",),
    ("findScenes", "count"), ("findScenes", "scenes"), ("findScenes", "scenes", 0), ("findScenes", "scenes", 0, "id"),
    ("findScenes", "scenes", 0, "updated_at"), ("findScenes", "scenes", 0, "files"),
    ("findScenes", "scenes", 0, "files", 0), ("findScenes", "scenes", 0, "files", 0, "path"),
]  # fmt: skip


def whole_answer(asked):
    return data(WHOLE)


def replaced(tree, path, value):
    """The same tree with another value at this place."""
    if not path:
        return value
    copy = list(tree) if isinstance(tree, list) else dict(tree)
    copy[path[0]] = replaced(tree[path[0]], path[1:], value)
    return copy


@pytest.fixture
def scripted():
    with ScriptedStash(whole_answer) as made:
        yield made


@pytest.fixture(scope="module")
def strange():
    """A server whose answers are made strange; nobody waits before the second try."""
    with ScriptedStash(whole_answer) as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr("stash.client.wait_fixed", lambda seconds: lambda state: 0)
        yield made


def check_harmless(scripted, answer):
    """Each method gives what it promises, or says that Stash is away or refuses us."""
    scripted.answer = answer
    client = StashClient(scripted.url)
    try:
        for name, call in CALLS.items():
            try:
                assert isinstance(call(client), TYPES[name]), name
            except Trouble as trouble:
                assert trouble.kind in (COVER_KINDS if name == "cover" else STASH_KINDS), name
    finally:
        client.s.close()


def test_the_answers_that_are_made_strange_here_are_else_understood(strange, connect):
    strange.answer, client = whole_answer, connect(strange)
    found = {name: call(client) for name, call in CALLS.items() if name != "cover"}
    assert found["configuration"] == Configuration({"plex_url": "http://plex"}, True, "", True)
    assert (found["version"], found["sample_files"], found["newest"]) == (
        "v0.30.1",
        ["/data/a.mp4"],
        SCENE["updated_at"],
    )
    assert (found["page"], list(found["scenes"]), found["changed"]) == (([1], 1), [1], [(1, SCENE["updated_at"])])


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)) or "all")
def test_a_wrong_type_anywhere_is_harmless(strange, path):
    for value in WRONG:
        check_harmless(strange, lambda asked, value=value: data(replaced(WHOLE, path, value)))


BODIES = {
    "nothing": b"",
    "no json": b"<html>log in</html>",
    "a list": b"[]",
    "a number": b"5",
    "null": b"null",
    "no data": b"{}",
    "data and errors": b'{"data": {}, "errors": [{"message": "m"}]}',
    "errors that are a text": b'{"errors": "text"}',
    "errors without words": b'{"errors": [{}]}',
    "errors of another kind": b'{"errors": [[1]], "data": 1}',
    "half an answer": b'{"data": {"findScenes"',
    "bytes": bytes(range(256)),
    "deep": b'{"data":' * 3_000 + b"1" + b"}" * 3_000,
    "very deep": b"[" * 200_000,
    "endless number": b'{"data": {"findScenes": {"count": 1e999, "scenes": [{"id": 1e999}]}}}',
    "a number of many digits": b'{"data": {"findScenes": {"count": %s, "scenes": []}}}' % (b"9" * 5_000),
}


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("name", BODIES)
def test_any_body_is_harmless(strange, name, status):
    check_harmless(strange, lambda asked: Given(status, BODIES[name], JSON))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@hypothesis_settings(max_examples=60)
@given(st.sampled_from(PATHS), ANYTHING)
def test_any_value_anywhere_is_harmless(strange, path, value):
    check_harmless(strange, lambda asked: data(replaced(WHOLE, path, value)))


def test_every_method_that_reads_is_asked_here():
    """A new method of the client belongs into the table of strange answers."""
    public = {name for name in vars(StashClient) if not name.startswith("_")} - {"use", "launch_worker", "scenes_of"}
    assert public == set(CALLS)
