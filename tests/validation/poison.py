"""Texts that have broken programs before; each must come through the border harmless."""

from __future__ import annotations

POISON = {
    "empty": "",
    "only spaces": "   \t \n ",
    "lone high surrogate": "a\ud800b",
    "lone low surrogate": "\udfff",
    "surrogate pair in two": "\ud83d\ude00",
    "nul": "a\x00b",
    "control characters": "".join(map(chr, range(32))) + "\x7f\x80\x85\x9f",
    "newline": "one\ntwo\r\nthree\rfour",
    "line separators": "one\u2028two\u2029three",
    "byte order mark": "\ufeffa",
    "no characters": "a\ufffe\uffff\U0001fffeb",
    "right to left override": "\u202eevil\u202c",
    "zero width": "a\u200bb\u200dc\u2060",
    "emoji with modifiers": "👩🏽‍🚀 🏳️‍🌈",
    "decomposed": "e\u0301",
    "many marks": "a" + "\u0301" * 300,
    "markup": "</Video><script>alert('&amp;')</script>",
    "separators": "a,b&c=d;e?f#g%2C+h/i\\j",
    "one megabyte": "x" * 1_000_000,
    "long words of four bytes": "😀" * 300,
    "digits": "9" * 5_000,
    "escape sequence": "\x1b[31mred\x1b[0m \x01e\x02forged",
}
