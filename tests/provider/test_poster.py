"""A poster of a cover: two wide and three high, of whatever people keep as a cover, and never at any price."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from provider.poster import Unfit, render
from tests.provider.drawing import BLUE, GREEN, RED, colour_at, cover, drawn, encoded, read

MODES = ("fit", "crop")
ROOT = Path(__file__).parents[2]
KINDS = {
    "jpeg": lambda: cover(),
    "progressive jpeg": lambda: cover(progressive=True),
    "grey jpeg": lambda: encoded(drawn(640, 360, mode="L")),
    "cmyk jpeg": lambda: encoded(drawn(640, 360, mode="CMYK")),
    "png": lambda: cover(kind="PNG"),
    "png with a palette": lambda: encoded(drawn(640, 360, mode="P"), "PNG"),
    "png with a see-through palette": lambda: encoded(drawn(640, 360, mode="P"), "PNG", transparency=0),
    "png with alpha": lambda: encoded(drawn(640, 360, mode="RGBA"), "PNG"),
    "grey png with alpha": lambda: encoded(drawn(640, 360, mode="LA"), "PNG"),
    "black and white png": lambda: encoded(drawn(640, 360, mode="1"), "PNG"),
    "grey png of 16 bits": lambda: encoded(Image.new("I;16", (640, 360), 40_000), "PNG"),
    "gif": lambda: cover(kind="GIF"),
    "webp": lambda: cover(kind="WEBP"),
    "avif": lambda: cover(kind="AVIF"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_cover_becomes_a_jpeg_of_a_posters_shape(kind, mode):
    made = read(render(KINDS[kind](), mode))
    assert (made.format, made.mode) == ("JPEG", "RGB")
    assert made.size == ((640, 960) if mode == "fit" else (240, 360))


@pytest.mark.parametrize(
    "size, fit, crop",
    [
        ((1920, 1080), (1000, 1500), (720, 1080)),
        ((3840, 2160), (1000, 1500), (1000, 1500)),
        ((500, 500), (500, 750), (333, 500)),
        ((320, 180), (320, 480), (120, 180)),
        ((1080, 1920), (1000, 1500), (1000, 1500)),
        ((360, 640), (427, 640), (360, 540)),
        ((2000, 1), (1000, 1500), (1, 1)),
        ((1, 2000), (1000, 1500), (1, 2)),
        ((1, 1), (1, 2), (1, 1)),
    ],
)
def test_a_poster_is_no_larger_than_it_has_to_be(size, fit, crop):
    content = cover(*size, kind="PNG")
    assert [read(render(content, mode)).size for mode in MODES] == [fit, crop]


def test_crop_shows_the_middle_of_the_picture():
    made = read(render(cover(1800, 900), "crop"))
    assert {colour_at(made, across, down) for across in (0.05, 0.5, 0.95) for down in (0.05, 0.95)} == {"green"}


def test_fit_shows_all_of_the_picture_before_a_darker_copy():
    made = read(render(cover(1600, 900), "fit"))
    assert [colour_at(made, across, 0.5) for across in (0.1, 0.5, 0.9)] == ["red", "green", "blue"]
    above, below = (made.getpixel((500, at)) for at in (100, 1400))
    assert above[1] > 60 and below[1] > 60, "the copy fills what the picture leaves"
    assert max(above) < max(GREEN) * 0.8, "and is darker"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(1000, 1500), (600, 900), (680, 1000), (27, 40)])
def test_a_picture_of_a_posters_shape_goes_through_unchanged(size, mode):
    assert render(cover(*size), mode) is None


@pytest.mark.parametrize("orientation, across", [(1, "red"), (2, "blue"), (3, "blue"), (4, "red")])
def test_a_picture_is_shown_as_the_camera_was_held(orientation, across):
    made = read(render(cover(900, 600, exif=oriented(orientation)), "fit"))
    assert colour_at(made, 0.05, 0.5) == across


@pytest.mark.parametrize("orientation, top", [(5, "red"), (6, "red"), (7, "blue"), (8, "blue")])
def test_a_picture_of_a_camera_held_upright_stands_upright(orientation, top):
    made = read(render(cover(1500, 600, exif=oriented(orientation)), "fit"))
    assert [colour_at(made, 0.5, down) for down in (0.05, 0.5)] == [top, "green"]
    assert read(render(cover(1500, 600, exif=oriented(orientation)), "crop")).size == (600, 900)


def test_a_picture_that_has_a_posters_shape_only_once_it_is_turned_is_turned():
    made = read(render(cover(1500, 1000, exif=oriented(6)), "fit"))
    assert made.size == (1000, 1500) and colour_at(made, 0.5, 0.05) == "red"


def test_of_a_moving_picture_the_first_frame_is_shown():
    frames = [drawn(640, 360, [colour]) for colour in (RED, BLUE)]
    for kind in ("GIF", "WEBP"):
        moving = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
        assert colour_at(read(render(moving, "crop")), 0.5, 0.5) == "red"


def test_what_is_see_through_is_dark():
    made = read(render(encoded(Image.new("RGBA", (640, 360), (255, 255, 255, 0)), "PNG"), "crop"))
    assert colour_at(made, 0.5, 0.5) == "dark"


def test_sixteen_bits_of_grey_stay_the_grey_they_are():
    made = read(render(encoded(Image.new("I;16", (640, 360), 128 << 8), "PNG"), "crop"))
    assert abs(made.getpixel((100, 100))[0] - 128) < 4


def test_a_colour_profile_stays_with_its_colours():
    assert read(render(cover(icc_profile=b"p" * 500), "crop")).info["icc_profile"] == b"p" * 500
    assert "icc_profile" not in read(render(cover(icc_profile=b"p" * 100_000), "crop")).info


# -- what no poster is made of ---------------------------------------------------------------------


def oriented(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def png_of(width, height):
    """A PNG that says it is so large, with hardly any data."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    "size, why",
    [
        ((4_001, 3_000), "4001 x 3000 pixels, more than 12 million"),
        ((9_000, 9_000), "9000 x 9000 pixels, more than 12 million"),
        ((60_000, 60_000), "Bomb"),
        ((2**31 - 1, 2**31 - 1), "Bomb"),
    ],
)
def test_a_picture_that_would_fill_the_memory_is_not_decoded(size, why):
    with pytest.raises(Unfit, match=why):
        render(png_of(*size), "fit")


def test_a_jpeg_that_has_to_be_held_whole_may_be_less_large():
    plain = encoded(Image.new("L", (4_100, 3_000)))
    assert read(render(plain, "fit")).size == (1000, 1500)
    with pytest.raises(Unfit, match="4100 x 3000"):
        render(encoded(Image.new("L", (4_100, 3_000)), progressive=True), "fit")


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xd8\xff", b"GIF89a", cover()[:1000], cover(kind="PNG")[:300], b"<svg/>", b"%!PS-Adobe-3.0 EPSF-3.0\n"],
    ids=["nothing", "a beginning", "another beginning", "half a jpeg", "half a png", "an svg", "a postscript"],
)
def test_no_poster_is_made_of_what_is_no_whole_picture(content):
    with pytest.raises(Unfit):
        render(content, "fit")


def test_formats_that_no_cover_has_are_not_even_tried():
    for kind in ("BMP", "TIFF", "PPM", "ICO"):
        with pytest.raises(Unfit):
            render(encoded(drawn(64, 36), kind), "fit")


SOURCES = [cover(96, 54, kind=kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "AVIF")]
SOURCES.append(cover(96, 54, exif=oriented(6), icc_profile=b"p" * 99))
CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8)


@given(st.sampled_from(SOURCES), CHANGES, st.floats(0, 1), st.sampled_from(MODES))
def test_a_damaged_picture_is_a_poster_or_unfit_and_nothing_worse(source, changes, end, mode):
    content = bytearray(source)
    for at, value in changes:
        content[int(at * (len(content) - 1))] = value
    if end > 0.5:
        del content[int(end * len(content)) :]
    try:
        made = render(bytes(content), mode)
    except Unfit:
        return
    assert made is None or read(made).format == "JPEG"


# -- what it costs ---------------------------------------------------------------------------------

MEASURED = """
import sys
from provider.poster import render

def peak_kb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

render(open(sys.argv[2], "rb").read(), sys.argv[1])
before = peak_kb()
render(open(sys.argv[3], "rb").read(), sys.argv[1])
print(peak_kb() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's own peak")
@pytest.mark.parametrize("mode, most_mb", [("fit", 40), ("crop", 80)])
def test_a_cover_of_36_million_pixels_is_never_in_memory_as_a_whole(tmp_path, mode, most_mb):
    small, large = tmp_path / "small.jpg", tmp_path / "large.jpg"
    small.write_bytes(cover())
    large.write_bytes(cover(8000, 4500))
    command = [sys.executable, "-c", MEASURED, mode, str(small), str(large)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert 0 < int(told.stdout) / 1024 < most_mb, "decoded whole it takes 144 MB"
