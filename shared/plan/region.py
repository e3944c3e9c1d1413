"""What the clusters of one region share: what shall be there, and what is read of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.facts import UNOBSERVED, Present, value_of
from shared.domain.ids import RegionId
from shared.domain.observed import Grant, ObservedRegion, grant_key
from shared.domain.profile import Configuration, ProtectionProfile, Repairs
from shared.domain.reads import RegionReads
from shared.domain.record import Record
from shared.domain.time import Moment
from shared.plan import names, roles
from shared.plan.freshness import freshness, settled
from shared.plan.vault_settings import as_wanted, vault_repair

PROVIDERS = (
    "Microsoft.ContainerService",
    "Microsoft.DataProtection",
    "Microsoft.KubernetesConfiguration",
    "Microsoft.Storage",
)


@dataclass(frozen=True, slots=True)
class WantedRegion:
    """What a region shall have. What `existing` names is never made."""

    region: RegionId
    profile: ProtectionProfile
    """One of the profiles of the vault class: they agree on everything that is shared."""
    backup_group_id: str
    snapshot_group_id: str
    account_id: str | None
    vault_id: str
    policies: Mapping[str, ProtectionProfile]
    """By ARM id. A policy that a profile names as existing is not among them."""
    existing: frozenset[str]
    """ARM ids the profile names as existing."""
    vault_tier: bool
    enforce: bool
    repairs: Repairs
    """What all profiles of the vault class that act let the Guard repair."""

    @property
    def makes_vault(self) -> bool:
        """Whether the vault is the Guard's own."""
        return self.vault_id not in self.existing

    @property
    def workspace_id(self) -> str | None:
        """Where the Guard's own vault shall send its jobs; an existing vault is not changed."""
        return self.profile.vault.diagnostics_workspace_id if self.makes_vault else None

    @property
    def fills_backup_group(self) -> bool:
        """Whether anything is made in the backup group; an account of each cluster's own is, too."""
        return not {self.vault_id, self.account_id} <= self.existing


def wanted_region(region: RegionId, configuration: Configuration) -> WantedRegion | None:
    """None when no profile has the region's vault class (any more)."""
    profiles = [p for p in configuration.profiles.values() if p.vault.vault_class == region.vault_class]
    if not profiles:
        return None
    profile = next((p for p in profiles if p.mode == "enforce"), profiles[0])
    there = profile.existing
    backup_group = there.backup_group_id or names.backup_group_id(region)
    vault = there.vault_id or names.vault_id(region, backup_group)
    shares_account = any(p.isolation == "shared-account" for p in profiles)
    account = there.storage_account_id or (names.account_id(region, backup_group) if shares_account else None)
    wanting = [p for p in profiles if p.mode == "enforce"] or profiles
    return WantedRegion(
        region,
        profile,
        backup_group,
        there.snapshot_group_id or names.snapshot_group_id(region),
        account,
        vault,
        {names.policy_id(vault, p): p for p in wanting if p.existing.policy_id is None}
        | {p.existing.policy_id: p for p in wanting if p.existing.policy_id is not None},
        frozenset(
            arm_id
            for p in profiles
            for arm_id in (
                p.existing.backup_group_id,
                p.existing.snapshot_group_id,
                p.existing.storage_account_id,
                p.existing.vault_id,
                p.existing.policy_id,
            )
            if arm_id is not None
        ),
        any(p.retention.vault_days is not None for p in wanting),
        any(p.mode == "enforce" for p in profiles),
        Repairs(
            vault_settings=all(p.repairs.vault_settings for p in wanting),
            one_way=all(p.repairs.one_way for p in wanting),
        ),
    )


def wanted_policy_id(wanted: WantedRegion, profile: ProtectionProfile) -> str:
    return profile.existing.policy_id or names.policy_id(wanted.vault_id, profile)


def policy_name(policy_id: str) -> str:
    """The key of `ObservedRegion.policies`."""
    return policy_id.rsplit("/", 1)[-1]


def region_grants(wanted: WantedRegion, observed: ObservedRegion) -> tuple[Grant, ...]:
    """The roles of the vault's identity that all clusters of the region share, as far as the identity is known."""
    vault = value_of(observed.vault)
    if vault is None or vault.principal_id is None:
        return ()
    # A policy that is named as existing shows only when it is read whether it copies to the vault.
    policies = (value_of(observed.policies.get(policy_name(arm_id), UNOBSERVED)) for arm_id in wanted.policies)
    vault_tier = wanted.vault_tier or any(policy is not None and policy.vault_tier for policy in policies)
    grants = roles.vault_on_snapshot_group(vault.principal_id, wanted.snapshot_group_id, vault_tier)
    if vault_tier and wanted.account_id is not None:
        grants += (roles.vault_on_account(vault.principal_id, wanted.account_id),)
    return grants


def region_reads(record: Record, wanted: WantedRegion, moment: Moment) -> RegionReads:
    """What to ask Azure in this pass; equal to `RegionReads()` when nothing."""
    observed = record.observed
    assert isinstance(observed, ObservedRegion)  # noqa: S101 - the caller chose by the subject
    fresh = freshness(record, moment)
    account, vault = value_of(observed.account), value_of(observed.vault)
    asks_diagnostics = (
        wanted.workspace_id is not None
        and vault is not None
        and fresh.stale(observed.diagnostics, settled=value_of(observed.diagnostics) is True)
    )
    return RegionReads(
        providers=tuple(
            namespace
            for namespace in PROVIDERS
            if fresh.stale(
                fact := observed.providers.get(namespace, UNOBSERVED), settled=value_of(fact) == "Registered"
            )
        ),
        backup_group_id=wanted.backup_group_id
        if wanted.fills_backup_group and fresh.stale(observed.backup_group)
        else None,
        snapshot_group_id=wanted.snapshot_group_id if fresh.stale(observed.snapshot_group) else None,
        account_id=wanted.account_id
        if fresh.stale(observed.account, settled=account is not None and settled(account.provisioning_state))
        else None,
        vault_id=wanted.vault_id
        if fresh.stale(
            observed.vault,
            settled=vault is not None
            and vault.provisioning_state.lower() == "succeeded"
            and bool(vault.principal_id)
            and not (wanted.makes_vault and vault_repair(vault, wanted.profile, wanted.repairs)),
        )
        else None,
        policy_ids=tuple(
            policy
            for policy in wanted.policies
            if vault is not None
            and fresh.stale(
                known := observed.policies.get(policy_name(policy), UNOBSERVED),
                settled=policy in wanted.existing or as_wanted(value_of(known), wanted.policies[policy]),
            )
        ),
        grants=tuple(
            grant
            for grant in region_grants(wanted, observed)
            if isinstance(observed.snapshot_group, Present)
            and fresh.stale(observed.grants.get(grant_key(grant), UNOBSERVED))
        ),
        diagnostics_to=wanted.workspace_id if asks_diagnostics else None,
        diagnostics_of=wanted.vault_id if asks_diagnostics else "",
    )
