"""Drift: which clusters are no longer as the Guard once made them, and whether all of them may be repaired at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nsmallest

from shared.domain.compliance import JudgedCluster, Repairs, Verdict
from shared.domain.fleet import Remembered
from shared.domain.ids import ClusterId, RegionId, row_key, same_id
from shared.domain.profile import Configuration, ProtectionProfile, SweepRules
from shared.domain.sweeps import Drift
from shared.plan.names import instance_id

REPAIRABLE = frozenset(
    {
        "protected",
        "protection-healthy",
        "right-policy",
        "right-scope",
        "extension-healthy",
        "trusted-access",
        "roles-present",
    }
)
"""Controls of what a cluster has for itself that the loop can put right."""
SHARED = frozenset(
    {"vault-soft-delete", "vault-immutability", "vault-redundancy", "vault-cross-region-restore", "vault-diagnostics"}
)
"""Controls of what the clusters of a region share: one repair for all of them, by the region's own look."""
HELD_BACK = frozenset({"WaitingForRing", "RolloutPaced", "CircuitBreakerOpen"})
"""Reasons of `Ready` that a change is on its way, at its own pace."""
MOST_REGIONS = 200
"""Looks at regions that one sweep asks for."""
APPROVED_FOR = timedelta(hours=24)
"""By the calendar: how long a person's word keeps the circuit breaker from opening again."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`opens`: the circuit breaker opens now, for as many clusters of as many."""

    repairs: Repairs
    opens: bool = False


def has_drifted(judged: JudgedCluster, remembered: Remembered | None, profile: ProtectionProfile | None) -> bool:
    """Only what had been protected can drift; what never was is protected for the first time. What a changed profile
    asks for comes by its rollout, and is none. A record that knows what is left to do counts too."""
    if profile is None or profile.mode != "enforce" or judged.restorable == "Exempt":
        return False
    if remembered is None or not remembered.protected or remembered.deleted_at is not None:
        return False
    if remembered.profile_digest not in ("", profile.digest) or remembered.ready in HELD_BACK:
        return False
    return bool(remembered.remaining) or any(_can_repair(verdict, judged, profile) for verdict in judged.verdicts)


def _can_repair(verdict: Verdict, judged: JudgedCluster, profile: ProtectionProfile) -> bool:
    if verdict.status != "NonCompliant" or verdict.control not in REPAIRABLE:
        return False
    if verdict.control == "protection-healthy":
        resumes = {
            "backupssuspended": profile.repairs.resume_suspended,
            "protectionstopped": profile.repairs.resume_stopped,
        }
        return resumes.get(verdict.reason.lower(), True)
    return verdict.control != "right-scope" or _ours(judged)


def _ours(judged: JudgedCluster) -> bool:
    """Whether the instance is one the Guard made: it leaves the scope of an adopted one as it is."""
    instance, vault = judged.facts.get("instance"), judged.facts.get("vault")
    if not isinstance(instance, str) or not isinstance(vault, str):
        return False
    return same_id(instance, instance_id(vault, ClusterId.parse(judged.cluster_id)))


def region_to_look_at(judged: JudgedCluster, profile: ProtectionProfile | None) -> RegionId | None:
    """The region whose look may put right what the cluster shares with others."""
    if profile is None or profile.mode != "enforce" or judged.restorable == "Exempt":
        return None
    if not any(verdict.status == "NonCompliant" and verdict.control in SHARED for verdict in judged.verdicts):
        return None
    return RegionId(judged.subscription_id.lower(), judged.location.lower(), profile.vault.vault_class)


def seen(
    drift: Drift,
    clusters: Iterable[tuple[JudgedCluster, Remembered | None]],
    sweep_id: str,
    configuration: Configuration,
) -> Drift:
    """With these clusters in it. Which of them come first is another in each sweep, so that some that cannot be
    repaired never keep the others waiting."""
    enforced, drifted = drift.enforced, drift.drifted
    chosen, regions = list(drift.chosen), set(drift.regions)
    for judged, remembered in clusters:
        profile = configuration.profiles.get(judged.profile)
        enforced += judged.mode == "enforce" and judged.restorable != "Exempt"
        if has_drifted(judged, remembered, profile):
            drifted += 1
            chosen.append((row_key(f"{sweep_id}|{judged.cluster_id}"), judged.cluster_id.lower()))
        if (region := region_to_look_at(judged, profile)) is not None:
            regions.add(region.key)
    first = nsmallest(configuration.sweep.repairs_per_sweep, chosen)
    return Drift(enforced, drifted, tuple(first), tuple(nsmallest(MOST_REGIONS, regions)))


def decide(
    drift: Drift, rules: SweepRules, *, held: str | None, approved_until: datetime | None, now: datetime
) -> Decision:
    """`held` says since when the breaker is open; only a person closes it, also when fewer clusters have drifted by
    now: what became of the others, nobody has looked at yet."""
    if held is not None:
        why = f"The circuit breaker of repairs has been open since {held}; a person must approve the repairs."
        return Decision(Repairs(drift.drifted, 0, why if drift.drifted else ""))
    share = round(rules.stop_above * drift.enforced, 6)  # 0.29 of 100 are 29, and not a little less
    many = drift.drifted >= rules.stop_least and drift.drifted > share
    if many and (approved_until is None or now >= approved_until):
        why = (
            f"{drift.drifted} of {drift.enforced} clusters in enforce have drifted at once, which is more than "
            f"{rules.stop_above:.0%}: nothing is repaired until a person approves it."
        )
        return Decision(Repairs(drift.drifted, 0, why), opens=True)
    asked = len(drift.chosen)
    left = drift.drifted - asked
    why = f"{left} more wait for the next sweep: guard.yaml allows {rules.repairs_per_sweep} a sweep." if left else ""
    return Decision(Repairs(drift.drifted, asked, why))
