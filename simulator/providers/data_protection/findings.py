"""What a backup cannot take with it. Pure: the contents of a cluster and the scope of an instance in, warnings out.

Codes and their meaning are documented (troubleshooting of AKS backup); the words, the form of `resourceName` and what
is said of several troubles with one volume are assumed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.providers.data_protection.models import BackupWarning, UserError

if TYPE_CHECKING:
    from simulator.providers.container_service.contents import Contents, Volume

SNAPSHOTS_PER_DISK = 500  # documented
_SKIPPED_ALWAYS = frozenset({"kube-system", "kube-node-lease", "kube-public"})  # documented
_VOLUME_TYPES = {"azure-disk": "AzureDisk", "azure-file-smb": "AzureFileShareSMB"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What an instance's parameters select. `volume_types` empty: the caller did not say. `hooks` are pairs of
    namespace and name."""

    included: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    snapshot_volumes: bool = True
    volume_types: frozenset[str] = frozenset()
    hooks: tuple[tuple[str, str], ...] = ()

    def holds(self, namespace: str) -> bool:
        """Whether what is in that namespace is backed up."""
        chosen = not self.included or namespace in self.included
        return chosen and namespace not in self.excluded and namespace not in _SKIPPED_ALWAYS


@dataclass(frozen=True, slots=True)
class Findings:
    """What a backup leaves out, and the names of the volumes that it takes a snapshot of."""

    warnings: tuple[BackupWarning, ...] = ()
    snapshots: tuple[str, ...] = ()


def scope_of(properties: Mapping[str, Any]) -> Scope:
    """The scope that a backup instance's properties describe; label selectors and resource types are not modelled."""
    listed = properties["policyInfo"]["policyParameters"]["backupDatasourceParametersList"]
    given: Mapping[str, Any] = next(iter(listed), {})
    return Scope(
        included=frozenset(given.get("includedNamespaces") or ()),
        excluded=frozenset(given.get("excludedNamespaces") or ()),
        snapshot_volumes=given.get("snapshotVolumes", True),
        volume_types=frozenset(given.get("includedVolumeTypes") or ()),
        hooks=tuple((one["namespace"], one["name"]) for one in given.get("backupHookReferences") or ()),
    )


def findings(contents: "Contents", scope: Scope, held: Mapping[str, int]) -> Findings:
    """What a backup of these contents comes to; `held` is how many snapshots of a volume recovery points hold."""
    warnings = [*_namespaces(contents, scope), *_hooks(contents, scope)]
    snapshots = []
    slow = contents.slow_csi_snapshots > 0  # assumed: the first snapshot meets it, the others come in time
    for volume in contents.volumes:
        if not scope.snapshot_volumes or not scope.holds(volume.namespace) or not _wanted(volume, scope):
            continue
        error = _claim(volume) or _unsupported(volume, scope) or _refused(volume, contents, held)
        if error is None and slow:
            error, slow = _slow(), False
        if error is None:
            snapshots.append(volume.name)
        else:
            warnings.append(BackupWarning(f"{volume.namespace}/{volume.claim}", error))
    return Findings(tuple(warnings), tuple(snapshots))


def meets_slow_csi(contents: "Contents", found: Findings) -> bool:
    """Whether the backup that these are the findings of was one of the slow ones."""
    return contents.slow_csi_snapshots > 0 and any(
        warning.error.code == "CSISnapshottingTimedOut" for warning in found.warnings
    )


def _wanted(volume: "Volume", scope: Scope) -> bool:
    """A volume of a type that could be selected and was not is out of scope; the other kinds have no type."""
    kind = _VOLUME_TYPES.get(volume.kind)
    return kind is None or not scope.volume_types or kind in scope.volume_types


def _namespaces(contents: "Contents", scope: Scope) -> Iterator[BackupWarning]:
    for namespace in sorted(scope.included - frozenset(contents.namespaces)):
        text = f"The namespace {namespace}, which the backup configuration includes, is not in the cluster."
        action = "Take the namespace out of the backup instance's configuration, or create it."
        yield BackupWarning(namespace, _error("UserErrorNamespaceNotFound", text, action))


def _hooks(contents: "Contents", scope: Scope) -> Iterator[BackupWarning]:
    known = {(hook.namespace, hook.name): hook for hook in contents.hooks}
    for namespace, name in scope.hooks:
        hook = known.get((namespace, name))
        if hook is not None and not hook.fails:
            continue
        what = "is not in the cluster" if hook is None else "did not succeed"  # assumed: one code for both
        text = f"The backup hook {name} in namespace {namespace} {what}."
        action = "Correct the hook's command or its container, then run the backup again."
        yield BackupWarning(f"{namespace}/{name}", _error("UserErrorHookExecutionFailed", text, action))


def _claim(volume: "Volume") -> UserError | None:
    name = f"{volume.namespace}/{volume.claim}"
    if volume.kind == "unbound":
        text, action = f"The persistent volume claim {name} is not bound to a volume.", "Bind the claim, or delete it."
        return _error("UserErrorPVCNotBoundToVolume", text, action)
    if volume.kind == "no-storage-class":
        text = f"The persistent volume claim {name} names no storage class, or one that does not exist."
        return _error("UserErrorStorageClassMissingForPVC", text, "Create the storage class that the claim needs.")
    return None


def _unsupported(volume: "Volume", scope: Scope) -> UserError | None:
    """Assumed: without a selection of volume types only disks are backed up."""
    if volume.kind == "azure-disk" or _VOLUME_TYPES.get(volume.kind) in scope.volume_types:
        return None
    return _error(
        "KubernetesBackupGenericWarning",
        f"The volume {volume.name} is of a kind that is not backed up ({volume.kind}).",
        "Back up the data of the volume in another way, or move it to an Azure disk.",
    )


def _refused(volume: "Volume", contents: "Contents", held: Mapping[str, int]) -> UserError | None:
    if contents.snapshots_disallowed_by_policy:
        return _error(
            "UserErrorPVSnapshotDisallowedByPolicy",
            f"A policy of the subscription does not allow the snapshot of volume {volume.name}.",
            "Exempt the snapshot resource group from the policy, then run an on-demand backup.",
        )
    if volume.snapshots + held.get(volume.name, 0) >= SNAPSHOTS_PER_DISK:
        return _error(
            "UserErrorPVSnapshotLimitReached",
            f"The volume {volume.name} has {SNAPSHOTS_PER_DISK} snapshots, as many as a disk may have.",
            "Shorten the retention of the policy or delete snapshots that are not needed.",
        )
    return None


def _slow() -> UserError:
    return _error(
        "CSISnapshottingTimedOut",
        "The CSI driver did not make the snapshot of the volume in time.",
        "Run an on-demand backup; when it happens again, look at the CSI driver.",
    )


def _error(code: str, message: str, action: str) -> UserError:
    return UserError(code, message, (action,))
