"""The doctor: what fits together is ok, and what does not is named with what to do about it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import ExitStack

import pytest
from plexapi.server import PlexServer

from provider import doctor, findings
from provider.settings import Settings
from tests import canaries
from tests.doubles.stash_server import StashDouble
from tests.provider.service import ROOT, Service

SECRET = "a-path-that-nobody-knows"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A Stash and the provider's own process beside it, for all tests here."""
    folder = tmp_path_factory.mktemp("doctor")
    with ExitStack() as stack:
        stash = stack.enter_context(StashDouble(credentials=("user", "password"), config_dir=str(folder / "stash")))
        stash.api_key = canaries.API_KEY
        stash.add_scene(path="/data/bare.mp4", title="without a cover")
        for number in range(5):
            stash.add_scene(path=f"/data/{number}.mp4", title=str(number), cover=PNG)
        yield stash, stack.enter_context(Service(folder, stash, secret=SECRET))


@pytest.fixture
def stash(world):
    return world[0]


@pytest.fixture
def service(world):
    return world[1]


@pytest.fixture
def library(plex, service):
    """A library in Plex that uses the agent, with the files of Stash."""
    section = plex.add_section("Scenes", ["/plex"], agent_id=plex.register(service.url))
    plex.add_items(section, [{"file": f"/plex/{number}.mp4", "title": str(number)} for number in range(5)])
    return section


@pytest.fixture
def run(stash, service, plex):
    """Runs the doctor with these settings: the exit code, and what it said by level."""

    def run(warnings=(), **values):
        given = {
            "stash_url": stash.url,
            "stash_api_key": stash.api_key,
            "plex_url": plex.url,
            "plex_token": plex.token,
            "base_url": service.root,
            "secret": SECRET,
            "path_rules": "/data => /plex",
        }
        said = []
        code = asyncio.run(doctor.doctor(Settings(**{**given, **values}), warnings, said.append))
        text = "\n".join(said)
        assert not [secret for secret in (SECRET, stash.api_key, plex.token) if secret in text]
        *lines, last = said
        levels = {level: [line for line in lines if line.startswith(level)] for level in ("ok", "warning", "fault")}
        assert sum(map(len, levels.values())) == len(lines)
        counts = [int(part.split()[0]) for part in last.split(", ")]
        assert counts == [len(levels["fault"]), len(levels["warning"])]
        assert code == (1 if levels["fault"] else 0)
        return levels

    return run


def one(lines, *words):
    found = [line for line in lines if all(word in line for word in words)]
    assert len(found) == 1, (words, lines)
    return found[0]


def test_where_all_fits_together_nothing_is_at_fault(run, library):
    said = run()
    assert said["fault"] == said["warning"] == []
    for words in ("answers, and lets us in", "6 scenes", "All path rules", "reaches it", 'used by "Scenes"', "5 of 5"):
        one(said["ok"], words)
    one(said["ok"], "A picture is reachable")


def test_odd_settings_are_warnings(run, library):
    one(run(["Setting S2P_PORT: odd"])["warning"], "S2P_PORT: odd")


def test_a_path_rule_that_does_not_lead_back_is_a_fault(run, library):
    rules = [{"rule": "/data => /plex", "test_plex_path": "/plex/1.mp4", "test_stash_path": "/elsewhere/1.mp4"}]
    said = run(path_rules=rules)
    one(said["fault"], "Path rule 1", "disabled")
    one(said["warning"], "5 by the end")


def test_a_stash_that_refuses_the_key_or_is_away_is_a_fault(run, library):
    said = run(stash_api_key="wrong")
    one(said["fault"], "S2P_STASH_API_KEY")
    one(said["ok"], "Plex knows this provider")
    one(run(stash_url="http://127.0.0.1:1")["fault"], "S2P_STASH_URL")


def test_an_address_that_is_missing_or_does_not_answer_is_a_fault(run, library):
    one(run(base_url="")["fault"], "S2P_BASE_URL is missing")
    one(run(base_url="http://127.0.0.1:1")["fault"], "Nothing answers")
    one(run(secret="another-secret")["fault"], "HTTP 404")


def test_without_a_token_plex_is_not_looked_at(run, plex, library):
    plex.clear_requests()
    one(run(plex_token="")["warning"], "Plex itself is not looked at")
    assert plex.count() == 0


def test_a_plex_that_is_away_or_refuses_the_token_is_a_fault(run, plex, library):
    one(run(plex_token="wrong")["fault"], "refused the token")
    plex.down()
    one(run()["fault"], "S2P_PLEX_URL")


def test_a_plex_before_1_43_is_a_fault(run, plex, library):
    plex.version = "1.42.2.10156-f737b826c"
    one(run()["fault"], "update it to 1.43.0")


def test_a_provider_that_plex_does_not_know_is_a_fault(run, plex):
    plex.add_section("Scenes", ["/plex"])
    one(run()["fault"], "does not know this provider", "register")


def test_a_provider_that_plex_knows_elsewhere_is_a_fault(run, service, library):
    one(run(base_url=service.root.replace("127.0.0.1", "localhost"))["fault"], "another address")


def test_a_provider_that_plex_cannot_reach_is_a_fault(run, plex, library):
    next(iter(plex._routes.agents.providers.values())).online = False
    one(run()["fault"], "cannot reach")


def test_a_provider_without_an_agent_is_a_fault(run, plex, library):
    plex._routes.agents.groups.clear()
    one(run()["fault"], "No agent in Plex")


def test_an_agent_that_no_library_uses_is_a_fault(run, plex, service):
    plex.register(service.url)
    plex.add_section("Scenes", ["/plex"])
    one(run()["fault"], "No movie library uses")


def test_a_library_that_is_not_there_is_a_fault(run, library):
    assert [line for line in run(plex_library="Other")["fault"] if "S2P_PLEX_LIBRARY" in line]


def test_a_root_that_plex_does_not_have_is_a_warning(run, library):
    said = run(library_roots="/plex/;/wrong")
    assert "/plex" not in one(said["warning"], "/wrong").replace("/wrong", "")


def test_files_that_lead_to_no_scene_are_shown_with_what_the_rules_made_of_them(run, plex, library):
    plex.add_item(library, file="/plex/unknown.mp4", title="x")
    assert "/data/unknown.mp4" in one(run()["warning"], "5 of 6")


def test_files_that_are_found_by_the_end_of_their_path_only_are_a_warning(run, library):
    one(run(path_rules=())["warning"], "5 of 5", "5 by the end", "S2P_PATH_RULES")


def test_a_plex_none_of_whose_files_is_known_is_a_fault(run, plex, service):
    section = plex.add_section("Scenes", ["/plex"], agent_id=plex.register(service.url))
    plex.add_item(section, file="/plex/unknown.mp4", title="x")
    one(run(path_rules=())["fault"], "0 of 1", "S2P_PATH_RULES")


def test_a_library_without_items_is_a_warning(run, plex, service):
    plex.add_section("Scenes", ["/plex"], agent_id=plex.register(service.url))
    one(run()["warning"], "no items yet")


def test_a_scene_without_a_cover_is_a_warning(run, plex, service):
    section = plex.add_section("Scenes", ["/plex"], agent_id=plex.register(service.url))
    plex.add_item(section, file="/plex/bare.mp4", title="bare")
    one(run()["warning"], "no cover in Stash")


def test_pictures_at_an_address_where_nobody_is_are_a_fault(run, library):
    one(run(image_base_url="http://127.0.0.1:1")["fault"], "S2P_IMAGE_BASE_URL", "does not answer")


@pytest.mark.parametrize(
    ("version", "warned"), [("1.43.4.1-a", False), ("1.43.5.1-a", True), ("1.44.0.1-a", True), ("2.0.0", True)]
)
def test_cast_photos_at_a_private_address_are_a_warning_since_plex_refuses_them(
    run, plex, service, library, version, warned
):
    plex.version = version
    assert ("since 1.43.5" in "".join(run(image_base_url=service.root)["warning"])) == warned


@pytest.mark.parametrize(("secret", "fault"), [("", True), (SECRET, False)])
def test_an_address_that_is_open_to_the_world_needs_a_secret(monkeypatch, secret, fault):
    monkeypatch.setattr(findings.address, "fault", lambda settings: "")
    settings = Settings(stash_url="http://stash:9999", base_url="http://8.8.8.8:9090", secret=secret)
    levels = [finding.level for finding in findings.of_address(settings)]
    assert ("fault" in levels) == fault


def test_a_loopback_address_is_a_warning_when_plex_is_elsewhere(monkeypatch):
    monkeypatch.setattr(findings.address, "fault", lambda settings: "")
    settings = Settings(stash_url="http://stash", base_url="http://localhost:9090", plex_url="http://192.168.1.2:32400")
    assert [finding.level for finding in findings.of_address(settings)] == ["ok", "warning"]


def test_the_doctor_changes_nothing_in_plex(run, plex, library):
    plex.clear_requests()
    run()
    assert {entry.method for entry in plex.requests()} == {"GET"}


def command(service, plex, name):
    """What a command in the shell says, and its exit code."""
    env = {**service.env, "S2P_BASE_URL": service.root, "S2P_PLEX_URL": plex.url, "S2P_PLEX_TOKEN": plex.token}
    done = subprocess.run(
        [sys.executable, "-m", "provider", name], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
    )
    print(done.stdout, done.stderr)
    assert SECRET not in done.stdout + done.stderr
    return done.returncode, done.stdout


def test_registered_by_the_command_plex_shows_what_stash_holds_and_the_doctor_is_content(plex, service):
    section = plex.add_section("Scenes", ["/plex"])
    code, said = command(service, plex, "register")
    assert code == 0 and 'the library "Scenes"' in said
    plex.choose_agent(section, str(next(iter(plex._routes.agents.groups))))
    plex.lay_file(section, "/plex/3.mp4", 1000)
    PlexServer(plex.url, plex.token).library.sectionByID(int(section)).update()
    assert plex.agents_done()
    assert [item["title"] for item in plex.items().values()] == ["3"]
    assert next(iter(plex.items().values()))["guid"].endswith("://movie/5")
    code, said = command(service, plex, "doctor")
    assert code == 0 and "1 of 1 files of Plex" in said
