"""Signed addresses: ours fit, whatever is changed in one does not, and none tells the secret."""

import pytest

from provider.signing import Signing
from tests import canaries

SECRET = canaries.secret("segment", "-_")
PATH = "/images/scene/5"


def signature(query):
    return query.partition("sig=")[2]


def test_an_address_of_ours_fits():
    signing = Signing(SECRET)
    query = signing.query(PATH, "20260102")
    assert query.startswith("?t=20260102&sig=")
    assert signing.fits(PATH, "20260102", signature(query))
    assert Signing(SECRET).query(PATH, "20260102") == query, "a restart makes no other addresses"


@pytest.mark.parametrize(
    "path, stamp, change",
    [
        ("/images/scene/6", "20260102", str),
        ("/images/performer/5", "20260102", str),
        (PATH + "/poster", "20260102", str),
        (PATH, "20260103", str),
        (PATH, "", str),
        (PATH, "20260102", lambda sig: ""),
        (PATH, "20260102", lambda sig: sig[:-1]),
        (PATH, "20260102", lambda sig: sig + "0"),
        (PATH, "20260102", str.upper),
        (PATH, "20260102", lambda sig: "ä" * len(sig)),
        (PATH, "20260102", lambda sig: "\ud800" + sig),
    ],
)
def test_nothing_of_a_signed_address_can_be_changed(path, stamp, change):
    signing = Signing(SECRET)
    signed = signature(signing.query(PATH, "20260102"))
    assert not signing.fits(path, stamp, change(signed))


def test_another_secret_signs_otherwise():
    query = Signing(SECRET).query(PATH, "1")
    assert not Signing(SECRET + "x").fits(PATH, "1", signature(query))


def test_an_address_does_not_hold_the_secret():
    assert canaries.MARKER not in Signing(SECRET).query(PATH, "1")


def test_a_picture_without_a_stamp_is_signed_too():
    signing = Signing(SECRET)
    query = signing.query(PATH, "")
    assert query.startswith("?sig=") and signing.fits(PATH, "", signature(query))


def test_without_a_secret_nothing_is_signed_and_everything_fits():
    signing = Signing("")
    assert signing.query(PATH, "1") == "?t=1"
    assert signing.query(PATH, "") == ""
    assert signing.fits(PATH, "1", "") and signing.fits(PATH, "", "anything")
