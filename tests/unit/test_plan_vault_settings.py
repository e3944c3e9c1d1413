"""A vault is only ever raised, by one PATCH, and never for ever without the profile's word: every combination."""

import itertools
from dataclasses import replace

from shared.domain.observed import BackupPolicy, Vault
from shared.domain.profile import (
    BackupSchedule,
    CustomerManagedKey,
    ProtectionProfile,
    Repairs,
    Retention,
    VaultSettings,
)
from shared.domain.steps import UpdateVault
from shared.plan.vault_settings import as_wanted, for_a_person, vault_repair

SOFT_DELETE, IMMUTABILITY = ("Off", "On", "AlwaysOn"), ("Disabled", "Unlocked", "Locked")


def vault_of(soft_delete: str, immutability: str, days: float, *, crr: bool, csr: bool, redundancy: str) -> Vault:
    return Vault(
        "/v/vault",
        "vault",
        "westeurope",
        "principal",
        "Succeeded",
        soft_delete,
        immutability,
        redundancy,
        days,
        crr,
        csr,
    )


VAULTS = [
    vault_of(soft_delete, immutability, days, crr=crr, csr=csr, redundancy=redundancy)
    for soft_delete, immutability, days, crr, csr, redundancy in itertools.product(
        SOFT_DELETE, IMMUTABILITY, (14.0, 30.0), (False, True), (False, True), ("GeoRedundant", "LocallyRedundant")
    )
]
PROFILES = [
    ProtectionProfile("p", VaultSettings(soft_delete, "default", days, "GeoRedundant", immutability, crr, csr))  # type: ignore[arg-type]
    for soft_delete, immutability, days, crr, csr in itertools.product(
        ("On", "AlwaysOn"), ("Disabled", "Unlocked", "Locked"), (14, 20), (False, True), (False, True)
    )
]
REPAIRS = [
    Repairs(vault_settings=vault_settings, one_way=one_way)
    for vault_settings, one_way in itertools.product((False, True), repeat=2)
]


def patched(vault: Vault, step: UpdateVault | None) -> Vault:
    """As Azure has it afterwards."""
    if step is None:
        return vault
    return replace(
        vault,
        soft_delete=step.soft_delete,
        soft_delete_days=vault.soft_delete_days if step.soft_delete_days is None else step.soft_delete_days,
        immutability=step.immutability or vault.immutability,
        cross_region_restore=vault.cross_region_restore or step.cross_region_restore,
        cross_subscription_restore=vault.cross_subscription_restore or step.cross_subscription_restore,
        principal_id="new" if step.identity else vault.principal_id,
    )


def ranks(vault: Vault) -> tuple[float, ...]:
    return (
        SOFT_DELETE.index(vault.soft_delete),
        vault.soft_delete_days,
        IMMUTABILITY.index(vault.immutability),
        vault.cross_region_restore,
        vault.cross_subscription_restore,
    )


def test_a_repair_raises_what_it_may_and_lowers_nothing() -> None:
    repaired = 0
    for vault, profile, repairs in itertools.product(VAULTS, PROFILES, REPAIRS):
        step = vault_repair(vault, profile, repairs)
        after = patched(vault, step)
        assert all(new >= old for new, old in zip(ranks(after), ranks(vault), strict=True)), (vault, step)
        assert (step is not None) == (after != vault), "a step changes something"
        assert vault_repair(after, profile, repairs) is None, "and is the last one"
        if step is None:
            continue
        repaired += 1
        assert repairs.vault_settings
        if not repairs.one_way:
            assert after.soft_delete != "AlwaysOn" or vault.soft_delete == "AlwaysOn"
            assert after.immutability != "Locked" or vault.immutability == "Locked"
            assert after.cross_region_restore == vault.cross_region_restore
        assert after.cross_region_restore == vault.cross_region_restore or vault.redundancy == "GeoRedundant"
    assert repaired > 1000


def test_with_every_word_the_vault_becomes_as_the_profile_has_it() -> None:
    for vault, profile in itertools.product(VAULTS, PROFILES):
        after = patched(vault, vault_repair(vault, profile, Repairs(one_way=True)))
        wanted = profile.vault
        assert SOFT_DELETE.index(after.soft_delete) >= SOFT_DELETE.index(wanted.soft_delete)
        assert IMMUTABILITY.index(after.immutability) >= IMMUTABILITY.index(wanted.immutability)
        assert after.soft_delete_days >= wanted.soft_delete_days
        assert after.cross_subscription_restore >= wanted.cross_subscription_restore
        assert for_a_person(after, profile, Repairs(one_way=True)) == ()


def test_what_only_a_person_may_do_is_named_exactly_when_it_is_missing() -> None:
    for vault, profile in itertools.product(VAULTS, PROFILES):
        named = for_a_person(vault, profile, Repairs())
        wanted = profile.vault
        assert ("soft delete AlwaysOn" in named) == (wanted.soft_delete == "AlwaysOn" != vault.soft_delete)
        assert ("immutability Locked" in named) == (wanted.immutability == "Locked" != vault.immutability)
        lacks = wanted.cross_region_restore and not vault.cross_region_restore and vault.redundancy == "GeoRedundant"
        assert ("cross-region restore" in named) == lacks


def test_words_that_nobody_knows_are_left_alone() -> None:
    vault = vault_of("Enabled", "Frozen", 14.0, crr=False, csr=True, redundancy="GeoRedundant")
    profile = ProtectionProfile("p", VaultSettings("AlwaysOn", soft_delete_days=90, immutability="Locked"))
    assert vault_repair(vault, profile, Repairs(one_way=True)) is None


def test_an_identity_comes_back_whatever_the_profile_says_of_settings_and_keeps_the_keys_own() -> None:
    vault = replace(VAULTS[0], principal_id=None)
    profile = replace(PROFILES[0], customer_managed_key=CustomerManagedKey("https://k", "/identity"))
    assert vault_repair(vault, profile, Repairs(vault_settings=False)) == UpdateVault(
        vault.arm_id, vault.soft_delete, identity=True, key_identity_id="/identity"
    )


def test_a_policy_is_as_wanted_in_all_or_not_at_all() -> None:
    profile = ProtectionProfile(
        "p", VaultSettings("On"), schedule=BackupSchedule("PT6H", "03:30"), retention=Retention(5, 60)
    )
    policy = BackupPolicy("/p", "p", "BackupHourly", True, "PT6H", "03:30", 5, 60)
    assert as_wanted(policy, profile)
    for change in ({"interval": "P1D"}, {"start": ""}, {"operational_days": 4}, {"vault_days": None}):
        assert not as_wanted(replace(policy, **change), profile)
    assert not as_wanted(None, profile)
