"""Settings: the environment over a file; what is wrong falls back and is named, and no secret is ever shown."""

from __future__ import annotations

import json

import pytest

from provider.settings import ADDRESSES, SECRETS, RuleText, Settings, SettingsError, load
from tests.canaries import secret

NEEDED = {"S2P_STASH_URL": "http://stash:9999"}
A_SECRET = secret("of-a-setting", "/+ ")


def read(**values):
    """The settings of these values, by names without prefix."""
    return load({**NEEDED, **{f"S2P_{name.upper()}": value for name, value in values.items()}})


@pytest.fixture
def file(tmp_path):
    """Write a YAML file and give the environment that names it."""

    def write(text):
        path = tmp_path / "secrets" / "settings.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return {"S2P_CONFIG": str(path)}

    return write


# --- what is read -----------------------------------------------------------------------------------------------------


def test_only_the_address_of_stash_is_needed():
    settings, warnings = load(NEEDED)
    assert (settings, warnings) == (Settings(stash_url="http://stash:9999"), ())


def test_whoever_makes_settings_from_values_gets_nothing_from_the_environment(monkeypatch):
    monkeypatch.setenv("S2P_PORT", "1234")
    assert Settings(stash_url="stash").port == 9090


def test_the_environment_wins_over_the_file(file):
    settings = load({**file("stash_url: http://a:1\nport: 1111\nmax_tags: 70"), "S2P_PORT": "2222"}).settings
    assert (settings.stash_url, settings.port, settings.max_tags) == ("http://a:1", 2222, 70)


def test_every_setting_can_come_from_either(file):
    """With a value that is not the default, under its name in the environment and as a key of the file."""
    given = {
        "stash_url": "http://s:1", "stash_api_key": "key", "stash_verify": "false", "plex_url": "http://p:2",
        "plex_token": "token", "plex_library": "Movies", "host": "127.0.0.1", "port": "1", "base_url": "http://b:3",
        "image_base_url": "https://i", "secret": "abcdefgh", "allowed_hosts": "a", "library_roots": "/m",
        "path_rules": "/a => /b", "gaps_interval": "weekly", "heal": "true", "poster": "fit", "content_rating": "XXX",
        "strict_adult": "true", "max_tags": "50", "collections": "true", "ratings": "imdb", "cache_s": "1",
        "concurrency": "2", "deadline_s": "3", "log_level": "debug", "show_paths": "true",
    }  # fmt: skip
    assert set(given) == set(Settings.model_fields) - {"config"}
    from_environment = read(**given)
    from_file = load(file("".join(f"{name}: '{value}'\n" for name, value in given.items())))
    assert from_environment.warnings == from_file.warnings == ()
    assert from_environment.settings.model_dump(exclude={"config"}) == from_file.settings.model_dump(exclude={"config"})
    for name, field in Settings.model_fields.items():
        if name not in ("config", "stash_url"):
            assert getattr(from_environment.settings, name) != field.default, name


@pytest.mark.parametrize("empty", ["", "  ", '""'])
def test_what_is_empty_is_not_set(empty):
    assert read(port=empty, heal=empty, plex_library=empty) == load(NEEDED)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "port:\nheal: ''\n"])
def test_an_empty_file_sets_nothing(file, text):
    settings, warnings = load({**NEEDED, **file(text)})
    assert (settings.port, settings.heal, warnings) == (9090, False, ())


@pytest.mark.parametrize("quote", ["'", '"'])
def test_quotes_that_docker_leaves_on_are_taken_off(quote):
    settings, warnings = read(stash_url=f"{quote}http://a:1{quote}", strict_adult=f"{quote}true{quote}")
    assert (settings.stash_url, settings.strict_adult, warnings) == ("http://a:1", True, ())


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        ("/media/a;/media/b", ("/media/a", "/media/b")),
        (" /media/a ; ; /media/b ;", ("/media/a", "/media/b")),
        (r"/media/one\;two;/b", ("/media/one;two", "/b")),
        (r"D:\media;\\nas\share", (r"D:\media", r"\\nas\share")),
    ],
)
def test_folders_are_separated_by_semicolons(text, roots):
    assert read(library_roots=text).settings.library_roots == roots


def test_folders_in_the_file_may_be_a_list(file):
    settings = load({**NEEDED, **file("library_roots: [/a;b, /c]")}).settings
    assert settings.library_roots == ("/a;b", "/c")


def test_path_rules_are_one_text_in_the_environment():
    assert read(path_rules="/a => /b; /c => /d").settings.path_rules == (RuleText(rule="/a => /b; /c => /d"),)


def test_path_rules_in_the_file_may_say_more(file):
    text = """
path_rules:
  - /a => /b
  - rule: /c => /d
    plex_library_root: /d
    test_plex_path: /d/x.mp4
    test_stash_path: /c/x.mp4
"""
    assert load({**NEEDED, **file(text)}).settings.path_rules == (
        RuleText(rule="/a => /b"),
        RuleText(rule="/c => /d", plex_library_root="/d", test_plex_path="/d/x.mp4", test_stash_path="/c/x.mp4"),
    )


def test_what_looks_like_a_number_in_the_file_may_be_a_text(file):
    settings, warnings = load({**NEEDED, **file("secret: 123456789\nplex_library: 2\nshow_paths: yes\ndeadline_s: 5")})
    assert (settings.secret.get_secret_value(), settings.plex_library, settings.show_paths) == ("123456789", "2", True)
    assert warnings == ()


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("stash:9999", "http://stash:9999"),
        (" https://Stash.Example/ ", "https://stash.example"),
        ("http://stash:9999/below/a/prefix/", "http://stash:9999/below/a/prefix"),
        ("http://stash:9999/graphql", "http://stash:9999"),
        ("http://stash:9999/prefix/scenes/12", "http://stash:9999/prefix"),
        ("http://[::1]:9999", "http://[::1]:9999"),
    ],
)
def test_an_address_is_read_as_people_write_it(written, known):
    assert read(stash_url=written) == load({"S2P_STASH_URL": known})


def test_several_hosts_may_be_written_in_several_ways(file):
    assert read(allowed_hosts="A.example, b.example;c").settings.allowed_hosts == ("a.example", "b.example", "c")
    assert load({**NEEDED, **file("allowed_hosts: [A.example]")}).settings.allowed_hosts == ("a.example",)


# --- what is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "abc"), ("port", "-1"), ("port", "70000"), ("heal", "maybe"), ("gaps_interval", "monthly"),
        ("log_level", "loud"), ("max_tags", "0"), ("cache_s", "nan"), ("cache_s", "-1"), ("deadline_s", "90"),
        ("concurrency", "1.5"), ("ratings", "stars"), ("poster", "wide"), ("host", "a b"), ("strict_adult", "2"),
        ("plex_url", "ftp://x"), ("base_url", "http://a b"), ("image_base_url", "http://x/<y>"),
        ("plex_token", "a b"), ("stash_api_key", "Schlüssel"), ("stash_verify", "x"),
    ],
)  # fmt: skip
def test_a_wrong_value_falls_back_and_is_named(name, value):
    settings, warnings = read(**{name: value})
    assert settings == load(NEEDED).settings
    (warning,) = warnings
    assert warning.startswith(f"Setting S2P_{name.upper()}: ")
    assert warning.endswith(" is used instead")
    hidden = name in SECRETS or name in ADDRESSES
    assert (value in warning) is not hidden


def test_one_wrong_value_leaves_the_others_alone():
    settings, warnings = read(port="x", heal="true", log_level="y", max_tags="90")
    assert (settings.port, settings.heal, settings.log_level, settings.max_tags) == (9090, True, "info", 90)
    assert len([warning for warning in warnings if "is used instead" in warning]) == 2


def test_a_wrong_entry_of_the_path_rules_leaves_the_others_alone(file):
    text = "path_rules: [/a => /b, {rules: x}, 7, {rule: /c => /d}, '']"
    settings, warnings = load({**NEEDED, **file(text)})
    assert [rule.rule for rule in settings.path_rules] == ["/a => /b", "/c => /d"]
    assert sorted(warnings) == [
        f"Setting S2P_PATH_RULES: entry {place} is not a path rule and is left out" for place in (2, 3, 5)
    ]


def test_of_a_long_list_of_path_rules_the_right_entries_are_left_out(file):
    entries = [7 if place in (2, 9, 10, 11) else f"/{place} => /x" for place in range(13)]
    settings = load({**NEEDED, **file(f"path_rules: {json.dumps(entries)}")}).settings
    assert [rule.rule for rule in settings.path_rules] == [entry for entry in entries if entry != 7]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("S2P_STASH_URI", "S2P_STASH_URL"), ("S2P_PLEXTOKEN", "S2P_PLEX_TOKEN"), ("s2p_hael", "S2P_HEAL")],
)
def test_an_unknown_name_is_told_with_the_nearest_known_one(name, meant):
    (warning,) = load({**NEEDED, name: A_SECRET}).warnings
    assert warning == f"Setting {name} is unknown and ignored; did you mean {meant}?"


def test_an_unknown_key_of_the_file_is_told_too(file):
    warnings = load({**NEEDED, **file(f"log-level: debug\nS2P_HEAL: true\nzzz: '{A_SECRET}'\n7: 8")}).warnings
    assert warnings == (
        "Setting log-level is unknown and ignored; did you mean log_level?",
        "Setting S2P_HEAL is unknown and ignored; did you mean heal?",
        "Setting zzz is unknown and ignored",
        "Setting 7 is unknown and ignored",
    )


@pytest.mark.parametrize("name", [name for name in ADDRESSES if name != "stash_url"])
def test_an_address_with_a_password_is_not_used_and_not_shown(name):
    settings, warnings = read(**{name: f"http://me:{secret('in-an-address', '')}@x:1"})
    assert getattr(settings, name) == ""
    assert "the given value is not an address" in " ".join(warnings)


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("sign", ["?apikey=", "#"])
def test_what_stands_behind_an_address_is_left_out_and_not_shown(name, sign):
    settings, warnings = read(**{name: f"http://x:1/{sign}{secret('behind-an-address', '')}"})
    assert getattr(settings, name) == "http://x:1"
    assert any("what stands behind the ? or # of the address is left out" in warning for warning in warnings)


def test_the_secret_at_the_end_of_our_address_is_left_out():
    settings, warnings = read(base_url="http://p:9090/abcdefgh/", secret="abcdefgh")
    assert settings.base_url == "http://p:9090"
    assert warnings == ("Setting S2P_BASE_URL: the secret at its end is left out; it is added by itself",)


@pytest.mark.parametrize(
    ("given", "warning"),
    [
        ({"plex_url": "http://p"}, "Setting S2P_PLEX_TOKEN is missing: Plex is not asked"),
        ({"plex_token": "t"}, "Setting S2P_PLEX_URL is missing: Plex is not asked"),
        ({"heal": "1"}, "Setting S2P_HEAL does nothing without S2P_PLEX_URL and S2P_PLEX_TOKEN"),
    ],
)
def test_what_cannot_work_for_want_of_another_setting_is_told(given, warning):
    (told,) = read(**given).warnings
    assert told.startswith(warning)


def test_with_both_there_is_nothing_to_tell():
    assert read(plex_url="http://p", plex_token="t", heal="1").warnings == ()


# --- what cannot be started with --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "Setting S2P_STASH_URL is missing: give it an address such as"),
        ({"S2P_STASH_URL": " "}, "Setting S2P_STASH_URL is missing"),
        ({"S2P_STASH_URL": "ftp://x"}, "Setting S2P_STASH_URL: the given value is not an address"),
        ({"S2P_STASH_URL": f"http://me:{A_SECRET}@x"}, "Setting S2P_STASH_URL: the given value is not an address"),
        ({**NEEDED, "S2P_SECRET": "short"}, "Setting S2P_SECRET: the given value is not 8 to 128 letters"),
        ({**NEEDED, "S2P_SECRET": A_SECRET}, "Setting S2P_SECRET: the given value is not 8 to 128 letters"),
        ({**NEEDED, "S2P_CONFIG": "/nowhere/at/all"}, "The file in S2P_CONFIG cannot be read"),
    ],
)
def test_it_says_in_one_sentence_why_it_does_not_start(environ, message):
    """A secret that cannot be used is among these: without it the door would stand open."""
    with pytest.raises(SettingsError) as raised:
        load(environ)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"stash_url: http://x\nsecret: [{A_SECRET!r}", "The file in S2P_CONFIG is not YAML (line "),
        (b"\xff\xfe\x00", "The file in S2P_CONFIG is not YAML"),
        ("!!python/object/apply:os.getcwd []", "The file in S2P_CONFIG is not YAML"),
        ("- a\n- b\n", "The file in S2P_CONFIG has to hold lines such as stash_url:"),
        ("just words", "The file in S2P_CONFIG has to hold lines"),
        ("[" * 2_000, "The file in S2P_CONFIG is not YAML"),
    ],
    ids=["cut off", "no text", "a program", "a list", "words", "endless"],
)
def test_a_file_that_cannot_be_read_is_not_quoted(file, text, message):
    with pytest.raises(SettingsError) as raised:
        load({**NEEDED, **file(text)})
    assert str(raised.value).startswith(message)
    assert len(str(raised.value)) < 120
