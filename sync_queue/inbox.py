"""The inbox: one small file per mark, durable before anybody is told that the event was taken.

Any process may put a mark at any time, without a database, a lock or a dependency. A mark is written under a
temporary name, fsynced, renamed, and the folder fsynced: whatever kills us leaves a whole mark or none.
Loaded by every hook, so it imports built-in modules only (see `stash.protocol`). Reading is in `sync_queue.marks`.
"""

from _json import encode_basestring_ascii as quote
from errno import EINVAL, ENOSYS, EOPNOTSUPP
from time import time_ns

try:
    import posix as system
except ImportError:  # Windows
    import nt as system  # type: ignore[no-redef]

FOLDER = "inbox"
SUFFIX = ".json"
TEMPORARY = ".tmp"

_NO_FOLDER_SYNC = (EINVAL, ENOSYS, EOPNOTSUPP)  # some network and FUSE mounts cannot fsync a folder
_WRITE_NEW = system.O_WRONLY | system.O_CREAT | system.O_EXCL | getattr(system, "O_BINARY", 0)
_count = 0


def put(data_dir: str, mark: "dict[str, object]") -> str:
    """Write one mark durably and return its file name.

    Values are integers, texts or lists of texts. Raises OSError when the folder cannot be written or is full.
    """
    global _count
    _count += 1  # Windows' clock may tick only every 15 ms
    name = "%d-%d-%d%s" % (time_ns(), system.getpid(), _count, SUFFIX)
    folder = data_dir + "/" + FOLDER
    temporary = folder + "/." + name + TEMPORARY
    try:
        _write_synced(temporary, encode(mark))
    except FileNotFoundError:
        make_private_folder(data_dir)
        make_private_folder(folder)
        _write_synced(temporary, encode(mark))
    system.replace(temporary, folder + "/" + name)
    _sync_folder(folder)
    return name


def encode(mark: "dict[str, object]") -> bytes:
    """The mark as one JSON object in ASCII."""
    return ("{%s}" % ",".join(["%s:%s" % (quote(key), _value(value)) for key, value in mark.items()])).encode()


def make_private_folder(path: str) -> None:
    """Make the folder for its owner only, parents included; an existing one is left as it is."""
    try:
        system.mkdir(path, 0o700)
    except FileExistsError:
        pass
    except FileNotFoundError:
        parent = path[: max(path.rfind("/"), path.rfind("\\"))]
        if not parent or parent == path:
            raise
        make_private_folder(parent)
        make_private_folder(path)


def _value(value: object) -> str:
    if isinstance(value, int):
        return "%d" % value
    if isinstance(value, str):
        return quote(value)
    return "[%s]" % ",".join([quote(str(one)) for one in value])  # type: ignore[attr-defined]


def _write_synced(path: str, data: bytes) -> None:
    descriptor = system.open(path, _WRITE_NEW, 0o600)
    try:
        while data:  # a nearly full disk takes a part, and only then says no
            data = data[system.write(descriptor, data) :]
        system.fsync(descriptor)
    finally:
        system.close(descriptor)


def _sync_folder(path: str) -> None:
    if system.__name__ == "nt":
        return  # Windows has no folder descriptors; NTFS journals the rename
    descriptor = system.open(path, system.O_RDONLY)
    try:
        system.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        system.close(descriptor)
