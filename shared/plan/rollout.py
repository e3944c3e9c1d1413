"""How a changed profile reaches clusters that live under an older one: ring by ring, at a pace, and never past the
circuit breaker without a person. New clusters do not wait."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.ids import ClusterId
from shared.domain.observed import Cluster
from shared.domain.profile import Rollout
from shared.domain.time import Moment
from shared.plan.selection import matches


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one profile's new content: since when it is known, how many clusters took it, in all and this hour."""

    since: datetime
    changed: int
    hour: datetime
    changed_this_hour: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet. `seconds` are Azure's."""

    reason: str
    message: str
    recommended_action: str
    seconds: float


def may_change(
    rollout: Rollout, progress: Progress, cluster_id: ClusterId, cluster: Cluster, moment: Moment
) -> Wait | None:
    """None when the cluster may take the new content now."""
    if progress.changed >= rollout.stop_after:
        return Wait(
            "CircuitBreakerOpen",
            f"The changed profile has reached {progress.changed} clusters, which is all that guard.yaml allows unseen.",
            "Look at those clusters; if they are well, raise rollout.stop_after in guard.yaml with a new revision.",
            900,
        )
    opens = ring_opens(rollout, cluster_id, cluster) - moment.since(progress.since)
    if opens > 0:
        return Wait("WaitingForRing", "An earlier ring of the rollout comes first.", "", opens)
    left_of_hour = 3600 - moment.since(progress.hour)
    if progress.changed_this_hour >= rollout.clusters_per_hour and left_of_hour > 0:
        message = f"This hour's {rollout.clusters_per_hour} clusters have taken the changed profile."
        return Wait("RolloutPaced", message, "", left_of_hour)
    return None


def ring_opens(rollout: Rollout, cluster_id: ClusterId, cluster: Cluster) -> float:
    """Seconds after the change at which the cluster's ring begins; a cluster in no ring comes with the last."""
    tags = {name.lower(): value for name, value in cluster.tags.items()}
    waited = 0.0
    for ring in rollout.rings:
        waited += ring.wait
        if matches(ring.selector, cluster_id, cluster.location, tags):
            return waited
    return waited


def counted(progress: Progress, moment: Moment) -> Progress:
    """One more cluster took it."""
    if moment.since(progress.hour) >= 3600:
        return Progress(progress.since, progress.changed + 1, moment.now, 1)
    return Progress(progress.since, progress.changed + 1, progress.hour, progress.changed_this_hour + 1)
