"""The report as a page for a browser: everything in one document, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterable, Sequence
from html import escape

from provider import gaps
from provider.gaps import Gap
from provider.heal import Healing
from provider.misses import Missed
from provider.report import (
    NEEDS_PLEX,
    TITLES,
    Compared,
    Report,
    because,
    healed,
    moment,
    plain,
    reasons,
    why,
)

EXAMPLES = 20
_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2127;--soft:#5c6670;--line:#d9dee3;--card:#f5f7f9;--mark:#a45a00;
--act:#1f5fbf;--on:#fff}
@media(prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e4e8ec;--soft:#98a2ad;--line:#333a42;--card:#1e2328;
--mark:#f0b35a;--act:#7db0ff;--on:#10141a}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .25rem}p{margin:.25rem 0}
.soft{color:var(--soft)}.mark{color:var(--mark);font-weight:600}
header{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;justify-content:space-between}
button{font:inherit;padding:.45rem 1rem;border:0;border-radius:.4rem;background:var(--act);color:var(--on)}
button[disabled]{opacity:.5;cursor:default}
ul.counts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.6rem;list-style:none;padding:0}
ul.counts li{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}
ul.counts a{color:inherit;text-decoration:none;display:block}
ul.counts b{display:block;font-size:1.6rem;line-height:1.2;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem .4rem 0;border-bottom:1px solid var(--line);
overflow-wrap:anywhere}
th{color:var(--soft);font-weight:600}td.file{font-family:ui-monospace,monospace;font-size:.85rem}
td.number,th.number{white-space:nowrap}
@media(max-width:40rem){table,tbody,tr,td{display:block}thead{display:none}
td{border:0;padding:.1rem 0}td:empty{display:none}tr{border-bottom:1px solid var(--line);padding:.5rem 0}
td[data-of]::before{content:attr(data-of) " ";color:var(--soft)}}
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address may hold the secret
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_Row = Sequence[str]


def page(report: Report) -> bytes:
    """The page, in UTF-8. It looks again by itself as long as a run is under way."""
    body = [_head(report), *_state(report)]
    if report.compared:
        body += _comparison(report.compared)
    body += _misses(report.missed)
    again = '<meta http-equiv="refresh" content="5">' if report.running else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"{again}<title>Stash2Plex gaps</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>"
    ).encode("utf-8", "replace")


def preferred(accept: str) -> bool:
    """Whether this ``Accept`` is a browser's: what it names and likes best is HTML."""
    return _liking("text/html", accept) > _liking("application/json", accept)


def _liking(kind: str, accept: str) -> float:
    """How much a type is wanted, 0 to 1; only what is named counts."""
    for part in accept.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name.lower() == kind:
            quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
            with contextlib.suppress(ValueError):
                return float(quality)
    return 0.0


def _head(report: Report) -> str:
    off = " disabled" if report.running or not report.possible else ""
    button = f'<form method="post" action="gaps/run"><button{off}>Compare now</button></form>'
    return f"<header><h1>Gaps between Plex and Stash</h1>{button}</header>"


def _state(report: Report) -> Iterable[str]:
    if not report.possible:
        yield _p(f"{NEEDS_PLEX}. Until then only what Plex asked for in vain is shown.", "mark")
        return
    if report.running:
        yield _p(f"A run is under way: {report.running.stage}, {report.running.done:,} done.", "mark")
    failure, compared = report.failure, report.compared
    if failure and (compared is None or failure.at >= compared.began_at):
        yield _p(f"The run of {moment(failure.at)} failed: {plain(failure.why)}", "mark")
    if compared:
        found = compared.found
        yield _p(
            f"Compared at {moment(compared.began_at)} in {compared.took_s:.1f} s: {found.scenes:,} scenes in Stash, "
            f"{found.items:,} items in Plex.",
            "soft",
        )
    elif not report.running:
        yield _p("Nothing was compared yet.", "soft")
    next_run = moment(report.next_at) or "only when asked for"
    yield _p(f"Next run: {next_run}. Healing is {'on' if report.heal else 'off'}.", "soft")


def _comparison(compared: Compared) -> Iterable[str]:
    found = compared.found
    cards = [(f"#{kind}", found.count(kind), title) for kind, title in TITLES.items()]
    cards.append(("", found.matched, "Matched to their scene"))
    yield f'<ul class="counts">{"".join(_card(*card) for card in cards)}</ul>'
    if compared.healing:
        yield from _healing(compared.healing)
    for kind, title in TITLES.items():
        if found.count(kind):
            yield f'<h2 id="{kind}">{escape(title)}: {found.count(kind):,}</h2>'
            yield from (_p(f"{number:,}: {because(kind, reason)}", "soft") for reason, number in reasons(found, kind))
            yield _gaps(found.examples.get(kind, ())[:EXAMPLES], compared.libraries, found.count(kind))


def _card(target: str, count: int, title: str) -> str:
    text = f"<b>{count:,}</b>{escape(title)}"
    return f'<li><a href="{target}">{text}</a></li>' if target and count else f"<li>{text}</li>"


def _healing(healing: Healing) -> Iterable[str]:
    yield "<h2>Healing</h2>"
    yield from (_p(line) for line in healed(healing))
    rows = [(one.title, one.item, str(one.scene), because(gaps.UNMATCHED, one.why)) for one in healing.examples]
    if rows:
        yield _table(("Title", "Item", "Scene", "Why"), rows[:EXAMPLES])


def _gaps(examples: Sequence[Gap], libraries: dict[str, str], count: int) -> str:
    rows = [_row(gap, libraries) for gap in examples]
    rest = f'<p class="soft">and {count - len(rows):,} more</p>' if count > len(rows) else ""
    return _table(("Title", "File", "Plex", "Scene", "Why"), rows) + rest


def _row(gap: Gap, libraries: dict[str, str]) -> _Row:
    file = f"{gap.path} → {gap.expected}" if gap.expected and gap.expected != gap.path else gap.path
    item = " ".join(filter(None, (libraries.get(gap.section, ""), gap.item and f"#{gap.item}")))
    reason = f"{why(gap)} ({gap.guid})" if gap.kind == gaps.FOREIGN else why(gap)
    return gap.title, file, item, ", ".join(map(str, gap.scenes)), reason


def _misses(missed: Missed) -> Iterable[str]:
    yield f"<h2>Asked for by Plex in vain: {missed.held:,}</h2>"
    if not missed.newest:
        yield _p("None since the start.", "soft")
        return
    yield from (_p(f"{number:,}: {plain(reason)}", "soft") for reason, number in missed.by_reason.items())
    rows = [(miss.asked, moment(miss.last_at) or "", f"{miss.count:,}", plain(miss.reason)) for miss in missed.newest]
    yield _table(("File", "Last", "Times", "Why"), rows[:EXAMPLES])


def _p(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def _table(heads: _Row, rows: Sequence[_Row]) -> str:
    head = "".join(f"<th{_kind(name)}>{name}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(_cell(name, text) for name, text in zip(heads, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(name: str, text: str) -> str:
    shown = f' data-of="{name}"' if name in ("Scene", "Item", "Times", "Plex") and text else ""
    return f"<td{_kind(name)}{shown}>{escape(text)}</td>"


def _kind(name: str) -> str:
    return {"File": ' class="file"', "Scene": ' class="number"', "Times": ' class="number"'}.get(name, "")
