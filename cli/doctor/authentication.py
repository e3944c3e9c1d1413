"""App Service authentication: who calls is known, and nothing is left open that need not be."""

import json
import re
from collections.abc import Iterator

from cli.doctor.check import Check, Result
from cli.doctor.deployment import Deployment
from cli.doctor.seen import Sight, Unread

GROUP = "authentication"
EXCLUDED_PATHS = ("/api/health", "/runtime/webhooks/eventgrid")
"""Strangers see a little of the app's health; Event Grid brings the webhook's own key."""

_TENANT = re.compile(r"^https://[^/]+/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(/|$)")
_AUDIENCES = "identityProviders.azureActiveDirectory.validation.allowedAudiences"


def check_authentication(deployment: Deployment, sight: Sight) -> Iterator[Result]:
    on = Check(GROUP, "on")
    found = sight.authentication
    if isinstance(found, Unread):
        yield on.unread(found)
        return

    def change(changes: dict[str, object]) -> str:
        texts = {name: json.dumps(value, separators=(",", ":")) for name, value in changes.items()}
        sets = " ".join(f"'properties.{name}={text}'" for name, text in texts.items())
        return f"az resource update --ids {deployment.app_id}/config/authsettingsV2 --set {sets}"

    if not found.client_id:
        message = "There is no app registration to sign in with: every HTTP call but the excluded ones is refused."
        yield on.wrong(message, "azd env set AUTH_CLIENT_ID CLIENT_ID && azd provision")
        return
    yield on.that(found.enabled, "It is off: every HTTP call is refused.", change({"platform.enabled": True}))
    yield Check(GROUP, "required").that(
        found.required,
        "Calls that nobody signed are let through to the app.",
        change(
            {
                "globalValidation.requireAuthentication": True,
                "globalValidation.unauthenticatedClientAction": "RedirectToLoginPage",
            }
        ),
    )
    # A token of any tenant is good where the issuer is "common" or missing; who is let in is then others' business.
    one_tenant = _TENANT.search(found.issuer) is not None
    yield Check(GROUP, "issuer").that(
        one_tenant,
        f"It takes tokens of other tenants: the issuer is {found.issuer[:200] or 'not set'}.",
        "azd provision",
    )
    wanted = {path.lower() for path in EXCLUDED_PATHS}
    more, fewer = sorted(found.excluded_paths - wanted), sorted(wanted - found.excluded_paths)
    message = f"Open to everybody, and not to be: {', '.join(more)}." if more else f"Not excluded: {', '.join(fewer)}."
    yield Check(GROUP, "excluded paths").that(
        not more and not fewer, message, change({"globalValidation.excludedPaths": list(EXCLUDED_PATHS)})
    )
    audiences = {f"api://{found.client_id}".lower(), found.client_id.lower()}
    yield Check(GROUP, "audiences").that(
        found.audiences == audiences,
        "Tokens for others are taken too, or those for the app refused.",
        change({_AUDIENCES: [f"api://{found.client_id}", found.client_id]}),
    )
