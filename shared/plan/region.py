"""What the clusters of one region share, and what is still missing of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.conditions import REGION_READY
from shared.domain.facts import UNOBSERVED, Absent, Fact, Present, Unobserved, value_of
from shared.domain.ids import RegionId
from shared.domain.observed import BackupPolicy, Grant, ObservedRegion, grant_key
from shared.domain.profile import Configuration, ProtectionProfile
from shared.domain.reads import RegionReads
from shared.domain.record import Record
from shared.domain.steps import (
    CreateBackupPolicy,
    CreateResourceGroup,
    CreateStorageAccount,
    CreateVault,
    GrantRole,
    RegisterProvider,
    Step,
)
from shared.domain.time import Moment
from shared.plan import names, roles
from shared.plan.freshness import DAILY, freshness, settled
from shared.plan.gate import Gate, listed
from shared.plan.parts import Part, Plan, Said, attempted, together

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
            settled=vault is not None and vault.provisioning_state.lower() == "succeeded" and bool(vault.principal_id),
        )
        else None,
        policy_ids=tuple(
            policy
            for policy in wanted.policies
            if vault is not None and fresh.stale(observed.policies.get(policy_name(policy), UNOBSERVED))
        ),
        grants=tuple(
            grant
            for grant in region_grants(wanted, observed)
            if isinstance(observed.snapshot_group, Present)
            and fresh.stale(observed.grants.get(grant_key(grant), UNOBSERVED))
        ),
    )


def plan_region(record: Record, wanted: WantedRegion, moment: Moment, gate: Gate | None = None) -> Plan:
    """Everything whose inputs are there is started at once; the rest is named in `remaining`. With a gate the same is
    said, and nothing is started."""
    observed = record.observed
    assert isinstance(observed, ObservedRegion)  # noqa: S101 - the caller chose by the subject
    parts = [_provider(record, observed, wanted, namespace, moment) for namespace in PROVIDERS]
    if wanted.fills_backup_group:
        parts.append(_group(record, observed.backup_group, wanted.backup_group_id, wanted, moment))
    parts += [
        _group(record, observed.snapshot_group, wanted.snapshot_group_id, wanted, moment),
        _account(record, observed, wanted, moment),
        _vault(record, observed, wanted, moment),
        *(_policy(record, observed, wanted, arm_id, moment) for arm_id in wanted.policies),
        *(_grant(record, observed, grant, moment) for grant in region_grants(wanted, observed)),
    ]
    whole = together(parts)
    wrong = [said for said in whole.said if said.status != "True"]
    if whole.complete:
        ready = Said(REGION_READY, "True", "RegionReady", "Vault, storage account, groups and policies are there.")
        return Plan((), (), (ready.at(moment),), DAILY)
    in_the_way = next((s for s in wrong if s.reason != "Creating"), None)
    if gate is not None:
        message = f"{gate.message} Would do: {listed(whole.remaining)}."
        would = Said(REGION_READY, "False", gate.reason, message, gate.recommended_action)
        return Plan((), whole.remaining, ((in_the_way or would).at(moment),), gate.requeue_after)
    said = in_the_way or wrong[0]
    return Plan(whole.steps, whole.remaining, (said.at(moment),), whole.requeue_after or 15)


_CREATING = Said(REGION_READY, "False", "Creating", "What the clusters of this region share is being created.")


def _there() -> Part:
    return Part((Said(REGION_READY, "True", "There", ""),))


def _waiting(name: str, seconds: float | None, said: Said = _CREATING) -> Part:
    """None seconds: what it waits for is another part's, which knows for how long."""
    return Part((said,), (), (name,), seconds)


def _create(record: Record, wanted: WantedRegion, fact: Fact[object], arm_id: str, step: Step, moment: Moment) -> Part:
    """Absent and ours: create. Absent and named as existing: a person must act. Unread: read first."""
    if isinstance(fact, Unobserved):
        return _waiting(step.key, 15, Said(REGION_READY, "Unknown", "Unobserved", f"{arm_id}: {fact.reason}."))
    if isinstance(fact, Absent) and arm_id in wanted.existing:
        said = Said(
            REGION_READY,
            "False",
            "ExistingResourceMissing",
            f"The profile {wanted.profile.name!r} names {arm_id} as existing, but Azure has none.",
            "Create it, or correct the profile in guard.yaml.",
        )
        return _waiting(step.key, 300, said)
    return attempted(REGION_READY, step, record.steps, moment, _CREATING)


def _provider(record: Record, observed: ObservedRegion, wanted: WantedRegion, namespace: str, moment: Moment) -> Part:
    fact = observed.providers.get(namespace, UNOBSERVED)
    state = value_of(fact)
    if state == "Registered":
        return _there()
    step = RegisterProvider(wanted.region.subscription_id, namespace)
    if state == "Registering":
        return _waiting(step.key, 10)
    if isinstance(fact, Present):
        return attempted(REGION_READY, step, record.steps, moment, _CREATING)
    reason = fact.reason if isinstance(fact, Unobserved) else "Azure does not know this resource provider"
    return _waiting(step.key, 15, Said(REGION_READY, "Unknown", "Unobserved", f"{namespace}: {reason}."))


def _registered(observed: ObservedRegion, namespace: str) -> bool:
    return value_of(observed.providers.get(namespace, UNOBSERVED)) == "Registered"


def _group(record: Record, fact: Fact[object], arm_id: str, wanted: WantedRegion, moment: Moment) -> Part:
    if isinstance(fact, Present):
        return _there()
    tags = dict(wanted.profile.tags)
    if arm_id == wanted.backup_group_id:
        tags[names.CLI_TAG] = wanted.region.location
    step = CreateResourceGroup(arm_id, wanted.region.location, tags)
    return _create(record, wanted, fact, arm_id, step, moment)


def _account(record: Record, observed: ObservedRegion, wanted: WantedRegion, moment: Moment) -> Part:
    if wanted.account_id is None:
        return Part()
    account = value_of(observed.account)
    if account is not None:
        state = account.provisioning_state.lower()
        return _there() if state == "succeeded" else _waiting("CreateStorageAccount", 5)
    step = CreateStorageAccount(
        wanted.account_id,
        wanted.region.location,
        {**wanted.profile.tags, names.CLI_TAG: wanted.region.location},
        wanted.profile.customer_managed_key,
        wanted.profile.network,
        wanted.vault_id,
    )
    if wanted.account_id not in wanted.existing and not (
        isinstance(observed.backup_group, Present) and _registered(observed, "Microsoft.Storage")
    ):
        return _waiting(step.key, None)
    return _create(record, wanted, observed.account, wanted.account_id, step, moment)


def _vault(record: Record, observed: ObservedRegion, wanted: WantedRegion, moment: Moment) -> Part:
    vault = value_of(observed.vault)
    if vault is not None:
        if vault.provisioning_state.lower() == "failed":
            return _waiting(
                "CreateVault",
                300,
                Said(
                    REGION_READY,
                    "False",
                    "VaultFailed",
                    f"The vault {vault.name} is in the provisioning state Failed.",
                    "Look at the vault's activity log; delete it if it holds nothing, and the Guard makes it again.",
                ),
            )
        if vault.principal_id is None:
            return _waiting(
                "CreateVault",
                300,
                Said(
                    REGION_READY,
                    "False",
                    "VaultWithoutIdentity",
                    f"The vault {vault.name} has no system-assigned identity, which AKS backup needs.",
                    "Turn on the vault's system-assigned identity.",
                ),
            )
        if vault.location.lower() != wanted.region.location:
            return _waiting(
                "CreateVault",
                1800,
                Said(
                    REGION_READY,
                    "False",
                    "VaultInAnotherRegion",
                    f"The vault {vault.name} lies in {vault.location}, the clusters in {wanted.region.location}.",
                    "Give the clusters of this region a profile whose vault lies here.",
                ),
            )
        return _there() if settled(vault.provisioning_state) else _waiting("CreateVault", 3)
    step = CreateVault(
        wanted.vault_id,
        wanted.region.location,
        {**wanted.profile.tags, names.CLI_TAG: wanted.region.location},
        wanted.profile.vault,
        wanted.profile.customer_managed_key,
    )
    if wanted.vault_id not in wanted.existing and not (
        isinstance(observed.backup_group, Present) and _registered(observed, "Microsoft.DataProtection")
    ):
        return _waiting(step.key, None)
    return _create(record, wanted, observed.vault, wanted.vault_id, step, moment)


def _policy(record: Record, observed: ObservedRegion, wanted: WantedRegion, arm_id: str, moment: Moment) -> Part:
    fact: Fact[BackupPolicy] = observed.policies.get(policy_name(arm_id), UNOBSERVED)
    if isinstance(fact, Present):
        return _there()
    vault = value_of(observed.vault)
    profile = wanted.policies[arm_id]
    soft_delete = vault.soft_delete if vault else profile.vault.soft_delete
    step = CreateBackupPolicy(arm_id, profile.schedule, profile.retention, soft_delete)
    if vault is None or vault.provisioning_state.lower() != "succeeded":
        return _waiting(step.key, None)
    return _create(record, wanted, fact, arm_id, step, moment)


def _grant(record: Record, observed: ObservedRegion, grant: Grant, moment: Moment) -> Part:
    fact = observed.grants.get(grant_key(grant), UNOBSERVED)
    step = GrantRole(grant, names.assignment_name(grant))
    if isinstance(fact, Present):
        return _there()
    scope_there = isinstance(
        observed.account if "/storageaccounts/" in grant.scope else observed.snapshot_group, Present
    )
    if not scope_there:
        return _waiting(step.key, None)
    if isinstance(fact, Unobserved):
        return _waiting(step.key, 5)
    return attempted(REGION_READY, step, record.steps, moment, _CREATING)
