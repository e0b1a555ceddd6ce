"""Who may speak to the double: login cookies, the API key, and neither."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, Callable, Optional

from tests.canaries import COOKIE_HEAD, COOKIE_TAIL

ANYBODY = ""


@dataclass(frozen=True)
class Visitor:
    """An allowed caller: its user ("" without one) and the cookie to hand back, if any."""

    user: str
    renewed_cookie: Optional[str] = None


class Sessions:
    """Signs cookies and reads them back; the key outlives a restart, as in config.yml."""

    def __init__(self, credentials: Optional[tuple[str, str]], clock: Callable[[], float] = time.time) -> None:
        self.credentials = credentials
        self.api_key = ""
        self.max_age_s = 3600.0
        self._clock = clock
        self._secret = secrets.token_bytes(32)

    @property
    def user(self) -> str:
        return self.credentials[0] if self.credentials else ANYBODY

    def issue(self, user: str) -> str:
        """A cookie value for `user`; "" makes one that logs nobody in."""
        body = json.dumps({"user": user, "at": self._clock()}).encode()
        signed = base64.urlsafe_b64encode(self._sign(body) + body).decode().rstrip("=")
        return COOKIE_HEAD + signed + COOKIE_TAIL

    def read(self, value: str) -> Optional[str]:
        """The user of a cookie value; None when forged, expired or without a user."""
        if not (value.startswith(COOKIE_HEAD) and value.endswith(COOKIE_TAIL)):
            return None
        signed = value[len(COOKIE_HEAD) : -len(COOKIE_TAIL)]
        try:
            raw = base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4))
        except ValueError:
            return None
        signature, body = raw[:32], raw[32:]
        if not hmac.compare_digest(signature, self._sign(body)):
            return None
        fields = json.loads(body)
        fresh = self._clock() - fields["at"] < self.max_age_s
        return fields["user"] or None if fresh else None

    def _sign(self, body: bytes) -> bytes:
        return hmac.new(self._secret, body, hashlib.sha256).digest()

    def admit(self, api_key: Optional[str], cookie: Optional[str]) -> Optional[Visitor]:
        """The visitor, or None for 401. A wrong API key is refused even where nothing is asked for."""
        if api_key is not None:
            fits = bool(self.api_key) and hmac.compare_digest(api_key.encode(), self.api_key.encode())
            return Visitor(self.user) if fits else None
        user = self.read(cookie) if cookie else None
        if user is not None:
            return Visitor(user, self.issue(user))
        return None if self.credentials else Visitor(ANYBODY)


def stdin_cookie(value: str) -> dict[str, Any]:
    """The cookie in the shape that Go's encoder gives it on a plugin's stdin."""
    return {
        "Name": "session",
        "Value": value,
        "Quoted": False,
        "Path": "",
        "Domain": "",
        "Expires": "0001-01-01T00:00:00Z",
        "RawExpires": "",
        "MaxAge": 0,
        "Secure": False,
        "HttpOnly": False,
        "SameSite": 0,
        "Partitioned": False,
        "Raw": "",
        "Unparsed": None,
    }
