"""A poster, two wide and three high, made of a cover of another shape. Bytes in, bytes out; no network and no memory.

A cover is a foreign file: its dimensions are looked at before it is decoded, and what would need too much memory is
refused. A JPEG is decoded at a fraction of its size, unless its data has to be held whole (progressive).
"""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image, ImageEnhance, ImageFilter

WIDTH, HEIGHT = 1_000, 1_500
NEARLY = 0.05  # a shape that differs by so much from a poster's is one
QUALITY = 85
MOST_PIXELS = 12_000_000  # in memory at a time: 48 MB, and as much again for transparency
MOST_JPEG_PIXELS = 40_000_000
HEAVY_PIXELS = 4_000_000  # of such pictures only one is in memory at a time
MOST_PROFILE_BYTES = 65_536
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
BLURRED = 8  # the copy behind the picture is blurred at an eighth of its size
DARKNESS = 0.6

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = 5  # from this orientation on width and height change places
# What Pillow was seen to raise for damaged files; it has no common ancestor for it.
_DAMAGE = (
    Image.DecompressionBombError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)
_heavy = threading.Lock()
_Size = tuple[int, int]

warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class Unfit(Exception):
    """No poster can be made of these bytes; the text says why, for a log."""


def render(content: bytes, mode: str) -> bytes | None:
    """A JPEG of at most 1000 x 1500, None when the picture has a poster's shape already. Raises `Unfit`.

    ``mode`` is ``crop`` (the middle of the picture) or ``fit`` (all of it, before a blurred copy).
    """
    try:
        with Image.open(BytesIO(content), formats=_formats()) as image:
            return _rendered(image, mode)
    except _DAMAGE as damage:
        raise Unfit(f"it is damaged or of an unknown kind: {type(damage).__name__}") from None


def _formats() -> list[str]:
    """Those that this Pillow was built with."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _rendered(image: Image.Image, mode: str) -> bytes | None:
    _admit(image)
    orientation = _orientation(image)
    size = _turned(image.size, orientation)
    if orientation not in _TURNS and abs(size[0] * HEIGHT / (size[1] * WIDTH) - 1) <= NEARLY:
        return None
    profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA") else None
    if mode == "crop":
        part = _within(size)
        poster = _shrunk(image, part, _capped(part), orientation)
    else:
        canvas = _capped(_around(size))
        poster = _on_canvas(_shrunk(image, size, _contained(size, canvas), orientation), canvas)
    made = BytesIO()
    fitting = isinstance(profile, bytes) and len(profile) <= MOST_PROFILE_BYTES
    poster.save(made, "JPEG", quality=QUALITY, icc_profile=profile if fitting else None)
    return made.getvalue()


def _admit(image: Image.Image) -> None:
    """Before anything is decoded."""
    scaled = image.format in ("JPEG", "MPO") and not image.info.get("progressive")
    _bounded(image.size, MOST_JPEG_PIXELS if scaled else MOST_PIXELS)


def _bounded(size: _Size, most: int) -> None:
    if size[0] * size[1] > most:
        raise Unfit(f"it has {size[0]} x {size[1]} pixels, more than {most // 1_000_000} million")


def _orientation(image: Image.Image) -> int:
    """How the camera was held, as EXIF counts it; 1 is upright."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # Pillow would decode all of it to look behind the picture
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except _DAMAGE:
        return 1  # the picture may be whole all the same
    return found if isinstance(found, int) else 1


# sizes


def _turned(size: _Size, orientation: int) -> _Size:
    return (size[1], size[0]) if _SIDEWAYS <= orientation <= max(_TURNS) else size


def _within(size: _Size) -> _Size:
    """The largest poster's shape inside of this one."""
    return (_whole(min(size[0], size[1] * WIDTH / HEIGHT)), _whole(min(size[1], size[0] * HEIGHT / WIDTH)))


def _around(size: _Size) -> _Size:
    """The smallest poster's shape around this one."""
    return (_whole(max(size[0], size[1] * WIDTH / HEIGHT)), _whole(max(size[1], size[0] * HEIGHT / WIDTH)))


def _capped(size: _Size) -> _Size:
    return size if size[0] <= WIDTH and size[1] <= HEIGHT else (WIDTH, HEIGHT)


def _contained(size: _Size, canvas: _Size) -> _Size:
    scale = min(canvas[0] / size[0], canvas[1] / size[1])
    return (min(canvas[0], _whole(size[0] * scale)), min(canvas[1], _whole(size[1] * scale)))


def _whole(length: float) -> int:
    return max(1, round(length))


# pictures


def _shrunk(image: Image.Image, part: _Size, target: _Size, orientation: int) -> Image.Image:
    """The middle part of a picture in RGB, upright, at the target's size; part and target are meant upright too."""
    part, target = _turned(part, orientation), _turned(target, orientation)
    whole = image.size
    image.draft(None, (_whole(whole[0] * target[0] / part[0]), _whole(whole[1] * target[1] / part[1])))
    _bounded(image.size, MOST_PIXELS)
    box = _middle(image.size, part[0] * image.size[0] / whole[0], part[1] * image.size[1] / whole[1])
    with _alone(whole if image.info.get("progressive") else image.size):
        small = _scalable(image).resize(target, Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)
    turn = _TURNS.get(orientation)
    return _in_rgb(small if turn is None else small.transpose(turn))


@contextmanager
def _alone(size: _Size) -> Iterator[None]:
    """Waits while another thread has a large picture in memory."""
    if size[0] * size[1] <= HEAVY_PIXELS:
        yield
        return
    with _heavy:
        yield


def _middle(size: _Size, width: float, height: float) -> tuple[float, float, float, float]:
    left, top = max(0.0, (size[0] - width) / 2), max(0.0, (size[1] - height) / 2)
    return (left, top, min(float(size[0]), left + width), min(float(size[1]), top + height))


def _scalable(image: Image.Image) -> Image.Image:
    """The first frame, in a mode in which pixels can be averaged."""
    mode = image.mode
    if mode.startswith("I"):  # 16 bits of grey, which a plain conversion would cut off
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if mode in ("P", "PA", "1"):
        see_through = mode == "PA" or "transparency" in image.info
        return image.convert("RGBA" if see_through else "RGB")
    return image


def _in_rgb(image: Image.Image) -> Image.Image:
    if image.mode not in ("RGBA", "LA", "RGBa", "La"):
        return image.convert("RGB")
    solid = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", solid.size, "black"), solid).convert("RGB")


def _on_canvas(picture: Image.Image, canvas: _Size) -> Image.Image:
    """The picture in the middle of a canvas that a blurred, darker copy of it fills."""
    part = _within(picture.size)
    rough = (_whole(canvas[0] / BLURRED), _whole(canvas[1] / BLURRED))
    behind = picture.resize(rough, Image.Resampling.BILINEAR, box=_middle(picture.size, *part))
    behind = behind.filter(ImageFilter.GaussianBlur(max(rough) / 20)).resize(canvas, Image.Resampling.BICUBIC)
    poster = ImageEnhance.Brightness(behind).enhance(DARKNESS)
    poster.paste(picture, ((canvas[0] - picture.width) // 2, (canvas[1] - picture.height) // 2))
    return poster
