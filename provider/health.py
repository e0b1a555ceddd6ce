"""The container's health check: asks the running provider whether it lives. Standard library only, so that it is cheap.

Only where a YAML file may hold the port are the settings read in full.
"""

from __future__ import annotations

import http.client
import os
from collections.abc import Mapping

WAIT_S = 5.0
PORT, HOST, CONFIG = "S2P_PORT", "S2P_HOST", "S2P_CONFIG"
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def main() -> int:
    """0 when it answers as it should, 1 when not; one line for whoever looks at the container's state."""
    host, port = where(os.environ)
    try:
        connection = http.client.HTTPConnection(host, port, timeout=WAIT_S)
        connection.request("GET", "/livez", headers={"Host": "localhost"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        print(f"The provider does not answer on port {port} ({type(error).__name__})")
        return 1
    print(f"The provider answers on port {port} (HTTP {status})")
    return 0 if status == 200 else 1


def where(environ: Mapping[str, str]) -> tuple[str, int]:
    """Where this computer reaches it: the address and port that `settings.load` would give."""
    if environ.get(CONFIG):
        from provider.settings import SettingsError, load

        try:
            settings = load(environ).settings
            return _reachable(settings.host), settings.port
        except SettingsError:
            pass  # then nothing listens, wherever we ask
    port = environ.get(PORT, "").strip().strip("\"'")
    usable = port.isdecimal() and 0 <= int(port) <= 65_535
    return _reachable(environ.get(HOST, "")), int(port) if usable else 9090


def _reachable(host: str) -> str:
    host = host.strip().strip("\"'[]")
    return ANYWHERE.get(host, host)
