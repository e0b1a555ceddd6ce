"""The task role: what the buttons on Stash's task page do.

With the lease free the task does the work itself, with the same drain and a real progress bar. Otherwise it asks the
living worker through the inbox and follows its reply file.
"""

from __future__ import annotations

import json
import time
from typing import Any

from stash import log
from stash.protocol import Request, answer_json, fail
from sync_queue import inbox

COMPONENT = "Task"
LOG_TAIL_S = 0.05  # Stash may close stderr before it has read our last lines

# Mode in the manifest -> name of the operation. An unknown mode is an error, never another task.
TASKS = {
    "process_queue": "process_queue",
    "sync_all": "sync_all",
    "sync_recent": "sync_recent",
    "reconcile": "reconcile",
    "reconcile_dry_run": "reconcile_dry_run",
    "queue_status": "queue_status",
    "outage_summary": "outage_summary",
    "health_check": "health_check",
    "explain_scene": "explain_scene",
    "retry_dead_letters": "retry_dead_letters",
    "recover_outage_jobs": "recover_outage_jobs",
    "clear_queue": "clear_queue",
    "clear_dead_letters": "clear_dead_letters",
    "purge_dead_letters": "purge_dead_letters",
    "clear_match_cache": "clear_match_cache",
}


def main(request: Request) -> None:
    """Run one task and answer with its result as JSON."""
    try:
        result = _run(request)
        if "error" not in result:
            _tell(result)
    except OSError as error:
        result = {"error": f"Data folder {request.data_dir} cannot be used ({error.strerror})"}
    except Exception as error:  # noqa: BLE001 - whatever its text holds, Stash would show it
        result = {"error": f"a fault in Stash2Plex: {log.where(error)}"}
    if "error" in result:
        fail(str(log.shown(result["error"])))
    else:
        answer_json(json.dumps(result))
    time.sleep(LOG_TAIL_S)


def _run(request: Request) -> dict[str, Any]:
    if request.problem or request.mode not in TASKS:
        known = ", ".join(sorted(TASKS))
        return {"error": request.problem or f"Unknown mode {request.mode!r}; the modes are {known}"}
    from worker import deps

    inbox.make_private_folder(request.data_dir)
    problem = deps.ensure(request.plugin_dir, request.data_dir)
    if problem:
        return {"error": problem}
    from stash.connect import connect
    from worker.foreground import carry_out

    args = {name: _text(value) for name, value in request.args.items() if name != "mode"}
    return carry_out(
        request.data_dir,
        lambda: connect(request.connection, request.data_dir),
        TASKS[request.mode],
        log.progress,
        args,
    )


def _text(value: object) -> str:
    """An argument as text: whoever calls through the API may write a scene's number with or without quotes."""
    return value.strip() if isinstance(value, str) else json.dumps(value)


def _tell(result: dict[str, Any]) -> None:
    """The result in Stash's log, one line per fact."""
    from worker import wording

    for line in wording.lines(result, time.time()):
        log.info(COMPONENT, line)
