"""The worker role: take the lease, make the libraries importable, serve.

The lease comes first, before any heavy import: the hook that launched us waits for it inside the user's save.
"""

from time import sleep

from stash import log
from stash.protocol import Request, answer
from sync_queue import inbox, lease

COMPONENT = "Worker"
LOG_TAIL_S = 0.05  # Stash may close stderr before it has read our last lines


def main(request: Request) -> None:
    """Be the worker, unless there is one; answers on stdout when it ends."""
    try:
        inbox.make_private_folder(request.data_dir)
        held = lease.take(request.data_dir)
        reason = "another worker is running" if held is None else _serve(request, held)
    except OSError as error:
        reason = "Data folder %s cannot be used (%s)" % (request.data_dir, error.strerror)
        log.error(COMPONENT, reason)
    except Exception as error:  # noqa: BLE001 - whatever its text holds, Stash would show it
        reason = "Worker met a fault in Stash2Plex: %s" % log.where(error)
        log.error(COMPONENT, reason)
    answer(reason)
    sleep(LOG_TAIL_S)


def _serve(request: Request, held: int) -> str:
    from worker import deps, resting
    from worker.life import Life

    life = Life(request.plugin_dir + "/Stash2Plex.yml")  # before the imports, so that an update during them is seen
    problem = deps.ensure(request.plugin_dir, request.data_dir)
    if problem:
        return _rest(request, problem)
    try:
        from worker.serve import serve
    except ImportError as error:
        return _rest(request, "The Python packages are damaged (%s): delete the folders deps-… in %s, or install them "
                     "again" % (log.where(error), request.data_dir))  # fmt: skip
    resting.wake_up(request.data_dir)
    return serve(request, held, life)


def _rest(request: Request, problem: str) -> str:
    """Hooks leave us alone for a while: another worker would fare no better."""
    from worker import resting

    resting.rest(request.data_dir, problem)
    log.error(COMPONENT, problem)
    return problem
