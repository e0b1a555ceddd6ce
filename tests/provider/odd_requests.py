"""Requests that nobody should send: well-formed ones with odd contents, and ones with bytes torn out and thrown in.

All that is said in them of files and titles has NAMED in it, so that a log can be searched for it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_from_bytes

from hypothesis import strategies as st

NAMED = "Zanzibar"
METHODS = ("GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "JANE", "get")
IDS = (
    *("1", "2", "3", "0", "-1", "999999", "1.5", "1e3", "01", "٣", "9" * 18, "9" * 19, "9" * 400, "1%00", "%00", "%ff"),
    *(
        "..",
        "%2e%2e",
        "..%2f..%2fetc",
        "a b",
        "a%20b",
        "1;drop",
        "1'",
        '1"',
        "%25",
        "%",
        "%zz",
        "😀",
        "scene-1",
        "1/",
        "",
    ),
    *("x" * 5_000, "1?x", "1#x", "%0d%0aX:%20y", "{id}", "$%7Bjndi%7D", "__proto__", "NaN", "null", "true", NAMED),
)
ITEM = "/library/metadata/"
PATHS = (
    *("/", "", "//", "/library/metadata", ITEM, ITEM + "matches", ITEM + "matches/", "/gaps", "/gaps/", "/gaps/run"),
    *(
        "/livez",
        "/readyz",
        "/metrics",
        "/favicon.ico",
        "/../livez",
        "/./",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/\\",
        "/explain",
    ),
)
SUBS = ("", "/images", "/extras", "/children", "/grandchildren", "/x/y/z", "/", "//")
NUMBERS = ("", "0", "1", "-1", "20", "1e3", "abc", "٣", "1.5", "2147483648", "9" * 30, "9" * 5_000, "0x10", " 1", "NaN")
FILES = (
    f"/Library A/Studio/{NAMED}.mp4",
    f"Library A/{NAMED}.mp4",
    f"C:\\Media\\{NAMED}.mp4",
    f"\\\\nas\\share\\{NAMED}.mp4",
    f"../../{NAMED}",
    f"/a\0{NAMED}",
    f"{NAMED}" * 1_000,
    "/" * 3_000 + NAMED,
    f"/{NAMED}%_[a+b]{{2}}(c)^$.|?*",
    f"/{NAMED}\ud800.mp4",
    f"/{NAMED}\U0001f3ac\u202e\u0301.mp4",
    "",
    ".",
    "/",
    "%",
    "%" * 2_000,
    "_" * 4_000,
)
VALUES = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        3,
        4,
        18,
        1.5,
        10**30,
        -(10**4000),
        1e308,
        float("nan"),
        float("inf"),
        "",
        "1",
        " 1 ",
    ),
    *("true", "0x1", "1e400", "٣", "\0", "\ud800", "x" * 30_000, [], {}, [1], {"a": 1}, [[[]]], "imdb://tt1", "tt1"),
    *("0123456789abcdef", "0123456789ABCDEF", "g" * 16, "0" * 40, "tv.plex.agents.custom.stash2plex://movie/1"),
    *("tv.plex.agents.custom.stash2plex://movie/" + "9" * 30, "tv.plex.agents.custom.stash2plex://show/1", NAMED),
    *("http://stash:9999/scenes/1", "scenes/99999999999999999999", "stash-1", NAMED + " 2001", "%", "' OR 1=1 --"),
)
KEYS = (
    *("type", "title", "year", "guid", "filename", "manual", "includeAdult", "hash", "openSubtitlesHash", "oshash"),
    *("duration", "index", "parentTitle", "date", "includeElements", "episodeOrder", "__proto__", "", "type "),
)
RAW = (
    *(b"", b" ", b"null", b"[]", b"{}", b"1", b'"x"', b"NaN", b"{", b'{"type":1', b'{"type":1}x', b"\xef\xbb\xbf{}"),
    *(b'{"type":1,"year":NaN}', b'{"type":1e999}', b'{"type":-0}', b'{"type":1,"type":"x","type":1}', b"\0" * 100),
    *(
        b"[" * 60_000,
        b"[" * 30_000 + b"]" * 30_000,
        b'{"a":' * 10_000,
        b'{"type":1,"x":' + b"[" * 50_000,
        b"[" * 100_000,
    ),
    *(
        b'{"type":' + b"9" * 60_000 + b"}",
        b'{"title":"\xff\xfe","type":1}',
        b'{"title":"\\ud800","type":1,"filename":"a"}',
    ),
    *('{"type":1}'.encode("utf-16"), '{"type":1}'.encode("utf-32"), b'{"type":1,"filename":"\\u0000"}', b"<xml/>"),
    *(b'{"type":1,' + b",".join(b'"k%d":1' % number for number in range(5_000)) + b"}", b"type=1&title=x"),
)
HEADERS = (
    ("X-Plex-Language", ("en-US", "", "xx" * 500, "é", "../..")),
    ("X-Plex-Container-Start", NUMBERS),
    ("X-Plex-Container-Size", NUMBERS),
    ("X-Request-Id", ("abc", "a b", "<b>", "x" * 500, "{}")),
    ("Accept", ("text/html", "*/*", "application/json;q=x", ",;=" * 200, "text/html,*/*;q=0.1")),
    (
        "Content-Type",
        ("application/json", "text/xml", "multipart/form-data; boundary=x", "application/json; charset=utf-7"),
    ),
    ("If-None-Match", ("*", '"x"', 'W/"x", "y"', '"' * 500, "é")),
    ("Range", ("bytes=0-", "bytes=5-1", "bytes=" + "0-1," * 300, "x")),
    ("Origin", ("http://evil.example", "null", "", "x")),
    ("Sec-Fetch-Site", ("cross-site", "same-origin", "none", "x")),
    ("X-Forwarded-For", ("8.8.8.8", "127.0.0.1", "x", ", ,", "::1%" + "z" * 200)),
    ("X-Forwarded-Host", ("evil.example",)),
    ("Forwarded", ("for=1.2.3.4;host=evil.example",)),
    ("Cookie", ("a=b", ";" * 1_000)),
    ("Authorization", ("Basic Og==", "Bearer x")),
    ("X-HTTP-Method-Override", ("DELETE",)),
    ("Accept-Encoding", ("gzip", "br;q=1.0, *", "identity;q=0")),
    ("If-Modified-Since", ("x", "Thu, 01 Jan 1970 00:00:00 GMT")),
    ("Host", ("p:9090", "127.0.0.1", "[::1]:1", "p:0")),
)
UNPROPER = b"\0\r\n\t :;,/%?#\xff\x80{}[]\"'\\0123456789"


class Odd(NamedTuple):
    """One request as bytes. A ``proper`` one has to be answered; of another one nobody knows where it ends."""

    raw: bytes
    head: bool
    proper: bool


def whole(method: str, path: str, headers: list[tuple[str, str]], body: bytes, chunked: bool = False) -> Odd:
    """A request that is well-formed; the path is made so, and a host is added when there is none."""
    named = list(dict(headers).items())
    if not any(name == "Host" for name, _ in named):
        named.append(("Host", "127.0.0.1"))
    if chunked:
        named.append(("Transfer-Encoding", "chunked"))
        cut = [body[start : start + 7_000] for start in range(0, len(body), 7_000)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in cut) + b"0\r\n\r\n"
    elif body or method in ("POST", "PUT", "PATCH"):
        named.append(("Content-Length", str(len(body))))
    target = quote(path.encode("utf-8", "surrogatepass"), safe="/?#=&%+:;,@!$'()*[]~.-_")
    lines = [f"{method} {target or '/'} HTTP/1.1", *(f"{name}: {value}" for name, value in named), "", ""]
    known = method not in ("JANE", "get")  # what follows a method that there is not may be cut off with its answer
    return Odd("\r\n".join(lines).encode("utf-8", "replace") + body, method == "HEAD", known)


class Maker:
    """Makes requests from a seed. ``base`` is the registered path, ``pictures`` addresses that are signed."""

    def __init__(self, seed: int, base: str, pictures: list[str]) -> None:
        self._random, self._base, self._pictures = random.Random(seed), base, pictures

    def make(self, count: int) -> Iterator[Odd]:
        """Half of them well-formed, half of them torn."""
        for number in range(count):
            yield self.proper() if number % 2 else self.torn()

    def proper(self) -> Odd:
        """Well-formed; one in three is a match request, for there is most to be read in these."""
        pick = self._random.choice
        headers = [(name, pick(values)) for name, values in self._random.sample(HEADERS, self._random.randrange(4))]
        if self._random.random() < 0.33:
            path = self._base + ITEM + "matches" + self._query()
            return whole("POST", path, headers, self._body(), self._random.random() < 0.2)
        return whole(pick(METHODS), self._path() + self._query(), headers, b"" if pick((0, 0, 1)) else self._body())

    def torn(self) -> Odd:
        """A request with some of its bytes changed, thrown in, torn out, said twice, or with a lying length."""
        raw = bytearray(self.proper().raw[:20_000])
        body = raw.find(b"\r\n\r\n") + 4
        if body < len(raw) and self._random.random() < 0.5:
            for _ in range(self._random.randrange(1, 6)):  # its length stays, so that it gets as far as the routes
                raw[self._random.randrange(body, len(raw))] = self._random.choice(UNPROPER)
        else:
            for _ in range(self._random.randrange(1, 3)):
                self._tear(raw)
        if raw.count(self._base.encode()) > 1:
            raw = raw.replace(self._base.encode(), b"/x")  # what it says of itself it may be told
        return Odd(bytes(raw), False, False)

    def _tear(self, raw: bytearray) -> None:
        at, how = self._random.randrange(len(raw) + 1), self._random.randrange(6)
        if how == 0:
            raw[at : at + 1] = bytes([self._random.choice(UNPROPER)])
        elif how == 1:
            raw[at:at] = self._random.randbytes(self._random.randrange(1, 9))
        elif how == 2:
            del raw[at : at + self._random.randrange(1, 30)]
        elif how == 3:
            raw[at:at] = raw[max(0, at - 20) : at]
        elif how == 4:
            lie = b"Content-Length: " + self._random.choice((b"-", b"9", b"x", b"+"))
            raw[:] = raw.replace(b"Content-Length: ", lie)
        else:
            end = self._random.choice((b"\n", b"\r", b"\r\n ", b"\r\n\r\n", b"\0\r\n"))
            raw[:] = raw.replace(b"\r\n", end, 1)

    def _path(self) -> str:
        pick = self._random.choice
        kind = self._random.randrange(5)
        if kind == 0:
            return pick((self._base, "", "/x")) + pick(PATHS)
        if kind == 1:
            return pick(self._pictures).replace("1", pick(IDS), 1) if pick((0, 1)) else pick(self._pictures)
        if kind == 2:
            return f"/images/{pick(('scene', 'performer', 'studio', NAMED))}/{pick(IDS)}{pick(('', '/poster', '/x'))}"
        if kind == 3:
            return f"{self._base}/explain?filename={quote(pick(FILES).encode('utf-8', 'surrogatepass'))}"
        return self._base + ITEM + pick(IDS) + pick(SUBS)

    def _query(self) -> str:
        pick = self._random.choice
        if self._random.random() < 0.6:
            return ""
        noise = quote_from_bytes(self._random.randbytes(8))
        paging = f"X-Plex-Container-Start={quote(pick(NUMBERS))}&X-Plex-Container-Size={quote(pick(NUMBERS))}"
        return "?" + pick(
            (paging, f"t={pick(NUMBERS)}&sig={noise}", f"sig={'0' * 64}&t=1", noise, "&&==&", "a=" * 2_000)
        )

    def _body(self) -> bytes:
        pick = self._random.choice
        if self._random.random() < 0.15:
            return pick(RAW)
        fields = {pick(KEYS): pick(VALUES) for _ in range(self._random.randrange(6))}
        fields["filename"] = pick((pick(FILES), pick(FILES), pick(VALUES)))
        fields.setdefault("type", pick((1, 1, 1, "1", pick(VALUES))))
        return as_json(fields)


def as_json(value: object) -> bytes:
    """With NaN, lone surrogates and all."""
    return json.dumps(value, ensure_ascii=len(repr(value)) % 2 == 0).encode("utf-8", "surrogatepass")


_leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
_values = st.recursive(
    _leaf,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)
_fields = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=9), _values | st.sampled_from(VALUES), max_size=6)
_names = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)


@st.composite
def matches(draw: st.DrawFn, base: str) -> Odd:
    """Well-formed match requests with any JSON in them."""
    fields = draw(_fields)
    if draw(st.booleans()):
        fields = {**fields, "type": 1, "filename": draw(_names) + NAMED, "manual": draw(st.sampled_from((0, 1, "1")))}
    body = draw(st.just(as_json(fields)) | _values.map(as_json) | st.binary(max_size=200))
    return whole("POST", base + ITEM + "matches", [], body, draw(st.booleans()))


@st.composite
def reads(draw: st.DrawFn, base: str) -> Odd:
    """Well-formed reads of items and pictures."""
    place = draw(st.sampled_from((base + ITEM, "/images/scene/", "/images/performer/", base + "/explain?filename=")))
    path = place + quote(draw(st.sampled_from(IDS) | _names)) + draw(st.sampled_from(SUBS))
    return whole(draw(st.sampled_from(METHODS)), path, [], b"")
