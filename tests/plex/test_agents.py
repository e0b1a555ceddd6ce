"""What Plex is asked about its metadata agents, in either of the forms it may answer in."""

from __future__ import annotations

import pytest

from plex.agents import Agent, Provider, of_json
from tests.doubles.plex_agents_stub import IDENTIFIER, StubProvider
from validation.errors import Kind, Trouble


@pytest.fixture
def stub():
    with StubProvider("/a/path") as provider:
        yield provider


@pytest.fixture(params=[False, True], ids=["xml", "json"])
def form(request, plex):
    plex.agents_in_json = request.param


def kind_of(call, *arguments):
    with pytest.raises(Trouble) as raised:
        call(*arguments)
    return raised.value.kind


def test_a_provider_is_registered_with_its_path_and_shown_with_what_it_said(form, client, stub):
    assert client.agents.providers() == []
    client.agents.add_provider(stub.url)
    (known,) = client.agents.providers()
    assert known == Provider(known.id, IDENTIFIER, "Stub", stub.url, (1,), True) and known.id.isdigit()


def test_an_agent_has_its_providers_in_their_order(form, client, stub):
    client.agents.add_provider(stub.url)
    client.agents.add("An agent & more", IDENTIFIER)
    (made,) = client.agents.all()
    (known,) = client.agents.providers()
    assert made == Agent(made.id, "An agent & more", IDENTIFIER, (known.id,))


def test_a_provider_that_has_moved_gets_its_new_address(form, client, stub):
    client.agents.add_provider(stub.url)
    (known,) = client.agents.providers()
    with StubProvider() as elsewhere:
        client.agents.change_provider(known.id, elsewhere.url)
        assert [each.uri for each in client.agents.providers()] == [elsewhere.url]


def test_a_provider_that_is_gone_shows_as_offline_once_plex_has_looked(form, client, stub):
    client.agents.add_provider(stub.url)
    stub.gone = True
    client.agents.refresh_providers()
    assert [each.online for each in client.agents.providers()] == [False]
    stub.gone = False
    client.agents.refresh_providers()
    assert [each.online for each in client.agents.providers()] == [True]


def test_what_plex_refuses_changes_nothing(client, stub):
    assert kind_of(client.agents.add, "Agent", IDENTIFIER) is Kind.PERMANENT
    client.agents.add_provider(stub.url)
    assert kind_of(client.agents.add_provider, stub.url) is Kind.PERMANENT
    stub.root["identifier"] = "tv.plex.agents.stash2plex"
    assert kind_of(client.agents.add_provider, stub.url) is Kind.PERMANENT
    assert len(client.agents.providers()) == 1


def test_a_plex_before_1_43_knows_no_providers(plex, client, stub):
    plex.version = "1.42.2.10156-f737b826c"
    assert kind_of(client.agents.providers) is Kind.STALE_MATCH
    assert kind_of(client.agents.all) is Kind.STALE_MATCH
    assert kind_of(client.agents.add_provider, stub.url) is Kind.STALE_MATCH


@pytest.mark.parametrize("fault", ["html", "empty", "other_root", "truncated"])
def test_an_answer_that_is_not_plex_s_is_no_empty_list(plex, client, fault):
    client.machine()
    plex.faults.add(fault, times=None)
    assert kind_of(client.agents.providers) is Kind.UNREACHABLE


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"MediaContainer": []}', '{"MediaContainer": null}', "{" * 100_000])
def test_json_without_a_container_is_not_plex_s(text):
    assert kind_of(of_json, text) is Kind.UNREACHABLE


def test_json_with_rows_of_another_shape_is_read_as_far_as_it_goes(client, monkeypatch):
    rows = [None, 7, {"id": 3, "identifier": ["x"], "MetadataType": {"type": 1}, "online": "1"}]
    monkeypatch.setattr(client.agents, "_ask", lambda method, path: {"MetadataAgentProvider": rows})
    assert client.agents.providers() == [Provider("3", "", "", "", (), True)]


def test_a_library_names_the_agent_it_is_set_to(plex, client, stub):
    agent = plex.register(stub.url)
    plex.add_section("With", ["/a"], agent_id=agent)
    plex.add_section("Without", ["/b"])
    assert {section.title: section.agent_id == agent for section in client.sections()} == {
        "With": True,
        "Without": False,
    }


def test_an_item_that_is_given_an_identity_shows_the_metadata_behind_it(plex, client, stub):
    section = plex.add_section("Movies", ["/media"], agent_id=plex.register(stub.url))
    key = plex.add_item(section, file="/media/a.mp4", title="a")
    (listed,) = next(client.walk(section))
    assert listed.guid == f"local://{key}"
    client.rematch(key, stub.add("12", title="A title & more"), "A name & more")
    assert plex.agents_done() and plex.item(key)["title"] == "A title & more"
    assert next(client.walk(section))[0].guid == client.items([key])[key].guid == f"{IDENTIFIER}://movie/12"


@pytest.mark.parametrize("key", ["", "1,2", "x", "1/../2"])
def test_an_identity_for_more_than_one_item_is_not_sent(plex, client, key):
    assert kind_of(client.rematch, key, "guid", "name") is Kind.PERMANENT
    assert plex.count("PUT") == 0
