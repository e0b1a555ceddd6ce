"""The page role: a person opened Stash in a browser. A worker may be due that no hook and no task has asked for.

Asked by `launcher/wake.js` as an operation of that person, whose cookie a worker needs when a login is set. As quick
as a hook, and as quiet as can be: nobody waits for anything to happen.
"""

from hooks.wake import wake
from stash.protocol import Request, answer, system
from sync_queue import lease


def opened(request: Request) -> None:
    """Launch a worker unless one lives or rests, answer on stdout and end the process with exit code 0."""
    answer(_see_to_it(request))
    system._exit(0)


def _see_to_it(request: Request) -> str:
    """Without a data folder nothing was ever saved, so there is nothing to do."""
    try:
        if lease.held(request.data_dir):
            return "worker alive"
        wake(request, by_task=False)
    except OSError:
        return "not launched"
    return "launched"
