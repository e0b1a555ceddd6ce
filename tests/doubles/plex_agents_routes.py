"""The addresses of providers, agents, matches and the settings of libraries."""

from __future__ import annotations

from typing import Any, Callable, Optional

from tests.doubles import plex_agents_items as metadata
from tests.doubles import plex_elements as elements
from tests.doubles.plex_agents import AgentActs
from tests.doubles.plex_agents_model import Group, Provider
from tests.doubles.plex_answers import Answer, HttpError, finish, menu
from tests.doubles.plex_art import ArtStore
from tests.doubles.plex_http import Request, Response
from tests.doubles.plex_model import PlexState, Section
from tests.doubles.plex_render import JSON_TYPE, Element, to_json
from tests.doubles.plex_settings import PlexSettings

BASE = "media/providers/metadata"
SINCE = (1, 43)


class AgentRoutes(AgentActs):
    """All addresses of the double."""

    def __init__(self, state: PlexState, settings: PlexSettings, art: ArtStore) -> None:
        super().__init__(state, settings, art)
        self.asking.update(
            {
                ("POST", BASE): self._since(self._add_provider),
                ("PUT", f"{BASE}/*"): self._since(self._change_provider),
                ("POST", "media/providers/refresh"): self._since(self._look_at_all),
                ("GET", "library/metadata/*/matches"): self._matches,
            }
        )
        for address, handler in {
            ("GET", BASE): self._providers,
            ("GET", f"{BASE}/*"): self._providers,
            ("DELETE", f"{BASE}/*"): self._remove_provider,
            ("GET", f"{BASE}/group"): self._groups,
            ("GET", f"{BASE}/group/*"): self._groups,
            ("POST", f"{BASE}/group"): self._add_group,
            ("PUT", f"{BASE}/group/*"): self._rename_group,
            ("DELETE", f"{BASE}/group/*"): self._remove_group,
            ("PUT", f"{BASE}/group/*/items/*"): self._join_group,
            ("DELETE", f"{BASE}/group/*/items/*"): self._leave_group,
        }.items():
            self.table[address] = self._since(handler)
        self.table.update(
            {
                ("PUT", "library/metadata/*/match"): self._set_match,
                ("PUT", "library/metadata/*/unmatch"): self._unmatch,
                ("POST", "library/sections"): self._add_section,
                ("PUT", "library/sections/*"): self._edit_library,
            }
        )

    def _since(self, handler: Callable[[Request, list[str]], Answer]) -> Callable[[Request, list[str]], Answer]:
        """Know nothing of agents in a version that came before them."""

        def known(request: Request, parts: list[str]) -> Answer:
            major, minor = self.settings.version.split(".")[:2]
            if (int(major), int(minor)) < SINCE:
                raise HttpError(404)
            answer = handler(request, parts)
            if self.settings.agents_in_json and isinstance(answer, Element):
                return Response(200, JSON_TYPE, to_json(answer))
            return finish(request, answer)

        return known

    # providers

    def _provider(self, key: str) -> Provider:
        found = self.agents.providers.get(int(key))
        if found is None:
            raise HttpError(404)
        return found

    def _providers(self, _: Request, parts: list[str]) -> Answer:
        shown = [self._provider(parts[3])] if len(parts) > 3 else self.agents.providers.values()
        return _container([provider_element(each) for each in shown])

    def _add_provider(self, request: Request, _: list[str]) -> Answer:
        found = self.agents.ask(request.args.get("uri", ""))
        with self.state.lock:
            return _container([provider_element(self.agents.add(*found))])

    def _change_provider(self, request: Request, parts: list[str]) -> Answer:
        changed, found = self._provider(parts[3]), self.agents.ask(request.args.get("uri", ""))
        with self.state.lock:
            self.agents.change(changed, *found)
            return _container([provider_element(changed)])

    def _remove_provider(self, _: Request, parts: list[str]) -> Answer:
        self.agents.remove(self._provider(parts[3]))
        return Response()

    def _look_at_all(self, _: Request, __: list[str]) -> Answer:
        for provider in list(self.agents.providers.values()):
            self.agents.look(provider)
        return Response()

    # agents

    def _group(self, key: str) -> Group:
        found = self.agents.groups.get(int(key))
        if found is None:
            raise HttpError(404)
        return found

    def _groups(self, _: Request, parts: list[str]) -> Answer:
        shown = [self._group(parts[4])] if len(parts) > 4 else self.agents.groups.values()
        return _container([group_element(each) for each in shown])

    def _add_group(self, request: Request, _: list[str]) -> Answer:
        primary = self.agents.named(request.args.get("primaryIdentifier", ""))
        return _container([group_element(self.agents.add_group(request.args.get("title", ""), primary))])

    def _rename_group(self, request: Request, parts: list[str]) -> Answer:
        group = self._group(parts[4])
        group.title = request.args.get("title") or group.title
        return _container([group_element(group)])

    def _remove_group(self, _: Request, parts: list[str]) -> Answer:
        del self.agents.groups[self._group(parts[4]).id]
        return Response()

    def _join_group(self, _: Request, parts: list[str]) -> Answer:
        group = self._group(parts[4])
        self.agents.join(group, self._provider(parts[6]))
        return _container(group_items(group))

    def _leave_group(self, _: Request, parts: list[str]) -> Answer:
        group, provider = self._group(parts[4]), self._provider(parts[6])
        if provider is group.primary:
            raise HttpError(403)
        group.items = [each for each in group.items if each[1] is not provider]
        return Response()

    # items

    def _matches(self, request: Request, parts: list[str]) -> Answer:
        """Ask as Fix Match does: candidates for a title that a person typed, or for the item as it is."""
        args = request.args
        with self.state.lock:
            item = self.item(parts[2])
            provider, body = self._primary(item), self.body(item, manual=int(args.get("manual") == "1"))
            body["title"] = args.get("title") or item.title or body["title"]
            body.update({"year": int(args["year"])} if args.get("year", "").isdigit() else {})
            body.update({"guid": item.guid} if metadata.GUID.fullmatch(item.guid) else {})
        found = self.matches(provider, body) if provider else []
        attrs = {"size": len(found), "identifier": elements.LIBRARY, **elements.FLAGS}
        return Element("MediaContainer", attrs, [candidate_element(row) for row in found])

    def _set_match(self, request: Request, parts: list[str]) -> Answer:
        self.set_identity(self.item(parts[2]), request.args.get("guid", ""))
        return Response()

    def _unmatch(self, _: Request, parts: list[str]) -> Answer:
        item = self.item(parts[2])
        item.guid = f"local://{item.key}"
        metadata.forget(self.state, item)
        return Response()

    # libraries

    def _add_section(self, request: Request, _: list[str]) -> Answer:
        args = request.args
        places = [value for name, value in request.pairs if name.rstrip("[]") in ("location", "locations")]
        if (
            not places
            or args.get("type") not in ("1", "movie")
            or not all(map(args.get, ("name", "agent", "language")))
        ):
            raise HttpError(400)
        made = self.state.add_section(args["name"], places, args["agent"])
        self.choose_agent(made, args.get("metadataAgentProviderGroupId", ""))
        return menu("Plex Library", [elements.section(made)])

    def _edit_library(self, request: Request, parts: list[str]) -> Answer:
        shown, args = self.section(parts[2]), request.args
        shown.title = args.get("name") or shown.title
        shown.agent = args.get("agent") or shown.agent
        self.choose_agent(shown, args.get("metadataAgentProviderGroupId", ""))
        return Response()

    def choose_agent(self, shown: Section, group: str) -> None:
        """Set a library to an agent, by its id; "" leaves it as it is."""
        if not group or group == shown.group:
            return
        found: Optional[Group] = self.agents.groups.get(int(group)) if group.isdigit() else None
        if found is None:
            raise HttpError(400)
        shown.group, shown.agent = group, found.primary.identifier


def _container(children: list[Element]) -> Element:
    return Element("MediaContainer", {"size": len(children)}, children)


def provider_element(provider: Provider) -> Element:
    """Write a provider."""
    attrs: dict[str, Any] = {
        "id": str(provider.id),
        "identifier": provider.identifier,
        "title": provider.title,
        "uri": provider.calls.url,
        "agentType": "primary",
        "online": provider.online,
    }
    types = [Element("MetadataType", {"type": number}) for number in provider.types]
    return Element("MetadataAgentProvider", attrs, types)


def group_element(group: Group) -> Element:
    """Write an agent."""
    attrs = {"id": str(group.id), "title": group.title, "primaryIdentifier": group.primary.identifier}
    return Element("MetadataAgentProviderGroup", attrs, group_items(group))


def group_items(group: Group) -> list[Element]:
    """Write the providers of an agent."""
    return [
        Element(
            "MetadataAgentProviderGroupItem",
            {
                "id": str(id),
                "metadataAgentProviderGroupId": str(group.id),
                "metadataAgentProviderId": str(provider.id),
                "order": number * 1_000,
            },
        )
        for number, (id, provider) in enumerate(group.items, 1)
    ]


def candidate_element(row: dict[str, Any]) -> Element:
    """Write a candidate as Fix Match shows it."""
    attrs = {"guid": row["guid"], "name": row["title"], "type": "movie", "score": row.get("score", 0)}
    return Element("SearchResult", {**attrs, "year": row.get("year"), "thumb": row.get("thumb")})
