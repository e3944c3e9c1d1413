"""Contents made to order: what a test says is in a cluster, field by field, the rest as it was."""

from dataclasses import replace

from simulator.control.fields import BadField, Fields
from simulator.providers.container_service.contents import VOLUME_KINDS, Contents, Hook, Volume

# Bounds that no honest order reaches; they keep one from filling the memory.
MOST_NAMESPACES = 10_000
_MOST_VOLUMES = 5_000
_MOST_HOOKS = 500
_MOST_RESOURCES = 1_000_000
_LARGEST_DISK_GIB = 65_536


def changed(contents: Contents, given: Fields) -> Contents:
    """The contents after the order. A list replaces the list before; what was in a namespace that is not there any more
    goes with it. Raises BadField."""
    namespaces = given.texts("namespaces", most=MOST_NAMESPACES)
    if namespaces is not None:
        if len(set(namespaces)) != len(namespaces):
            raise BadField(given.named("namespaces"), "must differ from each other")
        contents = replace(
            contents,
            namespaces=tuple(namespaces),
            volumes=tuple(volume for volume in contents.volumes if volume.namespace in namespaces),
            hooks=tuple(hook for hook in contents.hooks if hook.namespace in namespaces),
        )
    volumes, hooks = given.items("volumes", most=_MOST_VOLUMES), given.items("hooks", most=_MOST_HOOKS)
    resources = given.whole("resource_count", least=0, most=_MOST_RESOURCES)
    slow = given.whole("slow_csi_snapshots", least=0, most=1_000)
    disallowed = given.flag("snapshots_disallowed_by_policy")
    given.finish()
    known = frozenset(contents.namespaces)
    if volumes is not None:
        contents = replace(contents, volumes=tuple(_volume(one, known) for one in volumes))
        if len({volume.name for volume in contents.volumes}) != len(contents.volumes):
            raise BadField(given.named("volumes"), "must have names that differ from each other")
    if hooks is not None:
        contents = replace(contents, hooks=tuple(_hook(one, known) for one in hooks))
    return replace(
        contents,
        resource_count=contents.resource_count if resources is None else resources,
        slow_csi_snapshots=contents.slow_csi_snapshots if slow is None else slow,
        snapshots_disallowed_by_policy=contents.snapshots_disallowed_by_policy if disallowed is None else disallowed,
    )


def _volume(given: Fields, namespaces: frozenset[str]) -> Volume:
    name = given.required_text("name")
    volume = Volume(
        name=name,
        namespace=_namespace(given, namespaces),
        claim=given.text("claim") or name,
        kind=given.text("kind", among=VOLUME_KINDS) or "azure-disk",
        snapshots=given.whole("snapshots", least=0, most=10_000) or 0,
        size_gib=given.whole("size_gib", least=1, most=_LARGEST_DISK_GIB) or 8,
        attached=given.flag("attached") is not False,
    )
    given.finish()
    return volume


def _hook(given: Fields, namespaces: frozenset[str]) -> Hook:
    hook = Hook(given.required_text("name"), _namespace(given, namespaces), given.flag("fails") or False)
    given.finish()
    return hook


def _namespace(given: Fields, namespaces: frozenset[str]) -> str:
    namespace = given.required_text("namespace")
    if namespace not in namespaces:
        raise BadField(given.named("namespace"), f"there is no namespace '{namespace}' in the cluster")
    return namespace
