"""Which route answers a path: patterns compiled once, found by the path's namespace."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simulator.arm.path import arm_path
from simulator.arm.route import Route

_PARAMETER = re.compile(r"\{(\w+)(\*?)\}")


@dataclass(frozen=True, slots=True)
class Match:
    """A route whose pattern fits, with the values of its {names}."""

    route: Route
    params: Mapping[str, str]


def compiled(pattern: str) -> re.Pattern[str]:
    """A route's pattern as a regular expression over a path without trailing slash."""
    expression, last = "", 0
    for found in _PARAMETER.finditer(pattern):
        expression += re.escape(pattern[last : found.start()])
        name, rest = found.groups()
        expression += f"(?P<{name}>.*)" if rest else f"(?P<{name}>[^/]+)"
        last = found.end()
    return re.compile(expression + re.escape(pattern[last:]), re.IGNORECASE)


class RouteTable:
    """Every route of the cloud, kept by namespace and number of segments (0: a pattern that takes any number)."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._kept: dict[tuple[str, int], list[tuple[re.Pattern[str], Route]]] = defaultdict(list)
        for route in self.routes:
            segments = 0 if "*}" in route.pattern else route.pattern.count("/")
            self._kept[_namespace(route), segments].append((compiled(route.pattern), route))

    def matches(self, path: str) -> list[Match]:
        """The routes of any method and api-version that fit; those without wildcard and with their own namespace
        first, else in the order they were registered."""
        namespace, segments = (arm_path(path).namespace or "").lower(), path.count("/")
        places = dict.fromkeys(((namespace, segments), (namespace, 0), ("", segments), ("", 0)))
        candidates = (kept for place in places for kept in self._kept.get(place, ()))
        found = ((pattern.fullmatch(path), route) for pattern, route in candidates)
        return [Match(route, match.groupdict()) for match, route in found if match]

    def resource_types(self, namespace: str) -> dict[str, set[str]]:
        """Resource types of a namespace with the api-versions their routes know (actions left out)."""
        types: dict[str, set[str]] = {}
        for route in self.routes:
            if _namespace(route) != namespace.lower():
                continue
            described = arm_path(_literal(route))
            if described.types and not described.is_action(route.method):
                types.setdefault("/".join(described.types), set()).update(route.api_versions)
        return types

    def namespaces(self) -> list[str]:
        """The namespaces that have routes, spelled as their routes spell them."""
        found = {_namespace(route): arm_path(_literal(route)).namespace or "" for route in self.routes}
        return sorted(name for key, name in found.items() if key)


def _literal(route: Route) -> str:
    return route.pattern.removeprefix("{scope*}") if route.pattern.startswith("{scope*}") else route.pattern


def _namespace(route: Route) -> str:
    namespace = arm_path(_literal(route)).namespace or ""
    return "" if namespace.startswith("{") else namespace.lower()
