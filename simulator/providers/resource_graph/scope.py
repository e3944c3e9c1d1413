"""What a query is about: the subscriptions its request names, those below the management groups it names, or all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.kql.errors import NotAnswerable
from simulator.providers.authorization.scopes import is_within, normalised

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_FILTERS = ("AtScopeAndBelow", "AtScopeAboveAndBelow")
_UNMODELLED_FILTERS = ("AtScopeAndAbove", "AtScopeExact")


class BadScope(Exception):  # noqa: N818 - the caller's error
    """A code of Resource Graph's and why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Scope:
    """`subscriptions` are ids in lower case, `groups` the scopes of the management groups in it, `above` the scopes
    above it at which role assignments belong to it too."""

    subscriptions: frozenset[str]
    groups: frozenset[str]
    above: frozenset[str] = frozenset()

    def holds(self, key: str) -> bool:
        """Whether a row that lies in no subscription belongs to it, by its lower-case id."""
        owner = key.partition("/providers/microsoft.authorization/")[0]
        return owner in self.above or any(is_within(key, group) for group in self.groups)


def scope_of(cloud: "Cloud", body: Mapping[str, Any], options: Mapping[str, Any]) -> Scope:
    """The scope of a request. Raises BadScope.

    The code for an unknown management group is one users report; that subscriptions and management groups exclude each
    other is assumed, and that a query of named subscriptions shows no management groups."""
    subscriptions, groups = _texts(body, "subscriptions"), _texts(body, "managementGroups")
    wanted = options.get("authorizationScopeFilter") or _FILTERS[0]
    if wanted in _UNMODELLED_FILTERS:
        raise NotAnswerable(f"the authorizationScopeFilter {wanted} is not modelled")
    if wanted not in _FILTERS:
        raise BadScope("InvalidOptions", f"The authorizationScopeFilter '{wanted}' is not valid.")
    management = cloud.management
    if groups and subscriptions:
        raise BadScope("BadRequest", "The request names subscriptions or management groups, not both.")
    if groups:
        unknown = [name for name in groups if management.get(name) is None]
        if unknown:
            text = f"The provided management groups must be valid. Given: '{', '.join(unknown)}'."
            raise BadScope("ManagementGroupsContainInvalidIds", text)
        below = frozenset(each for name in groups for each in management.subscriptions_below(name))
        chosen = [group for group in management.all() if {name.lower() for name in groups} & _names(group)]
        found = Scope(below, frozenset(normalised(group.id) for group in chosen))
    elif subscriptions:
        found = Scope(frozenset(each.lower() for each in subscriptions), frozenset())
    else:
        everything = frozenset(each.id for each in cloud.resources.subscriptions())
        found = Scope(everything, frozenset(normalised(group.id) for group in management.all()))
    if wanted == _FILTERS[0]:
        return found
    outside = {above for each in found.subscriptions for above in management.ancestors(f"/subscriptions/{each}")}
    return Scope(found.subscriptions, found.groups, frozenset({*outside, ""}))


def _names(group: Any) -> set[str]:
    return {each.name.lower() for each in group.chain()}


def _texts(body: Mapping[str, Any], name: str) -> Sequence[str]:
    found = body.get(name) or []
    if not isinstance(found, list):
        raise BadScope("BadRequest", f"{name} must be a list.")
    return [str(each) for each in found]
