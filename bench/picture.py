"""Small real JPEG pictures, made without any library: a grey gradient of 8 x 8 blocks, another one for each number."""

from __future__ import annotations

import struct
from collections.abc import Iterator

WIDE, HIGH = 8, 12  # in blocks: the shape of a poster
QUANTUM = 8
# How many codes of the length 1, 2, … there are for the sizes 0 to 11 of a difference (from the JPEG standard, K.3.1).
LENGTHS = (0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)
END_OF_BLOCK = "0"  # the only code of its table


def jpeg(number: int) -> bytes:
    """A picture of 64 x 96 points, a few hundred bytes."""
    levels = [16 + (number * 37 + row * 13 + column * 5) % 224 for row in range(HIGH) for column in range(WIDE)]
    frame = struct.pack(">BHHBBBB", 8, HIGH * 8, WIDE * 8, 1, 1, 0x11, 0)
    parts = (
        _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        _segment(0xDB, b"\0" + bytes([QUANTUM]) * 64),
        _segment(0xC0, frame),
        _segment(0xC4, b"\0" + bytes(LENGTHS) + bytes(range(12))),
        _segment(0xC4, b"\x10" + bytes((1, *[0] * 15)) + b"\0"),
        _segment(0xDA, bytes((1, 1, 0, 0, 63, 0))),
    )
    return b"\xff\xd8" + b"".join(parts) + _packed("".join(_blocks(levels))) + b"\xff\xd9"


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _blocks(levels: list[int]) -> Iterator[str]:
    """Each block as the difference of its grey from the one before it, in bits."""
    codes, before = _codes(), 128
    for level in levels:
        difference, before = level - before, level
        size = abs(difference).bit_length()
        bits = difference if difference > 0 else difference + (1 << size) - 1
        yield codes[size] + (f"{bits:0{size}b}" if size else "") + END_OF_BLOCK


def _codes() -> list[str]:
    """The code of each size: one more than the one before it, longer by zeros where the length grows."""
    found, code = [], 0
    for length, count in enumerate(LENGTHS, 1):
        for _ in range(count):
            found.append(f"{code:0{length}b}")
            code += 1
        code <<= 1
    return found


def _packed(bits: str) -> bytes:
    """Bits as bytes, filled up with ones; a zero follows each byte that looks like the begin of a marker."""
    bits += "1" * (-len(bits) % 8)
    packed = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return packed.replace(b"\xff", b"\xff\0")
