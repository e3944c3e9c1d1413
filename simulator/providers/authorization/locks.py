"""Management locks, at any scope."""

from simulator.arm.errors import ArmError
from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.authorization import responses
from simulator.providers.authorization.models import Lock
from simulator.providers.authorization.scopes import is_within


def list_at_scope(call: Call) -> Response:
    """At the scope, above and below it (documented)."""
    scope = call.params["scope"]
    found = [
        lock
        for lock in call.cloud.authorization.locks()
        if is_within(lock.scope, scope) or is_within(scope, lock.scope)
    ]
    return Response(200, {"value": [responses.lock(lock) for lock in found]})


def get(call: Call) -> Response:
    found = call.cloud.authorization.lock(call.resource_id)
    if found is None:
        raise ArmError(404, "LockNotFound", f"The lock '{call.params['name']}' could not be found.")
    return Response(200, responses.lock(found))


def put(call: Call) -> Response:
    properties = call.body().get("properties") or {}
    level = properties.get("level")
    if level not in ("CanNotDelete", "ReadOnly"):
        raise ArmError(400, "InvalidLockLevel", f"The lock level '{level}' is not one of CanNotDelete, ReadOnly.")
    created = call.cloud.authorization.lock(call.resource_id) is None
    lock = Lock(call.resource_id, call.params["name"], call.params["scope"], level, properties.get("notes"))
    call.cloud.authorization.add_lock(lock)
    return Response(201 if created else 200, responses.lock(lock))


def delete(call: Call) -> Response:
    if call.cloud.authorization.lock(call.resource_id) is None:
        return Response(204)
    call.cloud.authorization.remove_lock(call.resource_id)
    return Response(200)
