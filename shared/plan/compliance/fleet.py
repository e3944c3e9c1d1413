"""What all clusters of one sweep are judged by, and what many of them share, worked out once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.domain.compliance import Verdict
from shared.domain.facts import UNOBSERVED, Absent, Fact, Present, Unobserved, value_of
from shared.domain.fleet import SeenCluster, SharedFacts
from shared.domain.ids import RegionId
from shared.domain.observed import BackupPolicy, Grant, ObservedRegion, Vault
from shared.domain.profile import Configuration, Exemption, ProtectionProfile
from shared.domain.time import Moment
from shared.plan.compliance.catalogue import SELECTED
from shared.plan.compliance.cluster_controls import version_key
from shared.plan.compliance.control import Control
from shared.plan.compliance.kql import kql_control
from shared.plan.region import WantedRegion, policy_name, region_grants, wanted_policy_id, wanted_region
from shared.plan.target import Target

_ABOVE_ALL = "/providers/microsoft.management/managementgroups/"
"""Which management groups lie above a subscription is not known: Resource Graph lists those assignments that reach the
subscriptions that were asked for."""


class Applying(NamedTuple):
    """A control under one profile, with the verdict of all clusters that comply. `tells` whether a cluster could be
    restored."""

    control: Control
    compliant: Verdict
    tells: bool


@dataclass(frozen=True, slots=True)
class SharedRegion:
    """What a region's clusters of one profile share, as the planner would have it and as far as Resource Graph shows
    it."""

    wanted: WantedRegion
    observed: ObservedRegion
    grants: tuple[Grant, ...]
    policy_id: str
    """The one the profile wants."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the backups of some clusters go. `target` is the planner's, of one of them: of the others only instance and
    container are other ones."""

    target: Target
    vault: Fact[Vault]
    policy: Fact[BackupPolicy]
    diagnostics: Fact[bool]
    grants: tuple[Grant, ...]
    """What the vault must be granted for all of them."""


@dataclass(slots=True)
class _Known:
    regions: dict[tuple[str, str, str], SharedRegion] = field(default_factory=dict)
    places: dict[tuple[str, ...], Place] = field(default_factory=dict)
    vaults: dict[str, Fact[Vault]] = field(default_factory=dict)
    policies: dict[str, Fact[BackupPolicy]] = field(default_factory=dict)
    applying: dict[str, tuple[Applying, ...]] = field(default_factory=dict)
    held: tuple[frozenset[Grant], Mapping[tuple[str, str], Set[str]]] | None = None
    ended: tuple[Exemption, ...] | None = None
    unexempted: Configuration | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """`own` is what the queries of `configuration.controls` found: by control, message by lower-case cluster id.
    Controls of such queries that are not among `controls` are judged after them."""

    configuration: Configuration
    shared: SharedFacts
    controls: tuple[Control, ...]
    own: Mapping[str, Mapping[str, str] | Unobserved]
    newest_extension: str
    moment: Moment
    known: _Known = field(default_factory=_Known, init=False, repr=False, compare=False)
    """Only what follows from the others."""

    def applying(self, profile: ProtectionProfile) -> tuple[Applying, ...]:
        """The controls that the profile does not leave out, each as grave as the profile sees it."""
        found = self.known.applying.get(profile.name)
        if found is None:
            rules = profile.compliance
            given = {control.id for control in self.controls}
            queries = (kql_control(query) for query in self.configuration.controls if query.id not in given)
            found = tuple(
                Applying(
                    control,
                    Verdict(control.id, "Compliant", rules.severities.get(control.id, control.severity)),
                    control.essential and control is not SELECTED,
                )
                for control in (*self.controls, *queries)
                if control.id not in rules.without
            )
            self.known.applying[profile.name] = found
        return found

    def region(self, subscription_id: str, location: str, profile: ProtectionProfile) -> SharedRegion:
        key = (subscription_id, location, profile.name)
        found = self.known.regions.get(key)
        if found is None:
            region = RegionId(subscription_id, location.lower(), profile.vault.vault_class)
            wanted = wanted_region(region, self.configuration)
            assert wanted is not None  # noqa: S101 - the profile itself has the vault class
            policies = {policy_name(arm_id): self.policy(arm_id) for arm_id in wanted.policies}
            observed = ObservedRegion(vault=self.vault(wanted.vault_id), policies=policies)
            policy_id = wanted_policy_id(wanted, profile)
            found = SharedRegion(wanted, observed, region_grants(wanted, observed), policy_id)
            self.known.regions[key] = found
        return found

    def vault(self, arm_id: str) -> Fact[Vault]:
        found = self.known.vaults.get(arm_id)
        if found is None:
            found = self.known.vaults[arm_id] = _listed(self.shared.vaults, arm_id)
        return found

    def policy(self, arm_id: str) -> Fact[BackupPolicy]:
        found = self.known.policies.get(arm_id)
        if found is None:
            found = self.known.policies[arm_id] = _listed(self.shared.policies, arm_id)
        return found

    def diagnostics(self, vault_id: str) -> Fact[bool]:
        return self.shared.diagnostics.get(vault_id.lower(), UNOBSERVED)

    def scopes_held(self, grants: frozenset[Grant]) -> Mapping[tuple[str, str], Set[str]]:
        """By principal and role; `/` is above everything. Kept for one batch: they are judged one after the other."""
        if self.known.held is None or self.known.held[0] is not grants:
            scopes: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
            for grant in grants:
                wide = not grant.scope or grant.scope.startswith(_ABOVE_ALL)
                scopes[grant.principal_id, grant.role].add("/" if wide else grant.scope)
            self.known.held = (grants, scopes)
        return self.known.held[1]

    def ended_exemptions(self) -> tuple[Exemption, ...]:
        if self.known.ended is None:
            now = self.moment.now
            over = [e for e in self.configuration.exemptions if e.expires is not None and e.expires <= now]
            self.known.ended = tuple(sorted(over, key=lambda e: e.expires or now, reverse=True))
        return self.known.ended


def is_held(grant: Grant, held: Mapping[tuple[str, str], Set[str]]) -> bool:
    """At its scope, or anywhere above."""
    scopes = held.get((grant.principal_id, grant.role), ())
    if grant.scope in scopes or "/" in scopes:
        return True
    parts = grant.scope.split("/")
    return any("/".join(parts[:length]) in scopes for length in range(3, len(parts)))


def _listed[T: (Vault, BackupPolicy)](all_of_them: Fact[Mapping[str, T]], arm_id: str) -> Fact[T]:
    """What Resource Graph does not list may be there all the same, and hidden from the caller."""
    if isinstance(all_of_them, Present):
        found = all_of_them.value.get(arm_id.rstrip("/").lower())
        if found is not None:
            return Present(found, all_of_them.observed_at)
        return Unobserved(f"Resource Graph does not list {arm_id or 'it'}: it is not there, or may not be read")
    return Unobserved("Azure lists none") if isinstance(all_of_them, Absent) else all_of_them


def newest_extension_of(clusters: Iterable[SeenCluster]) -> str:
    """The newest version of the backup extension among them; empty when none is shown."""
    versions = {extension.version for seen in clusters if (extension := value_of(seen.extension)) is not None}
    return max(versions, key=version_key, default="")
