"""The fact sheet of a cluster: what its verdicts rest on, flat and by name, for auditors and for people."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from shared.domain.compliance import FactValue
from shared.domain.facts import Fact, Present, Unobserved, value_of
from shared.domain.fleet import JobsDigest, Remembered, SeenCluster
from shared.domain.ids import same_id
from shared.domain.jobs import cut
from shared.domain.profile import BackupScope
from shared.plan.compliance.cluster_controls import role_in_words
from shared.plan.compliance.control import FactSource
from shared.plan.compliance.instance_controls import promised_within
from shared.plan.compliance.posture import Posture

FACT_SOURCES: Mapping[str, FactSource] = {
    "profile": "configuration",
    "exemption": "configuration",
    "exemption_expires": "configuration",
    "recovery_point_within": "configuration",
    "provisioning_state": "clusters",
    "power_state": "clusters",
    "kubernetes_version": "clusters",
    "created_at": "clusters",
    "cluster_identity": "clusters",
    "service_principal": "clusters",
    "disk_csi_driver": "clusters",
    "snapshot_controller": "clusters",
    "x86_linux_pool": "clusters",
    "network_isolated": "clusters",
    "pod_identity": "clusters",
    "extension": "extensions",
    "extension_state": "extensions",
    "extension_error": "extensions",
    "extension_version": "extensions",
    "extension_auto_upgrade": "extensions",
    "newest_extension_version": "extensions",
    "memory_limit": "extensions",
    "instance": "instances",
    "instances": "instances",
    "protection_state": "instances",
    "protection_error": "instances",
    "scope": "instances",
    "snapshot_group": "instances",
    "latest_recovery_point": "instances",
    "policy": "instances",
    "interval": "policies",
    "operational_days": "policies",
    "vault_tier": "policies",
    "vault_days": "policies",
    "vault": "instances",
    "soft_delete": "vaults",
    "soft_delete_days": "vaults",
    "immutability": "vaults",
    "redundancy": "vaults",
    "cross_region_restore": "vaults",
    "resource_guard": "vaults",
    "diagnostics": "arm",
    "diagnostics_read_at": "arm",
    "last_job": "jobs",
    "last_job_status": "jobs",
    "last_job_codes": "jobs",
    "last_job_ended_at": "jobs",
    "last_clean_job_at": "jobs",
    "last_restore_at": "jobs",
    "last_out_of_memory_at": "jobs",
    "missing_roles": "grants",
    "bindings": "record",
    "bindings_read_at": "record",
    "memory_exhausted": "record",
    "recorded_restore_at": "record",
    "recorded_reason": "record",
    "unread": "clusters",
}
"""Fact -> the question it is an answer to. A fact that is None is not there or could not be read; `unread` says of
which question the answer is missing, and why."""

_LONGEST = 2000
_NOTHING: Mapping[str, FactValue] = dict.fromkeys(FACT_SOURCES)


def sheet(seen: SeenCluster, posture: Posture | None, remembered: Remembered | None) -> dict[str, FactValue]:
    """Every fact by name, None what is not known. Without a posture (nobody's profile) only what needs no profile is in
    it. Times are ISO 8601."""
    facts = dict(_NOTHING)
    _of_cluster(facts, seen)
    _of_jobs(facts, value_of(seen.jobs))
    if remembered is not None:
        facts["memory_exhausted"] = remembered.memory_exhausted
        facts["recorded_restore_at"] = _time(remembered.last_restore_at)
        facts["recorded_reason"] = remembered.ready
    if posture is not None:
        _by_profile(facts, posture)
        _of_place(facts, posture)
    facts["unread"] = _unread(seen, posture)
    return facts


def _of_cluster(facts: dict[str, FactValue], seen: SeenCluster) -> None:
    cluster, extension = seen.cluster, value_of(seen.extension)
    facts["provisioning_state"] = cluster.provisioning_state
    facts["power_state"] = cluster.power_state
    facts["kubernetes_version"] = cluster.kubernetes_version
    facts["created_at"] = _time(cluster.created_at)
    facts["cluster_identity"] = cluster.identity_principal_id
    facts["service_principal"] = cluster.service_principal
    facts["disk_csi_driver"] = cluster.disk_csi_driver
    facts["snapshot_controller"] = cluster.snapshot_controller
    facts["x86_linux_pool"] = cluster.has_x86_linux_pool
    facts["network_isolated"] = cluster.network_isolated
    facts["pod_identity"] = cluster.pod_identity
    facts["instances"] = tuple([instance.arm_id for instance in value_of(seen.instances) or ()])
    if extension is not None:
        facts["extension"] = extension.arm_id
        facts["extension_state"] = extension.provisioning_state
        facts["extension_error"] = cut(extension.error, _LONGEST)
        facts["extension_version"] = extension.version
        facts["extension_auto_upgrade"] = extension.auto_upgrade
        facts["memory_limit"] = extension.memory_limit


def _of_jobs(facts: dict[str, FactValue], digest: JobsDigest | None) -> None:
    facts["last_job_codes"] = ()
    if digest is None:
        return
    facts["last_clean_job_at"] = _time(digest.last_clean_at)
    facts["last_restore_at"] = _time(digest.last_restore_at)
    facts["last_out_of_memory_at"] = _time(digest.last_out_of_memory_at)
    if (last := digest.last) is not None:
        facts["last_job"] = last.key
        facts["last_job_status"] = last.status
        facts["last_job_codes"] = digest.last_codes or ((last.code,) if last.code else ())
        facts["last_job_ended_at"] = _time(last.ended_at)


def _by_profile(facts: dict[str, FactValue], posture: Posture) -> None:
    """What is wanted by the profile."""
    bindings, missing, exemption = value_of(posture.bindings), posture.missing_roles, posture.exemption
    facts["profile"] = posture.profile.name
    facts["recovery_point_within"] = promised_within(posture)
    facts["newest_extension_version"] = posture.newest_extension or None
    facts["diagnostics"] = value_of(posture.diagnostics)
    facts["diagnostics_read_at"] = _read_at(posture.diagnostics)
    facts["bindings_read_at"] = _read_at(posture.bindings)
    if isinstance(missing, Present):
        facts["missing_roles"] = tuple(map(role_in_words, missing.value))
    if bindings is not None:
        vaults = [binding.name for binding in bindings if same_id(binding.source_id, posture.vault_id)]
        facts["bindings"] = tuple(vaults)
    if exemption is not None:
        facts["exemption"] = exemption.reason
        facts["exemption_expires"] = exemption.expires.isoformat() if exemption.expires else None


def _of_place(facts: dict[str, FactValue], posture: Posture) -> None:
    """Of the instance that counts, and of the policy and the vault it is under."""
    instance, policy, vault = value_of(posture.instance), value_of(posture.policy), value_of(posture.vault)
    if instance is not None:
        facts["instance"] = instance.arm_id
        facts["protection_state"] = instance.protection_state
        facts["protection_error"] = instance.error.code if instance.error else None
        facts["scope"] = _scope(instance.scope)
        facts["snapshot_group"] = instance.snapshot_group_id
        facts["latest_recovery_point"] = _time(instance.latest_recovery_point)
        facts["policy"] = instance.policy_id
        facts["vault"] = instance.vault_id
    if policy is not None:
        facts["interval"] = policy.interval
        facts["operational_days"] = policy.operational_days
        facts["vault_tier"] = policy.vault_tier
        facts["vault_days"] = policy.vault_days
    if vault is not None:
        facts["soft_delete"] = vault.soft_delete
        facts["soft_delete_days"] = vault.soft_delete_days
        facts["immutability"] = vault.immutability
        facts["redundancy"] = vault.redundancy
        facts["cross_region_restore"] = vault.cross_region_restore
        facts["resource_guard"] = vault.guarded


def _scope(scope: BackupScope | None) -> tuple[str, ...] | None:
    """Only what is not everything."""
    if scope is None:
        return None
    if scope == _EVERYTHING:
        return ()
    lists = {
        "included_namespaces": scope.included_namespaces,
        "excluded_namespaces": scope.excluded_namespaces,
        "included_resource_types": scope.included_resource_types,
        "excluded_resource_types": scope.excluded_resource_types,
        "label_selectors": scope.label_selectors,
        "volume_types": scope.volume_types if scope.volume_types != _EVERYTHING.volume_types else (),
        "hooks": tuple(hook.name for hook in scope.hooks),
    }
    said = [f"{name}: {', '.join(values)}" for name, values in lists.items() if values]
    said += [] if scope.include_cluster_scoped_resources else ["no cluster-scoped resources"]
    said += [] if scope.snapshot_volumes else ["no volumes"]
    return tuple(said)


_EVERYTHING = BackupScope()


def _unread(seen: SeenCluster, posture: Posture | None) -> tuple[str, ...]:
    facts: tuple[Fact[object], ...] = (seen.extension, seen.instances, seen.jobs)
    if posture is not None:
        facts += (posture.vault, posture.policy, posture.missing_roles, posture.bindings)
    if Unobserved not in map(type, facts):
        return ()
    questions = ("extensions", "instances", "jobs", "vaults", "policies", "grants", "record")
    named = zip(questions, facts, strict=False)
    return tuple([f"{name}: {fact.reason}" for name, fact in named if isinstance(fact, Unobserved)])


@lru_cache(1024)
def _time(moment: datetime | None) -> str | None:
    """Of Azure, and so in UTC. Those of one cluster are often the same, and those of clusters under one schedule."""
    return moment.isoformat() if moment is not None else None


def _read_at(fact: Fact[object]) -> str | None:
    return None if isinstance(fact, Unobserved) else _time(fact.observed_at)
