"""The address under which this provider is registered at Plex: what it is, who answers there, and who can reach it."""

from __future__ import annotations

import ipaddress
import socket
from typing import Union
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

from provider.contract import Root
from provider.settings import Settings

_Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

WAIT_S = 10.0
STAND_IN = "<S2P_SECRET>"  # stands for the secret wherever an address is shown


def registered(settings: Settings) -> str:
    """The address that Plex has to know, the secret in it."""
    secret = settings.secret.get_secret_value()
    return f"{settings.base_url}/{secret}" if secret else settings.base_url


def spoken(settings: Settings) -> str:
    """The same to show."""
    return f"{settings.base_url}/{STAND_IN}" if settings.secret.get_secret_value() else settings.base_url


def same(one: str, other: str) -> bool:
    """Whether two addresses are the same to Plex, which forgets what follows a question mark."""
    return one.split("?")[0].rstrip("/") == other.split("?")[0].rstrip("/")


def fault(settings: Settings) -> str:
    """What is wrong with what answers at the registered address, asked from here; "" when it is this provider."""
    try:
        with httpx.Client(timeout=WAIT_S, trust_env=False) as client:
            answer = client.get(registered(settings), params={"includePreferences": "1"})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return (
            f"Nothing answers at {spoken(settings)} from here ({type(error).__name__}). Start the provider with "
            "python -m provider, and set S2P_BASE_URL to an address of this computer that Plex can reach"
        )
    if answer.status_code != 200:
        return (
            f"What answers at {spoken(settings)} says HTTP {answer.status_code}. See that S2P_BASE_URL leads to the "
            "provider, and that the running one has the same S2P_SECRET and lets this host in (S2P_ALLOWED_HOSTS)"
        )
    try:
        Root.model_validate_json(answer.content)
    except ValidationError:
        return f"What answers at {spoken(settings)} is not this provider. Correct S2P_BASE_URL"
    return ""


def status(url: str) -> int:
    """The HTTP status of a picture's address, asked as Plex asks; 0 when there is no answer."""
    try:
        with httpx.Client(timeout=WAIT_S, trust_env=False) as client:
            return client.head(url).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        return 0


def is_loopback(url: str) -> bool:
    """Whether the address means the very computer, or container, that asks."""
    host = _host(url)
    return host == "localhost" or any(address.is_loopback for address in _literal(host))


def is_public(url: str) -> bool:
    """Whether the address leads out of this network, as far as can be seen from here."""
    return any(address.is_global for address in _addresses(_host(url)))


def is_private(url: str) -> bool:
    """Whether the address leads to this network, as far as can be seen from here."""
    addresses = _addresses(_host(url))
    return bool(addresses) and not any(address.is_global for address in addresses)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _literal(host: str) -> list[_Address]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        return []


def _addresses(host: str) -> list[_Address]:
    """The addresses behind a name; none when nobody knows it here."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [address for row in found for address in _literal(str(row[4][0]).partition("%")[0])]
