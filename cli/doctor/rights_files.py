"""The rights that are deployed, as the reviewed files of infra/rights say them."""

from collections.abc import Mapping
from dataclasses import dataclass

from cli.doctor.deployment import Deployment
from infra.rights import ACTIONS, ASSIGN_CONTRIBUTOR, ASSIGN_ROLES, GRANTS, Mode, actions, called


@dataclass(frozen=True, slots=True)
class OwnRight:
    """A built-in role by name and GUID, on `scope`, the ARM id of one of the app's own things."""

    role: str
    guid: str
    scope: str


@dataclass(frozen=True, slots=True)
class WantedRights:
    """`actions` in Azure's spelling, patterns among them; `needed` is what of them the app calls. The conditions are as
    they are deployed, for the app's own principal."""

    actions: tuple[str, ...]
    needed: tuple[str, ...]
    assign_roles: str
    assign_contributor: str
    app: tuple[OwnRight, ...]
    topics: tuple[OwnRight, ...]
    """Of the identity of each topic that delivers to the app."""


def wanted_rights(deployment: Deployment) -> WantedRights:
    """What this deployment gives."""
    mode: Mode = "enforce" if deployment.enforces else "audit"
    places = _places(deployment)

    def of(who: str) -> tuple[OwnRight, ...]:
        return tuple(
            OwnRight(each.role, each.guid, places[each.scope])
            for each in GRANTS
            if each.who == who and each.scope in places and _applies(each.when, deployment)
        )

    def condition(text: str) -> str:
        return text.replace("{appPrincipalId}", deployment.principal_id)

    return WantedRights(
        actions(mode),
        tuple(each.action for each in called(ACTIONS) if mode == "enforce" or each.audit),
        condition(ASSIGN_ROLES),
        condition(ASSIGN_CONTRIBUTOR),
        of("app"),
        of("topics"),
    )


def _places(deployment: Deployment) -> Mapping[str, str]:
    """Scopes as app.json words them. Application Insights, which no output names, is left out: without that right
    telemetry is missing, and nothing else."""
    return {
        "the app's storage account": deployment.storage_id,
        "the container dead-letters of the app's storage account": (
            f"{deployment.storage_id}/blobServices/default/containers/dead-letters"
        ),
        "the app's Event Grid topic": deployment.topic_id,
        "the app's key vault": deployment.key_vault_id,
        "the Log Analytics workspace": deployment.workspace_id,
    }


def _applies(when: str, deployment: Deployment) -> bool:
    """Raises ValueError for words nobody knows: a right that is never looked for would count as given."""
    match when:
        case "always":
            return True
        case "eventDelivery is queue":
            return deployment.event_delivery == "queue"
        case _:
            raise ValueError(f"infra/rights/app.json gives a right when {when!r}, which the doctor cannot tell")
