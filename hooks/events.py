"""What an event means for Plex, decided from the event alone. Pure; loaded by every hook (see `stash.protocol`)."""

# What Stash's scene inputs carry that no part of a Plex item shows. A name we do not know counts as shown.
UNSEEN_SCENE_FIELDS = frozenset(
    (
        "id", "ids", "clientMutationId", "url", "urls", "gallery_ids", "movies", "groups", "stash_ids",
        "resume_time", "play_duration", "play_count", "o_counter", "custom_fields",
    )
)  # fmt: skip
# Of a performer, studio or tag, Plex shows the name and nothing else.
SEEN_NAME_FIELDS = frozenset(("name",))

SCENE = "scene"
CREATED = "created"
DESTROYED = "destroyed"
ANY = "any"  # any scene may have changed: Stash does not say which

_SCENE_MARKS = {"Scene.Create.Post": CREATED, "Scene.Update.Post": SCENE, "Scene.Destroy.Post": DESTROYED}
_NAME_MARKS = {"Performer.Update.Post": "performer", "Studio.Update.Post": "studio", "Tag.Update.Post": "tag"}
_MERGE_MARKS = {"Tag.Merge.Post": "tag"}
# After these nobody can say any more which scenes had it.
_LOST_NAME_MARKS = {"Performer.Destroy.Post": ANY, "Studio.Destroy.Post": ANY, "Tag.Destroy.Post": ANY}
_MARKS = {**_SCENE_MARKS, **_NAME_MARKS, **_MERGE_MARKS, **_LOST_NAME_MARKS}
TRIGGERS = tuple(_MARKS)


class HookEvent:
    """One event: its trigger name, the id of its object (0 when Stash gave none), the names of the sent fields.

    ``fields`` is None when Stash names none, as in scans and merges: then anything may have changed.
    """

    __slots__ = ("fields", "id", "type")

    def __init__(self, type: str, id: int, fields: "list[str] | None") -> None:
        self.type = type
        self.id = id
        self.fields = fields

    @classmethod
    def parse(cls, context: "dict[str, object]") -> "HookEvent":
        """Read Stash's hook context; whatever has a wrong type counts as absent."""
        type, id, fields = context.get("type"), context.get("id"), context.get("inputFields")
        names = [name for name in fields if isinstance(name, str)] if isinstance(fields, list) else None
        return cls(type if isinstance(type, str) else "", id if isinstance(id, int) else 0, names)


def decide(event: HookEvent) -> "dict[str, object] | None":
    """The mark for this event, or None when it can change nothing in Plex."""
    kind = _MARKS.get(event.type)
    if kind is None or event.id <= 0 or not _may_show(event):
        return None
    return {"kind": kind, "id": event.id, "event": event.type, "fields": event.fields or []}


def _may_show(event: HookEvent) -> bool:
    if event.fields is None:
        return True
    if event.type == "Scene.Update.Post":
        return not UNSEEN_SCENE_FIELDS.issuperset(event.fields)
    if event.type in _NAME_MARKS:
        return not SEEN_NAME_FIELDS.isdisjoint(event.fields)
    return True
