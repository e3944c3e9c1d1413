"""Everything the parts of one cluster's plan look at."""

from dataclasses import dataclass

from shared.domain.facts import Unobserved
from shared.domain.ids import ClusterId
from shared.domain.jobs import ClusterHistory
from shared.domain.observed import Cluster, ObservedCluster, ObservedRegion
from shared.domain.profile import ProtectionProfile
from shared.domain.record import Record
from shared.domain.time import Moment
from shared.plan.parts import Part, Said
from shared.plan.region import WantedRegion
from shared.plan.target import Target


@dataclass(frozen=True, slots=True)
class Subject:
    """One cluster, what it shall have, and all that is known."""

    cluster_id: ClusterId
    cluster: Cluster
    profile: ProtectionProfile
    record: Record
    observed: ObservedCluster
    wanted: WantedRegion
    region: ObservedRegion
    target: Target
    moment: Moment
    history: ClusterHistory | None = None
    """What is known of its jobs; None: not read in this look."""


def unobserved(condition: str, what: str, fact: Unobserved) -> Part:
    said = Said(condition, "Unknown", "Unobserved", f"{what} could not be read: {fact.reason}.")
    return Part((said,), (), (f"Read:{what}",), 15)


def waiting(condition: str, reason: str, message: str, seconds: float | None, name: str = "") -> Part:
    """A part that is waiting `seconds` (Azure's) for something that is under way; None: another part knows how long."""
    return Part((Said(condition, "False", reason, message),), (), (name or reason,), seconds)
