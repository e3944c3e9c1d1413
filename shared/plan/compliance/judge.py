"""From what a sweep has read of one cluster to its verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from shared.domain.alerts import Severity
from shared.domain.compliance import JudgedCluster, Restorable, Verdict
from shared.domain.facts import Fact
from shared.domain.fleet import Remembered, SeenCluster
from shared.domain.jobs import cut
from shared.domain.observed import Grant
from shared.domain.profile import ProtectionProfile
from shared.plan.compliance.catalogue import SELECTED
from shared.plan.compliance.control import COMPLIANT, Outcome
from shared.plan.compliance.facts import sheet
from shared.plan.compliance.fleet import Fleet, newest_extension_of
from shared.plan.compliance.gather import posture_of
from shared.plan.compliance.posture import Posture
from shared.plan.selection import EXEMPT_TAG, NotSelected, Selected, matches, select_profile

__all__ = ["WEIGHTS", "Fleet", "judge", "newest_extension_of"]

WEIGHTS: Mapping[Severity, int] = {"Critical": 8, "Error": 4, "Warning": 2, "Informational": 1}
"""Of a control in the score."""

_LONGEST = 2000
"""Characters of what is said: an extension's own error may be a whole log."""


@dataclass(frozen=True, slots=True)
class _Excused:
    """Why a cluster is held to nothing, for now."""

    reason: str
    message: str
    expires: datetime | None = None


def judge(
    seen: SeenCluster, grants: Fact[frozenset[Grant]], remembered: Remembered | None, fleet: Fleet
) -> JudgedCluster:
    """Pure. `grants` and `seen` are of one batch; `since` of the verdicts is whoever knows the sweep before."""
    selected = select_profile(fleet.configuration, seen.cluster_id, seen.cluster, fleet.moment.now)
    excused: _Excused | None = None
    if isinstance(selected, NotSelected):
        if selected.reason == "Exempt":
            excused = _Excused("Exempt", selected.message, selected.expires)
            selected = _regardless(seen, fleet)
        elif _left_alone(seen, fleet, selected):
            excused = _Excused("LeftAlone", selected.message)
    if isinstance(selected, NotSelected):
        missed = Outcome("NonCompliant", selected.reason, selected.message, selected.recommended_action)
        verdict = _verdict(SELECTED.id, SELECTED.severity, missed, SELECTED.remedy)
        return _judged(seen, None, (_exempt(verdict, excused),), "No", remembered, fleet, excused)
    profile = selected.profile
    excused = excused or _too_young(seen, profile, remembered, fleet)
    posture = posture_of(seen, profile, grants, remembered, fleet)
    verdicts: list[Verdict] = []
    restorable: Restorable = "Yes"
    asked = False
    for control, compliant, tells in fleet.applying(profile):
        outcome = control.judge(posture)
        if outcome is None:
            continue
        if tells:
            asked = True
        if outcome is COMPLIANT or outcome.status == "Compliant":
            verdicts.append(compliant)
        else:
            verdicts.append(_verdict(control.id, compliant.severity, outcome, control.remedy))
            if control.essential and restorable != "No":
                restorable = "No" if outcome.status == "NonCompliant" else "Unknown"
    if not asked:  # nothing essential, so nobody can tell
        restorable = "Unknown"
    said = verdicts if excused is None else [_exempt(verdict, excused) for verdict in verdicts]
    return _judged(seen, posture, tuple(said), restorable, remembered, fleet, excused)


def _judged(
    seen: SeenCluster,
    posture: Posture | None,
    verdicts: tuple[Verdict, ...],
    restorable: Restorable,
    remembered: Remembered | None,
    fleet: Fleet,
    excused: _Excused | None,
) -> JudgedCluster:
    cluster = seen.cluster
    parts = cluster.arm_id.split("/", 5)
    return JudgedCluster(
        cluster_id=cluster.arm_id,
        name=cluster.name,
        subscription_id=seen.cluster_id.subscription_id,
        resource_group=parts[4] if len(parts) > 4 else seen.cluster_id.resource_group,
        location=cluster.location,
        team=_team(cluster.tags, fleet.configuration.sweep.team_tag),
        profile=posture.profile.name if posture else "",
        mode=posture.profile.mode if posture else "",
        verdicts=verdicts,
        facts=sheet(seen, posture, remembered),
        score=_score(verdicts),
        restorable="Exempt" if excused is not None else restorable,
        remaining=remembered.remaining if remembered else (),
        judged_at=fleet.moment.now,
    )


def _team(tags: Mapping[str, str], team_tag: str) -> str:
    """Names of tags are the same in upper and lower case."""
    if team_tag in tags:
        return tags[team_tag]
    return next((value for name, value in tags.items() if name.lower() == team_tag.lower()), "")


def _score(verdicts: tuple[Verdict, ...]) -> float:
    """Where nothing counts, nothing is missing."""
    whole = good = 0
    for verdict in verdicts:
        weight, status = WEIGHTS[verdict.severity], verdict.status
        if status == "Compliant":
            whole += weight
            good += weight
        elif status != "Exempt":
            whole += weight
    return 100.0 if good == whole else round(100.0 * good / whole, 1)


@lru_cache(2000)
def _verdict(control: str, severity: Severity, outcome: Outcome, remedy: str) -> Verdict:
    """One object for all clusters of which the same is said."""
    message, what_to_do = cut(outcome.message, _LONGEST), cut(outcome.remedy or remedy, _LONGEST)
    return Verdict(control, outcome.status, severity, cut(outcome.reason, 100), message, what_to_do)


def _exempt(verdict: Verdict, excused: _Excused | None) -> Verdict:
    if excused is None:
        return verdict
    return replace(
        verdict,
        status="Exempt",
        reason=excused.reason,
        message=excused.message,
        remedy="",
        expires=excused.expires,
    )


def _regardless(seen: SeenCluster, fleet: Fleet) -> Selected | NotSelected:
    """What the cluster would be held to without its exemption: which controls apply is the profile's."""
    if fleet.known.unexempted is None:
        fleet.known.unexempted = replace(fleet.configuration, exemptions=())
    tags = {name: value for name, value in seen.cluster.tags.items() if name.lower() != EXEMPT_TAG}
    cluster = replace(seen.cluster, tags=tags)
    return select_profile(fleet.known.unexempted, seen.cluster_id, cluster, fleet.moment.now)


def _left_alone(seen: SeenCluster, fleet: Fleet, selected: NotSelected) -> bool:
    """Whether a rule says so, rather than none saying anything."""
    if selected.reason != "NotSelected":
        return False
    tags = {name.lower(): value for name, value in seen.cluster.tags.items()}
    rules = fleet.configuration.rules
    return any(matches(rule.selector, seen.cluster_id, seen.cluster.location, tags) for rule in rules)


def _too_young(
    seen: SeenCluster, profile: ProtectionProfile, remembered: Remembered | None, fleet: Fleet
) -> _Excused | None:
    """The profile leaves clusters alone until they have its minimum age. When a cluster was made Resource Graph does
    not always say; then what the last look found counts."""
    if profile.minimum_age <= 0:
        return None
    message = "The cluster is younger than the profile's minimum age, and is left alone until then."
    created_at, moment = seen.cluster.created_at, fleet.moment
    if created_at is None:
        young = remembered is not None and remembered.ready == "TooYoung"
        return _Excused("TooYoung", message) if young else None
    if moment.since(created_at) >= profile.minimum_age:
        return None
    return _Excused("TooYoung", message, created_at + timedelta(seconds=profile.minimum_age / moment.scale))
