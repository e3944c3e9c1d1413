"""Calls a simulated Azure in process, as a named principal, and reads the answer."""

import json
from typing import Any

from simulator.arm.route import Principal
from simulator.clock import VirtualClock
from simulator.cloud import FIRST_SUBSCRIPTION, Cloud
from simulator.http import Request, Response
from simulator.timings import Timings

SUBSCRIPTION = f"/subscriptions/{FIRST_SUBSCRIPTION}"
GROUPS = "2022-09-01"
ROLES = "2022-04-01"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"


class ArmCaller:
    """One cloud in virtual time; calls are the operator's unless another principal is named."""

    def __init__(self, timings: Timings | None = None, *, schedules: bool = False) -> None:
        self.clock = VirtualClock()
        self.cloud = Cloud(self.clock, timings=timings, schedules=schedules)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str | None = GROUPS,
        principal: Principal | None = None,
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Response:
        token = self.cloud.identity.token(principal or self.cloud.identity.operator)
        versions = {} if version is None else {"api-version": version}
        return await self.cloud.respond(
            Request(
                method,
                path,
                query={**versions, **{f"${name}": value for name, value in query.items()}},
                headers={"authorization": f"Bearer {token}", **(headers or {})},
                body=b"" if body is None else json.dumps(body).encode(),
            )
        )

    async def control(self, method: str, name: str, body: Any = None) -> Response:
        content = b"" if body is None else json.dumps(body).encode()
        return await self.cloud.respond(Request(method, f"/simulator/{name}", body=content))

    async def group(self, name: str = "rg", location: str = "westeurope", tags: dict[str, str] | None = None) -> str:
        """Make a resource group and answer its id."""
        answer = await self.call("PUT", f"{SUBSCRIPTION}/resourceGroups/{name}", {"location": location, "tags": tags})
        assert answer.status in (200, 201), answer.body
        return str(answer.body["id"])

    async def assign(
        self, scope: str, role: str, object_id: str, name: str, *, kind: str | None = "ServicePrincipal", **said: Any
    ) -> Response:
        properties = {
            "roleDefinitionId": f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "principalId": object_id,
            **({"principalType": kind} if kind else {}),
        }
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        return await self.call("PUT", path, {"properties": properties}, version=ROLES, **said)


def code(answer: Response) -> str:
    """The ARM error code of an answer."""
    return str(answer.body["error"]["code"])
