"""Function apps as ARM shows them. No code runs here: which functions an app has is said by control order."""

from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError, resource_not_found
from simulator.arm.route import Call, Route
from simulator.http import Response
from simulator.providers.kept import Kept, KeptResources
from simulator.providers.web.configuration import Configuration

if TYPE_CHECKING:
    from simulator.cloud import Cloud

SITE_TYPE, PLAN_TYPE = "Microsoft.Web/sites", "Microsoft.Web/serverfarms"
API_VERSIONS = frozenset(
    {"2022-03-01", "2022-09-01", "2023-01-01", "2023-12-01", "2024-04-01", "2024-11-01", "2025-03-01"}
)
_SITE = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{SITE_TYPE}/{{name}}"


class Web:
    """The provider: plans, sites, and what hangs on a site. `own` of a site holds its state, its functions and its
    configuration."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._plans = KeptResources(cloud, PLAN_TYPE, API_VERSIONS, _plan_body)
        self._sites = KeptResources(cloud, SITE_TYPE, API_VERSIONS, _site_body, written=self._site_written)
        self._configuration = Configuration(cloud, self._sites.of)

    def routes(self) -> list[Route]:
        calls = [
            ("POST", f"{_SITE}/start", self._start),
            ("POST", f"{_SITE}/stop", self._stop),
            ("POST", f"{_SITE}/restart", self._restart),
            ("GET", f"{_SITE}/functions", self._functions),
            ("GET", f"{_SITE}/functions/{{function}}", self._function),
        ]
        below = (*calls, *self._configuration.handlers(_SITE))
        return [
            *self._plans.routes(),
            *self._sites.routes(),
            *(Route(method, pattern, API_VERSIONS, handler) for method, pattern, handler in below),
        ]

    def drop_group(self, subscription_id: str, group: str) -> None:
        self._sites.drop_group(subscription_id, group)
        self._plans.drop_group(subscription_id, group)

    def set_functions(self, site_id: str, names: list[str]) -> None:
        """Say which functions the code of a site has. Raises ValueError when there is no such site."""
        site = self._sites.by_id(site_id)
        if site is None:
            raise ValueError(f"there is no site '{site_id}'")
        site.own["functions"] = list(names)

    def _site_written(self, call: Call, site: Kept) -> None:
        other = self._sites.named(site.name)
        if other is not None and other.id.lower() != site.id.lower():
            message = f"Website with given name {site.name} already exists."
            raise ArmError(409, "Conflict", message)
        plan = site.properties.get("serverFarmId")
        if plan is not None and self._plans.by_id(str(plan)) is None:
            message = f"Cannot find Web space or serverfarm '{plan}'."  # assumed words
            raise ArmError(404, "NotFound", message)
        site.own.setdefault("state", "Running")
        site.own.setdefault("functions", [])
        self._configuration.take(site, site.properties.pop("siteConfig", None) or {})

    def _start(self, call: Call) -> Response:
        self._sites.of(call).own["state"] = "Running"
        return Response(200)

    def _stop(self, call: Call) -> Response:
        self._sites.of(call).own["state"] = "Stopped"
        return Response(200)

    def _restart(self, call: Call) -> Response:
        self._sites.of(call)
        return Response(200)

    def _functions(self, call: Call) -> Response:
        site = self._sites.of(call)
        return Response(200, {"value": [_function_body(site, name) for name in site.own["functions"]]})

    def _function(self, call: Call) -> Response:
        site, wanted = self._sites.of(call), call.params["function"].lower()
        found = next((name for name in site.own["functions"] if name.lower() == wanted), None)
        if found is None:
            raise resource_not_found(f"{SITE_TYPE}/{site.name}/functions/{wanted}", call.params["group"])
        return Response(200, _function_body(site, found))


def _plan_body(plan: Kept) -> dict[str, Any]:
    return plan.body(PLAN_TYPE, provisioningState="Succeeded", status="Ready")


def _site_body(site: Kept) -> dict[str, Any]:
    """A site as the REST reference shows it; `linuxFxVersion` and the like are read from `config/web`."""
    host = f"{site.name.lower()}.azurewebsites.net"
    defaults = {
        "enabled": True,
        "httpsOnly": False,
        "publicNetworkAccess": None,
        "keyVaultReferenceIdentity": "SystemAssigned",
    }
    return site.body(
        SITE_TYPE,
        **{**defaults, **site.properties},
        state=site.own["state"],
        usageState="Normal",
        availabilityState="Normal",
        defaultHostName=host,
        hostNames=[host],
        enabledHostNames=[host, f"{site.name.lower()}.scm.azurewebsites.net"],
        resourceGroup=site.id.split("/")[4],
        siteConfig=None,
    )


def _function_body(site: Kept, name: str) -> dict[str, Any]:
    return {
        "id": f"{site.id}/functions/{name}",
        "name": f"{site.name}/{name}",
        "type": f"{SITE_TYPE}/functions",
        "location": site.location,
        "properties": {"name": name, "language": "python", "isDisabled": False, "config": {"name": name}},
    }
