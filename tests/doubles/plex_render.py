"""Elements, and how Plex writes them: XML by default, JSON on request."""

from __future__ import annotations

import json
from typing import Any, Optional

XML_TYPE = "text/xml;charset=utf-8"
JSON_TYPE = "application/json"
_XML_ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "\n": "&#10;",
        "\r": "&#13;",
        "\t": "&#9;",
    }
)
_JSON_NAMES = {"Video": "Metadata", "Photo": "Metadata"}
_JSON_OBJECTS = frozenset({"UltraBlurColors"})


class Element:
    """A node with typed attributes; None means absent."""

    __slots__ = ("name", "attrs", "children", "json_name")

    def __init__(
        self,
        name: str,
        attrs: dict[str, Any],
        children: Optional[list[Element]] = None,
        json_name: str = "",
    ) -> None:
        self.name = name
        self.attrs = attrs
        self.children = children or []
        self.json_name = json_name or _JSON_NAMES.get(name, name)


def to_xml(root: Element) -> bytes:
    """Write a document as Plex does: one element per line."""
    out = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write_xml(root, out)
    return "".join(out).encode("utf-8", "replace")


def _write_xml(element: Element, out: list[str]) -> None:
    out.append("<" + element.name)
    for name, value in element.attrs.items():
        if value is not None:
            out.append(f' {name}="{_xml_value(value)}"')
    if not element.children:
        out.append("/>\n" if element.name != "MediaContainer" else ">\n</MediaContainer>\n")
        return
    out.append(">\n")
    for child in element.children:
        _write_xml(child, out)
    out.append(f"</{element.name}>\n")


def _xml_value(value: Any) -> str:
    if isinstance(value, str):
        return value.translate(_XML_ESCAPES)
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def to_json(root: Element) -> bytes:
    """Write a document as JSON; lists of children stand under their JSON names."""
    text = json.dumps({root.name: _json_value(root)}, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace")


def _json_value(element: Element) -> dict[str, Any]:
    made = {name: value for name, value in element.attrs.items() if value is not None}
    for child in element.children:
        if child.name in _JSON_OBJECTS:
            made[child.json_name] = _json_value(child)
        else:
            made.setdefault(child.json_name, []).append(_json_value(child))
    return made


def error_page(status: int, reason: str) -> bytes:
    """Write the small HTML page that Plex sends for every error, also to JSON clients (plex.md A.0)."""
    text = f"{status} {reason}"
    return f"<html><head><title>{reason}</title></head><body><h1>{text}</h1></body></html>".encode()
