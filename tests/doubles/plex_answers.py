"""Answers of the double before they are bytes, and the names of its addresses."""

from __future__ import annotations

from typing import Any, Union

from tests.doubles.plex_filters import Page
from tests.doubles.plex_http import Request, Response
from tests.doubles.plex_render import JSON_TYPE, XML_TYPE, Element, to_json, to_xml

Answer = Union[Response, Element, tuple[Element, Page]]
_LISTS = ("sections", "metadata", "collections", "parts")


class HttpError(Exception):
    """Ends a request with an error page."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


def menu(title: str, children: list[Element]) -> Element:
    """Write a container of directories."""
    return Element("MediaContainer", {"size": len(children), "allowSync": False, "title1": title}, children)


def segments(path: str) -> list[str]:
    """Split a path into its segments."""
    text = path.strip("/")
    return text.split("/") if text else []


def shape(keys: list[str]) -> str:
    """Return the address with its keys replaced by stars: the name of a row in the table."""
    found = list(keys)
    if len(found) > 2 and found[0] == "library" and found[1] in _LISTS:
        found[2] = "*"
    if found[:1] == ["media"]:
        found = ["*" if each.isdigit() else each for each in found]
    if len(found) > 4:
        found[4] = "*"
    return "/".join(found)


def trim(request: Request, children: list[Element]) -> list[Element]:
    """Leave out what ``excludeElements`` and ``excludeFields`` name."""
    args = request.args
    names = set(args.get("excludeElements", "").split(",")) - {""}
    fields = set(args.get("excludeFields", "").split(",")) - {""}
    for child in children if names or fields else ():
        child.children = [each for each in child.children if each.name not in names]
        child.attrs = {name: value for name, value in child.attrs.items() if name not in fields}
    return children


def finish(request: Request, answer: Answer) -> Response:
    """Turn an answer into the type that the client asked for, counts first."""
    if isinstance(answer, Response):
        return answer
    headers: dict[str, str] = {}
    root = answer
    if isinstance(answer, tuple):
        root, cut = answer
        counts: dict[str, Any] = {"size": len(cut.items)}
        if cut.start is not None:
            counts.update(totalSize=cut.total, offset=cut.start)
            headers = {"X-Plex-Container-Start": str(cut.start), "X-Plex-Container-Total-Size": str(cut.total)}
        root.attrs = {**counts, **root.attrs}
    assert isinstance(root, Element)
    if request.wants_json:
        return Response(200, JSON_TYPE, to_json(root), headers)
    return Response(200, XML_TYPE, to_xml(root), headers)
