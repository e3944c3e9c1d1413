"""What an ARM path says: whose subscription, which group, which resource type, and what right the call needs."""

from dataclasses import dataclass
from functools import lru_cache

_READING_POSTS = {
    "microsoft.resourcegraph/resources": "Microsoft.ResourceGraph/resources/read",
    "microsoft.storage/checknameavailability": "Microsoft.Storage/checkNameAvailability/read",
}
"""POSTs whose right is one to read.
Source: https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations."""
_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class ArmPath:
    """One path taken apart. `types` are the resource types after the last `/providers/{namespace}`; `open_ended` says
    that the path ends with a type and no name (a list, or an action when it is a POST)."""

    path: str
    namespace: str | None
    types: tuple[str, ...]
    open_ended: bool
    subscription_id: str | None
    resource_group: str | None
    provider_at: int

    @property
    def resource_type(self) -> str:
        """`{namespace}/{types}`, in the caller's casing; ARM's own types stand under Microsoft.Resources."""
        return "/".join((self.namespace or "Microsoft.Resources", *self.types))

    def is_action(self, method: str) -> bool:
        return method == "POST" and self.open_ended

    def resource_id(self, method: str) -> str:
        """The id the call is about: a POST's without the action, everything else as it stands."""
        return self.path.rpartition("/")[0] if self.is_action(method) else self.path

    def action(self, method: str) -> str:
        """The right that Azure asks for, `Microsoft.X/types/read|write|delete|verb/action`."""
        if method == "POST":
            return _READING_POSTS.get(self.resource_type.lower()) or f"{self.resource_type}/action"
        if self.namespace is not None and not self.types:
            return f"Microsoft.Resources/subscriptions/providers/{_VERBS[method]}"
        return f"{self.resource_type}/{_VERBS[method]}"

    def scope(self) -> str:
        """Where the right is asked for: the resource itself, or what a list or an action is about."""
        if not self.open_ended:
            return self.path
        if self.namespace is not None and len(self.types) == 1:
            return self.path[: self.provider_at]
        return self.path.rpartition("/")[0]


@lru_cache(maxsize=8192)
def arm_path(path: str) -> ArmPath:
    """Take a path apart (any casing, any trailing slash). Empty segments do not count: the generic resource client,
    and with it `az resource`, asks for `providers/{namespace}//{type}/{name}`."""
    segments = [segment for segment in path.split("/") if segment]
    path = "/" + "/".join(segments)
    namespace: str | None = None
    types: list[str] = []
    subscription_id = resource_group = None
    provider_at = len(path)
    position, offset = 0, 0
    open_ended = False
    while position < len(segments):
        key = segments[position]
        value = segments[position + 1] if position + 1 < len(segments) else None
        lowered = key.lower()
        if lowered == "providers" and value is not None:
            namespace, types, provider_at = value, [], offset
        else:
            types.append(key)
            open_ended = value is None
            if lowered == "subscriptions" and position == 0:
                subscription_id = value
            elif lowered == "resourcegroups" and position == 2:
                resource_group = value
        offset += len(key) + 1 + (len(value) + 1 if value is not None else 0)
        position += 2
    return ArmPath(path, namespace, tuple(types), open_ended, subscription_id, resource_group, provider_at)
