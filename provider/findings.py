"""What the doctor says, and what it finds out about addresses: this provider's own, and that of its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provider import address
from provider.contract import TITLE
from provider.images import ImageUrls
from provider.scene import Entry
from provider.settings import Settings

OK, WARNING, FAULT = "ok", "warning", "fault"
PRIVATE_REFUSED = (1, 43, 5)  # since this version Plex fetches no picture on demand from a private address


@dataclass(frozen=True)
class Finding:
    """What one check has found, and what to do about it."""

    level: str
    text: str

    def __str__(self) -> str:
        return f"{self.level:<8} {self.text}"


Findings = Iterator[Finding]


def of_address(settings: Settings) -> Findings:
    """Whether this provider is where it says it is, and who else can come there."""
    if not settings.base_url:
        yield Finding(FAULT, "S2P_BASE_URL is missing: set it to the address under which Plex reaches this provider")
        return
    fault = address.fault(settings)
    yield Finding(FAULT, fault) if fault else Finding(OK, f"{TITLE} answers at {address.spoken(settings)}")
    if settings.plex_url and address.is_loopback(settings.base_url) and not address.is_loopback(settings.plex_url):
        yield Finding(WARNING, f"{settings.base_url} leads to this provider only from its own computer or container")
    if address.is_public(settings.base_url) and not settings.secret.get_secret_value():
        yield Finding(FAULT, "S2P_BASE_URL is open to the world and asks for no S2P_SECRET: set one, and register anew")


def of_pictures(settings: Settings, example: Entry | None, plex_version: tuple[int, ...]) -> Findings:
    """Whether a scene's picture can be had, and whether Plex would fetch those of the cast; () for an unknown Plex."""
    base = settings.image_base_url or settings.base_url
    if base and example is not None:
        yield _of_picture(settings, base, example)
    if not settings.image_base_url:
        yield Finding(OK, "Cast photos are not offered, since S2P_IMAGE_BASE_URL is not set")
    elif address.is_private(base) and (not plex_version or plex_version >= PRIVATE_REFUSED):
        yield Finding(
            WARNING, "S2P_IMAGE_BASE_URL is an address of this network, where Plex fetches no cast photos since 1.43.5"
        )
    else:
        yield Finding(OK, f"Plex may fetch cast photos at {base}")


def _of_picture(settings: Settings, base: str, example: Entry) -> Finding:
    status = address.status(ImageUrls(settings).scene(base, example))
    if status == 200:
        return Finding(OK, f"A picture is reachable at {base}")
    if status == 404:
        why = f"either it has no cover in Stash, or {base} does not lead to this provider"
        return Finding(WARNING, f"There is no picture of scene {example.id}: {why}")
    said = f"says HTTP {status}" if status else "does not answer"
    name = "S2P_IMAGE_BASE_URL" if settings.image_base_url else "S2P_BASE_URL"
    return Finding(FAULT, f"The address for pictures, {base}, {said} from here. See {name}")
