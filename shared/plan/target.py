"""Where a cluster's backups go: to what is there already (adopted), else to what the region shares."""

from dataclasses import dataclass

from shared.domain.facts import UNOBSERVED, Fact, Present, Unobserved, value_of
from shared.domain.ids import ClusterId, same_id
from shared.domain.observed import (
    BackupInstance,
    BackupPolicy,
    Cluster,
    Extension,
    Grant,
    ObservedCluster,
    ObservedRegion,
    StorageAccount,
    Vault,
)
from shared.domain.profile import ProtectionProfile
from shared.plan import names, roles
from shared.plan.extension_place import account_of, is_own
from shared.plan.region import WantedRegion, policy_name, wanted_policy_id


@dataclass(frozen=True, slots=True)
class Target:
    """Ids are always known; the facts behind them may not be yet."""

    instance: BackupInstance | None
    """The one that counts, when there is any."""
    instance_id: str
    vault_id: str
    vault: Fact[Vault]
    policy_id: str
    policy: Fact[BackupPolicy]
    snapshot_group_id: str
    snapshot_group_ready: bool
    account_id: str
    account: Fact[StorageAccount]
    own_extension: bool
    """The extension is there, and the Guard installed it."""
    own_account: bool
    """The account is the cluster's alone and the Guard makes it."""
    container_id: str
    shares_vault: bool
    shares_account: bool
    shares_snapshot_group: bool


def target_of(
    cluster_id: ClusterId,
    cluster: Cluster,
    profile: ProtectionProfile,
    observed: ObservedCluster,
    wanted: WantedRegion,
    region: ObservedRegion,
    installed_in: str = "",
) -> Target:
    """Pure look-up; nothing here decides whether anything is done. `installed_in` is the container the Guard installed
    its extension with: wherever somebody has pointed it since, there it belongs."""
    instance = chosen_instance(observed, wanted.vault_id, cluster_id)
    vault_id = instance.vault_id if instance else wanted.vault_id
    shares_vault = same_id(vault_id, wanted.vault_id)
    snapshot_group = (instance.snapshot_group_id if instance else "") or wanted.snapshot_group_id
    policy_id = instance.policy_id if instance and instance.policy_id else wanted_policy_id(wanted, profile)
    extension = value_of(observed.extension)
    own_extension = is_own(extension, installed_in)
    account_id = _account_id(cluster_id, profile, None if own_extension else extension, wanted)
    if own_extension:
        account_id = account_of(installed_in)
    own = (extension is None or own_extension) and same_id(
        account_id, names.cluster_account_id(cluster_id, wanted.backup_group_id)
    )
    shares_account = wanted.account_id is not None and same_id(account_id, wanted.account_id)
    shares_snapshot_group = same_id(snapshot_group, wanted.snapshot_group_id)
    return Target(
        instance,
        instance.arm_id if instance else names.instance_id(wanted.vault_id, cluster_id),
        vault_id,
        region.vault if shares_vault else _of(observed.vault, vault_id),
        policy_id,
        _policy(policy_id, shares_vault, observed, region),
        snapshot_group,
        isinstance(region.snapshot_group, Present) or not shares_snapshot_group,
        account_id,
        region.account if shares_account else _of(observed.account, account_id),
        own_extension,
        own,
        names.container_id(cluster_id, cluster.resource_uid, account_id),
        shares_vault,
        shares_account,
        shares_snapshot_group,
    )


def _policy(
    policy_id: str, shares_vault: bool, observed: ObservedCluster, region: ObservedRegion
) -> Fact[BackupPolicy]:
    shared = region.policies.get(policy_name(policy_id), UNOBSERVED) if shares_vault else UNOBSERVED
    return _of(observed.policy, policy_id) if isinstance(shared, Unobserved) else shared


def _of[T: (Vault, StorageAccount, BackupPolicy)](fact: Fact[T], arm_id: str) -> Fact[T]:
    """What was read of another resource says nothing about this one."""
    if isinstance(fact, Present) and not same_id(fact.value.arm_id, arm_id):
        return Unobserved("another one was read before")
    return fact


def chosen_instance(observed: ObservedCluster, vault_id: str, cluster_id: ClusterId) -> BackupInstance | None:
    """Of several, the one that protects; among those, ours; never by the order Azure lists them in."""
    instances = value_of(observed.instances) or ()
    ours = names.instance_id(vault_id, cluster_id)

    def rank(instance: BackupInstance) -> tuple[int, int, str]:
        protects = {"protectionconfigured": 0, "configuringprotection": 1, "updatingprotection": 1}
        return (
            protects.get(instance.protection_state.lower(), 2),
            0 if same_id(instance.arm_id, ours) else 1,
            instance.arm_id.lower(),
        )

    return min(instances, key=rank, default=None)


def _account_id(
    cluster_id: ClusterId, profile: ProtectionProfile, extension: Extension | None, wanted: WantedRegion
) -> str:
    if extension is not None and extension.storage_account:
        return (
            f"/subscriptions/{extension.storage_subscription_id or cluster_id.subscription_id}"
            f"/resourceGroups/{extension.storage_resource_group}"
            f"/providers/Microsoft.Storage/storageAccounts/{extension.storage_account}"
        )
    if profile.isolation == "account-per-cluster" or wanted.account_id is None:
        return names.cluster_account_id(cluster_id, wanted.backup_group_id)
    return wanted.account_id


def cluster_grants(
    cluster: Cluster, profile: ProtectionProfile, observed: ObservedCluster, target: Target
) -> list[Grant]:
    """Every role this cluster needs beyond what its region shares, as far as the identities are known."""
    return [*own_grants(cluster, value_of(observed.extension), target), *place_grants(profile, target)]


def place_grants(profile: ProtectionProfile, target: Target) -> list[Grant]:
    """Of those the vault's, where the cluster's backups go: the same for every cluster whose backups go there."""
    vault, policy = value_of(target.vault), value_of(target.policy)
    if vault is None or vault.principal_id is None:
        return []
    grants: list[Grant] = []
    vault_tier = policy.vault_tier if policy else profile.retention.vault_days is not None
    if not (target.shares_vault and target.shares_snapshot_group):
        grants += roles.vault_on_snapshot_group(vault.principal_id, target.snapshot_group_id, vault_tier)
    if vault_tier and not (target.shares_vault and target.shares_account):
        grants.append(roles.vault_on_account(vault.principal_id, target.account_id))
    return grants


def own_grants(cluster: Cluster, extension: Extension | None, target: Target) -> list[Grant]:
    """Of those the ones that have to do with no other cluster."""
    grants: list[Grant] = []
    vault = value_of(target.vault)
    if vault is not None and vault.principal_id is not None:
        grants.append(roles.vault_on_cluster(vault.principal_id, cluster.arm_id))
    if cluster.identity_principal_id is not None:
        grants.append(roles.cluster_on_snapshot_group(cluster.identity_principal_id, target.snapshot_group_id))
    if extension is not None and extension.principal_id is not None:
        uses_aad = extension.uses_aad or target.own_extension
        grants.append(roles.extension_on_account(extension.principal_id, target.account_id, uses_aad))
    return grants
