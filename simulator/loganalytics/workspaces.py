"""Microsoft.OperationalInsights/workspaces over ARM."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError, location_is_fixed, resource_not_found
from simulator.arm.paging import page
from simulator.arm.route import Call, Route
from simulator.http import Response
from simulator.providers.authorization.scopes import is_within
from simulator.providers.resources.locations import required_location

if TYPE_CHECKING:
    from simulator.cloud import Cloud

WORKSPACE_TYPE = "Microsoft.OperationalInsights/workspaces"
_API_VERSIONS = frozenset({"2020-08-01", "2021-06-01", "2022-10-01", "2023-09-01", "2025-02-01", "2025-07-01"})
_SUBSCRIPTION = "/subscriptions/{subscription}/providers/Microsoft.OperationalInsights/workspaces"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.OperationalInsights/workspaces"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]")  # documented
_RETENTION = 30  # documented: the default, in days
_PAGE = 1000


@dataclass(slots=True)
class Workspace:
    """`customer_id` is the Workspace ID that queries name."""

    id: str
    name: str
    location: str
    tags: dict[str, str]
    customer_id: str
    sku: str
    retention_days: int
    created: datetime
    modified: datetime


class Workspaces:
    """Every workspace by lower-case ARM id. Simplification: made and deleted at once, no soft deletion."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._workspaces: dict[str, Workspace] = {}

    def routes(self) -> list[Route]:
        one = _GROUP + "/{workspace}"
        calls = [
            ("GET", _SUBSCRIPTION, self._list),
            ("GET", _GROUP, self._list),
            ("GET", one, self._get),
            ("PUT", one, self._put),
            ("PATCH", one, self._patch),
            ("DELETE", one, self._delete),
        ]
        return [Route(method, pattern, _API_VERSIONS, handler) for method, pattern, handler in calls]

    def all(self) -> list[Workspace]:
        return list(self._workspaces.values())

    def by_id(self, resource_id: str) -> Workspace | None:
        return self._workspaces.get(resource_id.rstrip("/").lower())

    def named(self, name: str) -> Workspace | None:
        """The workspace a query means: by Workspace ID, ARM id or (for additional ones) name."""
        wanted = name.strip("/").lower()
        known = self._workspaces.get(f"/{wanted}")
        if known is not None:
            return known
        return next((each for each in self.all() if wanted in (each.customer_id, each.name.lower())), None)

    def drop_group(self, subscription_id: str, group: str) -> None:
        scope = f"/subscriptions/{subscription_id}/resourceGroups/{group}"
        for workspace in [each for each in self.all() if is_within(each.id, scope)]:
            self._forget(workspace)

    def _list(self, call: Call) -> Response:
        scope = call.request.path.lower().partition("/providers/")[0]
        return page(call, [_body(each) for each in self.all() if is_within(each.id, scope)], _PAGE)

    def _get(self, call: Call) -> Response:
        return Response(200, _body(self._of(call)))

    def _put(self, call: Call) -> Response:
        name, body = call.params["workspace"], call.body()
        location = required_location(body, WORKSPACE_TYPE)
        if not _NAME.fullmatch(name):
            raise ArmError(400, "InvalidParameter", f"The workspace name '{name}' is not valid.")  # assumed words
        properties, now = _properties(body), self._cloud.clock.now()
        existing = self.by_id(call.resource_id)
        if existing is not None and existing.location != location:
            raise location_is_fixed(name, call.params["group"], existing.location, location)
        workspace = Workspace(
            id=existing.id if existing else call.resource_id,
            name=name,
            location=location,
            tags=_tags(body),
            customer_id=existing.customer_id if existing else str(self._cloud.new_uuid()),
            sku=str((properties.get("sku") or {}).get("name") or "PerGB2018"),
            retention_days=properties.get("retentionInDays") or _RETENTION,
            created=existing.created if existing else now,
            modified=now,
        )
        self._workspaces[workspace.id.lower()] = workspace
        self._track(workspace)
        return Response(200 if existing else 201, _body(workspace))

    def _patch(self, call: Call) -> Response:
        workspace, body = self._of(call), call.body()
        if "tags" in body:
            workspace.tags = _tags(body)
        workspace.retention_days = _properties(body).get("retentionInDays") or workspace.retention_days
        workspace.modified = self._cloud.clock.now()
        self._track(workspace)
        return Response(200, _body(workspace))

    def _delete(self, call: Call) -> Response:
        workspace = self.by_id(call.resource_id)
        if workspace is None:
            return Response(204)
        self._forget(workspace)
        return Response(200)

    def _forget(self, workspace: Workspace) -> None:
        del self._workspaces[workspace.id.lower()]
        self._cloud.resources.forget(workspace.id)

    def _of(self, call: Call) -> Workspace:
        workspace = self.by_id(call.resource_id)
        if workspace is None:
            raise resource_not_found(f"{WORKSPACE_TYPE}/{call.params['workspace']}", call.params["group"])
        return workspace

    def _track(self, workspace: Workspace) -> None:
        self._cloud.resources.track(
            workspace.id, WORKSPACE_TYPE, workspace.location, workspace.tags, lambda: _body(workspace)
        )


def _tags(body: Mapping[str, Any]) -> dict[str, str]:
    tags = body.get("tags") or {}
    if not isinstance(tags, dict):
        raise ArmError(400, "InvalidParameter", "tags must be an object.")
    return {str(name): str(value) for name, value in tags.items()}


def _properties(body: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for. Raises ArmError 400 (assumed words); documented: 4 to 730 days of retention."""
    properties = body.get("properties") or {}
    retention = properties.get("retentionInDays") if isinstance(properties, dict) else "none"
    if retention is not None and not (isinstance(retention, int) and 4 <= retention <= 730):
        raise ArmError(400, "InvalidParameter", "retentionInDays must be a number of days from 4 to 730.")
    if not isinstance(properties.get("sku") or {}, dict):
        raise ArmError(400, "InvalidParameter", "sku must be an object.")
    return dict(properties)


def _body(workspace: Workspace) -> dict[str, Any]:
    """A workspace as the REST reference shows it."""
    created, modified = (f"{each:%Y-%m-%dT%H:%M:%S}.0000000Z" for each in (workspace.created, workspace.modified))
    body: dict[str, Any] = {
        "properties": {
            "customerId": workspace.customer_id,
            "provisioningState": "Succeeded",
            "sku": {"name": workspace.sku, "lastSkuUpdate": created},
            "retentionInDays": workspace.retention_days,
            "features": {"legacy": 0, "searchVersion": 1, "enableLogAccessUsingOnlyResourcePermissions": True},
            "workspaceCapping": {
                "dailyQuotaGb": -1.0,
                "quotaNextResetTime": modified,
                "dataIngestionStatus": "RespectQuota",
            },
            "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled",
            "createdDate": created,
            "modifiedDate": modified,
        },
        "location": workspace.location,
        "id": workspace.id,
        "name": workspace.name,
        "type": WORKSPACE_TYPE,
    }
    return {**body, "tags": dict(workspace.tags)} if workspace.tags else body
