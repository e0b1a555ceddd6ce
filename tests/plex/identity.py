"""A certificate of our own making, for a Plex that speaks https."""

from __future__ import annotations

import hashlib
import ssl


class Identity:
    """A certificate for some names: ``context`` for a server, ``pin`` as Health Check prints it."""

    def __init__(self, authority, *names, **options):
        issued = authority.issue_cert(*names, **options)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(self.context)
        self.pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())).hexdigest()
