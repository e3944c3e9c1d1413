"""A provider is a list of routes. The front door finds the route, checks the caller, then runs the handler."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError
from simulator.http import Request, Response

if TYPE_CHECKING:
    from simulator.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: the object id that roles are given to, and the application behind it."""

    object_id: str
    application_id: str
    tenant_id: str


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the front door. `params` are the pattern's names with the values as the caller wrote
    them; `resource_id` is the ARM id the call is about (for POST actions: without the action)."""

    cloud: "Cloud"
    request: Request
    params: Mapping[str, str]
    principal: Principal
    api_version: str
    resource_id: str

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent. Refuses anything else as ARM does."""
        try:
            value = self.request.json()
        except ValueError as error:
            raise ArmError(400, "InvalidRequestContent", f"The request content was invalid: '{error}'.") from error
        if not isinstance(value, dict):
            raise ArmError(400, "InvalidRequestContent", "The request content was invalid: an object is required.")
        return value


Handler = Callable[[Call], Response | Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A resource provider's own token bucket: size, refill per second [K], shared by the routes that name it."""

    name: str
    size: int
    refill_per_second: float


@dataclass(frozen=True, slots=True)
class Route:
    """`pattern` is an ARM path with {names}; literal segments match without regard to case; a trailing `{name*}`
    takes the rest of the path; a leading `{scope*}` takes what stands before the first literal segment."""

    method: str
    pattern: str
    api_versions: frozenset[str]
    handler: Handler
    bucket: Bucket | None = None
