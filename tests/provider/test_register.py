"""Registering: Plex ends up knowing the provider and an agent of it, however often and from wherever it is done."""

from __future__ import annotations

import asyncio

import pytest

from provider import register
from provider.contract import IDENTIFIER
from provider.settings import Settings
from tests.canaries import PLEX_TOKEN
from tests.doubles.plex_agents_stub import StubProvider

SECRET = "a-path-that-nobody-knows"


@pytest.fixture
def stub():
    with StubProvider("/" + SECRET) as provider:
        yield provider


@pytest.fixture
def run(plex, stub):
    """Registers with these settings; the exit code, and all that was said."""

    def run(**values):
        given = {"stash_url": "http://stash:9999", "plex_url": plex.url, "plex_token": PLEX_TOKEN}
        settings = Settings(**{**given, "base_url": stub.home, "secret": SECRET, **values})
        said = []
        code = register.register(settings, said.append)
        assert SECRET not in "\n".join(said) and PLEX_TOKEN not in "\n".join(said)
        return code, "\n".join(said)

    return run


def known(plex):
    """The addresses of the providers that Plex knows, and its agents with the identifier that comes first."""
    agents = plex._routes.agents
    return (
        [provider.calls.url for provider in agents.providers.values()],
        [(group.title, group.primary.identifier) for group in agents.groups.values()],
    )


def test_plex_knows_the_provider_and_an_agent_of_it(plex, stub, run):
    code, said = run()
    assert code == 0 and known(plex) == ([stub.url], [("Stash2Plex", IDENTIFIER)])
    assert "Left to do" in said and 'agent "Stash2Plex"' in said


def test_doing_it_again_changes_nothing(plex, stub, run):
    run()
    before = known(plex)
    code, said = run()
    assert code == 0 and known(plex) == before and "already" in said


def test_a_provider_that_has_moved_is_found_again_and_no_second_one_is_made(plex, stub, run):
    run()
    with StubProvider("/" + SECRET) as elsewhere:
        code, _ = run(base_url=elsewhere.home)
        assert code == 0 and known(plex) == ([elsewhere.url], [("Stash2Plex", IDENTIFIER)])


def test_an_agent_that_a_person_has_made_is_enough(plex, stub, run):
    plex.register(stub.url, "Mine")
    assert run()[0] == 0 and known(plex)[1] == [("Mine", IDENTIFIER)]


def test_other_providers_and_agents_stay_as_they_are(plex, stub, run):
    with StubProvider(identifier="tv.plex.agents.custom.other") as other:
        plex.register(other.url, "Other")
        assert run()[0] == 0
        assert known(plex) == ([other.url, stub.url], [("Other", other.identifier), ("Stash2Plex", IDENTIFIER)])


def test_a_library_that_uses_the_agent_is_named_and_nothing_is_left_to_do(plex, stub, run):
    agent = plex.register(stub.url)
    plex.add_section("Scenes", ["/media"], agent_id=agent)
    said = run()[1]
    assert 'The library "Scenes" uses the agent' in said and "Left to do" not in said


def test_the_library_to_be_set_is_named(plex, run):
    plex.add_section("Films", ["/a"])
    plex.add_section("Scenes", ["/b"])
    assert 'the library "Scenes"' in run(plex_library="scenes")[1]


@pytest.mark.parametrize("lacking", ["plex_url", "plex_token"])
def test_without_plex_s_address_or_token_everything_is_to_click(plex, run, lacking):
    code, said = run(**{lacking: ""})
    assert code == 1 and known(plex) == ([], [])
    assert "Add Provider" in said and "Add Agent" in said and "<S2P_SECRET>" in said


def test_a_plex_that_is_too_old_is_named_and_everything_is_to_click(plex, run):
    plex.version = "1.42.2.10156-f737b826c"
    code, said = run()
    assert code == 1 and "1.43.0" in said and "Add Provider" in said


def test_a_wrong_token_is_named(plex, run):
    code, said = run(plex_token="wrong")
    assert code == 1 and "refused the token" in said and known(plex) == ([], [])


def test_a_provider_that_plex_cannot_reach_is_refused_with_what_to_look_at(plex, run):
    plex._routes.agents.ask = lambda uri: (_ for _ in ()).throw(refusal())
    code, said = run()
    assert code == 1 and "Plex refuses the address" in said and "S2P_BASE_URL" in said


def refusal():
    from tests.doubles.plex_answers import HttpError

    return HttpError(400)


def test_a_plex_that_is_away_is_named(plex, run):
    plex.down()
    code, said = run()
    assert code == 1 and "Plex cannot be reached" in said


# what is looked at before Plex is told


def test_without_a_base_url_there_is_nothing_to_register(plex, run):
    code, said = run(base_url="")
    assert code == 1 and "S2P_BASE_URL is missing" in said and plex.count() == 0


def test_a_provider_that_does_not_run_is_not_registered(plex, run):
    code, said = run(base_url="http://127.0.0.1:1")
    assert code == 1 and "python -m provider" in said and plex.count() == 0


def test_a_secret_that_the_running_provider_does_not_have_is_noticed(plex, run):
    code, said = run(secret="another-secret")
    assert code == 1 and "same S2P_SECRET" in said and "another-secret" not in said and plex.count() == 0


@pytest.mark.parametrize("root", [None, [], {"identifier": "tv.plex.agents.custom.other"}])
def test_something_else_at_the_base_url_is_not_registered(plex, stub, run, root):
    stub.root = root
    code, said = run()
    assert code == 1 and "is not this provider" in said and plex.count() == 0


@pytest.mark.parametrize(("plex_host", "warned"), [("127.0.0.1", False), ("plex.invalid", True)])
def test_a_loopback_address_is_warned_of_when_plex_is_elsewhere(plex, run, plex_host, warned):
    said = run(plex_url=plex.url.replace("127.0.0.1", plex_host))[1]
    assert ("Warning" in said) == warned


def test_the_command_shows_the_warnings_of_the_settings_and_gives_the_exit_code(plex, stub, capsys):
    settings = Settings(stash_url="http://stash:9999", base_url=stub.home, secret=SECRET)
    assert asyncio.run(register.main(settings, ["Setting S2P_PORT: odd"])) == 1
    assert "S2P_PORT: odd" in capsys.readouterr().out
