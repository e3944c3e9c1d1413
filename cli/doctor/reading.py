"""Looks at everything the checks judge: over ARM, as whoever is signed in, and only by reading."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from cli.app_health import AppHealth, HealthUnreadError
from cli.doctor import bodies
from cli.doctor.assignments import NOT_ALLOWED, AssignmentReader, unread
from cli.doctor.deployment import Deployment
from cli.doctor.providers import NEEDED
from cli.doctor.seen import EventSubscription, Listening, Monitored, Seen, Sight, SnapshotGroup, Topic, Unread
from shared.arm import api_versions
from shared.arm.answer import JsonObject
from shared.arm.client import ArmClient
from shared.arm.resource_graph import ResourceGraph
from shared.domain.errors import BlockedError, GuardError
from shared.domain.fleet import Scope
from shared.domain.ids import RegionId
from shared.observe.fleet import GraphFleetReader
from shared.plan import names

_WEB = "2024-11-01"
_EVENT_GRID = "2025-02-15"
_IDENTITIES = "2024-11-30"
CLUSTER_LOCATIONS = """resources
| where type =~ 'microsoft.containerservice/managedclusters'
| summarize clusters = count() by location"""
_LONGEST_PAUSE = 10.0
"""Seconds that Resource Graph may ask to be waited for."""

type ReadHealth = Callable[[str], Awaitable[AppHealth]]


async def look(arm: ArmClient, deployment: Deployment, read_health: ReadHealth) -> Sight:
    """Whatever can be read; what cannot says so in its place. Raises GuardError when nothing can be read at all: nobody
    is signed in, or Azure does not answer."""
    try:
        await arm.get(f"/subscriptions/{deployment.subscription}", api_versions.SUBSCRIPTIONS)
    except BlockedError as error:
        if error.code not in NOT_ALLOWED:
            raise
    return await _Looking(arm, deployment, read_health).all()


class _Looking:
    def __init__(self, arm: ArmClient, deployment: Deployment, read_health: ReadHealth) -> None:
        self._arm, self._deployment, self._read_health = arm, deployment, read_health
        self._assignments, self._graph = AssignmentReader(arm), ResourceGraph(arm, _LONGEST_PAUSE)

    async def all(self) -> Sight:
        d = self._deployment
        app, site = d.app_id, f"Reader on {d.app_id}"
        async with asyncio.TaskGroup() as at_once:

            def begin[T](reading: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
                return at_once.create_task(reading)

            function_app = begin(self._one(app, _WEB, bodies.function_app, site))
            functions = begin(self._listed(f"{app}/functions", _WEB, bodies.functions, site))
            settings = begin(self._settings())
            references = f"{app}/config/configreferences/appsettings"
            secrets = begin(self._listed(references, _WEB, bodies.references, site))
            authentication = begin(self._there(f"{app}/config/authsettingsV2", _WEB, bodies.authentication, site))
            identity = begin(self._one(d.identity_id, _IDENTITIES, bodies.identity, f"Reader on {d.identity_id}"))
            account = begin(self._one(d.storage_id, api_versions.STORAGE, bodies.account, f"Reader on {d.storage_id}"))
            tables = begin(self._names("table", "tables"))
            queues = begin(self._names("queue", "queues"))
            containers = begin(self._names("blob", "containers"))
            own_topic = begin(self._own_topic())
            own = begin(self._assignments.of(f"/subscriptions/{d.subscription}", d.principal_id))
            groups = {name: begin(self._assignments.of(_group(name), d.principal_id)) for name in d.management_groups}
            fleet = begin(self._fleet())
            health = begin(self._health())
        monitored, hidden = fleet.result()
        return Sight(
            app=function_app.result(),
            functions=functions.result(),
            settings=settings.result(),
            references=secrets.result(),
            authentication=authentication.result(),
            identity=identity.result(),
            account=account.result(),
            tables=tables.result(),
            queues=queues.result(),
            containers=containers.result(),
            own_topic=own_topic.result(),
            own_assignments=own.result(),
            management_groups={name: task.result() for name, task in groups.items()},
            monitored=monitored,
            hidden_groups=hidden,
            health=health.result(),
        )

    # The app

    async def _settings(self) -> Seen[dict[str, str]]:
        path = f"{self._deployment.app_id}/config/appsettings/list"
        try:
            answer = await self._arm.post(path, _WEB, once=False)
        except GuardError as error:
            return unread(error, f"Website Contributor on {self._deployment.app_id}")
        return bodies.app_settings(answer.json_object() or {})

    async def _health(self) -> Seen[AppHealth]:
        try:
            return await self._read_health(self._deployment.app_url)
        except (HealthUnreadError, ValueError) as error:
            return Unread(str(error))

    async def _names(self, service: str, kind: str) -> Seen[frozenset[str]]:
        account = self._deployment.storage_id
        path = f"{account}/{service}Services/default/{kind}"
        return await self._listed(path, api_versions.STORAGE, bodies.names, f"Reader on {account}")

    # Events

    async def _own_topic(self) -> Listening:
        topic_id = self._deployment.topic_id
        topic = await self._one(topic_id, _EVENT_GRID, bodies.topic, f"Reader on {topic_id}")
        return await self._listening(topic)

    async def _system_topic(self, subscription_id: str) -> Listening:
        """Azure has one for each source at most."""
        scope = f"/subscriptions/{subscription_id}"

        def ours(found: Sequence[JsonObject]) -> Topic | None:
            return next((bodies.topic(each) for each in found if bodies.source_of(each) == scope.lower()), None)

        path = f"{scope}/providers/Microsoft.EventGrid/systemTopics"
        return await self._listening(await self._listed(path, _EVENT_GRID, ours, f"Reader on {scope}"))

    async def _listening(self, topic: Seen[Topic | None]) -> Listening:
        if topic is None or isinstance(topic, Unread):
            return Listening(topic)

        def parsed(found: Sequence[JsonObject]) -> tuple[EventSubscription, ...]:
            return tuple(map(bodies.event_subscription, found))

        path = f"{topic.id}/eventSubscriptions"
        subscriptions = await self._listed(path, _EVENT_GRID, parsed, f"Reader on {topic.id}")
        home = f"/subscriptions/{self._deployment.subscription}"
        delivery = await self._assignments.of(home, topic.principal_id) if topic.principal_id else ()
        return Listening(topic, subscriptions, delivery)

    # Where clusters are

    async def _fleet(self) -> tuple[Seen[tuple[Monitored, ...]], tuple[str, ...]]:
        """The monitored subscriptions, and the management groups below which none shows."""
        d = self._deployment
        reader = GraphFleetReader(self._arm, _Now(self._arm))
        try:
            found = await reader.scope(Scope(tuple(each.lower() for each in d.subscriptions), d.management_groups))
        except GuardError as error:
            return unread(error, "Reader on the monitored subscriptions"), ()
        shown = {each.subscription_id for each in found.subscriptions}
        ids = dict.fromkeys((*(each.lower() for each in d.subscriptions), *sorted(shown)))
        hidden = tuple(group for group in d.management_groups if group in found.unreadable)
        return tuple(await asyncio.gather(*(self._subscription(each, each in shown) for each in ids))), hidden

    async def _subscription(self, subscription_id: str, shown: bool) -> Monitored:
        scope = f"/subscriptions/{subscription_id}"
        assignments, states, groups, topic = await asyncio.gather(
            self._assignments.of(scope, self._deployment.principal_id),
            asyncio.gather(*(self._provider(scope, namespace) for namespace in NEEDED)),
            self._snapshot_groups(subscription_id, shown),
            self._system_topic(subscription_id),
        )
        return Monitored(subscription_id, assignments, dict(zip(NEEDED, states, strict=True)), groups, topic)

    async def _provider(self, scope: str, namespace: str) -> Seen[str]:
        path = f"{scope}/providers/{namespace}"
        return await self._there(path, api_versions.RESOURCES, bodies.registration, f"Reader on {scope}")

    async def _snapshot_groups(self, subscription_id: str, shown: bool) -> Seen[tuple[SnapshotGroup, ...]]:
        """For each region and vault class, and those that are named beside them."""
        d = self._deployment
        if not d.enforces:
            return ()
        regions = d.regions
        if not regions:
            right = f"Reader on /subscriptions/{subscription_id}"
            if not shown:
                return Unread("Resource Graph does not show the subscription.", right)
            try:
                rows = (await self._graph.ask(CLUSTER_LOCATIONS, [subscription_id])).rows
            except GuardError as error:
                return unread(error, right)
            regions = tuple(sorted(str(row["location"]).lower() for row in rows))
        wanted = {
            names.snapshot_group_id(RegionId(subscription_id, region, vault_class)): region
            for region in map(str.lower, regions)
            for vault_class in dict.fromkeys(("default", *(each.lower() for each in d.vault_classes)))
        }
        named = f"/subscriptions/{subscription_id}/"
        wanted |= {each: "" for each in d.more_snapshot_groups if each.lower().startswith(named)}
        return tuple(await asyncio.gather(*(self._snapshot_group(each, region) for each, region in wanted.items())))

    async def _snapshot_group(self, group_id: str, location: str) -> SnapshotGroup:
        there = await self._one(group_id, api_versions.RESOURCES, lambda body: body, f"Reader on {group_id}")
        return SnapshotGroup(group_id, location, there if isinstance(there, Unread) else there is not None)

    # One read

    async def _one[T](self, path: str, version: str, parse: Callable[[JsonObject], T], right: str) -> Seen[T | None]:
        """None when it is not there."""
        try:
            body = await self._arm.get(path, version)
            return None if body is None else parse(body)
        except GuardError as error:
            return unread(error, right)

    async def _there[T](self, path: str, version: str, parse: Callable[[JsonObject], T], right: str) -> Seen[T]:
        found = await self._one(path, version, parse, right)
        return Unread(f"There is no {path}.") if found is None else found

    async def _listed[T](
        self, path: str, version: str, parse: Callable[[Sequence[JsonObject]], T], right: str
    ) -> Seen[T]:
        try:
            found = await self._arm.list(path, version)
            return Unread(f"There is no {path}.") if found is None else parse(found)
        except GuardError as error:
            return unread(error, right)


class _Now:
    """`ports.Clock` of an ARM client."""

    def __init__(self, arm: ArmClient) -> None:
        self.now = arm.now


def _group(name: str) -> str:
    return f"/providers/Microsoft.Management/managementGroups/{name}"
