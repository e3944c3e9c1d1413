"""Top-level resources of which nothing more is needed than that they are there: kept as they were put."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError, location_is_fixed, resource_not_found
from simulator.arm.paging import page
from simulator.arm.route import Call, Route
from simulator.http import Response
from simulator.providers.authorization.scopes import is_within
from simulator.providers.resources.locations import required_location

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_PAGE = 100  # assumed


@dataclass(slots=True)
class Kept:
    """One resource. `properties`, `sku` and `kind` are what was sent, `identity` is ARM's block."""

    id: str
    name: str
    location: str
    tags: dict[str, str]
    properties: dict[str, Any]
    identity: dict[str, Any] | None = None
    sku: dict[str, Any] | None = None
    kind: str | None = None
    own: dict[str, Any] = field(default_factory=dict)

    def body(self, resource_type: str, **shown: Any) -> dict[str, Any]:
        """The resource as ARM shows it, with `shown` over its properties."""
        body: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "type": resource_type,
            "location": self.location,
            "tags": self.tags,
            "properties": {**self.properties, **shown},
        }
        extra = {"identity": self.identity, "sku": self.sku, "kind": self.kind}
        return {**body, **{name: value for name, value in extra.items() if value is not None}}


class KeptResources:
    """The resources of one type, by lower-case id. Written at once, without operations. `shown` is the answer for one;
    `written` looks at it after each PUT and PATCH and may refuse (ArmError); `gone` is told when it is deleted."""

    def __init__(
        self,
        cloud: "Cloud",
        resource_type: str,
        api_versions: frozenset[str],
        shown: Callable[[Kept], dict[str, Any]],
        *,
        written: Callable[[Call, Kept], None] = lambda call, kept: None,
        gone: Callable[[Kept], None] = lambda kept: None,
    ) -> None:
        self._cloud, self._type, self._versions = cloud, resource_type, api_versions
        self._shown, self._written, self._gone = shown, written, gone
        self._kept: dict[str, Kept] = {}

    def routes(self) -> list[Route]:
        everywhere = f"/subscriptions/{{subscription}}/providers/{self._type}"
        in_group = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{self._type}"
        one = in_group + "/{name}"
        calls = [
            ("GET", everywhere, self._list),
            ("GET", in_group, self._list),
            ("PUT", one, self._put),
            ("GET", one, self._get),
            ("PATCH", one, self._patch),
            ("DELETE", one, self._delete),
        ]
        return [Route(method, pattern, self._versions, handler) for method, pattern, handler in calls]

    def all(self) -> list[Kept]:
        return list(self._kept.values())

    def by_id(self, resource_id: str) -> Kept | None:
        return self._kept.get(resource_id.rstrip("/").lower())

    def named(self, name: str) -> Kept | None:
        """For types whose names are unique in all of Azure."""
        return next((each for each in self.all() if each.name.lower() == name.lower()), None)

    def of(self, call: Call) -> Kept:
        """The resource a call is about, or about something below. Raises ArmError 404."""
        name, group = call.params["name"], call.params["group"]
        kept = self.by_id(
            f"/subscriptions/{call.params['subscription']}/resourceGroups/{group}/providers/{self._type}/{name}"
        )
        if kept is None:
            raise resource_not_found(f"{self._type}/{name}", group)
        return kept

    def drop_group(self, subscription_id: str, group: str) -> None:
        scope = f"/subscriptions/{subscription_id}/resourceGroups/{group}"
        for kept in [each for each in self.all() if is_within(each.id, scope)]:
            self._forget(kept)

    def _list(self, call: Call) -> Response:
        scope = call.request.path.lower().partition("/providers/")[0]
        return page(call, [self._shown(each) for each in self.all() if is_within(each.id, scope)], _PAGE)

    def _get(self, call: Call) -> Response:
        return Response(200, self._shown(self.of(call)))

    def _put(self, call: Call) -> Response:
        body = call.body()
        location, existing = required_location(body, self._type), self.by_id(call.resource_id)
        if existing is not None and existing.location != location:
            raise location_is_fixed(existing.name, call.params["group"], existing.location, location)
        kept = Kept(
            existing.id if existing else call.resource_id,
            call.params["name"],
            location,
            tags={},
            properties={},
            identity=existing.identity if existing else None,
            own=existing.own if existing else {},
        )
        self._change(call, kept, body)
        return Response(200 if existing else 201, self._shown(kept))

    def _patch(self, call: Call) -> Response:
        kept = self.of(call)
        self._change(call, kept, call.body())
        return Response(200, self._shown(kept))

    def _change(self, call: Call, kept: Kept, body: dict[str, Any]) -> None:
        properties = body.get("properties") or {}
        if not isinstance(properties, dict):
            raise ArmError(400, "InvalidRequestContent", "The property 'properties' must be an object.")
        if "tags" in body:
            kept.tags = {str(name): str(value) for name, value in (body["tags"] or {}).items()}
        if "identity" in body:
            kept.identity = self._cloud.managed_identity.block(call, kept.name, body["identity"], kept.identity)
        kept.properties = {**kept.properties, **properties}
        kept.sku, kept.kind = body.get("sku", kept.sku), body.get("kind", kept.kind)
        self._written(call, kept)
        self._kept[kept.id.lower()] = kept
        self._cloud.resources.track(kept.id, self._type, kept.location, kept.tags, lambda: self._shown(kept))

    def _delete(self, call: Call) -> Response:
        kept = self.by_id(call.resource_id)
        if kept is None:
            return Response(204)
        self._forget(kept)
        return Response(200)

    def _forget(self, kept: Kept) -> None:
        del self._kept[kept.id.lower()]
        self._cloud.managed_identity.forget(kept.identity)
        self._cloud.resources.forget(kept.id)
        self._gone(kept)
