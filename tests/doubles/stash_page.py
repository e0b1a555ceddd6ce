"""A page of the double in a browser: the scripts of enabled plugins run in a QuickJS context (dukpy), as in a tab."""

import json
import socket
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

import dukpy

from tests.doubles.stash_client import fetch

PLUGINS = "query Plugins{plugins{id enabled requires paths{javascript css}}}"
# A browser as far as our scripts need one. A timer fires when an answer takes longer than it, and never otherwise.
PRELUDE = """
var window = {}, timers = [], kept = dukpy.kept, blocked = dukpy.storage_blocked;
window.window = window.self = window;
window.top = dukpy.framed ? {} : window;
window.location = {href: dukpy.page};
function setTimeout(act, ms) { timers.push({act: act, ms: ms}); return timers.length; }
function clearTimeout(number) { timers[number - 1] = null; }
function storage() { if (blocked) { throw new Error('SecurityError'); } return kept; }
var sessionStorage = {
  getItem: function (name) { return name in storage() ? storage()[name] : null; },
  setItem: function (name, value) { storage()[name] = String(value); },
  removeItem: function (name) { delete storage()[name]; }
};
var console = {};
['log', 'info', 'warn', 'error', 'debug'].forEach(function (level) {
  console[level] = function () {
    call_python('console', level, Array.prototype.map.call(arguments, String).join(' '));
  };
});
function AbortController() {
  var signal = this.signal = {aborted: false};
  this.abort = function () { signal.aborted = true; };
}
function fetch(address, options) {
  return new Promise(function (resolve, reject) {
    var waiting = timers.filter(Boolean).sort(function (a, b) { return a.ms - b.ms; });
    var patience = waiting.length ? waiting[0].ms / 1000 : 60;
    var answer = call_python('fetch', String(address), JSON.stringify(options || {}), patience);
    if (answer.slow) { waiting[0].act(); }
    if (!answer.status) { reject(new TypeError('Failed to fetch')); return; }
    resolve({
      status: answer.status, ok: answer.status >= 200 && answer.status < 300,
      text: function () { return Promise.resolve(answer.body); },
      json: function () {
        return new Promise(function (done) { done(JSON.parse(answer.body)); });
      }
    });
  });
}
"""
RUN = "try { (0, eval)(dukpy.script); } catch (error) { call_python('uncaught', String(error)); }"


@dataclass
class Tab:
    """A tab of a browser; `kept` is its session storage, which a reload keeps. `prefix` is a proxy's for Stash."""

    url: Callable[[], str]
    prefix: str = ""
    kept: dict[str, str] = field(default_factory=dict)
    storage_blocked: bool = False
    framed: bool = False


@dataclass
class Page:
    """What a loaded page did: `login` when Stash wanted one, else the addresses its scripts asked for, and what failed.

    `said` is what was written to the console.
    """

    login: bool = False
    asked: list[str] = field(default_factory=list)
    uncaught: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def load(tab: Tab, cookie: str, patience_s: Optional[float] = None) -> Page:
    """Load a page as that session would; returns when its scripts are done. `patience_s` shortens their timers."""
    page = Page()
    status, _, _ = _get(tab, "/", cookie)
    if status != 200:
        page.login = True
        return page
    for script in _scripts(tab, cookie):
        _Run(tab, page, cookie, patience_s).run(script)
    return page


def _scripts(tab: Tab, cookie: str) -> list[str]:
    """The scripts of enabled plugins, each as Stash serves it."""
    answer = _post(tab, {"query": PLUGINS}, cookie, 60.0)
    plugins = json.loads(answer[2])["data"]["plugins"] if answer[0] == 200 else []
    found = []
    for plugin in plugins:
        for address in plugin["paths"]["javascript"] or [] if plugin["enabled"] else []:
            status, _, body = _get(tab, "/plugin/" + address.rpartition("/plugin/")[2], cookie)
            found += [body.decode()] if status == 200 else []
    return found


def _get(tab: Tab, path: str, cookie: str) -> tuple[int, dict[str, str], bytes]:
    return fetch(tab.url() + path, "GET", None, _headers(cookie))


def _post(tab: Tab, content: Any, cookie: str, timeout_s: float) -> tuple[int, dict[str, str], bytes]:
    return fetch(tab.url() + "/graphql", "POST", json.dumps(content), _headers(cookie), timeout_s)


def _headers(cookie: str) -> dict[str, str]:
    session = {"Cookie": f"session={cookie}"} if cookie else {}
    return {"Content-Type": "application/json", "Accept": "application/json", **session}


class _Run:
    """One script on one page."""

    def __init__(self, tab: Tab, page: Page, cookie: str, patience_s: Optional[float]) -> None:
        self._tab, self._page, self._cookie, self._patience_s = tab, page, cookie, patience_s

    def run(self, script: str) -> None:
        engine = dukpy.JSInterpreter()
        engine.export_function("console", lambda level, text: self._page.said.append(f"{level}: {text}"))
        engine.export_function("uncaught", self._page.uncaught.append)
        engine.export_function("fetch", self._fetch)
        tab = self._tab
        given = {"kept": tab.kept, "framed": tab.framed, "storage_blocked": tab.storage_blocked}
        engine.evaljs(PRELUDE, page=f"http://browser{tab.prefix}/", **given)
        engine.evaljs(RUN, script=script)
        tab.kept.update(engine.evaljs("kept"))

    def _fetch(self, address: str, options: str, patience_s: float) -> dict[str, Any]:
        """As a browser: relative to `<base href>`, with the session's cookie only for the page's own host."""
        given, path = json.loads(options), address
        if "://" in address:
            self._page.asked.append(address)
            return {}  # Stash's content security policy does not let it through
        if not address.startswith("/"):
            path = f"{self._tab.prefix}/{address}"
        self._page.asked.append(path)
        if not path.startswith(self._tab.prefix + "/"):
            return {"status": 404, "body": "the proxy knows no such path"}
        cookie = "" if given.get("credentials") == "omit" else self._cookie
        headers = {**given.get("headers", {}), **({"Cookie": f"session={cookie}"} if cookie else {})}
        url = self._tab.url() + path[len(self._tab.prefix) :]
        try:
            timeout_s = self._patience_s or patience_s
            status, _, body = fetch(url, given.get("method", "GET"), given.get("body"), headers, timeout_s)
        except socket.timeout:  # the connection is closed, as an abort does
            return {"slow": True}
        except OSError:
            return {}
        return {"status": status, "body": body.decode("utf-8", "replace")}
