"""A run of the comparison as it is kept and told: what a page adds to it, and what it comes to in words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reconcile import gaps
from reconcile.scan import (
    ALL,
    CREATED,
    DEPTHS,
    QUICK,
    SCOPE_WORDS,
    SCOPES_S,
    STAGES,
    UPDATED,
    Cursor,
    Page,
    Plan,
)

EXAMPLES = 3
COUNTS = ("checked", "healthy", "skipped", "doubtful", "under_way", "repairs", "plex_requests", "stash_requests")


def recalled(content: Mapping[str, Any]) -> tuple[Plan, Cursor, dict[str, Any]]:
    """A run as it was kept, to go on with; its deaths count the worker's at the place where it is.

    Raises ValueError, TypeError or KeyError when it is damaged.
    """
    plan = Plan(**{name: content[name] for name in asdict(Plan())})
    cursor = Cursor(**content["cursor"])
    counts = {name: content[name] for name in (*COUNTS, "deaths")}
    numbers = (*counts.values(), *content["gaps"].values(), cursor.section, cursor.start, cursor.scene, cursor.total)
    sound = (
        (plan.scope in SCOPES_S and plan.depth in DEPTHS and plan.by in (UPDATED, CREATED) and not plan.dry)
        and (cursor.stage in STAGES and isinstance(cursor.after, str))
        and all(type(number) is int and number >= 0 for number in numbers)
        and (set(content["gaps"]) <= {*gaps.KINDS} and isinstance(content["examples"], list))
    )
    if not sound:
        raise ValueError("no run of ours")
    counts["deaths"] += content.get("at_work") is True
    kept = {"gaps": dict(content["gaps"]), "examples": content["examples"], "wanted": content.get("wanted")}
    return plan, cursor, {**asdict(plan), **counts, **kept, "note": ""}


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the store's runs for people; ``duration_s`` is None while it goes on."""
    content, ended = row["content"], row["ended"]
    names = ("why", "scope", "by", "depth", *COUNTS, "gaps", "examples", "note")
    known = {name: content[name] for name in names if name in content}
    took = None if ended is None else max(0.0, ended - row["started"])
    return {"run": row["id"], "started": row["started"], "ended": ended, "duration_s": took, **known}


def take_in(content: dict[str, Any], page: Page) -> None:
    """Count what a page showed; keep the first examples of each kind."""
    for name in ("checked", "healthy", "skipped"):
        content[name] += getattr(page, name)
    counted = Counter({**content["gaps"], gaps.DOUBTFUL: content["doubtful"]})
    for gap in (*page.gaps, *page.doubts):
        counted[gap.kind] += 1
        if counted[gap.kind] <= EXAMPLES:
            content["examples"].append({"scene": gap.scene, "kind": gap.kind, "reason": gap.reason})
    content["gaps"] = {kind: counted[kind] for kind in gaps.KINDS if counted[kind]}
    content["doubtful"] = counted[gaps.DOUBTFUL]


def summary(content: dict[str, Any]) -> str:
    """What a run came to, in a sentence."""
    found = ", ".join(f"{count} {kind}" for kind, count in content["gaps"].items()) or "no gaps"
    left_out = [f"{content[name]} {name}" for name in ("skipped", "doubtful") if content[name]]
    aside = f" ({', '.join(left_out)})" if left_out else ""
    asked = f"{content['plex_requests']} requests to Plex, {content['stash_requests']} to Stash"
    return f"{content['checked']} scenes checked{aside}, {found}, {content['repairs']} queued; {asked}"


def about(plan: Plan) -> str:
    """What a run looks at, and why it began."""
    act = "changed" if plan.by == UPDATED else "added"
    scenes = SCOPE_WORDS[ALL] if plan.scope == ALL else f"scenes {act} in {SCOPE_WORDS[plan.scope]}"
    return f"{scenes}, {plan.why}{', quick' if plan.depth == QUICK else ''}"
