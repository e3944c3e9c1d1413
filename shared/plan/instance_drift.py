"""What somebody may have changed about the Guard's own backup instance, told by the instance alone."""

import hashlib
from dataclasses import fields, replace

from shared.domain.ids import ClusterId, Subject, same_id
from shared.domain.observed import BackupInstance
from shared.domain.profile import BackupScope, HookReference
from shared.plan import names

SUSPENDED = frozenset({"backupssuspended", "backupschedulessuspended"})
"""As recorded, and as the SDK's enumeration has it; lower-case."""
STOPPED = frozenset({"protectionstopped"})
RESUMED_AFTER = 300.0
"""Seconds after which a resumption must show; recorded: 45 to 160."""


def is_own(instance: BackupInstance, subject: Subject) -> bool:
    """Whether it has the name the Guard gives the cluster's instance, in whatever vault."""
    return isinstance(subject, ClusterId) and same_id(instance.name, names.instance_id("", subject).rsplit("/", 1)[-1])


def scope_digest(scope: BackupScope) -> str:
    """What is not said stays out of it, so that a setting which a newer version brings along changes no instance."""
    unsaid = BackupScope()
    said = [(f.name, value) for f in fields(scope) if (value := getattr(scope, f.name)) != getattr(unsaid, f.name)]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def scope_changed(instance: BackupInstance, wanted: BackupScope, put: str, seen: str) -> bool:
    """Whether the instance must be given the profile's scope. `put` is the digest of what the Guard last put, `seen`
    that of what Azure showed then: Azure may write it in a way of its own, which is nobody's change."""
    if put not in ("", scope_digest(wanted)):
        return True
    shown = instance.scope
    return shown is not None and _in_order(shown) != _in_order(wanted) and scope_digest(shown) != seen


def _in_order(scope: BackupScope) -> BackupScope:
    """The order of a list means nothing; no volume types are disks only, as on the wire."""
    return replace(
        scope,
        included_namespaces=tuple(sorted(scope.included_namespaces)),
        excluded_namespaces=tuple(sorted(scope.excluded_namespaces)),
        included_resource_types=tuple(sorted(scope.included_resource_types)),
        excluded_resource_types=tuple(sorted(scope.excluded_resource_types)),
        label_selectors=tuple(sorted(scope.label_selectors)),
        volume_types=tuple(sorted(scope.volume_types or ("AzureDisk",))),
        hooks=tuple(sorted(scope.hooks, key=_name)),
    )


def _name(hook: HookReference) -> tuple[str, str]:
    return hook.namespace, hook.name
