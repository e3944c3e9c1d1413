"""The fleet in a few questions: clusters and what lies under them or points at them, joined in memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import batched

from shared.arm import api_versions
from shared.arm.client import UNREADABLE, ArmClient
from shared.domain.errors import BlockedError, TransientError
from shared.domain.facts import Absent, Fact, Present, Unobserved
from shared.domain.fleet import (
    FleetBatch,
    FleetScope,
    JobsDigest,
    Scope,
    SeenCluster,
    SharedFacts,
    Source,
    Subscription,
)
from shared.domain.ids import ClusterId
from shared.domain.observed import BackupInstance, Extension
from shared.observe import fleet_queries as queries
from shared.observe.backup_policy import parse_policy
from shared.observe.backup_vault import parse_vault
from shared.observe.fields import JsonObject, UnreadableBodyError, string_map, text
from shared.observe.fleet_diagnostics import sends_jobs
from shared.observe.fleet_grants import read_grants
from shared.observe.fleet_questions import SUBSCRIPTIONS_AT_ONCE, Questions, Told, unobserved
from shared.observe.fleet_rows import (
    Row,
    cluster_of_extension,
    parse_backup_extension,
    parse_cluster,
    parse_digest,
    parse_instance,
)
from shared.observe.rows import Rows
from shared.ports import Clock

_IDS_AT_ONCE = 100
_SHOWS_NOTHING = ("NoValidSubscriptions", "ManagementGroupsContainInvalidIds")
"""Codes of a scope that is not there for the caller, as users report them."""


class GraphFleetReader:
    """`ports.FleetReader`."""

    def __init__(self, arm: ArmClient, clock: Clock) -> None:
        self._arm, self._clock = arm, clock
        self._questions = Questions(arm)
        self.rows = Rows("resource-graph-fleet")

    async def scope(self, scope: Scope) -> FleetScope:
        named = tuple(dict.fromkeys(each.lower() for each in scope.subscriptions))
        parts: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((), (group,)) for group in scope.management_groups]
        # One by one: Resource Graph refuses a question all of whose subscriptions do not show, and only that one.
        parts[:0] = [(some, ()) for some in batched(named, SUBSCRIPTIONS_AT_ONCE, strict=False)]
        parts = parts or [((), ())]
        found: dict[str, Subscription] = {}
        unreadable: list[str] = []
        sources: list[Source] = []
        for subscriptions, groups in parts:
            shown, asked = await self._subscriptions(subscriptions, groups)
            sources += asked
            unreadable += [each for each in subscriptions if each not in shown] or (() if shown else groups)
            found |= shown
        return FleetScope(tuple(found[key] for key in sorted(found)), tuple(unreadable), tuple(sources))

    async def _subscriptions(
        self, subscriptions: Sequence[str], groups: Sequence[str]
    ) -> tuple[dict[str, Subscription], list[Source]]:
        """Those that show, by id. Raises GuardError."""
        try:
            told = await self._questions.ask("scope", queries.subscriptions_in_graph(), subscriptions, groups)
            counted = await self._questions.ask("scope", queries.cluster_counts_in_graph(), subscriptions, groups)
        except BlockedError as error:
            if not groups and not any(each.startswith(_SHOWS_NOTHING) for each in (error.code, *error.details)):
                raise
            return {}, [self._questions.failed("scope", error)]
        clusters = {row.get("id"): row.get("clusters") for row in counted.rows}
        found = {}
        for one in self.rows.read(told.rows, _subscription):
            count = clusters.get(one.subscription_id)
            found[one.subscription_id] = replace(one, clusters=count if isinstance(count, int) else 0)
        if len(found) < len(told.rows):  # a subscription that is left out would take its clusters with it
            raise TransientError(UNREADABLE, "Resource Graph lists a subscription that cannot be read.")
        return found, [told.source, counted.source]

    async def shared(self) -> SharedFacts:
        vaults = await self._questions.try_to_ask("vaults", queries.vaults_in_graph())
        policies = await self._questions.try_to_ask("policies", queries.policies_in_graph())
        sources = vaults.source, policies.source
        return SharedFacts(self._by_id(vaults, parse_vault), self._by_id(policies, parse_policy), {}, sources)

    def _by_id[T](self, told: Told, parse: Callable[[JsonObject], T]) -> Fact[Mapping[str, T]]:
        """What is not among them was not shown, or could not be read: that it is not there does not follow."""
        if told.source.error:
            return unobserved(told.source)

        def keyed(row: JsonObject) -> tuple[str, T]:
            return text(row, "id").lower(), parse(row)

        return Present(dict(self.rows.read(told.rows, keyed)), told.source.at)

    async def batch(self, subscriptions: Sequence[str]) -> FleetBatch:
        wanted = tuple(dict.fromkeys(each.lower() for each in subscriptions))
        if not wanted:
            return FleetBatch(())
        clusters, listed, sources = await self._clusters(wanted)
        extension_of, extensions = await self._extensions(wanted)
        instances_of, instances = await self._instances(wanted)
        digest_of, jobs = await self._jobs(wanted)
        elsewhere = _reached(extension_of.values(), instances_of.values())
        grants, unread, granted = await read_grants(self._questions, wanted, elsewhere)
        no_extension = _none(extensions, Absent(extensions.source.at))
        no_instance: Fact[tuple[BackupInstance, ...]] = _none(instances, Present((), instances.source.at))
        no_jobs = _none(jobs, Present(JobsDigest(), jobs.source.at))
        seen = []
        for row in clusters:
            key = row[0].lower()
            try:
                cluster_id, cluster = ClusterId.parse(key), parse_cluster(row)
            except (ValueError, UnreadableBodyError) as error:
                # A cluster that is left out would be a lost one.
                raise TransientError(UNREADABLE, f"The cluster {key[:300]!r} cannot be read: {error}") from error
            seen.append(
                SeenCluster(
                    cluster_id,
                    cluster,
                    extension_of.get(key, no_extension),
                    instances_of.get(key, no_instance),
                    digest_of.get(key, no_jobs),
                    unread,
                )
            )
        orphans = tuple(
            instance
            for key, fact in instances_of.items()
            if key not in listed and isinstance(fact, Present)
            for instance in fact.value
        )
        sources += [extensions.source, instances.source, jobs.source, *granted]
        return FleetBatch(tuple(seen), grants, orphans, tuple(sources))

    async def _clusters(self, wanted: Sequence[str]) -> tuple[list[Row], set[str], list[Source]]:
        """The rows, and who is listed. Pages that move while they are read may lose a row; who is there was asked
        before, in one page, and tells. Raises GuardError."""
        listed, source = await self._listed(wanted)
        columns = tuple(queries.CLUSTER_COLUMNS)
        told = await self._questions.ask("clusters", queries.clusters_in_graph(), wanted, columns=columns)
        rows, sources = list(told.rows), [source, told.source]
        lost = sorted(listed - {row[0].lower() for row in rows})
        for some in batched(lost, _IDS_AT_ONCE, strict=False):
            again = await self._questions.ask("clusters", queries.clusters_in_graph(some), wanted, columns=columns)
            rows += again.rows  # whoever is not among them either has been deleted meanwhile
            sources.append(again.source)
        return rows, listed | {row[0].lower() for row in rows}, sources

    async def _listed(self, wanted: Sequence[str]) -> tuple[set[str], Source]:
        told = await self._questions.ask("clusters", queries.cluster_ids_in_graph(), wanted)
        ids = [each for row in told.rows for each in row.get("clusters") or ()]
        return {str(each).lower() for each in ids}, replace(told.source, rows=len(ids))

    async def _extensions(self, wanted: Sequence[str]) -> tuple[dict[str, Fact[Extension]], Told]:
        columns = tuple(queries.EXTENSION_COLUMNS)
        told = await self._questions.try_to_ask("extensions", queries.extensions_in_graph(), wanted, columns=columns)
        return self._joined(told, parse_backup_extension, cluster_of_extension)

    async def _jobs(self, wanted: Sequence[str]) -> tuple[dict[str, Fact[JobsDigest]], Told]:
        told = await self._everywhere("jobs", queries.job_digests_in_graph, wanted, tuple(queries.JOB_COLUMNS))
        return self._joined(told, parse_digest, lambda row: str(row[0]))

    async def _instances(self, wanted: Sequence[str]) -> tuple[dict[str, Fact[tuple[BackupInstance, ...]]], Told]:
        columns = tuple(queries.INSTANCE_COLUMNS)
        told = await self._everywhere("instances", queries.instances_in_graph, wanted, columns)
        found: dict[str, Fact[tuple[BackupInstance, ...]]] = {}
        for row in told.rows:
            key = str(row[2])
            known = found.get(key)
            if isinstance(known, Unobserved):
                continue
            instance = self._read(row, parse_instance)
            if instance is None:
                found[key] = Unobserved("a backup instance of the cluster could not be read")
            else:
                found[key] = Present((*(known.value if known else ()), instance), told.source.at)  # type: ignore[union-attr]
        return found, told

    async def _everywhere(
        self, name: str, question: Callable[[Sequence[str]], str], wanted: Sequence[str], columns: tuple[str, ...]
    ) -> Told:
        """Of these subscriptions' clusters, whatever subscription the vaults are in."""
        asked = [
            await self._questions.try_to_ask(name, question(some), columns=columns)
            for some in batched(wanted, SUBSCRIPTIONS_AT_ONCE, strict=False)
        ]
        error = next((told.source.error for told in asked if told.source.error), "")
        ids = tuple(request_id for told in asked for request_id in told.source.request_ids)
        rows = [] if error else [row for told in asked for row in told.rows]
        return Told(rows, Source(name, asked[0].source.at, ids, len(rows), error))

    def _joined[T](
        self, told: Told, parse: Callable[[Row], T], cluster_of: Callable[[Row], str]
    ) -> tuple[dict[str, Fact[T]], Told]:
        """By lower-case cluster id; of several the first."""
        found: dict[str, Fact[T]] = {}
        for row in told.rows:
            key = cluster_of(row)
            if key in found:
                continue
            value = self._read(row, parse)
            found[key] = Unobserved("its row could not be read") if value is None else Present(value, told.source.at)
        return found, told

    def _read[T](self, row: Row, parse: Callable[[Row], T]) -> T | None:
        """None for a row that cannot be read, told and counted as every other."""
        try:
            return parse(row)
        except UnreadableBodyError as error:
            self.rows.tell(error, list(row))
            return None

    async def cluster_ids(self, subscriptions: Sequence[str]) -> Sequence[ClusterId]:
        if not subscriptions:
            return ()
        listed, _ = await self._listed([each.lower() for each in subscriptions])
        try:
            return sorted(map(ClusterId.parse, listed))
        except ValueError as error:
            raise TransientError(UNREADABLE, f"Resource Graph lists what is no cluster: {error}") from error

    async def matching(self, query: str, subscriptions: Sequence[str]) -> tuple[Mapping[str, str], Source]:
        told = await self._questions.ask("own", query, subscriptions, unique=False)
        found: dict[str, str] = {}
        for row in told.rows:
            try:
                cluster = ClusterId.parse(str(row.get("id", "")))
            except ValueError as error:  # a row left out would be a cluster that complies
                said = f"A row names no cluster in its column id: {error}" if "id" in row else "It has no column id."
                action = "Let the query project the ARM ids of clusters as id."
                raise BlockedError(
                    "InvalidQuery", f"The query cannot be used. {said}", recommended_action=action
                ) from error
            message = row.get("message")
            found.setdefault(cluster.arm_id, message if isinstance(message, str) else "")
        return found, told.source

    async def diagnosed(self, vault_id: str) -> bool:
        path = f"{vault_id}/providers/Microsoft.Insights/diagnosticSettings"
        found = await self._arm.list(path, api_versions.DIAGNOSTIC_SETTINGS)
        try:
            return any(map(sends_jobs, found or ()))
        except UnreadableBodyError as error:
            raise TransientError(UNREADABLE, f"Azure's answer could not be read: {error}") from error

    async def exists(self, cluster: ClusterId) -> bool:
        return await self._arm.get(cluster.arm_id, api_versions.MANAGED_CLUSTERS) is not None


def _none[T](told: Told, answer: T) -> T | Unobserved:
    """What holds for a cluster of which no row tells."""
    return unobserved(told.source) if told.source.error else answer


def _reached(extensions: Iterable[Fact[Extension]], instances: Iterable[Fact[tuple[BackupInstance, ...]]]) -> set[str]:
    """Subscriptions that backups of these go to, as they are written there, lower-case."""
    accounts = {fact.value.storage_subscription_id.lower() for fact in extensions if isinstance(fact, Present)}
    groups = {one.snapshot_group_id for fact in instances if isinstance(fact, Present) for one in fact.value}
    return accounts | {group.lower().split("/", 3)[2] for group in groups if group.count("/") > 2}


def _subscription(row: JsonObject) -> Subscription:
    return Subscription(text(row, "subscriptionId").lower(), text(row, "name"), 0, string_map(row, "tags"))
