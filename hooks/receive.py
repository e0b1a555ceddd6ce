"""The hook role: take one event, make it durable, make sure a worker lives, answer, be gone.

Stash waits for this process inside the user's save, for whatever `launcher/launcher.js` does not settle by itself. So:
standard library only, and of that as little as possible (see `stash.protocol`); `hooks.wake` is loaded only when no
worker lives.
"""

from hooks.events import HookEvent, decide
from stash.protocol import Request, answer, system
from sync_queue import inbox, lease

COMPONENT = "Hook"


def receive(request: Request) -> None:
    """Handle the event of this request, answer on stdout and end the process with exit code 0."""
    answer(_handle(request))
    system._exit(0)  # skips the interpreter's tidying up, which the user would wait for


def _handle(request: Request) -> str:
    mark = decide(HookEvent.parse(request.hook or {}))
    if mark is None:
        return "nothing to do for Plex"
    try:
        inbox.put(request.data_dir, mark)
    except OSError as error:
        _say("error", unwritable(request.data_dir, error))
        return "not queued"
    return _wake(request) or "queued %s %s" % (mark["kind"], mark["id"])


def _wake(request: Request) -> str:
    """The mark is written first and the lease tested after, so a leaving worker cannot miss it.

    Returns "" or `hooks.wake.LOGIN_NEEDED`.
    """
    try:
        if lease.held(request.data_dir):
            return ""
        from hooks.wake import wake

        return wake(request)
    except OSError as error:
        _say("warning", "The worker could not be started (%s); the change is queued and not lost" % error)
    return ""


def _say(level: str, sentence: str) -> None:
    """The log is loaded only when there is something to say: no hook without trouble pays for it."""
    from stash import log

    write = log.error if level == "error" else log.warning
    write(COMPONENT, sentence)


def unwritable(data_dir: str, error: OSError) -> str:
    """The one line for a data folder that cannot be written."""
    return (
        "Data folder %s cannot be written (%s): this change was not queued. Free some space or mend the folder's "
        "permissions; the next start of the worker finds changed scenes by their date" % (data_dir, error.strerror)
    )
