"""From one sweep to the next: since when it is so, and what has changed."""

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from shared.domain.alerts import SEVERITIES, Severity, at_least
from shared.domain.compliance import Finding, JudgedCluster, Verdict, VerdictChange, VerdictStatus
from shared.domain.conditions import COMPLIANT, Condition
from shared.domain.fleet import Remembered
from shared.domain.profile import ProtectionProfile

_MOST_NAMED = 20


def carried(
    judged: JudgedCluster, before: JudgedCluster | None, sweep_id: str, at: datetime
) -> tuple[JudgedCluster, tuple[VerdictChange, ...]]:
    """The cluster with `since` in every verdict, and what changed. What was not judged before is no change."""
    old = {verdict.control: verdict for verdict in before.verdicts} if before else {}
    verdicts: list[Verdict] = []
    changes: list[VerdictChange] = []
    for verdict in judged.verdicts:
        known, since = old.get(verdict.control), at
        if known is not None:
            if known.status != verdict.status:
                changes.append(_change(judged, known, verdict, sweep_id, at))
            elif known.since is not None:
                since = known.since
        if verdict.status != "Compliant" or verdict.message or verdict.remedy:
            verdicts.append(_since(verdict, since))
        elif known is not None and known.since is since and not known.message and known.severity == verdict.severity:
            verdicts.append(known)  # the same is said of it
        else:
            verdicts.append(_compliant(verdict.control, verdict.severity, verdict.reason, since))
    return replace(judged, verdicts=tuple(verdicts)), tuple(changes)


@lru_cache(maxsize=2000)
def _since(verdict: Verdict, since: datetime) -> Verdict:
    """As `replace`, and one object for all clusters of which the same is said."""
    return Verdict(
        verdict.control,
        verdict.status,
        verdict.severity,
        verdict.reason,
        verdict.message,
        verdict.remedy,
        since,
        verdict.expires,
    )


@lru_cache(maxsize=20_000)
def _compliant(control: str, severity: Severity, reason: str, since: datetime) -> Verdict:
    """One object for all clusters of which there is the same to say: there are millions of them."""
    return Verdict(control, "Compliant", severity, reason, since=since)


def _change(judged: JudgedCluster, before: Verdict, after: Verdict, sweep_id: str, at: datetime) -> VerdictChange:
    return VerdictChange(
        sweep_id,
        at,
        judged.cluster_id,
        judged.name,
        judged.team,
        after.control,
        before.status,
        after.status,
        after.reason,
        after.message,
    )


def kept_unknown(before: JudgedCluster, reason: str, message: str, remedy: str, at: datetime) -> JudgedCluster:
    """A cluster that could not be looked at, as the sweep before judged it: nothing that held then is known to hold
    now. What is Exempt stays so until its end: nobody's rights changed that."""

    def excused(verdict: Verdict) -> bool:
        return verdict.status == "Exempt" and (verdict.expires is None or at < verdict.expires)

    verdicts = tuple(
        verdict
        if excused(verdict)
        else Verdict(verdict.control, "Unknown", verdict.severity, reason, message, remedy, verdict.since)
        for verdict in before.verdicts
    )
    all_exempt = before.restorable == "Exempt" and all(map(excused, before.verdicts))
    return replace(
        before,
        verdicts=verdicts,
        facts={**before.facts, "unread": (f"clusters: {message}",)},
        score=before.score if all_exempt else 0.0,
        restorable="Exempt" if all_exempt else "Unknown",
        judged_at=at,
    )


def found_since(findings: tuple[Finding, ...], before: tuple[Finding, ...], at: datetime) -> tuple[Finding, ...]:
    """The findings with `since` in each."""
    old = {finding.key: finding for finding in before}

    def since(finding: Finding) -> datetime:
        known = old.get(finding.key)
        return known.since or at if known is not None and known.status == finding.status else at

    return tuple(replace(finding, since=since(finding)) for finding in findings)


def worst(verdicts: tuple[Verdict, ...], status: VerdictStatus = "NonCompliant") -> Verdict | None:
    """The gravest one of that status, the first of the catalogue among equals."""
    having = (verdict for verdict in verdicts if verdict.status == status)
    return min(having, key=lambda verdict: SEVERITIES.index(verdict.severity), default=None)


def is_new(judged: JudgedCluster, at: datetime) -> bool:
    """Whether the worst of it is so only since the sweep that looked `at` that moment."""
    gravest = worst(judged.verdicts)
    return gravest is not None and gravest.since == at


def compliant_condition(judged: JudgedCluster, at: datetime) -> Condition:
    """The whole cluster in one condition. It says no ages and no counts that change by themselves, so that it is the
    same as long as the same is wrong."""
    if judged.restorable == "Exempt":
        return Condition(COMPLIANT, "True", "Exempt", "The cluster is held to nothing.", at)
    bad = [verdict for verdict in judged.verdicts if verdict.status == "NonCompliant"]
    gravest = worst(judged.verdicts)
    if gravest is not None:
        named = ", ".join(f"{verdict.control} ({verdict.reason})" for verdict in bad[:_MOST_NAMED])
        more = f" and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
        noun = "control does" if len(bad) == 1 else "controls do"
        message = f"{len(bad)} {noun} not comply: {named}{more}."
        return Condition(
            COMPLIANT, "False", gravest.reason or "NonCompliant", message, at, gravest.remedy, gravest.severity
        )
    not_read = worst(judged.verdicts, "Unknown")
    if not_read is not None:
        return _could_not_tell(judged, not_read, at)
    return Condition(COMPLIANT, "True", "Compliant", "Everything its profile asks for holds.", at)


def _could_not_tell(judged: JudgedCluster, not_read: Verdict, at: datetime) -> Condition:
    count = sum(verdict.status == "Unknown" for verdict in judged.verdicts)
    noun = "control" if count == 1 else "controls"
    message = f"The sweep could not tell about {count} {noun}, {not_read.control} among them ({not_read.reason})."
    return Condition(COMPLIANT, "Unknown", not_read.reason or "Unknown", message, at, not_read.remedy)


def to_be_noted(
    judged: JudgedCluster, remembered: Remembered | None, profile: ProtectionProfile | None, at: datetime
) -> Condition | None:
    """The condition, when the record of the cluster must have it: it opens an alert, or the record says something else,
    or said the same too long ago. Where nobody would be told anyway a record is not written for it."""
    if remembered is None or remembered.deleted_at is not None:
        return None
    said = compliant_condition(judged, at)
    least = profile.compliance.alert_from if profile is not None and profile.mode == "enforce" else None
    if said.status == "False" and least is not None and not at_least(said.severity or "Warning", least):
        not_read = worst(judged.verdicts, "Unknown")
        if not_read is not None and at_least(not_read.severity, least):
            said = _could_not_tell(judged, not_read, at)  # an open alert may be about that: it does not end by it
    if said.digest == remembered.compliant:
        return None
    alerts = said.status == "False" and least is not None and at_least(said.severity or "Warning", least)
    return said if alerts or remembered.compliant else None
