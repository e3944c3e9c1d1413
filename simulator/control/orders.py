"""What the control endpoint can do, one function a request."""

import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from simulator.arm.faults import Fault
from simulator.control.fields import BadField, Fields
from simulator.http import Response
from simulator.providers.data_protection.behaviour import OUTCOMES
from simulator.timings import Timings

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_STATES = ("Registered", "NotRegistered")


def health(cloud: "Cloud", _: Fields) -> Response:
    """That it lives, and the fixed ids a test needs."""
    identity = cloud.identity
    return Response(
        200,
        {
            "status": "ok",
            "time": cloud.clock.now().isoformat(),
            "tenant": identity.tenant_id,
            "subscriptions": [found.id for found in cloud.resources.subscriptions()],
            "app": {"object_id": identity.app.object_id, "client_id": identity.app.application_id},
            "operator": {"object_id": identity.operator.object_id, "client_id": identity.operator.application_id},
        },
    )


def add_subscription(cloud: "Cloud", given: Fields) -> Response:
    """{id, display_name?, registrations?: {namespace: Registered | NotRegistered}} -> {id}; one that is there already
    gets the registrations."""
    subscription_id = given.required_text("id")
    display_name = given.text("display_name")
    registrations = given.sub("registrations")
    given.finish()
    try:
        UUID(subscription_id)
    except ValueError as error:
        raise BadField("id", "must be a GUID") from error
    wanted = {name: registrations.required_text(name, among=_STATES) for name in registrations.names()}
    added = cloud.resources.add_subscription(subscription_id, display_name)
    cloud.resource_graph.told(f"/subscriptions/{added.id}")
    for namespace, state in wanted.items():
        cloud.resources.register(added.id, namespace, state)
    return Response(200, {"id": added.id})


def put_management_group(cloud: "Cloud", given: Fields) -> Response:
    """{name, subscriptions?, parent?, display_name?} -> {id, ancestors}: a new group or changes of one; the
    subscriptions move to it from wherever they were. Without a parent a new group lies below the root."""
    name, display_name = given.required_text("name"), given.text("display_name")
    subscriptions = given.texts("subscriptions", most=10_000) or []
    parent_name = given.text("parent")
    given.finish()
    if not re.fullmatch(r"[-\w().]{1,90}", name) or name.endswith("."):
        raise BadField("name", "must be 1 to 90 letters, digits, -, _, (, ) and ., no period last")
    parent = cloud.management.get(parent_name) if parent_name else None
    if parent_name and parent is None:
        raise BadField("parent", f"there is no management group '{parent_name}'")
    for each in subscriptions:
        if cloud.resources.subscription(each) is None:
            raise BadField("subscriptions", f"there is no subscription '{each}'")
    try:
        group = cloud.management.put(name, display_name, parent, subscriptions)
    except ValueError as error:
        raise BadField("parent", str(error)) from error
    _, *above = group.chain()
    return Response(200, {"id": group.id, "ancestors": [each.name for each in above]})


def change_timings(cloud: "Cloud", given: Fields) -> Response:
    """{name: seconds, …, scope?} -> all timings. With `scope` only `role_propagation`: it then holds at that scope
    and below, for assignments made from now on."""
    scope = given.text("scope")
    known = [field.name for field in fields(Timings)]
    changes = {name: given.seconds(name) for name in known}
    given.finish()
    wanted: dict[str, Any] = {name: seconds for name, seconds in changes.items() if seconds is not None}
    if scope is None:
        cloud.timings = replace(cloud.timings, **wanted)
    else:
        if set(wanted) != {"role_propagation"}:
            raise BadField("scope", "goes with role_propagation only")
        cloud.authorization.slow_down(scope, wanted["role_propagation"])
    return Response(200, {name: getattr(cloud.timings, name) for name in known})


def add_fault(cloud: "Cloud", given: Fields) -> Response:
    """{match: {method?, path_regex?, nth?, times?}, then: {…}} -> {id}. `nth` counts matching calls from 1; without
    `times` it strikes once when `nth` is given, else until it is deleted."""
    match, then = given.sub("match"), given.sub("then")
    given.finish()
    pattern, nth = match.text("path_regex"), match.whole("nth", least=1, most=10**9)
    times = match.whole("times", least=1, most=10**9)
    method = match.text("method")
    try:
        path = re.compile(pattern, re.IGNORECASE) if pattern is not None else None
    except re.error as error:
        raise BadField("match.path_regex", f"is not a regular expression: {error}") from error
    fault = Fault(
        id=str(cloud.new_uuid()),
        method=method.upper() if method else None,
        path=path,
        nth=nth or 1,
        times=1 if times is None and nth is not None else times,
        status=then.whole("status", least=200, most=599),
        code=then.text("code"),
        retry_after=then.whole("retry_after", least=0, most=86_400),
        latency_seconds=then.seconds("latency_seconds") or 0,
        reset=then.flag("reset") or False,
        lose_answer=then.flag("lose_answer") or False,
    )
    match.finish()
    then.finish()
    _require_sense(fault)
    cloud.front_door.faults.add(fault)
    return Response(200, {"id": fault.id})


def _require_sense(fault: Fault) -> None:
    """Raises BadField for what contradicts itself or does nothing."""
    chosen = [name for name in ("status", "reset", "lose_answer") if getattr(fault, name)]
    if len(chosen) > 1:
        raise BadField(f"then.{chosen[1]}", f"does not go with {chosen[0]}")
    if not chosen and not fault.latency_seconds:
        raise BadField("then", "must have one of status, latency_seconds, reset, lose_answer")
    if fault.status is None:
        for name in ("code", "retry_after"):
            if getattr(fault, name) is not None:
                raise BadField(f"then.{name}", "goes with status only")


def add_job(cloud: "Cloud", given: Fields) -> Response:
    """{cluster, operation: Backup | Restore, outcome: completed | warnings | failed | oom, warnings?, code?} -> {id}: a
    job that starts now, runs its usual time and then ends that way, unless something it needs is missing. `warnings` is
    a number, or a list of resource names or {resourceName, code?, message?}; `code` is the error's or the warnings'."""
    cluster = given.required_text("cluster")
    operation = given.required_text("operation")
    if operation.lower() not in ("backup", "restore"):
        raise BadField("operation", f"must be Backup or Restore, not '{operation}'")
    outcome = given.required_text("outcome", among=OUTCOMES)
    warnings, code = given.raw("warnings"), given.text("code")
    given.finish()
    if cloud.container_service.cluster(cluster) is None:
        raise BadField("cluster", f"there is no cluster '{cluster}'")
    try:
        return Response(200, {"id": cloud.data_protection.add_job(cluster, operation, outcome, warnings, code)})
    except ValueError as error:
        raise BadField("warnings", str(error)) from error


def run_schedule(cloud: "Cloud", given: Fields) -> Response:
    """{cluster?} -> {ids} of the jobs: what the policy's schedule would do is done now, for one cluster or all."""
    cluster = given.text("cluster")
    given.finish()
    if cluster is not None and cloud.container_service.cluster(cluster) is None:
        raise BadField("cluster", f"there is no cluster '{cluster}'")
    return Response(200, {"ids": cloud.data_protection.run_schedule(cluster)})


def disturb_event_grid(cloud: "Cloud", given: Fields) -> Response:
    """{duplicate?, reorder?, delay_seconds?, lose?} -> how all four stand now."""
    duplicate, lose = given.chance("duplicate"), given.chance("lose")
    reorder, delay = given.flag("reorder"), given.seconds("delay_seconds")
    given.finish()
    now = cloud.event_grid.configure(duplicate=duplicate, reorder=reorder, delay_seconds=delay, lose=lose)
    return Response(200, now)


def dead_letters(cloud: "Cloud", _: Fields) -> Response:
    """What Event Grid gave up, as it lies in the dead-letter containers, oldest first."""
    return Response(200, cloud.event_grid.dead_letters())


def calls(cloud: "Cloud", _: Fields) -> Response:
    """Every call since the log was emptied, in the order they came."""
    return Response(200, [call.to_json() for call in cloud.front_door.calls.all()])


def clear_calls(cloud: "Cloud", _: Fields) -> Response:
    cloud.front_door.calls.clear()
    return Response(204)
