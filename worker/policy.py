"""From what happened to a scene to what is done about it: a pure function of kind and attempts, and its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from sync_queue.settlement import LogEntry, Settlement, Verdict
from validation.errors import Kind

RETRY_FIRST_S = 30.0
RETRY_LONGEST_S = 600.0
MISSING_FOR_S = 7_200.0
KILLS_TO_POISON = 3

BUSY_S = 30.0
BUSY_SHORTEST_S = 5.0
BUSY_LONGEST_S = 900.0

PUSHED = "synced"
UNCHANGED = "unchanged"
SKIPPED = "skipped"

# Nobody's fault of the scene: it goes back into the queue, and the drain waits for whoever is away.
NOT_CHARGED = frozenset((Kind.UNREACHABLE, Kind.BUSY, Kind.REFUSED, Kind.STASH_AWAY, Kind.STASH_REFUSED))
FINAL = frozenset((Kind.AMBIGUOUS, Kind.PERMANENT, Kind.TOO_LARGE, Kind.POISON))


@dataclass(frozen=True)
class Outcome:
    """What one attempt at one scene came to: a success by name, or a kind of trouble with its sentence.

    ``tried`` is False when it was not the scene itself that met the trouble.
    """

    scene: int
    result: str = ""
    trouble: Kind | None = None
    reason: str = ""
    retry_after_s: float | None = None
    file: str = ""
    log: tuple[LogEntry, ...] | None = None
    tried: bool = True


def settle(outcome: Outcome, attempts: int, since: float, now: float, max_retries: int = 5) -> Settlement:
    """Decide about one scene.

    ``attempts`` is how often it was tried before for a reason of its own, ``since`` when the first of these was.
    ``max_retries`` bounds what is charged to the scene itself: unexpected answers and failed parts.
    """
    kind = outcome.trouble
    if kind is None or kind is Kind.GONE:
        return _settlement(outcome, Verdict.DONE, outcome.result or Kind.GONE.value)
    if kind in NOT_CHARGED:
        return _settlement(outcome, Verdict.AGAIN, kind.value)
    if kind in FINAL:
        return _settlement(outcome, Verdict.DEAD, kind.value)
    if kind is Kind.MISSING:
        spent = attempts > 0 and now - since >= MISSING_FOR_S
    else:
        spent = attempts >= max_retries
    if spent:
        return _settlement(outcome, Verdict.DEAD, kind.value)
    return _settlement(outcome, Verdict.LATER, kind.value, due=now + retry_delay_s(attempts), charged=True)


def retry_delay_s(attempts: int) -> float:
    """30 s, doubled with each attempt, at most 10 minutes."""
    return min(RETRY_LONGEST_S, RETRY_FIRST_S * 2.0 ** min(attempts, 10))


def busy_pause_s(retry_after_s: float | None) -> float:
    """How long to leave a busy server alone: what it asks for, within reason."""
    asked = BUSY_S if retry_after_s is None else retry_after_s
    return min(BUSY_LONGEST_S, max(BUSY_SHORTEST_S, asked))


def _settlement(outcome: Outcome, verdict: Verdict, result: str, due: float = 0.0, charged: bool = False) -> Settlement:
    return Settlement(outcome.scene, verdict, result, outcome.reason, due, charged, outcome.file, outcome.log)
