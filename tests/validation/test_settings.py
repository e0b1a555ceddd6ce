"""Settings as people type them: one bad value falls back and is named, the others stay, no secret is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validation.settings import Settings, clean_url, read

GOOD = {
    "plex_url": "http://plex.local:32400",
    "plex_token": "abcdefgh12345678",
    "plex_library": "Movies, Scenes",
    "enabled": False,
    "strict_matching": False,
    "preserve_plex_edits": True,
}
BAD = {
    "plex_url": ["ftp://plex", "http://", "http://plex:99999", "http://[::1", 5, True, ["http://plex"], "http://u:p@x"],
    "plex_token": ["has space inside", "tab\tinside", "ünicode", "nul\x00", 12345678, ["t"], "\ud800"],
    "plex_library": [5, {"a": 1}, True, [1, 2], [None]],
    "enabled": ["perhaps", 7, [], "\ud800"],
    "strict_matching": ["perhaps", 7, {}, ""],
    "preserve_plex_edits": ["perhaps", 7, {}],
}


def test_good_settings_are_taken_without_a_word():
    settings, warnings = read(GOOD)
    assert warnings == []
    assert settings.plex_library == ("Movies", "Scenes")
    assert settings.plex_url == "http://plex.local:32400"
    assert (settings.enabled, settings.strict_matching, settings.preserve_plex_edits) == (False, False, True)


def test_nothing_set_means_all_defaults():
    assert read({}) == (Settings(), [])
    assert read(dict.fromkeys(GOOD)) == (Settings(), [])


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_one_bad_value_falls_back_and_is_named_while_the_others_stay(name, value):
    settings, warnings = read({**GOOD, name: value})
    assert getattr(settings, name) == getattr(Settings(), name)
    others = [other for other in GOOD if other != name]
    good = read(GOOD)[0]
    assert [getattr(settings, other) for other in others] == [getattr(good, other) for other in others]
    (warning,) = warnings
    assert warning.startswith(f"Setting {name}: ")
    assert Settings.model_fields[name].description in warning


def test_every_bad_value_is_named_once():
    settings, warnings = read({name: values[0] for name, values in BAD.items()})
    assert settings == Settings()
    assert sorted(warning.split(":")[0] for warning in warnings) == sorted(f"Setting {name}" for name in BAD)


@pytest.mark.parametrize("token", ["hush hush", "hush\nhush", "hüsh-hüsh"])
def test_a_warning_never_shows_a_token(token):
    (warning,) = read({"plex_token": token})[1]
    assert "hush" not in warning and token not in warning and repr(token) not in warning


@pytest.mark.parametrize("url", ["http://me:hush@plex:32400", "ftp://plex/?X-Plex-Token=hush", "x:hush@plex"])
def test_a_warning_never_shows_what_an_address_hides(url):
    settings, warnings = read({"plex_url": url})
    assert settings.plex_url == "" and len(warnings) == 1
    assert "hush" not in warnings[0]


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("", ""),
        ("   ", ""),
        ("plex", "http://plex"),
        ("plex:32400", "http://plex:32400"),
        ("192.168.1.10:32400", "http://192.168.1.10:32400"),
        ("http://plex:32400/", "http://plex:32400"),
        (" http://plex:32400 ", "http://plex:32400"),
        ("https://plex.example/base/", "https://plex.example/base"),
        ("http://plex:32400/web", "http://plex:32400"),
        ("http://plex:32400/web/index.html#!/home", "http://plex:32400"),
        ("http://plex:32400/?X-Plex-Token=abc", "http://plex:32400"),
        ("HTTP://PLEX:32400", "http://plex:32400"),
        ("http://[::1]:32400", "http://[::1]:32400"),
    ],
)
def test_an_address_as_people_type_it(typed, clean):
    assert clean_url(typed) == clean
    assert clean_url(clean) == clean


@pytest.mark.parametrize(
    ("raw", "lacking"),
    [
        ({}, "Setting plex_url and plex_token is missing"),
        ({"plex_url": "http://plex"}, "Setting plex_token is missing"),
        ({"plex_token": "abcdefgh"}, "Setting plex_url is missing"),
    ],
)
def test_what_must_be_set_is_said_in_one_sentence(raw, lacking):
    assert read(raw)[0].lacks.startswith(lacking)


def test_nothing_lacks_when_address_and_token_are_set():
    assert read(GOOD)[0].lacks == ""


@pytest.mark.parametrize("typed", [True, "true", 1, "on", "yes"])
def test_a_switch_may_be_said_in_several_ways(typed):
    assert read({"preserve_plex_edits": typed}) == (Settings(preserve_plex_edits=True), [])


def test_settings_of_another_version_are_ignored():
    assert read({**GOOD, "from_the_future": 1}) == read(GOOD)


@pytest.mark.parametrize("names", ["", " , ,", []])
def test_no_library_name_means_every_library(names):
    assert read({"plex_library": names})[0].plex_library == ()


ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text() | st.integers())


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), ANY | st.dictionaries(st.text(), ANY, max_size=2)))
def test_any_values_make_settings_and_at_most_one_warning_each(raw):
    settings, warnings = read(raw)
    assert isinstance(settings, Settings)
    assert len(warnings) == len({warning.split(":")[0] for warning in warnings}) <= len(raw)
