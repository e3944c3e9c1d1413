"""Where the rows of each table come from: what ARM holds at this moment, read only when it is looked at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from simulator.providers.authorization import responses as authorization
from simulator.providers.compute.disks import DISK_TYPE, disk_json, disks
from simulator.providers.data_protection.instance_body import INSTANCE_TYPE, instance_body
from simulator.providers.data_protection.job_body import JOB_TYPE, job_body
from simulator.providers.data_protection.models import BackupInstance, Job, Policy, Vault
from simulator.providers.kubernetes_configuration.models import Extension
from simulator.providers.kubernetes_configuration.responses import extension_json
from simulator.providers.management.groups import GROUP_TYPE, chain_json, group_row
from simulator.providers.resource_graph.rows import instance_properties, row
from simulator.providers.resources import responses as resources
from simulator.providers.resources.models import Subscription

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_GROUP_TYPE = "microsoft.resources/subscriptions/resourcegroups"
_POLICY_TYPE = "Microsoft.DataProtection/backupVaults/backupPolicies"
_EXTENSIONS_VERSION = "2023-05-01"  # documented: rows come from an api-version of the provider that is not a preview
JOBS_KEPT = timedelta(days=14)  # documented


@dataclass(frozen=True, slots=True)
class Source:
    """One resource: its id as ARM has it, its type, and its row when somebody asks."""

    id: str
    type: str
    row: Callable[[], dict[str, Any]]


def sources(cloud: "Cloud", table: str) -> Iterator[Source]:
    """Every resource of a table but jobs, which have a history of their own (`job_rows`)."""
    yield from _READERS[table](cloud)


def _resources(cloud: "Cloud") -> Iterator[Source]:
    for subscription in cloud.resources.subscriptions():
        for held in cloud.resources.tracked_in(subscription.id):
            yield _source(cloud, held.id, held.type, held.body, held.location)
    for disk in disks(cloud):
        yield _source(cloud, disk.id, DISK_TYPE, partial(disk_json, disk))


def _containers(cloud: "Cloud") -> Iterator[Source]:
    for above in cloud.management.all():
        yield _source(cloud, above.id, GROUP_TYPE, partial(group_row, above, cloud.identity.tenant_id))
    for found in cloud.resources.subscriptions():
        yield _source(
            cloud,
            f"/subscriptions/{found.id}",
            "microsoft.resources/subscriptions",
            partial(_subscription, cloud, found),
        )
        for group in cloud.resources.groups(found.id):
            yield _source(cloud, group.id, _GROUP_TYPE, partial(resources.group, group))


def _subscription(cloud: "Cloud", found: Subscription) -> dict[str, Any]:
    body = resources.subscription(found, cloud.identity.tenant_id)
    names = ("state", "subscriptionPolicies", "authorizationSource", "managedByTenants")
    chain = chain_json(cloud.management.above(found.id))
    properties = {**{name: body[name] for name in names}, "managementGroupAncestorsChain": chain}
    return {"name": found.display_name, "tags": dict(found.tags) or None, "properties": properties}


def _backup(cloud: "Cloud") -> Iterator[Source]:
    now = cloud.clock.now()
    for vault in cloud.data_protection.vaults.all():
        for policy in vault.policies.values():
            yield _source(cloud, policy.id, _POLICY_TYPE, partial(_policy, policy), vault.location)
        for instance in vault.instances.values():
            yield _source(
                cloud,
                instance.id,
                INSTANCE_TYPE,
                partial(_instance, instance, vault, now),
                vault.location,
            )


def _policy(policy: Policy) -> dict[str, Any]:
    return {"name": policy.name, "properties": policy.properties}


def _instance(instance: BackupInstance, vault: Vault, now: datetime) -> dict[str, Any]:
    body = instance_body(instance)
    return {**body, "properties": instance_properties(instance, body, vault, now)}


def _extensions(cloud: "Cloud") -> Iterator[Source]:
    for extension in cloud.kubernetes_configuration.all_extensions():
        cluster = cloud.container_service.cluster(extension.cluster_id)
        location = "" if cluster is None else cluster.location
        yield _source(
            cloud,
            extension.id,
            "microsoft.kubernetesconfiguration/extensions",
            partial(_extension, cloud, extension),
            location,
        )


def _extension(cloud: "Cloud", extension: Extension) -> dict[str, Any]:
    now = cloud.clock.now()
    return extension_json(extension, api_version=_EXTENSIONS_VERSION, now=now, identity_resource="")


def _assignments(cloud: "Cloud") -> Iterator[Source]:
    for found in cloud.authorization.assignments():
        yield _source(
            cloud,
            found.id,
            "microsoft.authorization/roleassignments",
            partial(authorization.assignment, found),
        )


def _source(
    cloud: "Cloud", resource_id: str, resource_type: str, body: Callable[[], dict[str, Any]], location: str = ""
) -> Source:
    tenant = cloud.identity.tenant_id
    return Source(resource_id, resource_type, lambda: row(resource_id, resource_type, body(), tenant, location))


_READERS: dict[str, Callable[["Cloud"], Iterator[Source]]] = {
    "resources": _resources,
    "resourcecontainers": _containers,
    "recoveryservicesresources": _backup,
    "kubernetesconfigurationresources": _extensions,
    "authorizationresources": _assignments,
}


def job_row(cloud: "Cloud", vault: Vault, job: Job, *, running: bool) -> dict[str, Any]:
    """A job's row, as it is or (`running`) as it was before its end. Assumed, the poorer reading: errorDetails are
    there, extendedInfo with sub tasks and warnings is not."""
    if running:
        job = replace(job, status="InProgress", ended=None, errors=(), warnings=(), touched=job.started)
    body = job_body(job)
    body["properties"]["extendedInfo"] = None
    return row(job.id, JOB_TYPE, body, cloud.identity.tenant_id, vault.location)
