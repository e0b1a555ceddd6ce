"""``python -m provider register``: make Plex know this provider and an agent of it, and say what is left to a person.

Safe to repeat: what is there already stays, and a provider that has moved gets its new address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from plex.agents import Agent, Provider
from plex.client import PlexClient
from plex.model import Section
from provider import address
from provider.contract import IDENTIFIER, TITLE
from provider.library import chosen, connect, with_ours
from provider.settings import Settings
from stash import log
from validation.errors import Kind, Trouble

Say = Callable[[str], None]

TOO_OLD = "This Plex knows no metadata providers: they came with version 1.43.0"
REFUSED = (
    "Plex refuses the address {}. Most often it cannot reach it: in a container localhost is the container itself, so "
    "S2P_BASE_URL has to be an address that leads to the provider from where Plex runs"
)


async def main(settings: Settings, warnings: Sequence[str]) -> int:
    """The command: 0 when Plex knows the provider and has the agent, 1 when not."""
    for warning in warnings:
        _print(warning)
    return register(settings, _print)


def register(settings: Settings, say: Say) -> int:
    """Do what can be done from here; every sentence goes to ``say``, and none has a secret in it."""
    fault = _not_ready(settings)
    if fault:
        say(fault)
        return 1
    _warn_of_loopback(settings, say)
    client = connect(settings)
    if client is None:
        say("Plex cannot be told from here: S2P_PLEX_URL and S2P_PLEX_TOKEN are not both set.")
        return _by_hand(settings, say)
    with closing(client):
        try:
            _at_plex(client, settings, say)
        except Trouble as trouble:
            say(f"{trouble}.")
            return _by_hand(settings, say)
    return 0


def find_provider(client: PlexClient) -> Provider | None:
    """This provider as Plex knows it; raises Trouble, also for a Plex that is too old to know any."""
    try:
        return next((each for each in client.agents.providers() if each.identifier == IDENTIFIER), None)
    except Trouble as trouble:
        if trouble.kind is Kind.STALE_MATCH:
            raise Trouble(Kind.PERMANENT, TOO_OLD) from None
        raise


def find_agents(client: PlexClient) -> list[Agent]:
    """The agents in which this provider comes first; raises Trouble."""
    return [each for each in client.agents.all() if each.primary == IDENTIFIER]


def _not_ready(settings: Settings) -> str:
    if not settings.base_url:
        return (
            "S2P_BASE_URL is missing: set it to the address under which Plex reaches this provider, such as "
            f"http://192.168.1.10:{settings.port}"
        )
    return address.fault(settings)


def _warn_of_loopback(settings: Settings, say: Say) -> None:
    if address.is_loopback(settings.base_url) and not address.is_loopback(settings.plex_url):
        say(
            f"Warning: {settings.base_url} means the computer or container that asks, so Plex will look for the "
            "provider on its own. Set S2P_BASE_URL to an address that leads here from where Plex runs."
        )


def _at_plex(client: PlexClient, settings: Settings, say: Say) -> None:
    _provide(client, settings, say)
    agents = find_agents(client)
    if not agents:
        client.agents.add(TITLE, IDENTIFIER)
        agents = find_agents(client)
        if not agents:
            raise Trouble(Kind.UNEXPECTED, "Plex accepted the agent and does not show it")
        say(f'Plex has a new agent "{agents[0].title}".')
    else:
        say(f'Plex has the agent "{agents[0].title}" already.')
    _left_to_do(chosen(client.sections(), settings.plex_library), agents, say)


def _provide(client: PlexClient, settings: Settings, say: Say) -> None:
    """Let Plex know the provider at its present address."""
    known = find_provider(client)
    try:
        if known is None:
            client.agents.add_provider(address.registered(settings))
            say(f"Plex knows the provider now, at {address.spoken(settings)}.")
        elif not address.same(known.uri, address.registered(settings)):
            client.agents.change_provider(known.id, address.registered(settings))
            say(f"Plex has the provider's new address, {address.spoken(settings)}.")
        else:
            client.agents.refresh_providers()
            say(f"Plex knows the provider already, at {address.spoken(settings)}.")
    except Trouble as trouble:
        if trouble.kind is Kind.PERMANENT:
            raise Trouble(Kind.PERMANENT, REFUSED.format(address.spoken(settings))) from None
        raise
    _see_it_there(client, settings, say)


def _see_it_there(client: PlexClient, settings: Settings, say: Say) -> None:
    known = find_provider(client)
    if known is None or not address.same(known.uri, address.registered(settings)):
        raise Trouble(Kind.UNEXPECTED, "Plex accepted the provider's address and does not show it")
    if not known.online:
        say("Warning: Plex says that the provider is offline. See that Plex can reach the address.")


def _left_to_do(sections: Sequence[Section], agents: Sequence[Agent], say: Say) -> None:
    """What Plex's API is not asked to do: whose library is it, and which one."""
    ready = with_ours(sections, agents)
    for section in ready:
        say(f'The library "{section.title}" uses the agent. Nothing is left to do for it.')
    if ready:
        return
    say("Left to do, in Plex Web:")
    say(_library_step(1, sections[0].title if len(sections) == 1 else "", agents[0].title))
    say(_refresh_step(2))


def _by_hand(settings: Settings, say: Say) -> int:
    """Everything, for a person to click."""
    say("To do it by hand, in Plex Web:")
    say(f"  1. Settings > Metadata Agents > Add Provider: {address.spoken(settings)}")
    say(f'  2. Settings > Metadata Agents > Add Agent: title {TITLE}, primary provider "{TITLE}".')
    say(_library_step(3, "", TITLE))
    say(_refresh_step(4))
    if settings.secret.get_secret_value():
        say(f"Put the secret of this provider in place of {address.STAND_IN}.")
    return 1


def _library_step(number: int, library: str, agent: str) -> str:
    which = f'the library "{library}"' if library else "the movie library"
    return (
        f'  {number}. Open the menu of {which} > Manage Library > Edit > Advanced: scanner "Plex Movie", '
        f'agent "{agent}", and save.'
    )


def _refresh_step(number: int) -> str:
    return (
        f"  {number}. Scan the library for new files. Items that another agent has matched keep what they are until "
        "Fix Match is used on them, or python -m provider gaps with S2P_HEAL on."
    )


def _print(sentence: str) -> None:
    print(log.shown(sentence), flush=True)
