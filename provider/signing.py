"""Addresses of pictures that nobody else can make up: they are open to whoever holds one, and to no one who guesses."""

from __future__ import annotations

import hashlib
import hmac

PURPOSE = b"stash2plex picture addresses"  # keeps the secret itself out of what is handed around
SIGNATURE_DIGITS = 32


class Signing:
    """Signs what an address names and its stamp. Without a secret there is nothing to sign, and everything fits."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.new(secret.encode(), PURPOSE, hashlib.sha256).digest() if secret else b""

    def query(self, path: str, stamp: str) -> str:
        """What stands behind the path in an address: the stamp, and the signature when there is a secret."""
        parts = [f"t={stamp}"] if stamp else []
        if self._key:
            parts.append(f"sig={self._signature(path, stamp)}")
        return "?" + "&".join(parts) if parts else ""

    def fits(self, path: str, stamp: str, signature: str) -> bool:
        """Whether we made this address; takes as long for a signature that is nearly right."""
        if not self._key:
            return True
        return hmac.compare_digest(self._signature(path, stamp).encode(), signature.encode("utf-8", "replace"))

    def _signature(self, path: str, stamp: str) -> str:
        text = f"{path}\n{stamp}".encode("utf-8", "replace")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[:SIGNATURE_DIGITS]
