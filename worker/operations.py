"""What a person can ask for, by name: the same for a task, for the shell and for the living worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stash import log
from worker.health import HealthCheck
from worker.session import Session
from worker.tasks_base import AtOnce, Operation
from worker.tasks_clear import ClearDeadLetters, ClearMatchCache, ClearQueue, PurgeDeadLetters
from worker.tasks_drain import ProcessOneJob, ProcessQueue, RetryDeadLetters, SyncAll, SyncChanged, SyncRecent
from worker.tasks_explain import DryRun, ExplainScene
from worker.tasks_look import DeadLetters, QueueStatus

SCENE_ID = "scene_id"
LARGEST_ID = (1 << 63) - 1

OPERATIONS: dict[str, type[ProcessQueue] | type[AtOnce] | type[DryRun]] = {
    "process_queue": ProcessQueue,
    "process_one_job": ProcessOneJob,
    "sync_all": SyncAll,
    "sync_changed": SyncChanged,
    "sync_recent": SyncRecent,
    "retry_dead_letters": RetryDeadLetters,
    "queue_status": QueueStatus,
    "dead_letters": DeadLetters,
    "dry_run": DryRun,
    "explain_scene": ExplainScene,
    "health_check": HealthCheck,
    "clear_queue": ClearQueue,
    "clear_dead_letters": ClearDeadLetters,
    "purge_dead_letters": PurgeDeadLetters,
    "clear_match_cache": ClearMatchCache,
}
ARGUMENTS = {"explain_scene": (SCENE_ID,)}  # all of them needed; the others take none
LOOKING = frozenset(name for name, kind in OPERATIONS.items() if kind.looks)


def problem(name: str, args: Mapping[str, str]) -> str:
    """One sentence about an operation that does not exist or cannot be asked for like this, "" when all is well."""
    if name not in OPERATIONS:
        return f"Unknown operation {name[:60]!r}; there are {', '.join(sorted(OPERATIONS))}"
    wanted = ARGUMENTS.get(name, ())
    for unknown in sorted(set(args) - set(wanted)):
        return f"Operation {name} takes no argument {unknown[:60]!r}"
    for missing in sorted(set(wanted) - set(args)):
        return f"Operation {name} needs the argument {missing}; the page about tasks says how to give it"
    if SCENE_ID in wanted and not _is_id(args[SCENE_ID]):
        return f"Argument {SCENE_ID} has to be the number of a scene, not {args[SCENE_ID][:60]!r}"
    return ""


def begin(session: Session, name: str, args: Mapping[str, str]) -> Operation:
    """The operation, ready to be carried out; `problem` has nothing to say about it."""
    return OPERATIONS[name](session, args)


def told(operation: Operation) -> dict[str, Any]:
    """Its result as it may leave this process: without secrets, and without paths and titles if these are masked."""
    result: dict[str, Any] = log.shown(operation.result())
    return result


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= LARGEST_ID
