"""Answers of /graphql, and of the picture routes, that go wrong on purpose."""

from collections import deque
from typing import Union


class Faults:
    """Makes the next answers of /graphql fail; `latency_s` delays each of them."""

    def __init__(self) -> None:
        self.latency_s = 0.0
        self._next: deque[Union[int, str]] = deque()
        self._pictures: deque[int] = deque()

    def picture_status(self, code: int, times: int = 1) -> None:
        """The next pictures that are asked for are answered by this status."""
        self._pictures.extend([code] * times)

    def take_picture(self) -> int:
        return self._pictures.popleft() if self._pictures else 0

    def status(self, code: int, times: int = 1) -> None:
        self._next.extend([code] * times)

    def drop(self, times: int = 1) -> None:
        """Closes the connection instead of an answer."""
        self._next.extend(["drop"] * times)

    def clear(self) -> None:
        self.latency_s = 0.0
        self._next.clear()
        self._pictures.clear()

    def take(self) -> Union[int, str, None]:
        try:
            return self._next.popleft()
        except IndexError:
            return None
