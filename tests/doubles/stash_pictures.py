"""Pictures as Stash gives them: covers, performers' pictures, and what it draws where there are none.

Recorded from Stash 0.30: the ETag is the MD5 of the bytes; ranges and If-None-Match are known, also together, the
latter first. A scene without a cover shows an SVG, a performer without a picture a PNG that depends on the name.
"""

import hashlib
import re
from typing import Optional, Union

from tests.doubles.stash_model import Library

PLACEHOLDER = b'<svg xmlns="http://www.w3.org/2000/svg" width="16" height="9"><path d="M6 2l5 3-5 3z"/></svg>'
KINDS = (
    (b"\xff\xd8", "image/jpeg"),
    (b"\x89PNG", "image/png"),
    (b"RIFF", "image/webp"),
    (b"GIF8", "image/gif"),
    (b"<svg", "image/svg+xml"),
)
SILHOUETTES = 6
NOT_FOUND, NO_PAGE = "Not Found\n", "404 page not found\n"

# A grey pixel.
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)


def silhouette(name: str) -> bytes:
    """One of a few pictures, by the name."""
    number = int(hashlib.md5(name.encode("utf-8", "surrogatepass")).hexdigest(), 16) % SILHOUETTES
    return _PIXEL + bytes([number])


def picture_of(library: Library, kind: str, number: str, what: str, drawn: bool) -> Union[bytes, str]:
    """The bytes at ``/{kind}/{number}/{what}``, or the text of the 404. `drawn`: with ``default=true``."""
    held = library.scenes if kind == "scene" else library.named[kind]
    found = held.get(int(number)) if number.isdigit() else None
    if found is None:
        return NOT_FOUND
    if what != ("screenshot" if kind == "scene" else "image"):
        return NO_PAGE
    if kind == "scene":
        return found.cover or PLACEHOLDER
    return silhouette(found.name) if drawn or not found.picture else found.picture


def answered(content: bytes, held: Optional[str], wanted: Optional[str]) -> tuple[int, bytes, dict[str, str]]:
    """(status, bytes, headers) for the conditions of a request, as Go's server reads them."""
    etag = '"' + hashlib.md5(content).hexdigest() + '"'
    headers = {"ETag": etag}
    if held is not None and (held == "*" or etag in re.findall(r'"[^"]*"', held)):
        return 304, b"", headers
    headers["Content-Type"] = next((name for start, name in KINDS if content.startswith(start)), "text/html")
    headers["Accept-Ranges"] = "bytes"
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted or "")
    if not asked:
        return 200, content, headers
    first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
    if first >= len(content):
        return 416, b"invalid range\n", {"Content-Range": f"bytes */{len(content)}", "Content-Type": "text/plain"}
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return 206, content[first : last + 1], headers
