"""The wake role: nothing is to be noted, but a worker may be due that no hook and no task has asked for.

Asked by `launcher/wake.js` when a person opens a page of Stash, as an operation of that person, whose cookie a worker
needs when a login is set; and by `launcher/launcher.js` with that cookie, when the hook role found that one is set,
and when a worker was killed.
As quick as a hook, and as quiet as can be.
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
        vain = request.args.get("vain")
        wake(request, request.session, vain if isinstance(vain, int) else 0)
    except OSError:
        return "not launched"
    return "launched"
