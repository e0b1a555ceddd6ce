"""What `bench.drain` measures, each run in a process of its own: ``python -m bench.steps STEP …`` prints one JSON line.

The drain is `worker.foreground`, which is what the task "Process Queue" and the shell command run: settings, marks,
cursor sweep, queue, settlements and log lines included. Time runs from opening the databases to closing them.
"""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, time
from typing import Any
from urllib.parse import urlsplit

from bench.doubles import TOKEN


def drain(data_dir: str, stash_url: str, operation: str) -> dict[str, Any]:
    """One operation on this data folder, as a task does it."""
    from stash import log
    from stash.client import StashClient
    from sync_queue import lease
    from worker.foreground import foreground

    client, held = StashClient(stash_url), lease.take(data_dir)
    if held is None:
        raise RuntimeError("somebody else holds the lease")
    at = perf_counter()
    result = foreground(data_dir, client, held, operation, "", log.progress)
    return {"seconds": perf_counter() - at, "stash_requests": client.requests, "result": result}


def replay_with_requests(file: str, plex_url: str) -> dict[str, Any]:
    """The PUTs of a file, one after the other, over one connection of `requests`."""
    import requests

    targets = _targets(file)
    with requests.Session() as session:
        session.trust_env = False
        session.headers["X-Plex-Token"] = TOKEN
        at = perf_counter()
        for target in targets:
            session.put(plex_url + target, timeout=30).raise_for_status()
        return {"seconds": perf_counter() - at}


def replay_raw(file: str, plex_url: str) -> dict[str, Any]:
    """The same over `http.client`, the least that Python can do."""
    targets, address = _targets(file), urlsplit(plex_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    at = perf_counter()
    for target in targets:
        connection.request("PUT", target, headers={"X-Plex-Token": TOKEN, "Content-Length": "0"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"Plex answered {answer.status}")
    seconds = perf_counter() - at
    connection.close()
    return {"seconds": seconds}


def queue(folder: str, scenes: str) -> dict[str, Any]:
    """Queueing this many scenes, as a sync of everything does."""
    from sync_queue.queue import JobQueue

    jobs = JobQueue(folder)
    at = perf_counter()
    jobs.put(range(1, int(scenes) + 1), "bench", time())
    seconds = perf_counter() - at
    jobs.close()
    return {"seconds": seconds}


def ingest(data_dir: str, stash_url: str) -> dict[str, Any]:
    """From marks in the inbox to the queue, until the inbox is empty."""
    from stash.client import StashClient
    from sync_queue import marks
    from worker.session import Session

    session = Session(data_dir, StashClient(stash_url))
    at = perf_counter()
    while marks.waiting(data_dir):
        session.ingest.step(time())
    seconds = perf_counter() - at
    queued = session.queue.scenes
    session.close()
    return {"seconds": seconds, "queued": queued}


def peak_bytes() -> int:
    """The most memory that this process ever held; on Linux without what its parent held at the fork."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _targets(file: str) -> list[str]:
    return Path(file).read_text(encoding="ascii").splitlines()


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "drain": drain,
    "replay_with_requests": replay_with_requests,
    "replay_raw": replay_raw,
    "queue": queue,
    "ingest": ingest,
}


def main(arguments: list[str]) -> int:
    """Run one step and print what it measured, with the peak memory of this process."""
    measured = STEPS[arguments[0]](*arguments[1:])
    print(json.dumps({**measured, "peak_bytes": peak_bytes()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
