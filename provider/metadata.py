"""A scene in the words of Plex's metadata contract. The values are those that the plugin pushes.

Left out is what Stash does not have, so that Plex may ask the agent's next provider for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from plex import paths
from plex.projection import Projection, project
from provider import contract
from provider.contract import Badge, Movie, Picture, Player, Tag
from provider.images import ImageUrls
from provider.scene import Entry
from provider.settings import Settings
from validation import settings as plugin
from validation import text

BADGES = {
    "imdb": "imdb://image.rating",
    "tmdb": "themoviedb://image.rating",
    "rottentomatoes": "rottentomatoes://image.rating.upright",
}


class Mapping:
    """Makes Plex's objects of scenes, as the settings want them. ``base`` is the address for pictures."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pushed = plugin.Settings(max_tags=settings.max_tags)
        self._urls = ImageUrls(settings)

    def whole(self, entry: Entry, base: str) -> Movie:
        """Everything about a scene."""
        wanted = project(entry, self._pushed)
        return Movie(
            **_identity(entry),
            **self._shown(entry, wanted, base),
            tagline=wanted.scalars["tagline"] or None,
            studio=wanted.scalars["studio"] or None,
            contentRating=self._settings.content_rating or None,
            duration=entry.duration_ms,
            art=self._urls.background(base, entry),
            Image=self.images(entry, base),
            Genre=_tags(wanted.lists["genre"]),
            Role=self._roles(entry, base),
            Director=_tags(wanted.lists["director"]),
            Studio=_tags(entry.studios),
            Collection=self._collections(entry, wanted),
            Rating=self._ratings(entry),
        )

    def candidate(self, entry: Entry, score: int, base: str) -> Movie:
        """What Fix Match shows of a scene."""
        return Movie(**_identity(entry), **self._shown(entry, project(entry, self._pushed), base), score=score)

    def images(self, entry: Entry, base: str) -> Sequence[Picture]:
        """The pictures of a scene."""
        return (
            Picture(type=contract.COVER_POSTER, url=self._urls.scene(base, entry)),
            Picture(type=contract.BACKGROUND, url=self._urls.background(base, entry)),
        )

    def _shown(self, entry: Entry, wanted: Projection, base: str) -> dict[str, object]:
        return {
            "title": title(entry),
            "originallyAvailableAt": entry.date or None,
            "year": entry.year,
            "summary": wanted.scalars["summary"] or None,
            "thumb": self._urls.scene(base, entry),
        }

    def _roles(self, entry: Entry, base: str) -> Sequence[Player] | None:
        """With pictures only where the public can reach them: Plex fetches these through its own servers."""
        public = bool(self._settings.image_base_url)
        roles = [
            Player(tag=one.name, order=place, thumb=(self._urls.performer(base, one) if public else "") or None)
            for place, one in enumerate(entry.people, 1)
        ]
        return roles or None

    def _collections(self, entry: Entry, wanted: Projection) -> Sequence[Tag] | None:
        names = [*wanted.lists["collection"], *entry.groups]
        return _tags(text.distinct(names)) if self._settings.collections else None

    def _ratings(self, entry: Entry) -> Sequence[Badge] | None:
        image = BADGES.get(self._settings.ratings)
        if image is None or entry.rating100 is None:
            return None
        return (Badge(image=image, type="audience", value=entry.rating100 / 10),)


def title(entry: Entry) -> str:
    """The scene's title, else the name of its first file without its ending."""
    if entry.title:
        return entry.title
    name = text.one_line(paths.base_name(entry.paths[0]), text.TITLE_LENGTH) if entry.paths else ""
    stem, _, ending = name.rpartition(".")
    return stem or ending or f"Scene {entry.id}"


def _identity(entry: Entry) -> dict[str, str]:
    key = str(entry.id)
    return {"ratingKey": key, "key": f"{contract.METADATA}/{key}", "guid": contract.guid(entry.id)}


def _tags(names: Sequence[str]) -> Sequence[Tag] | None:
    return [Tag(tag=name) for name in names] or None
