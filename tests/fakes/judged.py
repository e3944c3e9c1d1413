"""Clusters as a sweep judges them, for tests of what becomes of them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.domain.compliance import JudgedCluster, Verdict

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


def bad(control: str = "protected", **changes: Any) -> Verdict:
    return replace(Verdict(control, "NonCompliant", "Error", "NotProtected", "It is not.", "Protect it."), **changes)


def good(control: str = "protected") -> Verdict:
    return Verdict(control, "Compliant", "Error")


def unknown(control: str = "protected") -> Verdict:
    return Verdict(control, "Unknown", "Error", "Unobserved", "It could not be read.", "Read it.")


def judged(name: str = "shop", *verdicts: Verdict, **changes: Any) -> JudgedCluster:
    """One in enforce that is not restorable when any of its verdicts is bad."""
    subscription = changes.get("subscription_id", SUBSCRIPTION)
    is_bad = any(verdict.status == "NonCompliant" for verdict in verdicts)
    cluster = JudgedCluster(
        cluster_id=f"/subscriptions/{subscription}/resourceGroups/Apps/providers/Microsoft.ContainerService"
        f"/managedClusters/{name}",
        name=name,
        subscription_id=subscription,
        resource_group="Apps",
        location="westeurope",
        team="shop",
        profile="standard",
        mode="enforce",
        verdicts=verdicts or (good(),),
        facts={"instances": ("one", "two"), "policy": None, "vault_days": 30.5, "guarded": True},
        score=50.0 if is_bad else 100.0,
        restorable="No" if is_bad else "Yes",
        judged_at=NOON,
    )
    return replace(cluster, **changes)
