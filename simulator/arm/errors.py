"""How ARM says no. A provider with an envelope of its own passes `body` (see its responses.py)."""

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.http import Response


class ArmError(Exception):
    """An error answer: HTTP status, ARM error code and message, as the caller will read them."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})
        error: dict[str, Any] = {"code": code, "message": message}
        if target is not None:
            error["target"] = target
        if details:
            error["details"] = list(details)
        self.body = {"error": error} if body is None else body

    def response(self) -> Response:
        return Response(self.status, self.body, self.headers)


def resource_not_found(kind_and_name: str, group: str) -> ArmError:
    """404 for a resource that is not there (recorded); `kind_and_name` is `{namespace}/{type}/{name}`."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind_and_name}' under resource group '{group}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )


def location_required() -> ArmError:
    return ArmError(400, "LocationRequired", "The location property is required for this definition.")


def location_is_fixed(name: str, group: str, location: str, wanted: str) -> ArmError:
    """409 for a PUT that would move a resource."""
    return ArmError(
        409,
        "InvalidResourceLocation",
        f"The resource '{name}' already exists in location '{location}' in resource group '{group}'. A resource with "
        f"the same name cannot be created in location '{wanted}'. Please select a new resource name.",
    )
