"""After stage one: what lies outside the app's own resource group, which main.bicep must not name
(docs/decisions/0015)."""

from collections.abc import Callable, Mapping

from infra.hooks.app_registration import ensure_redirect
from infra.hooks.azure_cli import CommandError, StepError, deploy
from infra.hooks.installation import Installation, read_installation
from infra.hooks.monitored import (
    grant_snapshot_groups,
    monitored_subscriptions,
    regions_of,
    withdraw_role_administration,
)

_GROUP_SCOPE = "/providers/Microsoft.Management/managementGroups/"


def run(environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Goes on after a subscription that failed; raises StepError with all of them at the end."""
    here = read_installation(environment)
    if object_id := environment.get("AUTH_APP_OBJECT_ID"):
        _open_sign_in(object_id, here, say)
    for group in here.management_groups:
        _grant_management_group(here, group, say)
    subscriptions = monitored_subscriptions(here)
    if here.mode == "audit":
        scopes = [_GROUP_SCOPE + group for group in here.management_groups]
        for scope in (*scopes, *(f"/subscriptions/{subscription}" for subscription in subscriptions)):
            withdraw_role_administration(here, scope, say)
        say("audit mode: no snapshot groups, nothing in Azure is changed by the app")
        return
    regions = regions_of(here, subscriptions)
    failures: list[StepError] = []
    for subscription in subscriptions:
        try:
            grant_snapshot_groups(here, subscription, regions.get(subscription, ()), say)
        except StepError as failed:
            failures.append(failed)
    if failures:
        raise StepError.of(failures, "azd hooks run postprovision")


def _open_sign_in(object_id: str, here: Installation, say: Callable[[str], None]) -> None:
    try:
        ensure_redirect(object_id, here.app_url, say)
    except CommandError as failed:
        say(f"people cannot sign in yet: {failed}")
        say(f"its owner adds the redirect URI {here.app_url}/.auth/login/aad/callback to the app registration")


def _grant_management_group(here: Installation, group: str, say: Callable[[str], None]) -> None:
    try:
        deploy(
            ("mg", "--management-group-id", group),
            here.deployment("rights"),
            here.location,
            "infra/fleet/management-group.bicep",
            {"mode": here.mode, "appPrincipalId": here.principal_id, "roleName": here.role_name},
        )
    except CommandError as failed:
        raise StepError(
            f"management group {group}: {failed}",
            f"az role assignment create --role Owner --scope {_GROUP_SCOPE}{group} --assignee YOU\n"
            "azd hooks run postprovision",
        ) from failed
    say(f"management group {group}: the app has its rights, mode {here.mode}")
