"""The lease: a kernel lock on one file. Whoever holds it is the worker and alone opens the databases.

It dies with its process, so there is no heartbeat and no pid file. The descriptor is not inheritable (PEP 446), so
no child can keep it alive. Loaded by every hook: built-in modules only (see `stash.protocol`).
"""

import sys
from time import monotonic, sleep

try:
    import posix as system
except ImportError:  # Windows
    import nt as system  # type: ignore[no-redef]
if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

WORKER = "worker.lock"
LAUNCH = "launch.lock"
RESTING = "resting"

_OPEN = system.O_RDWR | system.O_CREAT | getattr(system, "O_BINARY", 0)
_PATIENCE_S = 1.0


def take(data_dir: str, name: str = WORKER) -> "int | None":
    """Take the lock and return its descriptor, or None when another process holds it.

    A hook that only looks (`held`) may be in the way for microseconds; that is told apart and waited for.
    Raises OSError when the lock file cannot be opened.
    """
    descriptor = system.open(data_dir + "/" + name, _OPEN, 0o600)
    until = monotonic() + _PATIENCE_S
    while not _lock_alone(descriptor):
        if not _only_lookers(descriptor) or monotonic() > until:
            system.close(descriptor)
            return None
        sleep(0.001)
    return int(descriptor)


def held(data_dir: str, name: str = WORKER) -> bool:
    """Whether some process holds the lock now. False also when the data folder does not exist yet."""
    try:
        descriptor = system.open(data_dir + "/" + name, _OPEN, 0o600)
    except FileNotFoundError:
        return False
    try:
        return not _lock_shared(descriptor)
    finally:
        system.close(descriptor)


def release(descriptor: int) -> None:
    """Give the lock back."""
    if sys.platform == "win32":
        _lock_byte(descriptor, msvcrt.LK_UNLCK)
    system.close(descriptor)


if sys.platform == "win32":

    def _lock_alone(descriptor: int) -> bool:
        return _lock_byte(descriptor, msvcrt.LK_NBLCK)

    def _lock_shared(descriptor: int) -> bool:
        locked = _lock_alone(descriptor)
        if locked:
            _lock_byte(descriptor, msvcrt.LK_UNLCK)
        return locked

    def _only_lookers(descriptor: int) -> bool:
        """Windows has no shared byte locks: a worker keeps the lock, a looker gives it back within a moment."""
        until = monotonic() + 0.05
        while monotonic() < until:
            if _lock_shared(descriptor):
                return True
            sleep(0.002)
        return False

    def _lock_byte(descriptor: int, kind: int) -> bool:
        system.lseek(descriptor, 0, 0)
        try:
            msvcrt.locking(descriptor, kind, 1)
        except OSError:
            return False
        return True

else:

    def _lock_alone(descriptor: int) -> bool:
        return _flock(descriptor, fcntl.LOCK_EX)

    def _lock_shared(descriptor: int) -> bool:
        return _flock(descriptor, fcntl.LOCK_SH)

    def _only_lookers(descriptor: int) -> bool:
        if not _lock_shared(descriptor):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        return True

    def _flock(descriptor: int, kind: int) -> bool:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
