"""The Plex double answers with the elements, attributes and headers that a real server was recorded with."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.doubles.plex_server import PlexDouble

BESIDE = Path(__file__).parents[2].parent / "shared" / "reference"
REFERENCE = Path(os.environ.get("STASH2PLEX_REFERENCE") or BESIDE)
FOLDER = REFERENCE / "plex-recordings"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no recordings of a Plex server in {FOLDER}: set STASH2PLEX_REFERENCE"
)

# Anonymised away in the recordings, present on a server: plex.md A.1 to A.3 and Plex's own examples.
SCRUBBED = {
    "/ MediaContainer/Directory": {"key"},
    "/library MediaContainer/Directory": {"key"},
    "/library/sections MediaContainer/Directory": {"art", "composite", "thumb", "uuid", "updatedAt"},
    "/library/sections/1/all MediaContainer/Video": {"addedAt", "updatedAt"},
}
FIXED_HEADERS = (
    "cache-control",
    "connection",
    "content-type",
    "keep-alive",
    "x-plex-protocol",
    "x-plex-container-start",
    "x-plex-container-total-size",
)


def interactions() -> list[Any]:
    """Return every different recorded request with its answer."""
    found = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        for each in yaml.safe_load(path.read_text(encoding="utf-8"))["interactions"]:
            url = urlsplit(each["request"]["uri"])
            accept = each["request"]["headers"]["Accept"][0]
            found.setdefault(f"{url.path}?{url.query} {accept}", each)
    return [pytest.param(each, id=name) for name, each in found.items()]


@pytest.fixture(scope="module")
def plex() -> Iterator[PlexDouble]:
    with PlexDouble(token="FAKE_PLEX_TOKEN") as double:
        section = double.add_section("Movies", ["/media/Movies"])
        double.add_item(
            section,
            file="/media/Movies/Test Movie H264 (2024)/Test Movie H264 (2024).mkv",
            size=12213299,
            title="Test Movie: G-BOAF",
            originallyAvailableAt="2025-01-01",
            duration=30023,
            guid="plex://movie/68e62cc50d1f89b18a4e533d",
            slug="test-movie-g-boaf",
            part={"indexes": "sd"},
            genres=["Action"],
            countries=["United Kingdom"],
            directors=["James P Savage"],
            writers=["James P Savage"],
            actors=["Sushma H", "Steven Morrison", "James P Savage"],
        )
        yield double


def send(plex: PlexDouble, request: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """Send a recorded request to the double; return status, headers by lower-case name, and plain body."""
    url = urlsplit(request["uri"])
    connection = http.client.HTTPConnection(plex.url[len("http://") :], timeout=10)
    headers = {name: values[0] for name, values in request["headers"].items()}
    connection.request(request["method"], f"{url.path}?{url.query}".rstrip("?"), headers=headers)
    answer = connection.getresponse()
    body, found = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    return answer.status, found, gzip.decompress(body) if found.get("content-encoding") == "gzip" else body


def attributes(root: ET.Element) -> dict[str, set[str]]:
    """Return the attribute names at each level, by the path of element names."""
    found: dict[str, set[str]] = {}

    def visit(element: ET.Element, path: str) -> None:
        found.setdefault(path, set()).update(element.attrib)
        for child in element:
            visit(child, f"{path}/{child.tag}")

    visit(root, root.tag)
    return found


@pytest.mark.parametrize("interaction", interactions())
def test_status_and_headers_are_those_of_the_recording(plex: PlexDouble, interaction: Any) -> None:
    status, headers, _ = send(plex, interaction["request"])
    recorded = {name.lower(): values[0] for name, values in interaction["response"]["headers"].items()}
    assert status == interaction["response"]["status"]["code"]
    # The recorder unpacked the bodies and took this header away.
    assert set(headers) - {"content-encoding"} == set(recorded)
    fixed = [name for name in FIXED_HEADERS if name in recorded]
    assert {name: headers[name] for name in fixed} == {name: recorded[name] for name in fixed}


@pytest.mark.parametrize("interaction", interactions())
def test_elements_and_attributes_are_those_of_the_recording(plex: PlexDouble, interaction: Any) -> None:
    recorded = interaction["response"]["body"]["string"]
    _, _, body = send(plex, interaction["request"])
    if not recorded:
        assert body == b""
    elif recorded.startswith("<"):
        compare_xml(urlsplit(interaction["request"]["uri"]).path, ET.fromstring(recorded), ET.fromstring(body))
    else:
        compare_json(json.loads(recorded)["MediaContainer"], json.loads(body)["MediaContainer"])


def compare_xml(path: str, recorded: ET.Element, ours: ET.Element) -> None:
    expected, found = attributes(recorded), attributes(ours)
    assert set(found) == set(expected)
    for level, names in expected.items():
        assert names - found[level] == set(), f"missing at {level}"
        assert found[level] - names - SCRUBBED.get(f"{path} {level}", set()) == set(), f"unknown at {level}"


def compare_json(recorded: dict[str, Any], ours: dict[str, Any]) -> None:
    # The recording's anonymiser emptied the lists; their length cannot be compared, their type can.
    assert types(ours) == types(recorded)


def types(document: dict[str, Any]) -> dict[str, type]:
    """Return the type of each value."""
    return {name: type(value) for name, value in document.items()}


def test_a_count_of_the_recorded_listing_is_the_count_of_the_double(plex: PlexDouble) -> None:
    for param in interactions():
        interaction = param.values[0]
        recorded = interaction["response"]["body"]["string"]
        if recorded.startswith("<") and "/all" in interaction["request"]["uri"]:
            ours = ET.fromstring(send(plex, interaction["request"])[2])
            assert [child.tag for child in ours] == [child.tag for child in ET.fromstring(recorded)]
            assert ours.get("totalSize") == ET.fromstring(recorded).get("totalSize")
