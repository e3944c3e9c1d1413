"""Every request comes through here: it is logged, met by faults, signed in, routed, checked, throttled, answered."""

import inspect
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from simulator.arm import rights
from simulator.arm.calls import Calls, LoggedCall
from simulator.arm.errors import ArmError
from simulator.arm.faults import Fault, Faults
from simulator.arm.headers import CORRELATION, correlation_id, with_standard_headers
from simulator.arm.path import ArmPath, arm_path
from simulator.arm.route import Call
from simulator.arm.routing import Match, RouteTable
from simulator.arm.throttle import Throttles
from simulator.arm.versions import match_for_version, require_version
from simulator.http import ConnectionLost, Request, Response

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_ROOTS = ("subscriptions", "providers", "tenants")
_MUTATING = ("PUT", "PATCH", "POST", "DELETE")


class FrontDoor:
    """From `Request` to `Response` for all of the cloud's endpoints."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self.providers: tuple[Any, ...] = (
            cloud.resources,
            cloud.authorization,
            cloud.managed_identity,
            cloud.key_vault,
            cloud.web,
            cloud.compute,
            cloud.container_service,
            cloud.kubernetes_configuration,
            cloud.storage,
            cloud.data_protection,
            cloud.event_grid,
            cloud.resource_graph,
            cloud.insights,
            cloud.log_analytics,
        )
        self.routes = RouteTable(route for provider in self.providers for route in provider.routes())
        self.calls = Calls()
        self.faults = Faults()
        self._throttles = Throttles(cloud.clock)

    async def respond(self, request: Request) -> Response:
        """Answer one request. Raises ConnectionLost when a fault cuts the caller off."""
        if request.path.lower().startswith("/simulator/"):
            return _typed(await self._cloud.control.respond(request))
        entry = self.calls.log(request, self._cloud.clock.now())
        fault = self.faults.striking(request)
        if fault is not None:
            entry.principal = self._caller(request)
            response = await self._struck(fault, request)
            if response is not None:
                entry.status = response.status
                return response
        response = await self._answer(request, entry)
        entry.status = response.status
        if fault is not None and fault.lose_answer:
            raise ConnectionLost("the answer was lost")
        return response

    def _caller(self, request: Request) -> str | None:
        """Who a call that a fault strikes came from, so that the log counts it as theirs; None when it does not say."""
        try:
            return self._cloud.identity.caller(request).object_id
        except ArmError:
            return None

    async def _struck(self, fault: Fault, request: Request) -> Response | None:
        """What the fault does before the call happens: wait, cut off, or answer instead (None: go on)."""
        if fault.latency_seconds:
            await self._cloud.clock.sleep(fault.latency_seconds)
        if fault.reset:
            raise ConnectionLost("the connection was reset")
        if fault.status is None:
            return None
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        response = Response(fault.status, fault.error_body(), headers)
        return with_standard_headers(self._cloud, request, response, correlation_id(self._cloud, request))

    async def _answer(self, request: Request, entry: LoggedCall) -> Response:
        """ARM by the path's first segment; identity, Event Grid and Log Analytics know their own paths."""
        root = request.path.strip("/").partition("/")[0].lower()
        if root in _ROOTS:
            return await self._arm(request, entry)
        for surface in (self._cloud.identity, self._cloud.event_grid, self._cloud.log_analytics):
            response = await _awaited(surface.respond(request))
            if response is not None:
                return _typed(response)
        return _typed(ArmError(404, "NotFound", f"Nothing is served at '{request.path}'.").response())

    async def _arm(self, request: Request, entry: LoggedCall) -> Response:
        """One call of ARM, from bearer token to standard headers."""
        correlation = correlation_id(self._cloud, request)
        request = replace(request, headers={**request.headers, CORRELATION: correlation})
        throttle_headers: dict[str, str] = {}
        try:
            principal = self._cloud.identity.caller(request)
            entry.principal = principal.object_id
            path = arm_path(request.path)
            match, api_version = self._route(request, path)
            self._require_subscription(path, request.method)
            rights.require(self._cloud, principal, path, request)
            throttle_headers = self._throttles.spend(
                path.subscription_id, principal.object_id, request.method, match.route.bucket
            )
            self._require_group(path, request.method)
            self._cloud.authorization.require_unlocked(path, request.method)
            call = Call(self._cloud, request, match.params, principal, api_version, path.resource_id(request.method))
            response = await self._handled(match, call, path, correlation)
        except ArmError as error:
            response = error.response()
        if request.method == "HEAD":
            response = _bodiless(response)
        response = Response(response.status, response.body, {**throttle_headers, **response.headers})
        return with_standard_headers(self._cloud, request, response, correlation)

    def _route(self, request: Request, path: ArmPath) -> tuple[Match, str]:
        """The route and the api-version it was asked with. Raises ArmError 400, 404 or 405 in ARM's words."""
        matches = self.routes.matches(path.path)
        if not matches:
            raise _no_such_type(path, self._cloud.resources.namespaces())
        api_version = require_version(request.query.get("api-version"))
        method = "GET" if request.method == "HEAD" else request.method
        fitting = [match for match in matches if match.route.method == method]
        if not fitting:
            allowed = ", ".join(sorted({match.route.method for match in matches}))
            message = f"The requested resource does not support http method '{request.method}'."
            raise ArmError(405, "MethodNotAllowed", message, headers={"Allow": allowed})
        return match_for_version(fitting, api_version, path), api_version

    def _require_subscription(self, path: ArmPath, method: str) -> None:
        subscription_id = path.subscription_id
        if subscription_id is None:
            return
        resources = self._cloud.resources
        if resources.subscription(subscription_id) is None:
            message = f"The subscription '{subscription_id}' could not be found."
            raise ArmError(404, "SubscriptionNotFound", message)
        namespace = path.namespace
        concerns_provider = namespace is not None and len(path.types) > (1 if path.is_action(method) else 0)
        if (
            namespace is not None
            and concerns_provider
            and method in _MUTATING
            and not resources.registered(subscription_id, namespace)
        ):
            message = (
                f"The subscription is not registered to use namespace '{namespace}'. "
                "See https://aka.ms/rps-not-found for how to register subscriptions."
            )
            raise ArmError(409, "MissingSubscriptionRegistration", message)

    def _require_group(self, path: ArmPath, method: str) -> None:
        """Resources in a group need the group, and no write goes to one that is being deleted."""
        if path.subscription_id is None or path.resource_group is None:
            return
        group = self._cloud.resources.group(path.subscription_id, path.resource_group)
        itself = path.namespace is None and len(path.types) == 2
        if group is None and not itself:
            message = f"Resource group '{path.resource_group}' could not be found."
            raise ArmError(404, "ResourceGroupNotFound", message)
        if group is not None and group.deleting and method in ("PUT", "PATCH", "POST"):
            message = (
                f"The resource group '{path.resource_group}' is in deprovisioning state and cannot perform this "
                "operation."
            )
            raise ArmError(409, "ResourceGroupBeingDeleted", message)

    async def _handled(self, match: Match, call: Call, path: ArmPath, correlation: str) -> Response:
        """Run the handler; tell Event Grid what a mutating call came to."""
        try:
            response: Response = await _awaited(match.route.handler(call))
        except ArmError as error:
            self._tell("Failure", call, path, correlation, error.status)
            raise
        if response.status < 400:
            self._tell("Success", call, path, correlation, response.status)
        return response

    def _tell(
        self, outcome: Literal["Success", "Failure"], call: Call, path: ArmPath, correlation: str, status: int
    ) -> None:
        method = call.request.method
        if method not in _MUTATING or path.subscription_id is None:
            return
        kind: Literal["Write", "Delete", "Action"] = "Write"
        if method in ("POST", "DELETE"):
            kind = "Action" if method == "POST" else "Delete"
        said = {201: "Created", 202: "Accepted"}.get(status, "Succeeded")
        self._cloud.event_grid.resource_event(
            kind,
            outcome,
            call.resource_id,
            path.action(method),
            call.principal,
            status=said if outcome == "Success" else "Failed",
            method=method,
            url=f"https://management.azure.com{call.request.path}?api-version={call.api_version}",
            correlation_id=correlation,
            first_create=method == "PUT" and status == 201,
        )


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _typed(response: Response) -> Response:
    """With the content type of JSON where nothing else was said."""
    if response.body is None or any(name.lower() == "content-type" for name in response.headers):
        return response
    headers = {"Content-Type": "application/json; charset=utf-8", **response.headers}
    return Response(response.status, response.body, headers)


def _bodiless(response: Response) -> Response:
    """HEAD: 204 when it exists (documented for resource groups), the status alone when not."""
    return Response(204 if response.status < 400 else response.status, None, response.headers)


def _no_such_type(path: ArmPath, namespaces: Iterable[str]) -> ArmError:
    if path.namespace is None:
        return ArmError(404, "NotFound", f"No resource type answers at '{path.path}'.")
    if path.namespace.lower() not in {name.lower() for name in namespaces}:
        return ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{path.namespace}' is invalid.")
    kind = "/".join(path.types)
    message = f"The resource type '{kind}' could not be found in the namespace '{path.namespace}'."
    return ArmError(404, "InvalidResourceType", message)
