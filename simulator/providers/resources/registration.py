"""Resource providers of a subscription: which there are, and their registration (POST answers at once, acts later)."""

from simulator.arm.errors import ArmError
from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.resources import responses
from simulator.providers.resources.models import REGISTRATION_FREE, Subscription


def list_all(call: Call) -> Response:
    return Response(
        200, {"value": [_provider(call, _subscription(call), name) for name in call.cloud.resources.namespaces()]}
    )


def get(call: Call) -> Response:
    return Response(200, _provider(call, _subscription(call), _known(call)))


def list_for_tenant(call: Call) -> Response:
    return Response(200, {"value": [_provider(call, None, name) for name in call.cloud.resources.namespaces()]})


def get_for_tenant(call: Call) -> Response:
    return Response(200, _provider(call, None, _known(call)))


def register(call: Call) -> Response:
    """200 with the provider's body; Registering until the registration time has passed."""
    namespace, subscription = _known(call), _subscription(call)
    if subscription.registration_state(namespace) not in ("Registered", "Registering"):
        call.cloud.resources.change_registration(subscription, namespace, "Registering", "Registered")
    return Response(200, _provider(call, subscription, namespace))


def unregister(call: Call) -> Response:
    """Refused while resources of the provider exist (documented). It ends as Unregistered, which is what the Azure CLI
    waits for; NotRegistered is what was never registered."""
    namespace, subscription = _known(call), _subscription(call)
    prefix = f"{namespace}/".lower()
    in_use = [
        held.id for held in call.cloud.resources.tracked_in(subscription.id) if held.type.lower().startswith(prefix)
    ]
    if in_use:
        message = (
            f"Cannot unregister from the namespace '{namespace}' because there are existing resources: "
            f"'{', '.join(in_use)}'."
        )
        raise ArmError(409, "CannotUnregisterNamespaceWithResources", message)
    if namespace.lower() not in REGISTRATION_FREE and subscription.registration_state(namespace) == "Registered":
        call.cloud.resources.change_registration(subscription, namespace, "Unregistering", "Unregistered")
    return Response(200, _provider(call, subscription, namespace))


def _subscription(call: Call) -> Subscription:
    found = call.cloud.resources.subscription(call.params["subscription"])
    if found is None:
        raise LookupError("the front door lets no call about an unknown subscription through")
    return found


def _known(call: Call) -> str:
    """The namespace as it is spelled here."""
    wanted = call.params["namespace"]
    for name in call.cloud.resources.namespaces():
        if name.lower() == wanted.lower():
            return name
    raise ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{wanted}' is invalid.")


def _provider(call: Call, subscription: Subscription | None, namespace: str) -> dict[str, object]:
    types = call.cloud.front_door.routes.resource_types(namespace)
    if namespace.lower() == "microsoft.resources":
        types = {**types, **_OWN_TYPES}
    state = "Registered" if subscription is None else subscription.registration_state(namespace)
    return responses.provider(subscription.id if subscription else None, namespace, types, state)


_OWN_TYPES = {
    "subscriptions": {"2022-12-01", "2021-01-01"},
    "subscriptions/resourceGroups": {"2025-04-01", "2022-09-01", "2021-04-01"},
    "subscriptions/providers": {"2025-04-01", "2022-09-01", "2021-04-01"},
}
