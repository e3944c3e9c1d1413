"""What a sweep says about the fleet rather than about one cluster of it, in words."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from shared.domain.compliance import Finding, VerdictStatus
from shared.domain.observed import BackupInstance
from shared.domain.profile import Exemption, Selector
from shared.plan.compliance.catalogue import FLEET_CONTROLS

ORPHANED, READABLE, COMPLETE, EXEMPTION = "orphaned-instance", "scope-readable", "scope-complete", "exemption-in-use"
_CONTROLS = {control.id: control for control in FLEET_CONTROLS}
_MOST_NAMED = 10
_LONGEST = 1000


def not_shown(name: str) -> Finding:
    """A subscription or management group that somebody named."""
    message = f"{name} is named in the scope, but Resource Graph does not show it: it is not there, or may not be read."
    return _finding(READABLE, name, "NotShown", message)


def not_listed(subscription_id: str, error: str) -> Finding:
    return _finding(READABLE, subscription_id, "NotListed", f"Its clusters could not be listed: {error}")


def orphaned(instance: BackupInstance) -> Finding:
    message = (
        f"The backup instance {instance.name} ({instance.protection_state or 'state unknown'}) protects "
        f"{instance.cluster_id}, which is deleted."
    )
    return _finding(ORPHANED, instance.arm_id, "ClusterDeleted", message)


def perhaps_orphaned(instance: BackupInstance, why: str) -> Finding:
    cluster = instance.cluster_id or "no cluster"
    message = f"The backup instance {instance.name} names {cluster}, which is not listed: {why}"
    return _finding(ORPHANED, instance.arm_id, "NotConfirmed", message, "Unknown")


def shrunk(subscription_id: str, gone: Collection[str], there: Collection[str], unknown: Collection[str]) -> Finding:
    """Names of clusters that the last sweep saw and this one was not shown, though nobody told of their end. Those that
    ARM says are deleted are out of nobody's sight: only an event was lost."""
    parts = [f"{len(gone)} are deleted, and no event told of it: {_named(gone)}"] if gone else []
    parts += [f"{len(there)} are there, and are not listed: {_named(there)}"] if there else []
    parts += [f"{len(unknown)} may or may not be there: {_named(unknown)}"] if unknown else []
    count = len(gone) + len(there) + len(unknown)
    message = f"{count} clusters fewer than the last time are listed. {'; '.join(parts)}."
    found = _finding(COMPLETE, subscription_id, "FewerClusters", message)
    return found if there or unknown else replace(found, severity="Warning")


def out_of_scope(subscription_id: str) -> Finding:
    message = "The subscription was in scope at the last sweep and is no longer shown: moved, or no longer readable."
    return _finding(COMPLETE, subscription_id, "NoLongerShown", message)


def exemption_unused(exemption: Exemption) -> Finding:
    return _finding(
        EXEMPTION, exemption_name(exemption), "MatchesNothing", f"No cluster matches it ({exemption.reason})."
    )


def exemption_over(exemption: Exemption) -> Finding:
    message = f"It ended {exemption.expires:%Y-%m-%d %H:%M} UTC ({exemption.reason})."
    return _finding(EXEMPTION, exemption_name(exemption), "Expired", message)


def exemption_name(exemption: Exemption) -> str:
    """Exemptions have no name: what they select says which one is meant."""
    return f"exemption of {_selected(exemption.selector)}"[:300]


def bounded(findings: Sequence[Finding], most: int) -> tuple[tuple[Finding, ...], dict[str, int]]:
    """As many of each control as there is room for, and how many were left out."""
    kept: list[Finding] = []
    counts: dict[str, int] = {}
    left_out: dict[str, int] = {}
    for finding in findings:
        counts[finding.control] = counts.get(finding.control, 0) + 1
        if counts[finding.control] <= most:
            kept.append(finding)
        else:
            left_out[finding.control] = left_out.get(finding.control, 0) + 1
    return tuple(kept), left_out


def _finding(control: str, subject: str, reason: str, message: str, status: VerdictStatus = "NonCompliant") -> Finding:
    known = _CONTROLS[control]
    return Finding(control, subject, status, known.severity, reason, message[:_LONGEST], known.remedy)


def _named(names: Collection[str]) -> str:
    first = sorted(names)[:_MOST_NAMED]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(first) + more


def _selected(selector: Selector) -> str:
    parts = [
        f"{what} {', '.join(patterns)}"
        for what, patterns in (
            ("names", selector.names),
            ("resource groups", selector.resource_groups),
            ("subscriptions", selector.subscriptions),
            ("locations", selector.locations),
        )
        if patterns
    ]
    parts += [f"tag {name}={value}" for name, value in sorted(selector.tags.items())]
    return "; ".join(parts) or "every cluster"
