"""What goes wrong during a storm: Plex answers badly or not at all, processes are killed, clocks jump, Stash restarts.

Each happening takes the library and the random numbers of its own, and says in a few words what it did. What it broke
is whole again when it returns, but for a clock, which goes right only when the next one jumps, or when all is quiet.
"""

from __future__ import annotations

import threading
from random import Random
from typing import Any

from tests.doubles.stash_process import RawProcess
from tests.processes.convergence_world import Library
from tests.processes.world import PLUGIN

WORKER, HOOKS = ("operation", "worker"), (("operation", "mark"), ("operation", "wake"))
HOUR_S = 3_600.0
MEGABYTE = 1 << 20
XML = "text/xml;charset=utf-8"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">'
    + "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi"))
    + ']><MediaContainer size="1"><Video title="&i;"/></MediaContainer>'
)
FOREIGN = '<?xml version="1.0"?><rss version="2.0"><channel><title>Not Plex</title></channel></rss>'

Fault = tuple[str, dict[str, Any]]
ANSWERS: dict[str, tuple[Fault, ...]] = {
    "refused": (("drop", {}), ("reset", {}), ("drop_after", {}), ("drop_after", {"method": "PUT"})),
    "slow": (("latency", {"seconds": 0.3}), ("hang", {"seconds": 2.0, "times": 1})),
    "dripping": (
        ("drip_body", {"chunk": 64, "pause_s": 0.01, "times": 2}),
        ("drip_headers", {"chunk": 8, "pause_s": 0.02, "times": 2}),
    ),
    "401": (("status", {"status": 401}), ("status", {"status": 401, "method": "PUT"})),
    "404": (("status", {"status": 404}), ("status", {"status": 404, "method": "PUT"})),
    "429": (("rate_limit", {"retry_after": 1}),),
    "500": (("status", {"status": 500}), ("status", {"status": 500, "method": "PUT"})),
    "503": (("maintenance", {}), ("status", {"status": 503})),
    "html": (("html", {}),),
    "truncated": (("truncated", {}), ("drop_body", {}), ("truncated", {"method": "PUT"})),
    "hostile": (
        ("other_root", {}),
        ("status", {"status": 200, "body": FOREIGN, "content_type": XML}),
        ("status", {"status": 200, "body": BOMB, "content_type": XML}),
        ("huge_body", {"size_bytes": 12 * MEGABYTE, "times": 1}),
        ("gzip_bomb", {"times": 1}),
        ("json", {}),
        ("empty", {"method": "GET"}),  # as the answer to a write it is Plex's own "done": a lie that nobody can see
        ("redirect", {}),
    ),
}
WHERE = ("", "", "/library/metadata", "/library/sections", "/identity")


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)


def bad_answers(kind: str) -> Any:
    """A happening in which some requests, or all for a while, are answered like this."""

    def act(library: Library, random: Random) -> str:
        fault, options = random.choice(ANSWERS[kind])
        wanted: dict[str, Any] = {"times": random.choice([1, 2, 5, None]), "skip": random.randint(0, 3), **options}
        where = "" if "method" in options else random.choice(WHERE)
        library.plex.faults.add(fault, match=where, **wanted)
        _wait(random.uniform(0.1, 1.2))
        library.plex.faults.clear()
        return f"Plex answers {kind} {wanted} {where}"

    act.__name__ = f"answers_{kind}"
    return act


def plex_is_down(library: Library, random: Random) -> str:
    seconds = random.uniform(0.2, 2.0)
    library.plex.down()
    _wait(seconds)
    library.plex.up()
    return f"Plex was down for {seconds:.1f} s"


def click(library: Library, random: Random) -> str:
    """A person starts a task, and cancels it if it is not soon done: Stash does nothing else meanwhile."""
    task = random.choice(("Reconcile Library (All)", "Reconcile Library (Recent 24 h)", "Sync All Scenes"))
    job = library.stash.run_task(PLUGIN, task)
    _wait(random.uniform(0.5, 3.0))
    library.stash.jobs.stop(job)
    return f"{task} clicked"


def plex_starts_slowly(library: Library, random: Random) -> str:
    """Restarted, and busy with its maintenance for a while."""
    library.plex.down()
    library.plex.maintenance = True
    library.plex.up()
    _wait(random.uniform(0.2, 1.0))
    library.plex.maintenance = False
    return "Plex was restarted"


def running(library: Library, *roles: tuple[str, str]) -> list[RawProcess]:
    """The living processes of these roles, each the kind of call and what triggered it."""
    runs = [run for run in list(library.stash.plugins.runs) if isinstance(run, RawProcess)]
    return [run for run in runs if run.record.exit_code is None and is_any_of(run, roles)]


def is_any_of(run: RawProcess, roles: tuple[tuple[str, str], ...]) -> bool:
    """A role without a trigger is the one of any trigger."""
    return any(run.record.kind == kind and trigger in ("", run.record.trigger) for kind, trigger in roles)


def kill_worker(library: Library, random: Random) -> str:
    """SIGKILL at a random moment of its life; the next hook starts another one."""
    _wait(random.uniform(0.0, 1.0))
    killed = running(library, WORKER)
    for run in killed:
        run.kill()
    return f"{len(killed)} workers killed"


def kill_hooks(library: Library, random: Random) -> str:
    """SIGKILL to whatever hook runs, again and again for a while."""
    killed = 0
    for _ in range(random.randint(10, 40)):
        _wait(random.uniform(0.0, 0.04))
        for run in running(library, *HOOKS):
            run.kill()
            killed += 1
    return f"{killed} hooks killed"


def clock_jumps(library: Library, random: Random) -> str:
    """To an hour before or after the right time, or back to it; that of Stash too when both run on one machine."""
    seconds, both = random.choice([-HOUR_S, HOUR_S, random.uniform(-HOUR_S, HOUR_S), 0.0]), random.random() < 0.5
    library.shift(seconds, of_stash_too=both)
    _wait(random.uniform(0.5, 2.0))
    return f"the clock{' of Stash too' if both else ''} is off by {seconds:.0f} s"


def stash_restarts(library: Library, random: Random) -> str:
    """Ended as by a person or by a crash, and started again at the same address."""
    politely = random.random() < 0.5
    with library.layout:
        library.stash.stop(grace_s=1.0) if politely else library.stash.kill()
        _wait(random.uniform(0.1, 0.5))
        library.stash.start()
    return f"Stash was {'restarted' if politely else 'killed and started'}"
