"""Values as Go writes them: what plugins read on stdin and what the log shows."""

import json
import re
from typing import Any


def go_json(value: Any, sort_keys: bool = False) -> bytes:
    """JSON as Go's encoder writes it: UTF-8 as it is, HTML characters escaped, no lone surrogates.

    Go sorts the keys of a map, and keeps those of a struct in their order.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return re.sub("[\ud800-\udfff]", "\ufffd", text).encode("utf-8")


def go_text(value: Any) -> str:
    """A decoded JSON value as `%v` prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(map(go_text, value)) + "]"
    return format(value, "g") if isinstance(value, float) else str(value)


def go_error(error: Exception) -> str:
    """What went wrong with a file, in Go's words but without the path."""
    return (getattr(error, "strerror", None) or "invalid argument").lower()
