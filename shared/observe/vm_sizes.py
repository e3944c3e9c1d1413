"""Microsoft.Compute/locations/vmSizes: how much memory a node of a size has (Virtual Machine Sizes REST 2024-07-01)."""

from collections.abc import Collection, Iterable

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.domain.errors import BlockedError
from shared.observe.fields import JsonObject, at, needed_text


async def read_memory(arm: ArmClient, subscription_id: str, location: str, sizes: Collection[str]) -> dict[str, int]:
    """MiB by lower-case name of those of `sizes` that are known. A Guard that may not read them knows none: the bound
    by the node is a precaution, and its lack of a right is no reason to leave a cluster without backups."""
    path = f"/subscriptions/{subscription_id}/providers/Microsoft.Compute/locations/{location}/vmSizes"
    try:
        found = await arm.list(path, api_versions.VM_SIZES)
    except BlockedError:
        return {}
    return memory_of(found or (), sizes)


def memory_of(bodies: Iterable[JsonObject], sizes: Collection[str]) -> dict[str, int]:
    """Raises UnreadableBodyError."""
    wanted = {size.lower() for size in sizes}
    known = ((needed_text(body, "name").lower(), at(body, "memoryInMB")) for body in bodies)
    return {name: memory for name, memory in known if name in wanted and isinstance(memory, int) and memory > 0}
