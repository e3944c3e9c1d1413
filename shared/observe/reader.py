"""Composes the reads of one pass: they run side by side, and one that fails leaves the others alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from shared.arm.client import UNREADABLE, ArmClient
from shared.domain.errors import GuardError, StepError, TransientError
from shared.domain.facts import Absent, Fact, Present, Unobserved, value_of
from shared.domain.ids import ClusterId, RegionId
from shared.domain.observed import Grant, ObservedCluster, ObservedRegion, RoleAssignment, grant_key
from shared.domain.reads import ClusterReads, Reading, RegionReads
from shared.observe.backup_extension import read_extension
from shared.observe.backup_instance import read_deleted_instance, read_instances
from shared.observe.backup_job import read_job, search_job
from shared.observe.backup_policy import read_policy
from shared.observe.backup_vault import read_vault
from shared.observe.diagnostic_setting import read_diagnostics
from shared.observe.fields import UnreadableBodyError, last_segment
from shared.observe.managed_cluster import list_cluster_ids, read_cluster
from shared.observe.operation import read_operation
from shared.observe.provider import read_provider
from shared.observe.recovery_point import read_newest_recovery_point
from shared.observe.resource_group import GroupTags, read_resource_group
from shared.observe.role_assignments import read_grants
from shared.observe.running_jobs import read_running_jobs
from shared.observe.storage_account import read_account, read_container
from shared.observe.trusted_access import read_bindings
from shared.observe.vm_sizes import read_memory
from shared.ports import Clock

_AT_ONCE = 8
"""Reads of one pass under way at the same time."""


class ArmReader:
    """`ports.AzureReader` over ARM. Not there is Absent, could not read is Unobserved with the error listed."""

    def __init__(self, arm: ArmClient, clock: Clock) -> None:
        self._arm, self._clock = arm, clock
        self._group_tags = GroupTags(arm, clock)

    async def read_cluster(
        self, cluster: ClusterId, reads: ClusterReads, known: ObservedCluster
    ) -> Reading[ObservedCluster]:
        arm, pass_ = self._arm, _Pass(self._clock)
        vault = value_of(known.vault)
        soft_delete = vault.soft_delete if vault else ""
        wanted: dict[str, _Read] = {}
        if reads.cluster:
            wanted["cluster"] = lambda: read_cluster(arm, cluster)
        if reads.extension:
            wanted["extension"] = lambda: read_extension(arm, cluster)
        if reads.bindings:
            wanted["bindings"] = lambda: read_bindings(arm, cluster)
        if reads.instances:
            wanted["instances"] = lambda: read_instances(arm, cluster)
        if (deleted_id := reads.deleted_instance_id) is not None:
            wanted["deleted_instance"] = lambda: read_deleted_instance(arm, deleted_id, soft_delete)
        if (account_id := reads.account_id) is not None:
            wanted["account"] = lambda: read_account(arm, account_id)
        if (container_id := reads.container_id) is not None:
            wanted["container"] = lambda: read_container(arm, container_id)
        if (vault_id := reads.vault_id) is not None:
            wanted["vault"] = lambda: read_vault(arm, vault_id)
        if (policy_id := reads.policy_id) is not None:
            wanted["policy"] = lambda: read_policy(arm, policy_id, soft_delete)
        if (instance_id := reads.recovery_points_of) is not None:
            wanted["recovery_point"] = lambda: read_newest_recovery_point(arm, instance_id, soft_delete)
        if (search := reads.job_search) is not None:
            wanted["backup_job"] = lambda: search_job(arm, cluster, search)
        if (job_id := reads.backup_job_id) is not None:
            wanted["backup_job"] = lambda: read_job(arm, job_id, soft_delete)
        if (evidence_id := reads.evidence_id) is not None:
            wanted["evidence"] = lambda: read_job(arm, evidence_id, soft_delete)
        if reads.running_jobs:
            vaults = sorted({instance.vault_id.lower() for instance in value_of(known.instances) or ()})
            wanted["running_jobs"] = lambda: read_running_jobs(arm, cluster, vaults)
        if (location := reads.node_memory_in) is not None:
            there = value_of(known.cluster)
            sizes = {pool.vm_size for pool in there.node_pools} if there else set()
            wanted["node_memory"] = lambda: read_memory(arm, cluster.subscription_id, location, sizes)
        if reads.group_tags:
            group_id = f"/subscriptions/{cluster.subscription_id}/resourceGroups/{cluster.resource_group}"
            wanted["group_tags"] = lambda: self._group_tags.of(group_id)
        facts, grants, operations = await asyncio.gather(
            pass_.facts(wanted),
            self._grants(reads.grants, pass_),
            pass_.facts({key: _operation(arm, url) for key, url in reads.operations.items()}),
        )
        observed = replace(
            known,
            **facts,
            grants={**known.grants, **grants},
            operations={**known.operations, **operations},
        )
        return Reading(observed, tuple(pass_.errors))

    async def read_region(self, region: RegionId, reads: RegionReads, known: ObservedRegion) -> Reading[ObservedRegion]:
        arm, pass_ = self._arm, _Pass(self._clock)
        vault = value_of(known.vault)
        soft_delete = vault.soft_delete if vault else ""
        wanted: dict[str, _Read] = {}
        if (backup_group_id := reads.backup_group_id) is not None:
            wanted["backup_group"] = lambda: read_resource_group(arm, backup_group_id)
        if (snapshot_group_id := reads.snapshot_group_id) is not None:
            wanted["snapshot_group"] = lambda: read_resource_group(arm, snapshot_group_id)
        if (account_id := reads.account_id) is not None:
            wanted["account"] = lambda: read_account(arm, account_id)
        if (vault_id := reads.vault_id) is not None:
            wanted["vault"] = lambda: read_vault(arm, vault_id, soft_delete)
        if (workspace_id := reads.diagnostics_to) is not None:
            wanted["diagnostics"] = lambda: read_diagnostics(arm, reads.diagnostics_of, workspace_id)
        providers = {name: _provider(arm, region.subscription_id, name) for name in reads.providers}
        policies = {last_segment(arm_id): _policy(arm, arm_id, soft_delete) for arm_id in reads.policy_ids}
        facts, registered, found, grants = await asyncio.gather(
            pass_.facts(wanted), pass_.facts(providers), pass_.facts(policies), self._grants(reads.grants, pass_)
        )
        observed = replace(
            known,
            **facts,
            providers={**known.providers, **registered},
            policies={**known.policies, **found},
            grants={**known.grants, **grants},
        )
        return Reading(observed, tuple(pass_.errors))

    async def list_clusters(self, subscription_id: str) -> AsyncIterator[ClusterId]:
        try:
            found = await list_cluster_ids(self._arm, subscription_id)
        except UnreadableBodyError as error:
            raise _unreadable(error) from error
        for cluster in found:
            yield cluster

    async def _grants(self, grants: Iterable[Grant], pass_: "_Pass") -> Mapping[str, Fact[RoleAssignment]]:
        """One call answers for all roles of one principal at one scope."""
        by_place = groupby(sorted(grants, key=_place), key=_place)
        asked = {place: list(roles) for place, roles in by_place}
        answers = await pass_.facts(
            {"|".join(place): _roles(self._arm, place, roles) for place, roles in asked.items()}
        )
        facts: dict[str, Fact[RoleAssignment]] = {}
        for place, roles in asked.items():
            answer = answers["|".join(place)]
            facts |= {grant_key(grant): _one_of(answer, grant) for grant in roles}
        return facts


type _Read = Callable[[], Awaitable[Any]]


class _Pass:
    """The reads of one pass: at most `_AT_ONCE` at the same time, and the errors they met."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self.errors: list[StepError] = []

    async def facts(self, wanted: Mapping[str, _Read]) -> dict[str, Any]:
        """The fact each read came to, by name. Unknown exceptions are raised once all have ended."""
        found: Sequence[Any] = await asyncio.gather(*map(self._fact, wanted.values()), return_exceptions=True)
        if raised := next((each for each in found if isinstance(each, BaseException)), None):
            raise raised
        return dict(zip(wanted, found, strict=True))

    async def _fact(self, read: _Read) -> Fact[Any]:
        try:
            async with self._slots:
                value = await read()
        except GuardError as error:
            return self._failed(error)
        except UnreadableBodyError as error:
            return self._failed(_unreadable(error))
        now = self._clock.now()
        return Absent(now) if value is None else Present(value, now)

    def _failed(self, error: GuardError) -> Unobserved:
        self.errors.append(error.as_step_error())
        return Unobserved(f"{error.code}: {error.message}".rstrip("."))


def _operation(arm: ArmClient, url: str) -> _Read:
    return lambda: read_operation(arm, url)


def _provider(arm: ArmClient, subscription_id: str, namespace: str) -> _Read:
    return lambda: read_provider(arm, subscription_id, namespace)


def _policy(arm: ArmClient, arm_id: str, soft_delete: str) -> _Read:
    return lambda: read_policy(arm, arm_id, soft_delete)


def _roles(arm: ArmClient, place: tuple[str, str], grants: Sequence[Grant]) -> _Read:
    return lambda: read_grants(arm, place[1], place[0], grants)


def _place(grant: Grant) -> tuple[str, str]:
    return grant.scope.lower(), grant.principal_id.lower()


def _one_of(answer: Fact[Mapping[Grant, RoleAssignment | None]], grant: Grant) -> Fact[RoleAssignment]:
    if not isinstance(answer, Present):
        return answer
    assignment = answer.value[grant]
    return Absent(answer.observed_at) if assignment is None else Present(assignment, answer.observed_at)


def _unreadable(error: UnreadableBodyError) -> GuardError:
    return TransientError(UNREADABLE, f"Azure's answer could not be read: {error}")
