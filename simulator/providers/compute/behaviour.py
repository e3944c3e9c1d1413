"""Microsoft.Compute, as far as a cluster's nodes need it: how much memory a node has."""

from simulator.arm.errors import ArmError
from simulator.arm.route import Call, Route
from simulator.http import Response
from simulator.providers.compute.sizes import SIZES, Size
from simulator.providers.resources.locations import region_name

_API_VERSIONS = frozenset({"2023-09-01", "2024-03-01", "2024-07-01", "2024-11-01", "2025-04-01"})
_OS_DISK_MB = 1047552  # the same for every size (published example)


class Compute:
    """Sizes of virtual machines; there are no machines."""

    def size(self, name: str) -> Size | None:
        return SIZES.get(name.lower())

    def routes(self) -> list[Route]:
        path = "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/vmSizes"
        return [Route("GET", path, _API_VERSIONS, self._list)]

    def _list(self, call: Call) -> Response:
        """REST operation Virtual Machine Sizes - List (documented, called deprecated there in favour of Resource Skus).
        Every region offers every size (simplification)."""
        location = call.params["location"]
        if region_name(location) is None:
            message = (  # assumed: that it is this one of ARM's errors
                f"No registered resource provider found for location '{location}' and API version '{call.api_version}' "
                "for type 'locations/vmSizes'."
            )
            raise ArmError(400, "NoRegisteredProviderFound", message)
        return Response(200, {"value": [_size_json(size) for size in SIZES.values()]})


def _size_json(size: Size) -> dict[str, str | int]:
    return {
        "name": size.name,
        "numberOfCores": size.cores,
        "osDiskSizeInMB": _OS_DISK_MB,
        "resourceDiskSizeInMB": size.resource_disk_mb,
        "memoryInMB": size.memory_mb,
        "maxDataDiskCount": size.data_disks,
    }
