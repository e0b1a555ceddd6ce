"""Control of the double over HTTP under /_double/, for tests and tools in another process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.doubles.plex_faults import Delivery, whole
from tests.doubles.plex_http import Request, Response
from tests.doubles.plex_render import JSON_TYPE

if TYPE_CHECKING:
    from tests.doubles.plex_server import PlexDouble

PREFIX = "/_double"
METHODS = frozenset(
    {
        "add_section",
        "add_item",
        "add_items",
        "promise_items",
        "item",
        "items",
        "remove_item",
        "move_item",
        "refresh_item",
        "lay_file",
        "rate_item",
        "give_picture",
        "select_picture",
        "set_refreshing",
        "register",
        "choose_agent",
        "agents_done",
        "provider_calls",
        "provider_refusals",
        "requests",
        "count",
        "clear_requests",
        "scans",
        "uploads",
        "whole_section_edits",
        "down",
        "up",
        "get",
        "set",
    }
)
FAULTS = frozenset({"add", "clear", "left"})


def control(double: PlexDouble, request: Request) -> Delivery:
    """Answer a control request: GET tells where control lives, POST runs one call or a list of them."""
    if request.method == "GET":
        return _reply(200, {"url": double.url, "control": double.control_url, "machine_id": double.machine_id})
    try:
        wanted = json.loads(request.body)
        if isinstance(wanted, list):
            return _reply(200, {"results": [_run(double, call) for call in wanted]})
        return _reply(200, {"result": _run(double, wanted)})
    except Exception as problem:
        # The caller in the other process raises what went wrong here.
        return _reply(400, {"error": f"{type(problem).__name__}: {problem}"})


def _run(double: PlexDouble, call: Mapping[str, Any]) -> Any:
    name = str(call["call"])
    owner, _, method = name.rpartition(".")
    if owner == "faults" and method in FAULTS:
        target: Any = double.faults
    elif not owner and method in METHODS:
        target = double
    else:
        raise ValueError(f"no call named {name}")
    if name == "down" and not double.control_url:
        raise ValueError("down needs a double with a control port")
    positional: list[Any] = call.get("positional", [])
    named: dict[str, Any] = call.get("args", {})
    return getattr(target, method)(*positional, **named)


def _reply(status: int, document: Any) -> Delivery:
    body = json.dumps(document, default=str).encode()
    return whole(Request("GET", PREFIX, {}, b"", 0), Response(status, JSON_TYPE, body))
