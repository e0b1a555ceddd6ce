"""What the `input` of a hook looks like for each mutation."""

from collections.abc import Iterable
from typing import Any

# Stash hands some inputs over whole, with null for what was not sent. Key order is Stash's.
SCENE_UPDATE = (
    "clientMutationId id title code details director url urls date rating100 o_counter organized studio_id"
    " gallery_ids performer_ids movies groups tag_ids cover_image stash_ids resume_time play_duration"
    " play_count primary_file_id"
).split()
PERFORMER_CREATE = (
    "name disambiguation url urls gender birthdate ethnicity country eye_color height height_cm measurements"
    " fake_tits penis_length circumcised career_length tattoos piercings aliases alias_list twitter instagram"
    " favorite tag_ids image stash_ids rating100 details death_date hair_color weight ignore_auto_tag"
    " custom_fields"
).split()
STUDIO_CREATE = (
    "name url urls parent_id image stash_ids rating100 favorite details aliases tag_ids ignore_auto_tag"
).split()


def whole(keys: Iterable[str], given: dict[str, Any]) -> dict[str, Any]:
    """Every key, null where nothing was sent."""
    return {key: given.get(key) for key in keys}


def sent(given: dict[str, Any]) -> dict[str, Any]:
    """Only keys with a value: a cleared field shows in `inputFields` alone."""
    return {key: value for key, value in given.items() if value is not None}


def scene_update(given: dict[str, Any]) -> dict[str, Any]:
    return whole(SCENE_UPDATE, given)


def performer_update(given: dict[str, Any]) -> dict[str, Any]:
    custom = {"full": None, "partial": None, "remove": None}
    return {"id": given["id"], **whole(PERFORMER_CREATE, given), "custom_fields": custom}


def studio_update(given: dict[str, Any]) -> dict[str, Any]:
    return {"id": given["id"], **whole(STUDIO_CREATE, given)}


def destroyed(given: dict[str, Any], scene: Any) -> dict[str, Any]:
    """A scene's destroy input: what was sent plus what is left to know the file by."""
    sent_keys = {key: given[key] for key in ("id", "ids") if key in given}
    file = scene.files[0] if scene.files else None
    return {
        **sent_keys,
        "delete_file": given.get("delete_file"),
        "delete_generated": given.get("delete_generated"),
        "checksum": "",
        "oshash": file.oshash if file else "",
        "path": file.path if file else "",
    }
