"""Answers of /graphql that go wrong on purpose."""

from collections import deque
from typing import Union


class Faults:
    """Makes the next answers of /graphql fail; `latency_s` delays each of them."""

    def __init__(self) -> None:
        self.latency_s = 0.0
        self._next: deque[Union[int, str]] = deque()

    def status(self, code: int, times: int = 1) -> None:
        self._next.extend([code] * times)

    def drop(self, times: int = 1) -> None:
        """Closes the connection instead of an answer."""
        self._next.extend(["drop"] * times)

    def clear(self) -> None:
        self.latency_s = 0.0
        self._next.clear()

    def take(self) -> Union[int, str, None]:
        try:
            return self._next.popleft()
        except IndexError:
            return None
