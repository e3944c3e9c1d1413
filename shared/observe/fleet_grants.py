"""Who holds which of the roles that backups need, in whole subscriptions (Role Assignments REST)."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from shared.domain.errors import GuardError
from shared.domain.facts import Fact, Present
from shared.domain.fleet import Source
from shared.domain.observed import Grant
from shared.observe import fleet_queries as queries
from shared.observe.fields import objects, text
from shared.observe.fleet_questions import SUBSCRIPTIONS_AT_ONCE, Questions, Told, unobserved

BACKUP_ROLES = (
    "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "7efff54f-a5b4-42b5-a1c5-5411624893ce",
    "959f8984-c045-4866-89c7-12bf9737be2e",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "17d1049b-9a84-46fb-8f53-869881c3d3ab",
)
"""Reader, Contributor, Disk Snapshot Contributor, Data Operator for Managed Disks, Storage Blob Data Contributor and
Reader, Storage Account Contributor (built-in roles page)."""
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SUBSCRIPTION = "/subscriptions/"
_MANAGEMENT_GROUP = "/providers/microsoft.management/managementgroups/"


async def read_grants(
    questions: Questions, subscriptions: Sequence[str], elsewhere: Collection[str]
) -> tuple[Fact[frozenset[Grant]], frozenset[str], list[Source]]:
    """The grants in the subscriptions and in those `elsewhere` that their backups reach into, the subscriptions whose
    assignments do not show, and the questions. What is given above a subscription stands as given at it."""
    wanted = frozenset(subscriptions)
    places = [*sorted(wanted), *sorted({each for each in elsewhere if _GUID.fullmatch(each)} - wanted)]
    text_ = queries.role_assignments_in_graph(BACKUP_ROLES)
    parts = -(-len(places) // SUBSCRIPTIONS_AT_ONCE)
    told: list[Told] = []
    shown: list[Told] = []
    for number in range(parts):
        # The lists of two questions have the same ids, so each is one question. And in each are some of the
        # subscriptions that show: Resource Graph refuses a question about none that does.
        some = places[number::parts]
        told.append(await questions.try_to_ask("grants", text_, some, columns=("id", "held"), inherited=True))
        readable = queries.readable_assignments_in_graph()
        shown.append(await questions.try_to_ask("grants", readable, some, inherited=True))
    sources = [each.source for each in (*told, *shown)]
    failed = next((source for source in sources if source.error), None)
    if failed is not None:
        return unobserved(failed), frozenset(), sources
    found, above = _held(row for each in told for row in each.rows)
    if above:
        try:
            chains = await questions.ask("grants", queries.subscriptions_in_graph(), places)
        except GuardError as error:
            sources.append(questions.failed("grants", error))
            return unobserved(sources[-1]), frozenset(), sources
        sources.append(chains.source)
        below = _below(chains, places)
        found += [Grant(each.principal_id, each.role, at) for each in above for at in below.get(each.scope, ())]
    showing = {row.get("id") for each in shown for row in each.rows}
    # Whoever sees what is given above a subscription may read what is given in it.
    unread = frozenset() if "" in showing else frozenset(places) - showing
    return Present(frozenset(found), sources[0].at), unread, sources


def _held(rows: Iterable[Any]) -> tuple[list[Grant], list[Grant]]:
    """What is given in subscriptions, and what is given above them."""
    found: list[Grant] = []
    above: list[Grant] = []
    for bucket, held in rows:
        role = bucket[-36:]
        for each in held or ():
            principal, _, scope = each.partition("|")
            (found if scope.startswith(_SUBSCRIPTION) else above).append(Grant(principal, role, scope))
    return found, above


def _below(chains: Told, places: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The scopes of subscriptions below each management group, and below the tenant's root."""
    found: dict[str, list[str]] = {}
    for place in places:
        found.setdefault("", []).append(f"{_SUBSCRIPTION}{place}")
    found["/"] = found.get("", [])
    for row in chains.rows:
        for group in objects(row, "chain"):
            scope = f"{_MANAGEMENT_GROUP}{text(group, 'name').lower()}"
            found.setdefault(scope, []).append(f"{_SUBSCRIPTION}{text(row, 'subscriptionId').lower()}")
    return found
