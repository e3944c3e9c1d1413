"""Whether somebody changed what an instance backs up."""

import pytest

from shared.domain.observed import BackupInstance
from shared.domain.profile import BackupScope, HookReference
from shared.plan.instance_drift import scope_changed, scope_digest

WANTED = BackupScope(
    included_namespaces=("shop", "payments"),
    label_selectors=("a=1", "b=2"),
    hooks=(HookReference("freeze", "shop"), HookReference("thaw", "payments")),
)
OTHER = BackupScope(included_namespaces=("shop",))


def instance(scope: BackupScope | None) -> BackupInstance:
    return BackupInstance("/v/i", "i", "/v", "/p", "ProtectionConfigured", "/g", scope=scope)


def test_the_order_of_a_list_means_nothing() -> None:
    shuffled = BackupScope(
        included_namespaces=("payments", "shop"), label_selectors=("b=2", "a=1"), hooks=tuple(reversed(WANTED.hooks))
    )
    assert not scope_changed(instance(shuffled), WANTED, scope_digest(WANTED), "")


def test_no_volume_types_are_disks() -> None:
    nothing = BackupScope(volume_types=())
    assert not scope_changed(instance(BackupScope()), nothing, scope_digest(nothing), "")


@pytest.mark.parametrize(
    ("shown", "put", "seen", "changed"),
    [
        (WANTED, scope_digest(WANTED), "", False),
        (OTHER, scope_digest(WANTED), scope_digest(WANTED), True),
        (OTHER, scope_digest(WANTED), "", True),
        (OTHER, scope_digest(WANTED), scope_digest(OTHER), False),  # as Azure writes what the Guard has put
        (WANTED, scope_digest(OTHER), scope_digest(WANTED), True),  # the profile's scope was changed
        (None, scope_digest(WANTED), "", False),  # Azure does not say
        (OTHER, "", "", True),  # an instance of the Guard's own name that nothing is remembered of
    ],
)
def test_a_change_is_what_differs_from_the_profile_and_from_what_azure_showed(
    shown: BackupScope | None, put: str, seen: str, changed: bool
) -> None:
    assert scope_changed(instance(shown), WANTED, put, seen) == changed
