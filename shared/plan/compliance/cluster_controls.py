"""Whether the way from the cluster to the vault is open: extension, trusted access, roles, and what Azure asks of a
cluster. A restore goes the same way back."""

import re
from functools import lru_cache
from typing import Any

from shared.domain.facts import Absent, Present, Unobserved, value_of
from shared.domain.ids import same_id
from shared.domain.observed import Cluster, Grant, TrustedAccessBinding
from shared.domain.steps import BACKUP_OPERATOR
from shared.plan import roles
from shared.plan.compliance.control import COMPLIANT, Outcome, non_compliant, unknown
from shared.plan.compliance.durations import minute, spoken
from shared.plan.compliance.posture import Posture, reason_of
from shared.plan.prerequisites import check_prerequisites

TOO_OLD = 1.5 * 86400.0
"""Seconds. Bindings are read in rotation within a day; what is older than this says nothing of today."""

_NOT_INSTALLED = non_compliant("NotInstalled", "The backup extension is not installed.")


def extension_healthy(posture: Posture) -> Outcome:
    fact = posture.extension
    if isinstance(fact, Absent):
        return _NOT_INSTALLED
    if isinstance(fact, Unobserved):
        return unknown("Unobserved", f"The backup extension could not be read: {fact.reason}.")
    extension, state = fact.value, fact.value.provisioning_state.lower()
    if state == "succeeded":
        if extension.principal_id is not None:
            return COMPLIANT
        return non_compliant("NoIdentity", f"The backup extension {extension.name} has no identity of its own.")
    if state in ("failed", "canceled"):
        said = extension.error or "Azure gives no message"
        return non_compliant("ExtensionFailed", f"The backup extension is in {extension.provisioning_state}: {said}.")
    return unknown("ExtensionChanging", f"The backup extension is {extension.provisioning_state} just now.")


def extension_current(posture: Posture) -> Outcome:
    fact = posture.extension
    if isinstance(fact, Absent):
        return _NOT_INSTALLED
    if isinstance(fact, Unobserved):
        return unknown("Unobserved", f"The backup extension could not be read: {fact.reason}.")
    extension, newest = fact.value, posture.newest_extension
    if extension.auto_upgrade or (extension.version and extension.version == newest):
        return COMPLIANT
    if not extension.version:
        return unknown("VersionUnknown", "The extension does not upgrade by itself, and its version is not shown.")
    if not newest or version_key(extension.version) >= version_key(newest):
        return COMPLIANT
    message = f"The extension is at {extension.version} and does not upgrade by itself; the fleet has {newest}."
    return non_compliant("ExtensionOutdated", message)


def version_key(version: str) -> tuple[int, ...]:
    """Orders versions by their numbers; what is not a number is not looked at."""
    return tuple(int(part[:9]) for part in re.findall(r"[0-9]+", version))


def memory_adequate(posture: Posture) -> Outcome:
    remembered, within = posture.remembered, posture.profile.compliance.no_out_of_memory_within
    if remembered is not None and remembered.memory_exhausted:
        return non_compliant("RemediationExhausted", remembered.memory_exhausted)
    if not isinstance(posture.jobs, Present):
        return unknown("Unobserved", f"The jobs could not be read: {reason_of(posture.jobs)}.")
    last = posture.jobs.value.last_out_of_memory_at
    if last is None or posture.age(last) > within:
        return COMPLIANT
    extension = value_of(posture.extension)
    limit = f" Its limit is {extension.memory_limit}." if extension and extension.memory_limit else ""
    return non_compliant("OutOfMemory", f"The extension's pod was lost in a job that ended {minute(last)}.{limit}")


def trusted_access(posture: Posture) -> Outcome:
    """Resource Graph does not hold the bindings: the record has them as the last look read them."""
    if isinstance(posture.instance, Unobserved):
        return unknown("Unobserved", f"The backup instances could not be read: {posture.instance.reason}.")
    fact = posture.bindings
    if isinstance(fact, Unobserved):
        message = f"Resource Graph does not hold trusted access, and the record has none: {fact.reason}."
        return unknown("Unobserved", message)
    age = posture.age(fact.observed_at)
    if age > TOO_OLD:
        return unknown("TooOld", f"Trusted access was last read {spoken(age)} ago, which says nothing of today.")
    bindings = [b for b in value_of(fact) or () if grants_backup(b, posture.vault_id)]
    if any(binding.provisioning_state.lower() == "succeeded" for binding in bindings):
        return COMPLIANT
    if bindings:
        state = bindings[0].provisioning_state
        message = f"The trusted access binding {bindings[0].name} was {state} when it was read {spoken(age)} ago."
        return non_compliant("BindingNotSucceeded", message)
    message = f"No binding lets the vault reach the cluster, as it was read {spoken(age)} ago."
    return non_compliant("NotBound", message)


def grants_backup(binding: TrustedAccessBinding, vault_id: str) -> bool:
    return same_id(binding.source_id, vault_id) and BACKUP_OPERATOR.lower() in (r.lower() for r in binding.roles)


def roles_present(posture: Posture) -> Outcome:
    if isinstance(posture.extension, Absent):
        return non_compliant("NoExtensionIdentity", "The extension is not installed, so its identity has no role.")
    fact = posture.missing_roles
    if isinstance(fact, Unobserved):
        return unknown("Unobserved", f"Whether every role is there cannot be told: {fact.reason}.")
    missing = value_of(fact) or ()
    if not missing:
        return COMPLIANT
    return non_compliant("RoleMissing", f"Missing: {'; '.join(map(role_in_words, missing))}.")


def role_in_words(grant: Grant) -> str:
    return f"{roles.NAMES.get(grant.role, grant.role)} for {grant.principal_id} on {grant.scope}"


def prerequisites(posture: Posture) -> Outcome:
    """As the reconciler checks them: what is true of many clusters is worked out once."""
    cluster = posture.cluster
    return _prerequisites(
        cluster.power_state,
        cluster.provisioning_state,
        cluster.kubernetes_version,
        "" if cluster.identity_principal_id is not None else None,
        cluster.service_principal,
        cluster.disk_csi_driver,
        cluster.snapshot_controller,
        cluster.has_x86_linux_pool,
        cluster.network_isolated,
        cluster.pod_identity,
    )


@lru_cache(1024)
def _prerequisites(*of_a_cluster: Any) -> Outcome:
    part = check_prerequisites(Cluster("", "", "", "", {}, *of_a_cluster))
    if part.complete:
        return COMPLIANT
    said = part.said[0]
    if not said.recommended_action:  # it passes by itself
        return unknown(said.reason, said.message)
    return non_compliant(said.reason, said.message, said.recommended_action)


def exemption_valid(posture: Posture) -> Outcome | None:
    exemption = posture.exemption
    if exemption is None or exemption.expires is None:
        return None
    message = f"The exemption ended {minute(exemption.expires)} ({exemption.reason}); the cluster is judged again."
    return non_compliant("ExemptionExpired", message)
