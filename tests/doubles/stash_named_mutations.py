"""Mutations of performers, studios and tags: they move no scene's `updated_at`."""

from typing import Any, Optional

from tests.doubles import stash_events as events
from tests.doubles.stash_model import Library, Named
from tests.doubles.stash_scene_mutations import SceneMutations


class NamedMutations(SceneMutations):
    """Performers, studios and tags, on top of the scenes."""

    def performer_create(self, info: Any, input: dict[str, Any]) -> Named:
        return self._create("performer", input, events.whole(events.PERFORMER_CREATE, input), info)

    def studio_create(self, info: Any, input: dict[str, Any]) -> Named:
        return self._create("studio", input, events.whole(events.STUDIO_CREATE, input), info)

    def tag_create(self, info: Any, input: dict[str, Any]) -> Named:
        return self._create("tag", input, events.sent(input), info)

    def performer_update(self, info: Any, input: dict[str, Any]) -> Named:
        return self._update("performer", input, events.performer_update(input), info)

    def studio_update(self, info: Any, input: dict[str, Any]) -> Named:
        return self._update("studio", input, events.studio_update(input), info)

    def tag_update(self, info: Any, input: dict[str, Any]) -> Named:
        return self._update("tag", input, events.sent(input), info)

    def bulk_performer_update(self, info: Any, input: dict[str, Any]) -> list[Named]:
        return self._bulk("performer", input, info)

    def bulk_studio_update(self, info: Any, input: dict[str, Any]) -> list[Named]:
        return self._bulk("studio", input, info)

    def bulk_tag_update(self, info: Any, input: dict[str, Any]) -> list[Named]:
        return self._bulk("tag", input, info)

    def performer_destroy(self, info: Any, input: dict[str, Any]) -> bool:
        return self._remove("performer", input, info)

    def studio_destroy(self, info: Any, input: dict[str, Any]) -> bool:
        return self._remove("studio", input, info)

    def tag_destroy(self, info: Any, input: dict[str, Any]) -> bool:
        return self._remove("tag", input, info)

    def performers_destroy(self, info: Any, ids: list[str]) -> bool:
        return self._remove_all("performer", ids, info)

    def studios_destroy(self, info: Any, ids: list[str]) -> bool:
        return self._remove_all("studio", ids, info)

    def tags_destroy(self, info: Any, ids: list[str]) -> bool:
        return self._remove_all("tag", ids, info)

    def performer_merge(self, info: Any, input: dict[str, Any]) -> Named:
        """No hook at all, and no scene is touched."""
        with self.core.lock:
            target = self.library.one("performer", input["destination"])
            for source in [self.library.one("performer", number) for number in input["source"]]:
                self._absorb(source, target)
            apply_named(self.library, target, input.get("values") or {})
        return target

    def tags_merge(self, info: Any, input: dict[str, Any]) -> Named:
        """One hook on the destination; nothing for the sources, no scene is touched."""
        with self.core.lock:
            target = self.library.one("tag", input["destination"])
            for source in [self.library.one("tag", number) for number in input["source"]]:
                self._absorb(source, target)
        self._fire_named("Merge", target, dict(input), info)
        return target

    def _absorb(self, source: Named, target: Named) -> None:
        for number in sorted(source.scene_ids):
            scene = self.library.scene(number)
            field = source.kind + "s"
            left = dict.fromkeys(target if named is source else named for named in getattr(scene, field))
            self.library.relate(scene, field, list(left))
        self.library.destroy_named(source)
        target.aliases = [*target.aliases, source.name]

    def _create(self, kind: str, given: dict[str, Any], shown: Any, info: Any) -> Named:
        with self.core.lock:
            if self.library.find_name(kind, given["name"]):
                raise ValueError(f"{kind} with name '{given['name']}' already exists")
            named = self.library.new_named(kind, given["name"])
            apply_named(self.library, named, given)
        self._fire_named("Create", named, shown, info)
        return named

    def _update(self, kind: str, given: dict[str, Any], shown: Any, info: Any) -> Named:
        with self.core.lock:
            named = self.library.one(kind, given["id"])
            apply_named(self.library, named, given)
        self._fire_named("Update", named, shown, info, given)
        return named

    def _bulk(self, kind: str, given: dict[str, Any], info: Any) -> list[Named]:
        """One event for each."""
        with self.core.lock:
            found = [self.library.one(kind, number) for number in given.get("ids") or []]
            for named in found:
                apply_named(self.library, named, given)
        for named in found:
            self._fire_named("Update", named, events.sent(given), info, given)
        return found

    def _remove_all(self, kind: str, ids: list[str], info: Any) -> bool:
        """One event for each, with the bare list of ids."""
        with self.core.lock:
            found = [self.library.one(kind, number) for number in ids]
            for named in found:
                self.library.destroy_named(named)
        for named in found:
            self._fire_named("Destroy", named, list(ids), info)
        return True

    def _remove(self, kind: str, given: dict[str, Any], info: Any) -> bool:
        with self.core.lock:
            named = self.library.one(kind, given["id"])
            self.library.destroy_named(named)
        self._fire_named("Destroy", named, dict(given), info)
        return True

    def _fire_named(self, act: str, named: Named, given: Any, info: Any, fields: Any = ()) -> None:
        trigger = f"{named.kind.capitalize()}.{act}.Post"
        self.core.plugins.fire(trigger, named.number, given, list(fields), info.context)


def apply_named(library: Library, named: Named, given: dict[str, Any]) -> None:
    """Writes a performer's, studio's or tag's fields; no scene's `updated_at` moves."""
    _refuse_taken(library, named, given.get("name"))
    if given.get("name"):
        library.rename(named, given["name"])
    for key, target in (
        ("details", "details"),
        ("description", "description"),
        ("disambiguation", "disambiguation"),
        ("favorite", "favorite"),
        ("urls", "urls"),
        ("aliases", "aliases"),
        ("alias_list", "aliases"),
    ):
        if given.get(key) is not None:
            setattr(named, target, given[key])
    if "parent_id" in given:
        named.parent_studio = library.one("studio", given["parent_id"]) if given["parent_id"] else None
    named.updated_at = library.now()


def _refuse_taken(library: Library, named: Named, name: Optional[str]) -> None:
    other = library.find_name(named.kind, name) if name else None
    if other is not None and other is not named:
        raise ValueError(f"{named.kind} with name '{name}' already exists")
