"""What hangs on a site as `config/…`: settings, authentication, Key Vault references; and the publishing passwords.

Source: https://learn.microsoft.com/rest/api/appservice/web-apps."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError, resource_not_found
from simulator.arm.route import Call, Handler
from simulator.http import Response
from simulator.providers.kept import Kept
from simulator.providers.web.references import Reference, parse_reference

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_CONFIG_TYPE = "Microsoft.Web/sites/config"
_POLICY_TYPE = "Microsoft.Web/sites/basicPublishingCredentialsPolicies"
_POLICIES = ("ftp", "scm")
_AUTHENTICATION_OFF = {
    "platform": {"enabled": False, "runtimeVersion": "~1"},
    "globalValidation": {"requireAuthentication": False, "unauthenticatedClientAction": "RedirectToLoginPage"},
    "identityProviders": {},
    "login": {},
    "httpSettings": {"requireHttps": True},
}
"""What a site without authentication answers (assumed, shortened)."""


class Configuration:
    """The configuration of every site, kept in `own`. `site_of` finds the site a call names or raises 404."""

    def __init__(self, cloud: "Cloud", site_of: Callable[[Call], Kept]) -> None:
        self._cloud, self._site_of = cloud, site_of

    def handlers(self, site: str) -> list[tuple[str, str, Handler]]:
        references, policies = (
            f"{site}/config/configreferences/appsettings",
            f"{site}/basicPublishingCredentialsPolicies",
        )
        return [
            ("PUT", f"{site}/config/appsettings", self._put_settings),
            ("POST", f"{site}/config/appsettings/list", self._settings),
            ("GET", f"{site}/config/web", self._web),
            ("PUT", f"{site}/config/web", self._put_web),
            ("PATCH", f"{site}/config/web", self._put_web),
            ("GET", f"{site}/config/authsettingsV2", self._authentication),
            ("GET", f"{site}/config/authsettingsV2/list", self._authentication),
            ("PUT", f"{site}/config/authsettingsV2", self._put_authentication),
            ("GET", references, self._references),
            ("GET", f"{references}/{{setting}}", self._reference),
            ("GET", f"{policies}/{{policy}}", self._policy),
            ("PUT", f"{policies}/{{policy}}", self._put_policy),
        ]

    def take(self, site: Kept, config: dict[str, Any]) -> None:
        """What a PUT or PATCH of the site says in `siteConfig`; `appSettings` replaces all that there are."""
        own = site.own
        own.setdefault("settings", {})
        own.setdefault("authentication", _AUTHENTICATION_OFF)
        own.setdefault("policies", dict.fromkeys(_POLICIES, True))
        settings = config.get("appSettings")
        if settings is not None:
            if not isinstance(settings, list) or not all(
                isinstance(each, dict) and "name" in each for each in settings
            ):
                raise ArmError(400, "BadRequest", "appSettings is a list of objects with name and value.")
            own["settings"] = _texts({each["name"]: each.get("value") for each in settings})
        kept = {name: value for name, value in config.items() if name != "appSettings"}
        own["web"] = {**own.get("web", {}), **kept}

    def _settings(self, call: Call) -> Response:
        site = self._site_of(call)
        return Response(200, _body(site, "appsettings", dict(site.own["settings"])))

    def _put_settings(self, call: Call) -> Response:
        site = self._site_of(call)
        site.own["settings"] = _texts(_properties(call))
        return Response(200, _body(site, "appsettings", dict(site.own["settings"])))

    def _web(self, call: Call) -> Response:
        site = self._site_of(call)
        return Response(200, _body(site, "web", {"minTlsVersion": "1.2", "ftpsState": "FtpsOnly", **site.own["web"]}))

    def _put_web(self, call: Call) -> Response:
        self.take(self._site_of(call), _properties(call))
        return self._web(call)

    def _authentication(self, call: Call) -> Response:
        site = self._site_of(call)
        return Response(200, _body(site, "authsettingsV2", site.own["authentication"]))

    def _put_authentication(self, call: Call) -> Response:
        self._site_of(call).own["authentication"] = _properties(call)
        return self._authentication(call)

    def _references(self, call: Call) -> Response:
        site = self._site_of(call)
        found = [self._reference_body(site, name, reference) for name, reference in _references(site).items()]
        return Response(200, {"value": found})

    def _reference(self, call: Call) -> Response:
        site, name = self._site_of(call), call.params["setting"]
        reference = _references(site).get(name)
        if reference is None:
            raise resource_not_found(f"{_CONFIG_TYPE}/{site.name}/configreferences/{name}", call.params["group"])
        return Response(200, self._reference_body(site, name, reference))

    def _reference_body(self, site: Kept, name: str, reference: Reference) -> dict[str, Any]:
        """How a reference stands now. Azure looks once a day and when the settings change (documented): here every look
        is new."""
        kind, principal_id = self._reader(site)
        if reference.secret is None:
            status = "InvalidSyntax"
        elif principal_id is None:
            status = "MSINotEnabled"
        else:
            status = self._cloud.key_vault.resolve(reference.vault or "", reference.secret, principal_id)
        properties = {
            "reference": reference.text,
            "status": status,
            "vaultName": reference.vault,
            "secretName": reference.secret,
            "secretVersion": reference.version,
            "identityType": kind,
            "details": None if status == "Resolved" else f"Reference is not resolved: {status}.",
            "source": "KeyVault",
            "location": "ApplicationSetting",
        }
        there = f"{site.id}/config/configreferences/appsettings/{name}"
        return {"id": there, "name": name, "type": _CONFIG_TYPE, "location": site.location, "properties": properties}

    def _reader(self, site: Kept) -> tuple[str, str | None]:
        """Which identity reads the references, `keyVaultReferenceIdentity` says (documented: the system-assigned one
        unless it names another of the site's)."""
        wanted = str(site.properties.get("keyVaultReferenceIdentity") or "SystemAssigned")
        block = site.identity or {}
        if wanted.lower() == "systemassigned":
            return "SystemAssigned", block.get("principalId")
        for resource_id, principal in (block.get("userAssignedIdentities") or {}).items():
            if resource_id.lower() == wanted.lower():
                return "UserAssigned", str(principal["principalId"])
        return "UserAssigned", None

    def _policy(self, call: Call) -> Response:
        site, name = self._site_of(call), call.params["policy"].lower()
        if name not in _POLICIES:
            raise resource_not_found(f"{_POLICY_TYPE}/{site.name}/{name}", call.params["group"])
        there = f"{site.id}/basicPublishingCredentialsPolicies/{name}"
        properties = {"allow": site.own["policies"][name]}
        return Response(200, {"id": there, "name": name, "type": _POLICY_TYPE, "properties": properties})

    def _put_policy(self, call: Call) -> Response:
        site = self._site_of(call)
        if call.params["policy"].lower() in _POLICIES:
            site.own["policies"][call.params["policy"].lower()] = bool(_properties(call).get("allow"))
        return self._policy(call)


def _references(site: Kept) -> dict[str, Reference]:
    found = {name: parse_reference(value) for name, value in site.own["settings"].items()}
    return {name: reference for name, reference in found.items() if reference is not None}


def _properties(call: Call) -> dict[str, Any]:
    properties = call.body().get("properties")
    if not isinstance(properties, dict):
        raise ArmError(400, "BadRequest", "The property 'properties' is required and must be an object.")
    return properties


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _body(site: Kept, name: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"{site.id}/config/{name}",
        "name": name,
        "type": _CONFIG_TYPE,
        "location": site.location,
        "properties": properties,
    }
