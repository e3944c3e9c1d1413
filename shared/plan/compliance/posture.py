"""All that a control may look at: one cluster, what its profile promises, and what a sweep has read of both."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from shared.domain.facts import Absent, Fact, Present, Unobserved
from shared.domain.fleet import JobsDigest, Remembered
from shared.domain.ids import ClusterId, same_id
from shared.domain.observed import (
    BackupInstance,
    BackupPolicy,
    Cluster,
    Extension,
    Grant,
    TrustedAccessBinding,
    Vault,
)
from shared.domain.profile import Exemption, ProtectionProfile
from shared.domain.time import Moment
from shared.plan import names


class Posture(NamedTuple):
    """Of one cluster. Facts about Azure say whether they could be read; `Absent` is what Azure's list does not have.
    (Not a frozen dataclass: a hundred thousand are made in one sweep, and this is made four times as fast.)"""

    cluster_id: ClusterId
    cluster: Cluster
    profile: ProtectionProfile
    instance: Fact[BackupInstance]
    """The one that counts, as the reconciler chooses it."""
    vault: Fact[Vault]
    """The instance's. What is said of a vault that is not listed is Unobserved: it may be there, and hidden."""
    policy: Fact[BackupPolicy]
    """The instance's."""
    wanted_policy_id: str
    shares_vault: bool
    """Whether the instance lies in the vault the profile wants."""
    extension: Fact[Extension]
    newest_extension: str
    """The newest version in the fleet; empty when nobody's is known."""
    jobs: Fact[JobsDigest]
    missing_roles: Fact[tuple[Grant, ...]]
    """Of those the cluster and its region need; Unobserved as soon as one of them cannot be told."""
    vault_id: str
    """Whom trusted access must be granted to."""
    bindings: Fact[tuple[TrustedAccessBinding, ...]]
    diagnostics: Fact[bool]
    remembered: Remembered | None
    """None: there is no record, or none was read."""
    exemption: Exemption | None
    """The newest one in guard.yaml that names the cluster and is over."""
    own: Mapping[str, Mapping[str, str] | Unobserved]
    """What the queries in guard.yaml found: by control, message by lower-case ARM id of the cluster."""
    moment: Moment

    @property
    def ours(self) -> bool:
        """Whether the instance has the name and vault the Guard gives; another is adopted as it was found."""
        if not self.shares_vault or not isinstance(self.instance, Present):
            return False
        return same_id(self.instance.value.arm_id, names.instance_id(self.vault_id, self.cluster_id))

    @property
    def made_again(self) -> bool:
        """Whether this is a new cluster under the ARM id of the one that the record tells of."""
        known = self.remembered.resource_uid if self.remembered is not None else ""
        return bool(known and self.cluster.resource_uid) and known.lower() != self.cluster.resource_uid.lower()

    @property
    def began_at(self) -> datetime | None:
        """When this very cluster began, as far as anybody knows: what is older is of another under its ARM id."""
        made, reborn = self.cluster.created_at, self.remembered.reborn_at if self.remembered is not None else None
        return made if reborn is None else reborn if made is None else max(made, reborn)

    @property
    def stopped(self) -> bool:
        return self.cluster.power_state.lower() == "stopped"

    def age(self, then: datetime) -> float:
        """Seconds. Schedules and promises go by the calendar, which is never scaled."""
        return (self.moment.now - then).total_seconds()


NONE_OF_IT = "There is no backup instance of the cluster."


def reason_of(fact: Fact[object]) -> str:
    """Why a fact is not there, for a person."""
    match fact:
        case Unobserved(reason=reason):
            return reason
        case Absent():
            return "Azure has none"
        case Present():
            return ""
