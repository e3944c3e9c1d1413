"""Microsoft.Compute, as far as a cluster needs it: how much memory a node has, and the disks of its volumes."""

from typing import TYPE_CHECKING

from simulator.arm.errors import ArmError, resource_not_found
from simulator.arm.paging import page
from simulator.arm.route import Call, Route
from simulator.http import Response
from simulator.providers.authorization.scopes import is_within
from simulator.providers.compute.disks import DISK_TYPE, disk_json, disks
from simulator.providers.compute.sizes import SIZES, Size
from simulator.providers.resources.locations import region_name

_API_VERSIONS = frozenset({"2023-09-01", "2024-03-01", "2024-07-01", "2024-11-01", "2025-04-01"})
_DISK_VERSIONS = frozenset({"2020-12-01", "2022-07-02", "2023-04-02", "2024-03-02", "2025-01-02"})
_DISKS_A_PAGE = 100  # assumed
_OS_DISK_MB = 1047552  # the same for every size (published example)


if TYPE_CHECKING:
    from simulator.cloud import Cloud


class Compute:
    """Sizes of virtual machines, and disks; there are no machines."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud

    def size(self, name: str) -> Size | None:
        return SIZES.get(name.lower())

    def routes(self) -> list[Route]:
        path = "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/vmSizes"
        subscription = "/subscriptions/{subscription}"
        group = f"{subscription}/resourceGroups/{{group}}/providers/{DISK_TYPE}"
        return [
            Route("GET", path, _API_VERSIONS, self._list),
            Route("GET", f"{subscription}/providers/{DISK_TYPE}", _DISK_VERSIONS, self._disks),
            Route("GET", group, _DISK_VERSIONS, self._disks),
            Route("GET", f"{group}/{{disk}}", _DISK_VERSIONS, self._disk),
        ]

    def _disks(self, call: Call) -> Response:
        place = call.request.path.lower().partition("/providers/")[0]
        found = [disk for disk in disks(self._cloud) if is_within(disk.id, place)]
        return page(call, found, _DISKS_A_PAGE, disk_json)

    def _disk(self, call: Call) -> Response:
        for disk in disks(self._cloud):
            if disk.id.lower() == call.resource_id.lower():
                return Response(200, disk_json(disk))
        raise resource_not_found(f"{DISK_TYPE}/{call.params['disk']}", call.params["group"])

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
