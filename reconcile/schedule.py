"""When a comparison is due that nobody asked for, and which. Pure; times are Unix times."""

from __future__ import annotations

from collections.abc import Mapping

from reconcile.scan import ALL, DEEP, QUICK, SCOPES_S, SENT, Plan

NEVER = "never"
INTERVALS_S = {NEVER: 0.0, "hourly": 3_600.0, "daily": 86_400.0, "weekly": 7 * 86_400.0}
DEEP_S = 20 * 3_600.0  # how old the last deep run over everything may be before the next one is deep again
START_S = 3_600.0
START_SCOPE = "24h"
SETTLED_S = 5.0  # deletions come in swarms
BEGAN = "began"  # when this installation began: nothing that was there before is our business unasked

SENT_S = 86_400.0  # how often Stash is compared with what was sent: some changes leave no sign at all

START, INTERVAL, DELETED, DAILY = "at the start", "by itself", "after a deletion", "once a day"
ASKED = "asked for"

Done = Mapping[str, float]


def due(interval: str, scope: str, done: Done, wanted: float | None, starting: bool, now: float) -> Plan | None:
    """The run to begin now, None for none.

    ``done`` holds the ends of the last runs by scope, with that of the last deep one over everything as DEEP, that of
    the last one of depth sent as SENT, and BEGAN. ``wanted`` is when something was deleted in Stash of which nobody
    knows which scenes had it. ``starting`` says that the worker has not looked back yet.
    """
    done = _past(done, now)
    if INTERVALS_S[interval] and _older(covered(scope, done), INTERVALS_S[interval], now):
        quick = scope == ALL and not _older(done.get(DEEP), DEEP_S, now)
        return Plan(scope, QUICK if quick else DEEP, why=INTERVAL)
    if wanted is not None and not 0 <= now - wanted < SETTLED_S:
        return Plan(ALL, SENT, why=DELETED)
    if starting and _older(_latest(done, *SCOPES_S, BEGAN), START_S, now):
        return Plan(START_SCOPE, DEEP, why=START)
    if _older(_latest(done, ALL, SENT, BEGAN), SENT_S, now):
        return Plan(ALL, SENT, why=DAILY)
    return None


def next_due(interval: str, scope: str, done: Done, now: float) -> float | None:
    """When the interval asks for the next run, None without an interval."""
    if not INTERVALS_S[interval]:
        return None
    last = covered(scope, _past(done, now))
    return now if last is None else max(now, last + INTERVALS_S[interval])


def covered(scope: str, done: Done) -> float | None:
    """When the last run ended that looked at all of this scope."""
    wider = [done[name] for name, span in SCOPES_S.items() if name in done and _covers(span, SCOPES_S[scope])]
    return max(wider, default=None)


def _past(done: Done, now: float) -> Done:
    """Without times to come: after the clock was set back they say nothing, and must not outshine newer ones."""
    return {name: at for name, at in done.items() if at <= now}


def _latest(done: Done, *names: str) -> float | None:
    return max((done[name] for name in names if name in done), default=None)


def _covers(span: float, wanted: float) -> bool:
    return span == SCOPES_S[ALL] or (wanted != SCOPES_S[ALL] and span >= wanted)


def _older(at: float | None, age_s: float, now: float) -> bool:
    """Whether it is so long ago, or was never."""
    return at is None or now - at >= age_s
