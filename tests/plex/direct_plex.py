"""The Plex double without sockets, with the methods of our client that a push needs: fast enough for hypothesis."""

from __future__ import annotations

from plexapi.utils import parseXMLString

from plex.model import PlexItem, read_item
from tests.doubles.plex_http import Request
from tests.doubles.plex_server import PlexDouble
from validation.errors import Kind, Trouble


class DirectPlex:
    """``puts`` are the arguments of the edits that came, oldest first."""

    def __init__(self, mode: str, **switches: object) -> None:
        self.double = PlexDouble(mode=mode, **switches)
        self.section = self.double.add_section("Movies", ["/media"])
        self.puts: list[str] = []

    def add(self, **values: object) -> str:
        return self.double.add_item(self.section, file="/media/a.mp4", size=5, **values)

    def item(self, key: str) -> PlexItem:
        return self.items([key])[key]

    def items(self, keys: list[str]) -> dict[str, PlexItem]:
        answer = self._ask("GET", "/library/metadata/" + ",".join(keys))
        return {item.key: item for item in map(read_item, parseXMLString(answer.decode()).iterfind("Video"))}

    def edit(self, section: str, key: str, arguments: str) -> None:
        self.puts.append(arguments)
        self._ask("PUT", f"/library/sections/{section}/all?type=1&id={key}&{arguments}")

    def rate(self, key: str, value: str) -> None:
        self._ask("PUT", f"/:/rate?key={key}&identifier=com.plexapp.plugins.library&rating={value or '-1'}")

    def _ask(self, method: str, target: str) -> bytes:
        headers = {"x-plex-token": self.double.token}
        response = self.double._routes.respond(Request(method, target, headers, b"", 0))
        if response.status == 200:
            return response.body
        raise Trouble(Kind.TOO_LARGE if response.status in (413, 414, 431) else Kind.UNEXPECTED, str(response.status))
