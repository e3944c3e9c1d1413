"""From what a sweep has read to the `Posture` of one cluster, by the planner's own functions: what a sweep judges and
what the reconciler would change is the same."""

from shared.domain.facts import UNOBSERVED, Absent, Fact, Present, Unobserved, value_of
from shared.domain.fleet import Remembered, SeenCluster
from shared.domain.ids import subscription_of
from shared.domain.observed import BackupInstance, Grant, ObservedCluster
from shared.domain.profile import Exemption, ProtectionProfile
from shared.plan.compliance.fleet import Fleet, Place, SharedRegion, is_held
from shared.plan.compliance.posture import Posture
from shared.plan.selection import matches
from shared.plan.target import chosen_instance, own_grants, place_grants, target_of

_NO_RECORD = Unobserved("no record of the cluster was read")
_ANOTHER_LIFE = Unobserved("the record is of a cluster that had this ARM id before")


def posture_of(
    seen: SeenCluster,
    profile: ProtectionProfile,
    grants: Fact[frozenset[Grant]],
    remembered: Remembered | None,
    fleet: Fleet,
) -> Posture:
    shared = fleet.region(seen.cluster_id.subscription_id, seen.cluster.location, profile)
    chosen = _instance(seen, shared, remembered, fleet)
    place = _place(seen, profile, chosen, shared, fleet)
    lacks = None if isinstance(chosen, Present) else chosen
    posture = Posture(
        cluster_id=seen.cluster_id,
        cluster=seen.cluster,
        profile=profile,
        instance=chosen,
        # Without an instance nothing of the cluster lies in any vault, under any policy.
        vault=lacks or place.vault,
        policy=lacks or place.policy,
        wanted_policy_id=shared.policy_id,
        shares_vault=lacks is None and place.target.shares_vault,
        extension=seen.extension,
        newest_extension=fleet.newest_extension,
        jobs=seen.jobs,
        missing_roles=_missing_roles(seen, chosen, grants, place, fleet),
        vault_id=place.target.vault_id,
        bindings=remembered.bindings if remembered is not None else _NO_RECORD,
        diagnostics=UNOBSERVED if isinstance(chosen, Unobserved) else place.diagnostics,
        remembered=remembered,
        exemption=_ended_exemption(seen, fleet) if fleet.ended_exemptions() else None,
        own=fleet.own,
        moment=fleet.moment,
    )
    return posture._replace(bindings=_ANOTHER_LIFE) if posture.made_again else posture


def _instance(
    seen: SeenCluster, shared: SharedRegion, remembered: Remembered | None, fleet: Fleet
) -> Fact[BackupInstance]:
    fact = seen.instances
    if not isinstance(fact, Present):
        return fact
    if len(fact.value) == 1:  # most clusters have one, and nothing to be chosen from
        return Present(fact.value[0], fact.observed_at)
    if not fact.value:
        return _hidden(remembered, fleet) or Absent(fact.observed_at)
    found = chosen_instance(ObservedCluster(instances=fact), shared.wanted.vault_id, seen.cluster_id)
    return Present(found, fact.observed_at) if found is not None else Absent(fact.observed_at)


def _hidden(remembered: Remembered | None, fleet: Fleet) -> Unobserved | None:
    """Instances show only with their vault. One that was let into the cluster, and does not show, may hold its
    backups: Resource Graph leaves out without a word what the caller may not read."""
    for binding in value_of(remembered.bindings) or () if remembered is not None else ():
        if "/backupvaults/" in binding.source_id.lower() and isinstance(fleet.vault(binding.source_id), Unobserved):
            return Unobserved(f"none shows, and neither does a vault that may reach the cluster, {binding.source_id}")
    return None


def _place(
    seen: SeenCluster, profile: ProtectionProfile, chosen: Fact[BackupInstance], shared: SharedRegion, fleet: Fleet
) -> Place:
    """Worked out once for all clusters whose instance and extension lead to the same places."""
    instance, extension = value_of(chosen), value_of(seen.extension)
    if instance is None or extension is None or not extension.storage_account:
        return _found_place(seen, profile, instance, shared, fleet)
    key = (
        seen.cluster_id.subscription_id,
        seen.cluster.location,
        profile.name,
        instance.vault_id,
        instance.policy_id,
        instance.snapshot_group_id,
        extension.storage_subscription_id,
        extension.storage_resource_group,
        extension.storage_account,
    )
    place = fleet.known.places.get(key)
    if place is None:
        place = fleet.known.places[key] = _found_place(seen, profile, instance, shared, fleet)
    return place


def _found_place(
    seen: SeenCluster, profile: ProtectionProfile, instance: BackupInstance | None, shared: SharedRegion, fleet: Fleet
) -> Place:
    vault_id = instance.vault_id if instance else shared.wanted.vault_id
    vault = fleet.vault(vault_id)
    policy = fleet.policy(instance.policy_id) if instance and instance.policy_id else UNOBSERVED
    observed = ObservedCluster(extension=seen.extension, instances=seen.instances, vault=vault, policy=policy)
    target = target_of(seen.cluster_id, seen.cluster, profile, observed, shared.wanted, shared.observed)
    mine = (target.snapshot_group_id.lower(), target.account_id.lower()) if target.shares_vault else ()
    of_region = (grant for grant in shared.grants if grant.scope in mine)
    grants = (*of_region, *place_grants(profile, target))
    return Place(target, vault, policy, fleet.diagnostics(vault_id), grants)


def _missing_roles(
    seen: SeenCluster,
    chosen: Fact[BackupInstance],
    grants: Fact[frozenset[Grant]],
    place: Place,
    fleet: Fleet,
) -> Fact[tuple[Grant, ...]]:
    """Which roles are needed where follows from instance, vault, policy and extension: without one of them a role that
    is missing may not be among them. Roles that surely are missing are said all the same."""
    if isinstance(chosen, Unobserved):
        return Unobserved(f"the backup instances could not be read: {chosen.reason}")
    if isinstance(seen.extension, Unobserved):
        return Unobserved(f"the extension could not be read: {seen.extension.reason}")
    if isinstance(grants, Unobserved):
        return Unobserved(f"the role assignments could not be read: {grants.reason}")
    held = fleet.scopes_held(value_of(grants) or frozenset())
    needed = (*place.grants, *own_grants(seen.cluster, value_of(seen.extension), place.target))
    missing = tuple([grant for grant in needed if not is_held(grant, held)])
    if missing and seen.unread_assignments:
        missing, unread = _told_apart(missing, seen.unread_assignments)
        if unread and not missing:
            return Unobserved(f"the role assignments of the subscription {unread} may not be read")
    doubt = None if missing else _doubt(seen, value_of(chosen), place)
    return doubt or Present(missing, chosen.observed_at)


def _told_apart(missing: tuple[Grant, ...], unread: frozenset[str]) -> tuple[tuple[Grant, ...], str]:
    """Those that surely are missing, and a subscription where others may be held unseen."""
    hidden = [subscription for grant in missing if (subscription := subscription_of(grant.scope)) in unread]
    return tuple(grant for grant in missing if subscription_of(grant.scope) not in unread), next(iter(hidden), "")


def _doubt(seen: SeenCluster, instance: BackupInstance | None, place: Place) -> Unobserved | None:
    """Why the roles that are needed are not all known."""
    vault, extension, policy = value_of(place.vault), value_of(seen.extension), place.target.policy
    if vault is None:
        reason = place.vault.reason if isinstance(place.vault, Unobserved) else "Azure has none"
        return Unobserved(f"the vault could not be read: {reason}")
    if vault.principal_id is None:
        return Unobserved(f"the vault {vault.name} has no identity that roles could be given to")
    if isinstance(policy, Unobserved):
        return Unobserved(f"the backup policy could not be read: {policy.reason}")
    if seen.cluster.identity_principal_id is None:
        return Unobserved("the cluster has no identity that roles could be given to")
    if extension is not None and extension.principal_id is None:
        return Unobserved("the extension has no identity yet")
    if extension is not None and not extension.storage_account:
        return Unobserved("the extension does not say which storage account it writes to")
    if instance is not None and not instance.snapshot_group_id:
        return Unobserved("the backup instance does not say which resource group its snapshots go to")
    return None


def _ended_exemption(seen: SeenCluster, fleet: Fleet) -> Exemption | None:
    tags = {name.lower(): value for name, value in seen.cluster.tags.items()}
    location = seen.cluster.location
    exemptions = fleet.ended_exemptions()
    return next((each for each in exemptions if matches(each.selector, seen.cluster_id, location, tags)), None)
