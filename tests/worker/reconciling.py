"""A comparison on a stage, and what happens in Plex behind our back."""

from __future__ import annotations

from typing import Any

from tests.doubles.plex_edits import seed as write
from tests.worker.steps import Stage
from worker.operations import begin

NOTHING: dict[str, Any] = {
    "studio": "",
    "summary": "",
    "tagline": "",
    "originallyAvailableAt": "",
    "actors": [],
    "genres": [],
    "directors": [],
    "collections": [],
    "locks": [],
}


def reconcile(stage: Stage, within_s: float = 900.0, **args: str) -> dict[str, Any]:
    """Ask for a comparison, let it and the drain come to their end, and return its result."""
    operation = begin(stage.session, "reconcile", args)

    def done(step: Any) -> bool:
        operation.advance(stage.clock.now)
        return operation.finished(step)

    stage.run_until(done, within_s)
    return operation.result()


def dry_run(stage: Stage, **args: str) -> dict[str, Any]:
    """Let a comparison only say what it finds."""
    operation = begin(stage.session, "reconcile_dry_run", args)
    while not operation.accepted:
        operation.advance(stage.clock.now)
    return operation.result()


def edit_in_plex(stage: Stage, *scenes: int, **values: Any) -> None:
    """Let somebody give the scenes' items these values, whatever is locked; without any they are wiped."""
    with stage.plex._state.lock:
        for scene in scenes:
            write(stage.plex._state, stage.plex._find(stage.keys[scene]), values or NOTHING)


def writes(stage: Stage) -> int:
    """How many requests changed something in Plex."""
    return sum(request.method in ("PUT", "POST", "DELETE") for request in stage.plex.requests())
