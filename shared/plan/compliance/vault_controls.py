"""Whether the vault keeps what lies in it, also from whoever is in control of the cluster's subscription. Stronger than
the profile says is compliant. Of a vault that a profile names as existing it promises nothing."""

from shared.domain.facts import Absent, Fact, Present, Unobserved
from shared.domain.observed import Vault
from shared.domain.profile import ProtectionProfile
from shared.plan.compliance.control import COMPLIANT, Outcome, non_compliant, unknown
from shared.plan.compliance.durations import spoken
from shared.plan.compliance.instance_controls import lacking
from shared.plan.compliance.posture import Posture

_SOFT_DELETE = ("off", "on", "alwayson")
_IMMUTABILITY = ("disabled", "unlocked", "locked")
_REDUNDANCY = ("locallyredundant", "zoneredundant", "georedundant")
"""Each from the weakest to the strongest (Backup Vaults REST)."""


def soft_delete(posture: Posture) -> Outcome | None:
    if _says_nothing(posture):
        return None
    if not isinstance(posture.vault, Present):
        return _lacking(posture.vault)
    vault, promised = posture.vault.value, posture.profile.vault
    weaker = _weaker("soft delete", vault, vault.soft_delete, promised.soft_delete, _SOFT_DELETE)
    if weaker is not None:
        return weaker
    if vault.soft_delete_days >= promised.soft_delete_days:
        return COMPLIANT
    if not vault.soft_delete_days:
        return unknown("DaysUnknown", f"How long the vault {vault.name} keeps what was deleted is not shown.")
    message = (
        f"The vault {vault.name} keeps what was deleted for {vault.soft_delete_days:g} days, "
        f"where {promised.soft_delete_days} are promised."
    )
    return non_compliant("KeptTooShort", message)


def immutability(posture: Posture) -> Outcome | None:
    if _says_nothing(posture) or posture.profile.vault.immutability == "Disabled":
        return None
    if not isinstance(posture.vault, Present):
        return _lacking(posture.vault)
    vault = posture.vault.value
    promised = posture.profile.vault.immutability
    return _weaker("immutability", vault, vault.immutability, promised, _IMMUTABILITY) or COMPLIANT


def redundancy(posture: Posture) -> Outcome | None:
    """Only copies in the vault have it: snapshots lie in the subscription."""
    if _says_nothing(posture) or posture.profile.retention.vault_days is None:
        return None
    if not isinstance(posture.vault, Present):
        return _lacking(posture.vault)
    vault = posture.vault.value
    return _weaker("redundancy", vault, vault.redundancy, posture.profile.vault.redundancy, _REDUNDANCY) or COMPLIANT


def cross_region_restore(posture: Posture) -> Outcome | None:
    if _says_nothing(posture) or not posture.profile.vault.cross_region_restore:
        return None
    if not isinstance(posture.vault, Present):
        return _lacking(posture.vault)
    if posture.vault.value.cross_region_restore:
        return COMPLIANT
    message = f"Cross-region restore is off on the vault {posture.vault.value.name}, where it is promised."
    return non_compliant("CrossRegionRestoreOff", message)


def multi_user_authorisation(posture: Posture) -> Outcome | None:
    if not posture.profile.compliance.multi_user_authorisation:
        return None
    if not isinstance(posture.vault, Present):
        return _lacking(posture.vault)
    if posture.vault.value.guarded:
        return COMPLIANT
    message = f"No Resource Guard protects the vault {posture.vault.value.name}: one person alone can weaken it."
    return non_compliant("NoResourceGuard", message)


def asks_diagnostics(profile: ProtectionProfile) -> bool:
    """Whether somebody must read the diagnostic settings of its vaults."""
    return profile.compliance.diagnostics or profile.vault.diagnostics_workspace_id is not None


def diagnostics(posture: Posture) -> Outcome | None:
    """Read of one vault after the other, so it may be some days old."""
    if not asks_diagnostics(posture.profile):
        return None
    if isinstance(posture.instance, Absent):
        return lacking(posture.instance, "")
    fact = posture.diagnostics
    if isinstance(fact, Unobserved):
        return unknown("Unobserved", f"The vault's diagnostic settings could not be read: {fact.reason}.")
    if isinstance(fact, Present) and fact.value:
        return COMPLIANT
    message = f"No diagnostic setting sends the vault's backup jobs anywhere (read {_ago(posture, fact)})."
    return non_compliant("NoDiagnostics", message)


def _ago(posture: Posture, fact: Present[bool] | Absent) -> str:
    return f"{spoken(posture.age(fact.observed_at))} ago"


def _says_nothing(posture: Posture) -> bool:
    return posture.profile.existing.vault_id is not None


def _lacking(fact: Fact[Vault]) -> Outcome:
    return lacking(fact, "The vault")


def _weaker(what: str, vault: Vault, given: str, promised: str, order: tuple[str, ...]) -> Outcome | None:
    """None when the given is as strong as the promised, or stronger."""
    if given == promised:
        return None
    if given.lower() not in order:
        return unknown("NotUnderstood", f"The {what} of the vault {vault.name} is {given or 'not shown'}.")
    if order.index(given.lower()) >= order.index(promised.lower()):
        return None
    return non_compliant("WeakerThanPromised", f"The {what} of the vault {vault.name} is {given}, not {promised}.")
