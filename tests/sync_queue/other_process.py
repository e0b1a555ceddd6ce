"""Other processes for these tests: our modules in a bare interpreter, as a hook has it, also on a made-up Windows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
BARE = [sys.executable, "-I", "-S", "-c"]
OURS = f"import sys; sys.path.insert(0, {ROOT!r})\n"

# What our Windows branches use of `nt` and `msvcrt`, made of what this system has. Refuses what Windows refuses:
# opening a folder, locking a byte twice by whatever handle, unlocking what is not locked.
WINDOWS = """
import posix, fcntl, types
sys.platform = "win32"
nt, msvcrt = types.ModuleType("nt"), types.ModuleType("msvcrt")
vars(nt).update({name: value for name, value in vars(posix).items() if not name.startswith("__")})
nt.O_BINARY = 1 << 30
binary, locked, seeks = set(), set(), {}
def nt_open(path, flags, mode=0o777):
    try:
        if posix.stat(path).st_mode & 0o40000:
            raise PermissionError(13, "Windows has no folder descriptors", path)
    except FileNotFoundError:
        pass
    descriptor = posix.open(path, flags & ~nt.O_BINARY, mode)
    if flags & nt.O_BINARY:
        binary.add(descriptor)
    return descriptor
def locking(descriptor, kind, count):
    assert count == 1 and posix.lseek(descriptor, 0, 1) == 0, "another byte than the first"
    if kind == msvcrt.LK_UNLCK:
        if descriptor not in locked:
            raise PermissionError(13, "not locked")
        locked.discard(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        return
    assert kind == msvcrt.LK_NBLCK, "it would wait"
    if descriptor in locked:
        raise PermissionError(13, "locked by this handle")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PermissionError(13, "locked by another handle") from None
    locked.add(descriptor)
def nt_close(descriptor):
    locked.discard(descriptor)
    binary.discard(descriptor)
    posix.close(descriptor)
nt.open, nt.close = nt_open, nt_close
msvcrt.locking, msvcrt.LK_NBLCK, msvcrt.LK_UNLCK = locking, 2, 0
sys.modules.update(nt=nt, msvcrt=msvcrt, posix=None)
"""


def start(code: str, *arguments: str, windows: bool = False) -> subprocess.Popen[str]:
    """A process that runs this code; it can import our packages, and nothing of anybody else's."""
    whole = OURS + (WINDOWS if windows else "") + code
    pipe = subprocess.PIPE
    return subprocess.Popen([*BARE, whole, *arguments], stdin=pipe, stdout=pipe, text=True, bufsize=1)


def run(code: str, *arguments: str, windows: bool = False) -> str:
    """What the code prints, once it has ended well."""
    process = start(code, *arguments, windows=windows)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    return output


def end(*processes: subprocess.Popen[str]) -> None:
    """End these processes at once, and leave nothing of them."""
    for process in processes:
        process.kill()
    for process in processes:
        process.communicate()
