"""Settings as people type them: one bad value falls back and is named, the others stay, no secret is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validation.settings import SHAPELESS, SWITCHES, Settings, clean_url, read, unset_switches

GOOD = {
    "plex_url": "http://plex.local:32400",
    "plex_token": "abcdefgh12345678",
    "plex_library": "Movies, Scenes",
    "enabled": False,
    "strict_matching": False,
    "preserve_plex_edits": True,
    "plex_tls_fingerprint": "AB:" * 31 + "AB",
    "stash_api_key": "eyJh.eyJz.abc",
    "tag_exclude": "Private, To do",
    "max_tags": 20,
    "max_retries": 7,
    "poll_interval": "0.5",
    "connect_timeout": 3,
    "read_timeout": "60",
    "dlq_retention_days": 10,
}
BAD = {
    "plex_url": ["ftp://plex", "http://", "http://plex:99999", "http://[::1", 5, True, ["http://plex"], "http://u:p@x"],
    "plex_token": ["has space inside", "tab\tinside", "ünicode", "nul\x00", 12345678, ["t"], "\ud800"],
    "plex_library": [5, {"a": 1}, True, [1, 2], [None]],
    "enabled": ["perhaps", 7, [], "\ud800"],
    "strict_matching": ["perhaps", 7, {}, ""],
    "preserve_plex_edits": ["perhaps", 7, {}],
    "plex_tls_fingerprint": ["ab", "z" * 64, "ab" * 33, 5, []],
    "stash_api_key": ["two words", 7, "\ud800"],
    "tag_exclude": [5, {"a": 1}, [None]],
    "path_rules": [5, [], True],
    "max_tags": [9, 501, "many", 10.5, True, float("nan"), float("inf"), 10**400, [], "1e9"],
    "max_retries": [0, 21, -1, "5.5", None or "five", {}],
    "poll_interval": [0, 0.05, 61, "fast", True, "nan", "1,5,5"],
    "connect_timeout": [0, 31, "x", "-5"],
    "read_timeout": [4, 121, "inf", []],
    "dlq_retention_days": [0, 366, "ever", 1.5],
    "debug_logging": ["perhaps", 3],
    "sync_title": ["maybe", 2],
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


def test_settings_of_another_version_are_ignored_and_named():
    settings, warnings = read({**GOOD, "from_the_future": "hush"})
    assert settings == read(GOOD)[0]
    (warning,) = warnings
    assert "from_the_future" in warning and "hush" not in warning


@pytest.mark.parametrize(("typed", "seconds"), [("0.5", 0.5), ("0,5", 0.5), (" 2 ", 2.0), (3, 3.0), (0.1, 0.1)])
def test_decimals_may_be_typed_with_a_point_or_a_comma_or_be_numbers(typed, seconds):
    assert read({"poll_interval": typed}) == (Settings(poll_interval=seconds), [])


@pytest.mark.parametrize("name", ["plex_url", "poll_interval", "max_tags", "path_rules", "tag_exclude"])
def test_a_field_that_was_emptied_is_not_set_and_no_mistake(name):
    assert read({name: "  "}) == (Settings(), [])


def test_the_environment_fills_in_what_is_not_set():
    environ = {"PLEX_URL": "http://plex.env", "PLEX_TOKEN": "from-the-env", "PLEX_LIBRARY": "A, B"}
    assert read({}, environ)[0] == Settings(
        plex_url="http://plex.env", plex_token="from-the-env", plex_library=("A", "B")
    )
    assert read(GOOD, environ)[0] == read(GOOD)[0]
    assert read({"plex_url": "", "plex_token": None}, environ)[0].plex_url == "http://plex.env"


def test_a_bad_environment_falls_back_like_any_other_value():
    settings, warnings = read({}, {"PLEX_URL": "ftp://x:hush@plex"})
    assert settings == Settings() and len(warnings) == 1 and "hush" not in warnings[0]


def test_switches_that_stash_keeps_nothing_for_have_their_defaults_to_be_shown():
    assert unset_switches({}) == SWITCHES
    assert unset_switches(dict.fromkeys(SWITCHES, False)) == {}
    assert unset_switches({**dict.fromkeys(SWITCHES, True), "enabled": None}) == {"enabled": True}


OTHER = {
    "plex_library": ("X",), "path_rules": "/a => /b", "max_tags": 50, "tag_exclude": ("t",)
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - SHAPELESS))
def test_every_setting_that_decides_what_is_sent_is_part_of_the_shape(name):
    value = OTHER.get(name, not SWITCHES.get(name))
    assert Settings(**{name: value}).shape != Settings().shape


@pytest.mark.parametrize("name", sorted(SHAPELESS))
def test_other_settings_are_not_part_of_the_shape(name):
    assert f'"{name}"' not in Settings().shape


@pytest.mark.parametrize("names", ["", " , ,", []])
def test_no_library_name_means_every_library(names):
    assert read({"plex_library": names})[0].plex_library == ()


ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text() | st.integers())


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), ANY | st.dictionaries(st.text(), ANY, max_size=2)))
def test_any_values_make_settings_and_at_most_one_warning_each(raw):
    settings, warnings = read(raw)
    assert isinstance(settings, Settings)
    assert len(warnings) == len({warning.split(":")[0] for warning in warnings}) <= len(raw)
