"""What the app's identity may do in a world: what infra/rights gives it and nothing else, deployed over ARM by the
operator long before the story begins; and what it asked Azure for."""

from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from infra.rights import ACTIONS, Mode
from infra.rights.calls import Call, Deployment, custom_role
from shared.domain.ids import RegionId
from shared.plan import names
from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from tests.virtual.azure import ROLES, Operator

USED: set[str] = set()
"""Every action that the app's identity asked for in this process, and was allowed; lower-case."""
LOCATIONS = ("westeurope", "northeurope", "eastus2")
LONG_BEFORE = timedelta(days=1)
_COVERED = {each.action for right in ACTIONS for each in right.covers}
_GIVES_ROLES = ("Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete")


@dataclass(frozen=True)
class Rights:
    """Role Based Access Control Administrator may read everything. Unless `reads_everything`, a role stands in for it
    under the same conditions that only gives and takes roles, so that the reads of infra/rights have to be enough."""

    mode: Mode = "enforce"
    without: str = ""
    """An action that infra/rights names, or one that a pattern of it covers."""
    reads_everything: bool = False


@dataclass
class Requested:
    """What the app's identity asked Azure for in one world: actions, lower-case."""

    allowed: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def clear(self) -> None:
        self.allowed.clear()
        self.refused.clear()


def requested_by_the_app(cloud: Cloud) -> Requested:
    """From now on: for calls, for what they link to, and for rows of Resource Graph alike."""
    requested, app, ask = Requested(), cloud.identity.app.object_id, cloud.authorization.allowed

    def allowed(principal_id: str, action: str, scope: str, **more: Any) -> bool:
        found = ask(principal_id, action, scope, **more)
        if principal_id == app and not more.get("data"):
            (requested.allowed if found else requested.refused).add(action.lower())
            if found:
                USED.add(action.lower())
        return found

    cloud.authorization.allowed = allowed  # type: ignore[method-assign]
    return requested


class Deployed:
    """The rights in one Azure, as the operator deploys them."""

    def __init__(self, cloud: Cloud, clock: VirtualClock, operator: Operator, rights: Rights) -> None:
        self._cloud, self._clock, self._operator = cloud, clock, operator
        self._app = cloud.identity.app.object_id
        self._subscriptions: dict[str, Sequence[str]] = {}
        self._use(rights)

    def _use(self, rights: Rights) -> None:
        self._rights = rights
        self._deployment = Deployment(self._app, rights.mode, (rights.without,))

    async def instead(self, rights: Rights) -> None:
        """Other rights in the same subscriptions."""
        self._use(rights)
        for subscription, classes in list(self._subscriptions.items()):
            await self.in_subscription(subscription, classes)

    def long_ago(self, subscriptions: Iterable[str], classes: Sequence[str], until: datetime) -> None:
        """Deploy, and let time pass. Nothing in a virtual Azure waits for the event loop, so none is needed."""

        async def deploy() -> None:
            for subscription in subscriptions:
                await self.in_subscription(subscription, classes)
            await self._clock.advance_to(until)

        _at_once(deploy())

    async def in_subscription(self, subscription_id: str, classes: Sequence[str] = ("default",)) -> None:
        """In place of what the simulated Azure gives the app by itself."""
        self._subscriptions[subscription_id] = classes
        scope = f"/subscriptions/{subscription_id}"
        assignments = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
        found = await self._operator.send("GET", assignments, ROLES, **{"$filter": f"principalId eq '{self._app}'"})
        for each in found.body["value"]:
            await self._operator.do("DELETE", each["id"], ROLES, wait=0)
        if not self._rights.reads_everything:
            stand_in = str(uuid5(NAMESPACE_URL, scope))
            self._deployment = replace(self._deployment, administrator=stand_in)
            await self._put(custom_role(scope, stand_in, f"Gives roles {subscription_id}", _GIVES_ROLES))
        await self._put(*self._deployment.in_subscription(subscription_id))
        if self._rights.without in _COVERED:
            self._take_out(self._deployment.in_subscription(subscription_id)[0].path.rpartition("/")[2])
        for location in LOCATIONS:
            for each in classes:
                await self.snapshot_group(names.snapshot_group_id(RegionId(subscription_id, location, each)), location)

    async def snapshot_group(self, group_id: str, location: str = "westeurope") -> None:
        await self._put(*self._deployment.snapshot_group(group_id, location))

    async def workspace(self, workspace_id: str) -> None:
        await self._put(*self._deployment.workspace(workspace_id))

    def _take_out(self, role: str) -> None:
        """Past the check of Azure, which lets no role name an unpublished action, not to take it out either."""
        definitions = self._cloud.authorization.definitions
        definitions[role] = replace(definitions[role], not_actions=(self._rights.without,))

    async def _put(self, *calls: Call) -> None:
        for call in calls:
            await self._operator.do("PUT", call.path, call.api_version, call.body, wait=0)


def _at_once(work: Coroutine[Any, Any, None]) -> None:
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits for something")
