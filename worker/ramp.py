"""How fast to send after an outage: a token bucket whose rate doubles every five seconds. Pure.

A Plex that has just started is slow, and a flood of what waited for it can bring it down again. One scene per second
is sent at first; what the bucket holds is worth a second, so that a time without work does not end in a flood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

RAMP_S = 45.0  # after that there is no limit; the rate is 512 scenes per second by then
DOUBLING_S = 5.0
HANDFUL_S = 0.5  # scenes are sent in handfuls worth so much time, for a claim has its price
ENDLESS = 1 << 31

_ROUNDING = 1e-6


def ramping(began: float, now: float) -> bool:
    """Whether Plex came back so short a time ago; a clock that was set back or forward ends it."""
    return 0 <= now - began < RAMP_S


@dataclass(frozen=True)
class Ramp:
    """``began`` is when Plex came back. The bucket held ``tokens`` at the time ``at``, which no ``now`` may be before.

    A token is a scene.
    """

    began: float
    at: float
    tokens: float = 1.0

    def allowed(self, now: float) -> int:
        """How many scenes may be sent now."""
        return int(self._level(now) + _ROUNDING) if ramping(self.began, now) else ENDLESS

    def wait_s(self, now: float, queued: int) -> float:
        """How long to gather tokens for the next handful, or for all that is queued if that is less."""
        if not ramping(self.began, now):
            return 0.0
        lacking = max(1, min(queued, int(_rate(now - self.began) * HANDFUL_S))) - self._level(now)
        if lacking <= _ROUNDING:
            return 0.0
        return DOUBLING_S * math.log2(1 + lacking * math.log(2) / DOUBLING_S / _rate(now - self.began))

    def spent(self, scenes: int, now: float) -> Ramp:
        """So many scenes were sent."""
        return Ramp(self.began, now, max(0.0, self._level(now) - scenes)) if ramping(self.began, now) else self

    def _level(self, now: float) -> float:
        """What flowed in since, no more than is worth a second."""
        rate = _rate(now - self.began)
        flowed = DOUBLING_S / math.log(2) * (rate - _rate(self.at - self.began))
        return min(rate, self.tokens + flowed)


def _rate(elapsed_s: float) -> float:
    """Scenes per second."""
    return float(2.0 ** (elapsed_s / DOUBLING_S))
