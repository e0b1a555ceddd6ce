"""Who may ask for what: the host they named, the secret in the path, where they are, and from which web page.

Below the secret live Plex's routes and our reports; the health routes and the pictures are always at the root. Nothing
here depends on a body, so whoever may not ask is refused before anything is read.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from provider.contract import MATCHES, METADATA
from provider.settings import Settings

NOT_FOUND = "There is nothing at this address"
LOCAL = frozenset(("localhost", "127.0.0.1", "[::1]"))
ALIVE = ("/livez", "/readyz")  # asked by containers under any name of this computer, and telling nothing
AT_THE_ROOT = (*ALIVE, "/metrics")
IMAGES = "/images/"
REPORTS = frozenset(("gaps", "explain"))
OTHER = "other"

_HOST = re.compile(rb"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_SUBS = frozenset(("images", "extras", "children", "grandchildren"))
_FIXED = frozenset(("/", MATCHES, "/gaps", "/gaps/run", "/explain", *AT_THE_ROOT))
_PICTURES = frozenset(("scene", "performer"))

Fields = Mapping[bytes, bytes]


class Refused(Exception):
    """A request that is not answered by a route: the status and a sentence that shows nothing of the request."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class Way(NamedTuple):
    """Where a request goes: the path as the routes know it, decoded and raw."""

    path: str
    raw_path: bytes


class Reach:
    """What these settings let pass."""

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.secret.get_secret_value().encode()
        base, images = host_of(settings.base_url), host_of(settings.image_base_url)
        self._images_only = images if images != base else ""
        named = frozenset(name if name == "*" else host_of("//" + name) for name in settings.allowed_hosts)
        known = named or (frozenset((base, images)) | LOCAL if base else frozenset("*"))
        self._hosts = None if "*" in known else known - {""}

    def way(self, scope: Mapping[str, Any], fields: Fields) -> Way:
        """Where the request goes; raises `Refused`. ``fields`` are its headers by lower-case name."""
        path = scope["path"]
        if not path.startswith("/"):
            raise Refused(400, "The address has no path")
        self._see_host(_host(scope["headers"], fields), path)
        way = self._below_secret(path, scope.get("raw_path") or path.encode("utf-8", "replace"))
        if not self._secret and way.path.split("/", 2)[1] in REPORTS:
            _see_client(scope, fields)
        if scope["method"] not in ("GET", "HEAD"):
            _see_page(fields)
        return way

    def _see_host(self, host: str, path: str) -> None:
        if host == self._images_only and not path.startswith(IMAGES):
            raise Refused(404, NOT_FOUND)
        if self._hosts is not None and host not in self._hosts and path not in ALIVE:
            raise Refused(421, "This name of the host is not among S2P_ALLOWED_HOSTS")

    def _below_secret(self, path: str, raw_path: bytes) -> Way:
        """Compared as it was sent: Plex encodes nothing of it, and an encoded slash would hide where it ends."""
        if not self._secret or path in AT_THE_ROOT or path.startswith(IMAGES):
            return Way(path, raw_path)
        first, _, rest = raw_path[1:].partition(b"/")
        if not hmac.compare_digest(first, self._secret):
            raise Refused(404, NOT_FOUND)
        return Way(path[1 + len(self._secret) :] or "/", b"/" + rest)


def host_of(url: str) -> str:
    """The host in an address, without port, as `Reach` compares it; an IPv6 address in brackets, "" for none."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return f"[{host}]" if ":" in host else host.rstrip(".")


def template(path: str) -> str:
    """What a path is an example of, for the log and the metrics: no id, no name, nothing that somebody else chose."""
    path = path.rstrip("/") or "/"
    if path in _FIXED:
        return path
    parts = path.split("/")
    if path.startswith(METADATA + "/"):
        sub = "".join("/" + (part if part in _SUBS else OTHER) for part in parts[4:5])
        return METADATA + "/{id}" + sub
    if path.startswith(IMAGES) and len(parts) > 3 and parts[2] in _PICTURES:
        return IMAGES + parts[2] + "/{id}" + ("/poster" if parts[4:] == ["poster"] else "")
    return OTHER


def _host(headers: list[tuple[bytes, bytes]], fields: Fields) -> str:
    """uvicorn takes requests without a host, or with two."""
    found = _HOST.fullmatch(fields.get(b"host", b""))
    if not found or (len(fields) != len(headers) and sum(name == b"host" for name, _ in headers) > 1):
        raise Refused(400, "The request does not name one host")
    return found[1].decode("ascii").lower().rstrip(".")


def _see_client(scope: Mapping[str, Any], fields: Fields) -> None:
    """Without a secret, reports are for this network only. Whoever a proxy asks for has to be near as well."""
    client = scope.get("client")
    addresses = [client[0] if client else "", *fields.get(b"x-forwarded-for", b"").decode("latin-1").split(",")]
    if not all(_near(address.strip()) for address in addresses if address or not client):
        raise Refused(403, "Reports are for this network only, unless S2P_SECRET is set")


def _near(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_private or found.is_loopback or found.is_link_local


def _see_page(fields: Fields) -> None:
    """Browsers send forms of any web page to any address, but they say which page it was."""
    site, origin = fields.get(b"sec-fetch-site"), fields.get(b"origin")
    if site is not None:
        foreign = site not in (b"same-origin", b"none")
    else:
        foreign = origin is not None and origin.partition(b"//")[2].lower() != fields[b"host"].lower()
    if foreign:
        raise Refused(403, "Another web page may not ask for this")
