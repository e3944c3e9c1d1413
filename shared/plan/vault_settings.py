"""Which settings of a vault and of a policy are not as the profile has them, and what of that the Guard may put right:
it only ever raises, and what can never be undone needs the profile's word (Backup Vaults REST)."""

from shared.domain.observed import BackupPolicy, Vault
from shared.domain.profile import ProtectionProfile, Repairs, VaultSettings
from shared.domain.steps import UpdateVault

_SOFT_DELETE = ("off", "on", "alwayson")
_IMMUTABILITY = ("disabled", "unlocked", "locked")
"""From the weakest to the strongest; the last can never be undone."""


def vault_repair(vault: Vault, profile: ProtectionProfile, repairs: Repairs) -> UpdateVault | None:
    """The PATCH that makes the vault as strong as it may be made; None when there is nothing to raise. Words that are
    not known here are left alone."""
    wanted, key = profile.vault, profile.customer_managed_key
    state, days = _soft_delete(vault, wanted, repairs)
    repair = UpdateVault(
        vault.arm_id,
        state,
        days,
        _immutability(vault, wanted, repairs),
        repairs.vault_settings and wanted.cross_subscription_restore and not vault.cross_subscription_restore,
        repairs.vault_settings and repairs.one_way and _lacks_cross_region(vault, wanted),
        vault.principal_id is None,
        key.identity_id if key and vault.principal_id is None else "",
    )
    return None if repair == UpdateVault(vault.arm_id, state) else repair


def for_a_person(vault: Vault, profile: ProtectionProfile, repairs: Repairs) -> tuple[str, ...]:
    """What the profile wants of the vault that can never be undone, and that it gives the Guard no word for."""
    if repairs.one_way:
        return ()
    wanted, found = profile.vault, []
    if wanted.soft_delete == "AlwaysOn" and _rank(_SOFT_DELETE, vault.soft_delete) in (0, 1):
        found.append("soft delete AlwaysOn")
    if wanted.immutability == "Locked" and _rank(_IMMUTABILITY, vault.immutability) in (0, 1):
        found.append("immutability Locked")
    if _lacks_cross_region(vault, wanted):
        found.append("cross-region restore")
    return tuple(found)


def as_wanted(policy: BackupPolicy | None, profile: ProtectionProfile) -> bool:
    """Whether the policy's content is what its name promises."""
    schedule, retention = profile.schedule, profile.retention
    return policy is not None and (
        policy.interval,
        policy.start,
        policy.operational_days,
        policy.vault_days,
    ) == (schedule.interval, schedule.start, retention.operational_days, retention.vault_days)


def _soft_delete(vault: Vault, wanted: VaultSettings, repairs: Repairs) -> tuple[str, float | None]:
    """The state afterwards; and the days, when anything about it is raised."""
    now = _rank(_SOFT_DELETE, vault.soft_delete)
    if now is None or not repairs.vault_settings:
        return vault.soft_delete, None
    allowed = wanted.soft_delete if repairs.one_way else "On"
    raised = allowed if now < _SOFT_DELETE.index(allowed.lower()) else vault.soft_delete
    longer = 0 < vault.soft_delete_days < wanted.soft_delete_days
    if raised == vault.soft_delete and not longer:
        return raised, None
    return raised, max(vault.soft_delete_days, float(wanted.soft_delete_days))


def _immutability(vault: Vault, wanted: VaultSettings, repairs: Repairs) -> str:
    now = _rank(_IMMUTABILITY, vault.immutability or "Disabled")
    allowed = "Unlocked" if wanted.immutability == "Locked" and not repairs.one_way else wanted.immutability
    weaker = now is not None and now < _IMMUTABILITY.index(allowed.lower())
    return allowed if weaker and repairs.vault_settings else ""


def _lacks_cross_region(vault: Vault, wanted: VaultSettings) -> bool:
    """It exists with geo-redundant vaults only."""
    return wanted.cross_region_restore and not vault.cross_region_restore and vault.redundancy.lower() == "georedundant"


def _rank(ladder: tuple[str, ...], state: str) -> int | None:
    return ladder.index(state.lower()) if state.lower() in ladder else None
