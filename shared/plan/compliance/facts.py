"""The fact sheet of a cluster: what its verdicts rest on, flat and by name, for auditors and for people."""

from collections.abc import Mapping
from datetime import datetime

from shared.domain.compliance import FactValue
from shared.domain.facts import Fact, Present, Unobserved, value_of
from shared.domain.fleet import Remembered, SeenCluster
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


def sheet(seen: SeenCluster, posture: Posture | None, remembered: Remembered | None) -> dict[str, FactValue]:
    """Without a posture (nobody's profile) only what needs no profile is in it. Times are ISO 8601."""
    cluster, extension, digest = seen.cluster, value_of(seen.extension), value_of(seen.jobs)
    last = digest.last if digest else None
    facts: dict[str, FactValue] = {
        "provisioning_state": cluster.provisioning_state,
        "power_state": cluster.power_state,
        "kubernetes_version": cluster.kubernetes_version,
        "created_at": _time(cluster.created_at),
        "cluster_identity": cluster.identity_principal_id,
        "service_principal": cluster.service_principal,
        "disk_csi_driver": cluster.disk_csi_driver,
        "snapshot_controller": cluster.snapshot_controller,
        "x86_linux_pool": cluster.has_x86_linux_pool,
        "network_isolated": cluster.network_isolated,
        "pod_identity": cluster.pod_identity,
        "instances": tuple(instance.arm_id for instance in value_of(seen.instances) or ()),
        "extension": extension.arm_id if extension else None,
        "extension_state": extension.provisioning_state if extension else None,
        "extension_error": cut(extension.error, _LONGEST) if extension else None,
        "extension_version": extension.version if extension else None,
        "extension_auto_upgrade": extension.auto_upgrade if extension else None,
        "memory_limit": extension.memory_limit if extension else None,
        "last_job": last.key if last else None,
        "last_job_status": last.status if last else None,
        "last_job_codes": (digest.last_codes or ((last.code,) if last.code else ())) if digest and last else (),
        "last_job_ended_at": _time(last.ended_at) if last else None,
        "last_clean_job_at": _time(digest.last_clean_at) if digest else None,
        "last_restore_at": _time(digest.last_restore_at) if digest else None,
        "last_out_of_memory_at": _time(digest.last_out_of_memory_at) if digest else None,
        "memory_exhausted": remembered.memory_exhausted if remembered else None,
        "recorded_restore_at": _time(remembered.last_restore_at) if remembered else None,
        "recorded_reason": remembered.ready if remembered else None,
    }
    if posture is not None:
        _by_profile(facts, posture)
    else:
        facts = {**dict.fromkeys(FACT_SOURCES), **facts}
    facts["unread"] = _unread(seen, posture)
    return facts


def _by_profile(facts: dict[str, FactValue], posture: Posture) -> None:
    """What is chosen, or wanted, by the profile."""
    instance, policy, vault = value_of(posture.instance), value_of(posture.policy), value_of(posture.vault)
    bindings, missing, exemption = value_of(posture.bindings), posture.missing_roles, posture.exemption
    facts |= {
        "profile": posture.profile.name,
        "exemption": exemption.reason if exemption else None,
        "exemption_expires": _time(exemption.expires) if exemption else None,
        "recovery_point_within": promised_within(posture),
        "newest_extension_version": posture.newest_extension or None,
        "instance": instance.arm_id if instance else None,
        "protection_state": instance.protection_state if instance else None,
        "protection_error": instance.error.code if instance and instance.error else None,
        "scope": _scope(instance.scope) if instance else None,
        "snapshot_group": instance.snapshot_group_id if instance else None,
        "latest_recovery_point": _time(instance.latest_recovery_point) if instance else None,
        "policy": instance.policy_id if instance else None,
        "vault": instance.vault_id if instance else None,
        "interval": policy.interval if policy else None,
        "operational_days": policy.operational_days if policy else None,
        "vault_tier": policy.vault_tier if policy else None,
        "vault_days": policy.vault_days if policy else None,
        "soft_delete": vault.soft_delete if vault else None,
        "soft_delete_days": vault.soft_delete_days if vault else None,
        "immutability": vault.immutability if vault else None,
        "redundancy": vault.redundancy if vault else None,
        "cross_region_restore": vault.cross_region_restore if vault else None,
        "resource_guard": vault.guarded if vault else None,
        "diagnostics": value_of(posture.diagnostics),
        "diagnostics_read_at": _read_at(posture.diagnostics),
        "missing_roles": tuple(map(role_in_words, missing.value)) if isinstance(missing, Present) else None,
        "bindings": None
        if bindings is None
        else tuple(binding.name for binding in bindings if same_id(binding.source_id, posture.vault_id)),
        "bindings_read_at": _read_at(posture.bindings),
    }


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
    return tuple(f"{name}: {fact.reason}" for name, fact in named if isinstance(fact, Unobserved))


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _read_at(fact: Fact[object]) -> str | None:
    return None if isinstance(fact, Unobserved) else fact.observed_at.isoformat()
