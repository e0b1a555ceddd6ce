"""What the benches measure, each run in a process of its own: ``python -m bench.steps STEP …`` prints one JSON line.

The drain is `worker.foreground`, which is what the tasks and the shell command run: settings, marks, cursor sweep,
queue, settlements and log lines included. Time runs from opening the databases to closing them.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time, time
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from bench.doubles import ROOT, TOKEN

JSON = {"Content-Type": "application/json"}


def drain(data_dir: str, stash_url: str, operation: str, asked: str = "", **args: str) -> dict[str, Any]:
    """One operation on this data folder, as a task does it.

    What it asks Stash is written to the file ``asked``, when one is named, a JSON pair of address and body in a line.
    """
    from stash import log
    from stash.client import StashClient
    from sync_queue import lease
    from worker.foreground import foreground

    client, held = StashClient(stash_url), lease.take(data_dir)
    if held is None:
        raise RuntimeError("somebody else holds the lease")
    with open(asked or os.devnull, "w", encoding="utf-8") as file:
        client.s.hooks["response"].append(lambda answer, **_: print(_pair(answer.request), file=file))
        at, cpu_s = perf_counter(), process_time()
        result = foreground(data_dir, client, held, operation, "", log.progress, args)
        took = {"seconds": perf_counter() - at, "cpu_s": process_time() - cpu_s}
    return {**took, "stash_requests": client.requests, "result": result}


def sync_all(data_dir: str, stash_url: str, asked: str) -> dict[str, Any]:
    """Everything compared with Plex, whether it seems to have changed or not."""
    return drain(data_dir, stash_url, "sync_all", asked)


def reconcile(data_dir: str, stash_url: str, asked: str) -> dict[str, Any]:
    """A reconcile of the whole library."""
    return drain(data_dir, stash_url, "reconcile", asked, scope="all")


def reconcile_again(data_dir: str, stash_url: str, asked: str) -> dict[str, Any]:
    """The comparison that an interval asks for soon after a whole one: only what looks otherwise is read whole."""
    from reconcile.scan import QUICK, Plan
    from stash.client import StashClient
    from worker.session import Session

    client = StashClient(stash_url)
    at, cpu_s = perf_counter(), process_time()
    session = Session(data_dir, client)
    session.look(time())
    run = session.reconciler.begin(Plan(depth=QUICK), time())
    while session.reconciler.running:
        step = session.step(time())
        if step.state:
            raise RuntimeError(step.state)
    result = session.reconciler.run(run)
    session.close()
    took = {"seconds": perf_counter() - at, "cpu_s": process_time() - cpu_s}
    return {**took, "stash_requests": client.requests, "result": result}


def write_log(data_dir: str, stash_url: str, scenes: str) -> dict[str, Any]:
    """The sync log of a library in which every scene was pushed."""
    from bench import healthy

    return {"written": healthy.write_log(data_dir, stash_url, int(scenes))}


def read_and_parse(of_plex: str, of_stash: str) -> dict[str, Any]:
    """The same reads of both sides, one after the other, each answer parsed and dropped.

    The files hold a JSON pair in each line: of address and headers for Plex, of address and body for Stash.
    """
    import requests

    from_plex, from_stash = ([json.loads(line) for line in _targets(file)] for file in (of_plex, of_stash))
    with requests.Session() as session:
        session.trust_env = False
        at = perf_counter()
        for url, headers in from_plex:
            ElementTree.fromstring(session.get(url, headers=headers, timeout=60).content)
        for url, body in from_stash:
            answer = session.post(url, body, headers=JSON, timeout=60) if body else session.get(url, timeout=60)
            if body:
                json.loads(answer.content)
        return {"seconds": perf_counter() - at}


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


def _pair(sent: Any) -> str:
    """Address and body of a request of `requests`, in one line."""
    return json.dumps((sent.url, (sent.body or b"").decode()))


def _targets(file: str) -> list[str]:
    return Path(file).read_text(encoding="ascii").splitlines()


def run(*arguments: str) -> dict[str, Any]:
    """Run one step in a process of its own. Its log lines go through a pipe that somebody reads, as in Stash."""
    ended = subprocess.run([sys.executable, "-m", "bench.steps", *arguments], cwd=ROOT, capture_output=True)
    if ended.returncode:
        raise RuntimeError(ended.stderr.decode("utf-8", "replace")[-2000:])
    measured: dict[str, Any] = json.loads(ended.stdout)
    return measured


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "drain": drain,
    "sync_all": sync_all,
    "reconcile": reconcile,
    "reconcile_again": reconcile_again,
    "write_log": write_log,
    "read_and_parse": read_and_parse,
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
