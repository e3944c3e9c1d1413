"""Which subscriptions are asked about together, and what becomes of those that were in scope and are not shown now."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from shared.domain.compliance import Finding, SweepSummary, Tally
from shared.domain.fleet import FleetScope, Scope, Subscription
from shared.domain.sweeps import Batch
from shared.plan.compliance.findings import COMPLETE, not_shown, out_of_scope
from shared.plan.compliance.tally import OTHERS

MOST_CLUSTERS, MOST_SUBSCRIPTIONS = 5000, 300
"""In one batch: what is in memory at once, and how many subscriptions Resource Graph is to be asked about in one query
(Azure Resource Graph: guidance for throttled requests)."""
REMEMBERED_FOR = timedelta(days=7)
"""How long the clusters of a subscription that left a management group are kept as Unknown, by the calendar."""


def batches_of(subscriptions: Iterable[Subscription]) -> tuple[Batch, ...]:
    """In the same order every time, so that the sweep before lies in much the same batches."""
    batches: list[Batch] = []
    together: list[str] = []
    clusters = 0
    for each in sorted(subscriptions, key=lambda subscription: subscription.subscription_id):
        full = len(together) >= MOST_SUBSCRIPTIONS or clusters + each.clusters > MOST_CLUSTERS
        if together and full:
            batches.append(Batch(tuple(together)))
            together, clusters = [], 0
        together.append(each.subscription_id.lower())
        clusters += each.clusters
    return (*batches, *([Batch(tuple(together))] if together else []))


def halves(batch: Batch) -> tuple[Batch, ...]:
    """Of a batch that takes longer than an invocation; the same again when it cannot be divided."""
    middle = (len(batch.subscriptions) + 1) // 2
    parts = batch.subscriptions[:middle], batch.subscriptions[middle:]
    return tuple(Batch(part, batch.lost) for part in parts if part)


def planned(
    scope: Scope, shown: FleetScope, before: SweepSummary | None, now: datetime
) -> tuple[tuple[Batch, ...], tuple[Finding, ...]]:
    """The batches, those of lost subscriptions last, and what is to be said about the scope."""
    there = {subscription.subscription_id.lower() for subscription in shown.subscriptions}
    known = before.by_subscription if before else {}
    missing = [name for name in _with_clusters(before) if name not in there]
    findings = [not_shown(name) for name in shown.unreadable]
    lost: list[str] = []
    for subscription in sorted(missing):
        if subscription in scope.subscriptions:
            lost.append(subscription)  # said above
        elif scope.management_groups and not _left_long_ago(subscription, shown, before, now):
            lost.append(subscription)
            findings.append(out_of_scope(subscription))
        # else somebody took it out of guard.yaml or the settings
    batches = batches_of(shown.subscriptions)
    if lost:
        batches = (*batches, *_lost_batches(lost, known))
    return batches, tuple(findings)


def _with_clusters(before: SweepSummary | None) -> list[str]:
    """Subscriptions in which the sweep before knew clusters, or may have: only so many are counted by themselves."""
    if before is None:
        return []
    counted = [name for name, tally in before.by_subscription.items() if name != OTHERS and tally.clusters]
    if OTHERS in before.by_subscription:
        counted += [name for name in before.subscription_names if name not in before.by_subscription]
    return counted


def _lost_batches(lost: Sequence[str], known: Mapping[str, Tally]) -> tuple[Batch, ...]:
    counted = (Subscription(name, "", known[name].clusters if name in known else 0) for name in lost)
    why = "Resource Graph no longer shows its subscription."
    return tuple(Batch(batch.subscriptions, why) for batch in batches_of(counted))


def _left_long_ago(subscription: str, shown: FleetScope, before: SweepSummary | None, now: datetime) -> bool:
    """What left a management group that is readable stays a finding for some days, and is then believed."""
    if shown.unreadable or before is None:
        return False
    known = next((f for f in before.findings if f.control == COMPLETE and f.subject.lower() == subscription), None)
    return known is not None and known.since is not None and now - known.since > REMEMBERED_FOR
