"""Backups and restores of a cluster that have not ended: asked of Resource Graph, which sees every vault and may lag a
minute, and of the jobs API of the vaults that are known, which does not lag."""

import asyncio
from collections.abc import Iterable

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.arm.resource_graph import query
from shared.domain.ids import ClusterId, same_id, subscription_of
from shared.domain.observed import RunningJob
from shared.observe.fields import JsonObject, at, needed_moment, needed_text, text
from shared.observe.queries import running_jobs_in_graph

_ENDED = frozenset({"completed", "completedwithwarnings", "failed", "cancelled", "canceled"})
_ELSEWHERE = frozenset({"management", "tiering"})
"""Categories whose work is not done by the extension in the cluster."""
_FIRST_PAGES = 3
"""Of a vault's jobs: the newest come first (assumed), and the list takes no filter."""


async def read_running_jobs(arm: ArmClient, cluster: ClusterId, vault_ids: Iterable[str]) -> tuple[RunningJob, ...]:
    """Raises GuardError and UnreadableBodyError: only whoever has seen both knows that nothing runs."""
    vaults = list(vault_ids)
    subscriptions = sorted({cluster.subscription_id, *map(subscription_of, vaults)})
    asked = [_in_graph(arm, cluster, subscriptions), *(_in_vault(arm, cluster, vault) for vault in vaults)]
    found = {job.arm_id.lower(): job for jobs in await asyncio.gather(*asked) for job in jobs}
    return tuple(found[key] for key in sorted(found))


async def _in_graph(arm: ArmClient, cluster: ClusterId, subscriptions: list[str]) -> list[RunningJob]:
    rows = await query(arm, running_jobs_in_graph(cluster), subscriptions)
    return [
        RunningJob(needed_text(row, "id"), text(row, "operationCategory"), needed_moment(row, "startTime"))
        for row in rows
        if text(row, "operationCategory").lower() not in _ELSEWHERE
    ]


async def _in_vault(arm: ArmClient, cluster: ClusterId, vault_id: str) -> list[RunningJob]:
    path, version = f"{vault_id}/backupJobs", api_versions.data_protection("")
    return running_jobs(await arm.list(path, version, first_pages=_FIRST_PAGES) or (), cluster)


def running_jobs(bodies: Iterable[JsonObject], cluster: ClusterId) -> list[RunningJob]:
    """Those of the cluster that have not ended; an unheard status is no end. Raises UnreadableBodyError."""
    return [
        RunningJob(
            needed_text(body, "id"),
            text(body, "properties", "operationCategory"),
            needed_moment(body, "properties", "startTime"),
        )
        for body in bodies
        if _concerns(body, cluster)
        and text(body, "properties", "status").lower() not in _ENDED
        and text(body, "properties", "operationCategory").lower() not in _ELSEWHERE
    ]


def _concerns(body: JsonObject, cluster: ClusterId) -> bool:
    """A restore works in the cluster it goes to. One whose destination the list does not tell may go to any."""
    source = same_id(text(body, "properties", "dataSourceId"), cluster.arm_id)
    restores = "restore" in text(body, "properties", "operationCategory").lower()
    destination = at(body, "properties", "extendedInfo", "recoveryDestination")
    return source or (restores and (not isinstance(destination, str) or same_id(destination, cluster.arm_id)))
