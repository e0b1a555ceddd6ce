"""What a person can ask for, by name: the same for a task, for the shell and for the living worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reconcile.scan import CREATED, SCOPES_S, UPDATED
from stash import log
from worker import outages
from worker.health import HealthCheck
from worker.session import Session
from worker.tasks_base import AtOnce, Operation
from worker.tasks_clear import ClearDeadLetters, ClearMatchCache, ClearQueue, PurgeDeadLetters
from worker.tasks_drain import ProcessOneJob, ProcessQueue, RetryDeadLetters, SyncAll, SyncChanged, SyncRecent
from worker.tasks_explain import DryRun, ExplainScene
from worker.tasks_look import DeadLetters, QueueStatus
from worker.tasks_outage import KINDS, OutageSummary, RecoverOutageJobs
from worker.tasks_reconcile import Reconcile, ReconcileDryRun

SCENE_ID = "scene_id"
SCOPE, BY = "scope", "by"
LARGEST_ID = (1 << 63) - 1

OPERATIONS: dict[str, type[ProcessQueue] | type[AtOnce] | type[DryRun] | type[ReconcileDryRun]] = {
    "process_queue": ProcessQueue,
    "process_one_job": ProcessOneJob,
    "sync_all": SyncAll,
    "sync_changed": SyncChanged,
    "sync_recent": SyncRecent,
    "reconcile": Reconcile,
    "reconcile_dry_run": ReconcileDryRun,
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
    "outage_summary": OutageSummary,
    "recover_outage_jobs": RecoverOutageJobs,
}
REQUIRED = {"explain_scene": (SCENE_ID,)}
OPTIONAL = {"recover_outage_jobs": (KINDS,), "reconcile": (SCOPE, BY), "reconcile_dry_run": (SCOPE, BY)}
LOOKING = frozenset(name for name, kind in OPERATIONS.items() if kind.looks)


def problem(name: str, args: Mapping[str, str]) -> str:
    """One sentence about an operation that does not exist or cannot be asked for like this, "" when all is well."""
    if name not in OPERATIONS:
        return f"Unknown operation {name[:60]!r}; there are {', '.join(sorted(OPERATIONS))}"
    needed = REQUIRED.get(name, ())
    for unknown in sorted(set(args) - set(needed) - set(OPTIONAL.get(name, ()))):
        return f"Operation {name} takes no argument {unknown[:60]!r}"
    for missing in sorted(set(needed) - set(args)):
        return f"Operation {name} needs the argument {missing}; the page about tasks says how to give it"
    return next(filter(None, (CHECKS[argument](text) for argument, text in sorted(args.items()))), "")


def begin(session: Session, name: str, args: Mapping[str, str]) -> Operation:
    """The operation, ready to be carried out; `problem` has nothing to say about it."""
    return OPERATIONS[name](session, args)


def told(operation: Operation) -> dict[str, Any]:
    """Its result as it may leave this process: without secrets, and without paths and titles if these are masked."""
    result: dict[str, Any] = log.shown(operation.result())
    return result


def _scene_id_problem(text: str) -> str:
    if text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= LARGEST_ID:
        return ""
    return f"Argument {SCENE_ID} has to be the number of a scene, not {text[:60]!r}"


def _one_of(argument: str, *values: str) -> Callable[[str], str]:
    known = ", ".join(values)
    return lambda text: "" if text in values else f"Argument {argument} has to be one of {known}, not {text[:60]!r}"


# Argument -> a sentence about a text that it cannot have, "" when all is well.
CHECKS: dict[str, Callable[[str], str]] = {
    SCENE_ID: _scene_id_problem,
    KINDS: outages.kinds_problem,
    SCOPE: _one_of(SCOPE, *SCOPES_S),
    BY: _one_of(BY, UPDATED, CREATED),
}
