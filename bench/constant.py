"""The least that a server in Python can be: it answers every request with the same bytes, whatever was asked.

``python -m bench.constant SIZE`` prints {"port": …} and serves until it is ended. A request has to fit one packet.
"""

from __future__ import annotations

import asyncio
import json
import sys


class Constant(asyncio.Protocol):
    """One connection."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A request, whole."""
        self._transport.write(self._answer)


async def serve(size: int) -> None:
    """Answer with a body of so many bytes."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n\r\n"
    answer = head.encode() + b"x" * size
    server = await asyncio.get_running_loop().create_server(lambda: Constant(answer), "127.0.0.1", 0, backlog=1_024)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
