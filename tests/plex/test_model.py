"""Values read from Plex's XML: what is there, and nothing invented for what is not."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from plex.model import LIST_ELEMENTS, PlexFile, number, read_item, read_listed, read_section

ITEM = """
<Video ratingKey="7" librarySectionID="3" title="T" studio="S" summary="a&#10;b" tagline="C" addedAt="99"
       originallyAvailableAt="2024-01-02">
  <Media><Part file="/m/a.mp4" size="5"/><Part file="/m/a2.mp4"/></Media>
  <Media proxyType="42"><Part file="/m/Optimized.mp4" size="1"/></Media>
  <Media><Part size="9"/></Media>
  <Genre tag="a,b"/><Genre tag=""/><Genre/><Role tag="P &amp; Q"/><Director tag="D"/><Collection tag="S"/>
  <Field locked="1" name="title"/><Field locked="0" name="studio"/><Field locked="1" name="genre"/>
</Video>
"""


def test_a_whole_item_is_read():
    item = read_item(fromstring(ITEM))
    assert (item.key, item.section, item.title, item.added_at) == ("7", "3", "T", 99)
    assert item.files == (PlexFile("/m/a.mp4", 5), PlexFile("/m/a2.mp4", 0))
    assert item.lists == {"genre": ("a,b",), "actor": ("P & Q",), "director": ("D",), "collection": ("S",)}
    assert item.scalars["summary"] == "a\nb" and item.locks == {"title", "genre"}


def test_an_empty_item_is_empty():
    item = read_item(fromstring("<Video/>"))
    assert (item.key, item.files, item.locks, item.added_at) == ("", (), frozenset(), 0)
    assert set(item.scalars.values()) == {""} and item.lists == dict.fromkeys(LIST_ELEMENTS, ())


def test_a_listed_item_has_the_section_of_its_listing():
    listed = read_listed(fromstring(ITEM), "8")
    assert (listed.key, listed.section, [file.path for file in listed.files]) == ("7", "8", ["/m/a.mp4", "/m/a2.mp4"])


def test_a_section_is_read_with_its_folders():
    folders = '<Location path="/a"/><Location path="/b"/>'
    xml = f'<Directory key="1" title="M" type="movie" refreshing="1">{folders}</Directory>'
    section = read_section(fromstring(xml))
    assert (section.key, section.title, section.type, section.locations, section.refreshing) == (
        "1",
        "M",
        "movie",
        ("/a", "/b"),
        True,
    )


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), (None, 0), ("", 0), ("x", 0), ("1.5", 0), ("9" * 19, int("9" * 19))]
)
def test_a_number_is_a_number_or_zero(text, value):
    assert number(text) == value
