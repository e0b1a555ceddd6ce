"""Settings that say where Plex and Stash are, how they are spoken to, and how patiently: real processes."""

from __future__ import annotations

import os
import time

import pytest
import trustme

from sync_queue import inbox
from tests.canaries import API_KEY, LOGIN, secret
from tests.doubles.plex_server import PlexDouble
from tests.doubles.stash_session import Visitor
from tests.plex.identity import Identity
from tests.processes.living import Living, quick_plugin
from tests.processes.world import PLUGIN, copy_of_plugin
from tests.waiting import until
from validation.settings import SWITCHES

LAUNCHER = PLUGIN + "Launcher"
SLOW_S = 1.5


@pytest.fixture
def quiet(build):
    """A world in which only tasks work: what they read and send is theirs. One scene."""
    made = build()
    made.stash.set_enabled(LAUNCHER, False)
    made.seed(1)
    return made


def change(world, **fields):
    """Change the scene and leave the mark that a hook would have left, without waking anybody."""
    world.stash.change("1", touch=False, **fields)
    inbox.put(world.data, {"kind": "scene", "id": 1})


def run(world, name="Process Queue"):
    ended = world.run_task(name)
    assert ended["error"] is None
    return ended["output"]


def says(world, check):
    """One row of Health Check."""
    return next(row for row in run(world, "Health Check")["checks"] if row["check"] == check)


def item_in(plex, title="a file"):
    """The item of scene 1 in another Plex."""
    return plex.add_item(plex.add_section("Movies", ["/media"]), "/media/scene 1.mp4", 10_001, title=title)


def kept(world):
    return world.stash.core.settings[PLUGIN]


# where Plex is


@pytest.mark.proves("setting:plex_url", "setting:plex_token")
def test_changes_go_to_the_server_and_with_the_token_that_are_set(quiet):
    with PlexDouble(token=secret("token-of-another-plex"), machine_id="another server") as other:
        key = item_in(other)
        change(quiet, code="first")
        run(quiet)
        quiet.configure(plex_url=other.url)
        change(quiet, code="second")
        assert "token" in run(quiet)["state"].casefold()
        quiet.configure(plex_url=other.url, plex_token=other.token)
        run(quiet)
        assert (quiet.plex.item(quiet.keys["1"])["tagline"], other.item(key)["tagline"]) == ("first", "second")


@pytest.mark.proves("setting:plex_library")
@pytest.mark.parametrize("order", [("movies", "OTHER", ""), ("", "Other, movies"), ("other", " Movies,Other ")])
def test_only_the_libraries_that_are_named_are_kept_in_step(quiet, order):
    keys = {
        "movies": quiet.keys["1"],
        "other": quiet.plex.add_item(quiet.plex.add_section("Other", ["/media"]), "/media/scene 1.mp4", 10_001),
    }
    shown = dict.fromkeys(keys, "")
    for number, named in enumerate(order):
        quiet.configure(plex_library=named)
        change(quiet, code=f"C{number}")
        run(quiet)
        shown.update({name: f"C{number}" for name in keys if name in named.casefold() or not named})
        assert {name: quiet.plex.item(key)["tagline"] for name, key in keys.items()} == shown


def test_the_environment_fills_in_what_is_not_set_in_stash(quiet, monkeypatch):
    other = quiet.plex.add_item(quiet.plex.add_section("Other", ["/other"]), "/other/scene 1.mp4", 10_001)
    for name, value in (("URL", quiet.plex.url), ("TOKEN", quiet.plex.token), ("LIBRARY", "Other")):
        monkeypatch.setenv(f"PLEX_{name}", value)
    keys = [quiet.keys["1"], other]
    quiet.configure(plex_url=None, plex_token=None)
    change(quiet, code="X")
    run(quiet)
    assert [quiet.plex.item(key)["tagline"] for key in keys] == ["", "X"]
    quiet.configure(plex_url="", plex_token=" ", plex_library="Movies")
    change(quiet, code="Y")
    run(quiet)
    assert [quiet.plex.item(key)["tagline"] for key in keys] == ["Y", "X"]


@pytest.mark.proves("setting:plex_tls_fingerprint")
def test_an_unknown_certificate_is_trusted_once_its_fingerprint_is_copied_from_health_check(quiet):
    identity = Identity(trustme.CA(), "1-2-3-4.plex.direct")
    with PlexDouble(tls=identity.context) as secure:
        key = item_in(secure)
        for pin in ("", "0" * 64, identity.pin.upper()):
            quiet.configure(plex_url=secure.url, plex_tls_fingerprint=pin)
            assert identity.pin in says(quiet, "Certificate")["says"]
            assert says(quiet, "Plex")["ok"] == (pin.lower() == identity.pin) == bool(secure.requests())
        change(quiet, code="X")
        run(quiet)
        assert secure.item(key)["tagline"] == "X"


class SlowGreeting:
    """A TLS context that keeps whoever connects waiting."""

    def __init__(self, context):
        self._context = context

    def wrap_socket(self, sock, server_side):
        time.sleep(SLOW_S)
        return self._context.wrap_socket(sock, server_side=server_side)


def slow_to_connect():
    identity = Identity(trustme.CA(), "127.0.0.1")
    return PlexDouble(tls=SlowGreeting(identity.context)), {"plex_tls_fingerprint": identity.pin}


def slow_to_answer():
    plex = PlexDouble()
    plex.faults.add("latency", times=2, seconds=SLOW_S)
    return plex, {}


@pytest.mark.parametrize(
    ("name", "shipped", "slow"),
    [
        pytest.param("connect_timeout", "1.0", slow_to_connect, marks=pytest.mark.proves("setting:connect_timeout")),
        pytest.param("read_timeout", "5.0", slow_to_answer, marks=pytest.mark.proves("setting:read_timeout")),
    ],
)
def test_a_slow_plex_is_waited_for_as_long_as_is_set(build, tmp_path, name, shipped, slow):
    """With a lower least value than the one that is shipped, so that the test need not wait for that."""
    folder = copy_of_plugin(tmp_path / "plugins")
    model = folder / "validation" / "settings.py"
    field = f"{name}: float = Field("
    before, _, after = model.read_text().partition(field)
    model.write_text(before + field + after.replace(f"ge={shipped}", "ge=0.1", 1))
    world = build(folder)
    world.stash.set_enabled(LAUNCHER, False)
    world.seed(1)
    plex, settings = slow()
    with plex:
        key = item_in(plex)
        world.configure(plex_url=plex.url, **settings, **{name: "0,3"})
        assert not says(world, "Plex")["ok"]
        world.configure(plex_url=plex.url, **settings)
        change(world, code="X")
        run(world)
        assert plex.item(key)["tagline"] == "X"


# what Stash and we keep


def test_the_defaults_of_switches_that_were_never_set_are_written_to_stash_once(quiet):
    own = {"sync_title": False, "preserve_plex_edits": True}
    quiet.configure(plex_url=None, **own)
    run(quiet)
    assert "sync_tags" not in kept(quiet), "nothing is written before plex_url is set"
    quiet.configure(**own)
    run(quiet, "View Queue Status")
    run(quiet, "Health Check")
    assert "sync_tags" not in kept(quiet), "a look writes nothing"
    for _ in range(2):
        run(quiet)
        assert kept(quiet) == {**SWITCHES, **own, "plex_url": quiet.plex.url, "plex_token": quiet.plex.token}
    (line,) = quiet.logged("were never set now show their defaults")
    assert "sync_tags on" in line and "sync_rating off" in line and "sync_title" not in line


def test_the_plugins_own_folder_holds_the_data_unless_the_environment_names_another(build, tmp_path, monkeypatch):
    folder = copy_of_plugin(tmp_path / "plugins")
    monkeypatch.delenv("STASH_PLUGIN_DATA")
    world = build(folder)
    world.seed(2)
    world.stash.save("1", code="X")
    until(lambda: world.logged("Scene 1 synced"), what="the scene to be settled")
    world.kill_worker()
    assert world.rows("sync_log") and not os.path.exists(tmp_path / "data")
    monkeypatch.setenv("STASH_PLUGIN_DATA", str(tmp_path / "data"))
    world.stash.save("2", code="X")
    world.synced(only=["2"])
    assert os.path.exists(tmp_path / "data" / "stash2plex.db")


@pytest.mark.proves("setting:stash_api_key")
@pytest.mark.parametrize("key", [None, API_KEY], ids=["without", "with"])
def test_an_expired_session_does_not_matter_with_an_api_key_in_the_settings(build, tmp_path, key):
    """Stash shows us the key that it made itself; so here it takes another one as well, which only the setting has."""
    world = build(quick_plugin(tmp_path / "plugins"), credentials=LOGIN)
    sessions, admit, seen = world.stash.sessions, world.stash.sessions.admit, []

    def admit_ours_too(api_key, cookie):
        visitor = Visitor(LOGIN[0]) if api_key == API_KEY else admit(api_key, cookie)
        seen.append((api_key, bool(visitor)))
        return visitor

    sessions.admit = admit_ours_too
    Living(world)
    world.configure(stash_api_key=key)
    until(lambda: seen[-1] == (key, True), what="the setting to be in force")
    sessions.max_age_s = 0.0
    change(world, code="after the end of the session")
    until(lambda: seen[-3:] == [(key, key is not None)] * 3, what="Stash to be asked after the session expired")
    if key:
        world.synced()
    assert bool(world.differences()) == (key is None)
