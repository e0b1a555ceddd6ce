"""Requests to Plex: few, paged, and never one that edits more than one item."""

from __future__ import annotations

import pytest

from plex.client import BATCH_ITEMS
from tests.doubles.plex_server import PlexDouble
from validation.errors import Kind, Trouble


def fill(plex, section, count):
    rows = [{"file": f"/media/{number}.mp4", "size": number, "title": str(number)} for number in range(count)]
    return plex.add_items(section, rows)


def kind_of(call, *arguments):
    with pytest.raises(Trouble) as raised:
        call(*arguments)
    return raised.value.kind


def test_the_health_probe_needs_no_token(plex, connect):
    assert connect(plex.url, "wrong").identity() == plex.machine_id
    assert [entry.path for entry in plex.requests()] == ["/identity"]


@pytest.mark.parametrize("machine", ["", None])
def test_a_server_without_identity_is_not_plex(plex, connect, machine):
    plex.machine_id = machine
    assert kind_of(connect(plex.url).identity) is Kind.UNREACHABLE
    assert kind_of(connect(plex.url).machine) is Kind.UNREACHABLE


@pytest.mark.parametrize("fault", ["html", "json", "empty", "other_root", "truncated"])
def test_an_answer_of_something_else_is_not_plex(plex, connect, fault):
    plex.faults.add(fault, times=None)
    assert kind_of(connect(plex.url).identity) is Kind.UNREACHABLE
    assert kind_of(connect(plex.url).machine) is Kind.UNREACHABLE


def test_a_wrong_token_is_refused_and_a_guest_may_not_write(plex, connect, section):
    key = plex.add_item(section, file="/media/a.mp4")
    assert kind_of(connect(plex.url, "wrong").sections) is Kind.REFUSED
    guest = connect(plex.url, plex.guest_token)
    assert guest.sections() and kind_of(guest.edit, section, key, "title.value=x") is Kind.REFUSED


def test_the_server_is_asked_once_who_it_is(plex, client):
    assert [client.machine() for _ in range(3)] == [plex.machine_id] * 3
    assert (client.requests, plex.count()) == (1, 1)


def test_sections_come_with_their_folders(plex, client):
    plex.add_section("A", ["/a", "/b"])
    plex.add_section("B", ["/c"], type="show")
    found = [(section.key, section.title, section.type, section.locations) for section in client.sections()]
    assert found == [("1", "A", "movie", ("/a", "/b")), ("2", "B", "show", ("/c",))]


def test_whole_items_come_in_batches(plex, client, section):
    keys = fill(plex, section, 2 * BATCH_ITEMS + 1)
    client.machine()
    before = client.requests
    items = client.items(keys)
    assert list(items) == keys and client.requests - before == 3
    assert items[keys[7]].title == "7" and items[keys[7]].section == section


def test_unknown_keys_are_absent(plex, client, section):
    (key,) = fill(plex, section, 1)
    assert list(client.items([key, "999"])) == [key]
    assert client.items(["998", "999"]) == {} and client.items([]) == {}


def test_a_whole_item_has_all_its_tags_although_listings_cut_them(plex, client, section):
    names = [f"tag {number}" for number in range(30)]
    key = plex.add_item(section, file="/media/a.mp4", genres=names, actors=names)
    item = client.items([key])[key]
    assert list(item.lists["genre"]) == names and list(item.lists["actor"]) == names


@pytest.mark.parametrize("page_cap", [None, 7, 50])
def test_a_walk_sees_every_item_once_whatever_page_the_server_gives(plex, client, section, page_cap):
    keys = fill(plex, section, 50)
    plex.page_cap = page_cap
    client.machine()
    before = client.requests
    seen = [item.key for page in client.walk(section) for item in page]
    assert sorted(seen, key=int) == keys
    assert client.requests - before == -(-50 // (page_cap or 1000))


def test_a_walk_through_an_empty_section_ends(plex, client, section):
    assert [item for page in client.walk(section) for item in page] == []


def test_a_server_that_insists_on_a_page_size_gets_one(plex, client, section):
    plex.require_size = True
    (key,) = fill(plex, section, 1)
    assert [item.key for page in client.walk(section) for item in page] == [key]
    assert client.newest(section) and client.find_file(section, "0.mp4")


def test_a_file_is_found_by_its_base_name_whatever_is_in_it(plex, client, section):
    for name in ("a & b.mp4", "c#d?.mp4", "é %41+.mp4", "e;f.mp4"):
        key = plex.add_item(section, file=f"/media/{name}", size=5)
        assert [item.key for item in client.find_file(section, name)] == [key]
    assert client.find_file(section, "none.mp4") == []


def test_the_newest_items_come_first(plex, client, section):
    keys = [plex.add_item(section, file=f"/media/{n}.mp4", addedAt=str(1000 + n)) for n in range(5)]
    assert [item.key for item in client.newest(section, 2)] == [keys[4], keys[3]]
    assert client.newest(section, 1)[0].added_at == 1004


def test_an_edit_is_one_put_that_names_its_item(plex, client, section):
    first, second = fill(plex, section, 2)
    client.machine()
    before = client.requests
    client.edit(section, first, "title.value=new%20%26%20bold&genre%5B0%5D.tag.tag=g")
    assert client.requests - before == 1
    (put,) = [entry for entry in plex.requests() if entry.method == "PUT"]
    assert (put.args["id"], put.args["type"]) == (first, "1")
    assert (plex.item(first)["title"], plex.item(first)["genres"]) == ("new & bold", ["g"])
    assert plex.item(second)["title"] == "1" and plex.whole_section_edits() == []


@pytest.mark.parametrize(
    ("section_key", "key"),
    [("1", ""), ("1", "1,2"), ("1", "x"), ("1", "1&id="), ("", "1"), ("1/../2", "1"), ("1", "-1")],
)
def test_an_edit_that_could_mean_more_than_one_item_is_not_sent(plex, client, section, section_key, key):
    fill(plex, section, 2)
    assert kind_of(client.edit, section_key, key, "title.value=x") is Kind.PERMANENT
    assert plex.count("PUT") == 0 and {row["title"] for row in plex.items().values()} == {"0", "1"}


def test_an_edit_of_an_item_that_is_gone_is_a_stale_match(plex, client, section):
    plex.unknown_id_status = 404
    assert kind_of(client.edit, section, "999", "title.value=x") is Kind.STALE_MATCH


@pytest.mark.parametrize("fault", ["html", "json", "other_root"])
def test_an_edit_answered_by_something_else_did_not_happen(plex, client, section, fault):
    (key,) = fill(plex, section, 1)
    client.machine()
    plex.faults.add(fault, method="PUT")
    assert kind_of(client.edit, section, key, "title.value=x") is Kind.UNREACHABLE


@pytest.mark.parametrize("status", [400, 404])
def test_a_refused_edit_is_what_its_status_says(plex, client, section, status):
    (key,) = fill(plex, section, 1)
    plex.faults.add("status", status=status, method="PUT")
    expected = {400: Kind.PERMANENT, 404: Kind.STALE_MATCH}[status]
    assert kind_of(client.edit, section, key, "title.value=x") is expected


def test_our_identifier_is_sent_and_stays_the_same(plex, connect):
    seen = set()
    inner = plex._routes.respond
    plex._routes.respond = lambda request: seen.add(request.headers.get("x-plex-client-identifier")) or inner(request)
    connect(plex.url).machine()
    connect(plex.url).sections()
    assert seen == {"test-identifier"}


def test_a_closed_client_connects_again(plex, client, section):
    client.sections()
    client.close()
    assert client.sections()[0].key == section


def test_control_characters_in_an_answer_do_not_make_it_unreadable(plex, client, section):
    key = plex.add_item(section, file="/media/a.mp4", title="a\x00b\x1fc")
    assert client.items([key])[key].title == "abc"


def test_two_clients_of_two_servers_do_not_meet(plex, connect):
    with PlexDouble(token="other", machine_id="f" * 40) as other:
        assert connect(other.url, "other").machine() == "f" * 40
        assert connect(plex.url).machine() == plex.machine_id
