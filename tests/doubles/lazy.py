"""A library too large to be made before it is needed: values come into being when somebody asks for them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from pkgutil import resolve_name
from typing import Any, Callable, Generic, TypeVar, Union, cast, overload

Made = TypeVar("Made")


class Promise(Generic[Made]):
    """How to make the values of some keys. What all of them have in common can be read from it, unmade."""

    def __init__(self, make: Callable[[int], Made], **known: Any) -> None:
        self.make = make
        self.known = known


class Lazy(MutableMapping[int, Made]):
    """By number. A promised value counts as there; its making must not change what others see.

    It is made under the library's own lock.
    """

    def __init__(self, lock: threading.RLock) -> None:
        self._held: dict[int, Union[Made, Promise[Made]]] = {}
        self._lock, self._unkept = lock, False

    def promise(self, keys: Iterable[int], promise: Promise[Made]) -> None:
        """Count these keys as there from now on."""
        self._unkept = True
        self._held.update(dict.fromkeys(keys, promise))

    def known(self, key: int, name: str) -> Any:
        """This attribute of a value, which is not made for it when the promise tells."""
        held = self._held[key]
        if isinstance(held, Promise) and name in held.known:
            return held.known[name]
        return getattr(self[key], name)

    def __getitem__(self, key: int) -> Made:
        held = self._held[key]
        return self._made(key) if isinstance(held, Promise) else held

    def _made(self, key: int) -> Made:
        with self._lock:
            held = self._held[key]
            if isinstance(held, Promise):
                held = self._held[key] = held.make(key)
            return cast(Made, held)

    def make_all(self) -> None:
        """Keep every promise."""
        for key in list(self._held) if self._unkept else ():
            self[key]
        self._unkept = False

    def clear(self) -> None:
        """Forget everything, promises too."""
        self._held.clear()

    def __setitem__(self, key: int, value: Made) -> None:
        self._held[key] = value

    def __delitem__(self, key: int) -> None:
        del self._held[key]

    def __contains__(self, key: object) -> bool:
        return key in self._held

    def __iter__(self) -> Iterator[int]:
        return iter(self._held)

    def __reversed__(self) -> Iterator[int]:
        return reversed(self._held)

    def __len__(self) -> int:
        return len(self._held)


class Chosen(Sequence[Made]):
    """Some values of a library in some order; each is made when it is read."""

    def __init__(self, library: Lazy[Made], keys: Sequence[int]) -> None:
        self._library, self._keys = library, keys

    @overload
    def __getitem__(self, at: int) -> Made: ...

    @overload
    def __getitem__(self, at: slice) -> list[Made]: ...

    def __getitem__(self, at: Union[int, slice]) -> Union[Made, list[Made]]:
        if isinstance(at, slice):
            return [self._library[key] for key in self._keys[at]]
        return self._library[self._keys[at]]

    def __len__(self) -> int:
        return len(self._keys)


def describer(name: str) -> Callable[[int], dict[str, Any]]:
    """The function of this name (``module:function``): it describes the nth, from 1, and the same each time."""
    found: Callable[[int], dict[str, Any]] = resolve_name(name)
    return found
