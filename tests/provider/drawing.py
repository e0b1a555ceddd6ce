"""Real pictures for the tests of covers and posters."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 60), (30, 60, 220)


def drawn(width: int, height: int, colours: Any = (RED, GREEN, BLUE), mode: str = "RGB") -> Image.Image:
    """A picture of vertical bands of equal width."""
    picture = Image.new("RGB", (width, height))
    for number, colour in enumerate(colours):
        left, right = width * number // len(colours), width * (number + 1) // len(colours)
        picture.paste(colour, (left, 0, right, height))
    return picture.convert(mode)


def encoded(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """Its bytes as a file of this kind."""
    made = io.BytesIO()
    picture.save(made, kind, **options)
    return made.getvalue()


def cover(width: int = 640, height: int = 360, kind: str = "JPEG", **options: Any) -> bytes:
    """The bytes of three bands: red, green, blue."""
    return encoded(drawn(width, height), kind, **options)


def read(content: bytes) -> Image.Image:
    """The picture in these bytes, decoded whole."""
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def colour_at(picture: Image.Image, across: float, down: float) -> str:
    """The band's name at this part of the width and the height; "dark" or "other" for what is none."""
    pixel = picture.convert("RGB").getpixel((int(picture.width * across), int(picture.height * down)))
    if max(pixel) < 40:
        return "dark"
    named = {"red": RED, "green": GREEN, "blue": BLUE}
    near = [name for name, colour in named.items() if all(abs(a - b) < 45 for a, b in zip(pixel, colour))]
    return near[0] if near else "other"
