"""Paths taken apart, patterns matched, lists in pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.arm.paging import page
from simulator.arm.path import arm_path
from simulator.arm.route import Call, Route
from simulator.arm.routing import RouteTable
from simulator.http import Request, Response
from tests.contract.arm_caller import ArmCaller

SUB = "/subscriptions/s"
GROUP = f"{SUB}/resourceGroups/g"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/c"


@pytest.mark.parametrize(
    ("method", "path", "action", "scope", "resource_id"),
    [
        ("GET", "/", "Microsoft.Resources/read", "/", "/"),
        ("GET", "/subscriptions", "Microsoft.Resources/subscriptions/read", "", "/subscriptions"),
        ("GET", SUB, "Microsoft.Resources/subscriptions/read", SUB, SUB),
        ("DELETE", GROUP, "Microsoft.Resources/subscriptions/resourceGroups/delete", GROUP, GROUP),
        (
            "GET",
            f"{GROUP}/resources",
            "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
            GROUP,
            f"{GROUP}/resources",
        ),
        ("PATCH", CLUSTER, "Microsoft.ContainerService/managedClusters/write", CLUSTER, CLUSTER),
        ("POST", f"{CLUSTER}/stop", "Microsoft.ContainerService/managedClusters/stop/action", CLUSTER, CLUSTER),
        (
            "GET",
            f"{CLUSTER}/trustedAccessRoleBindings",
            "Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings/read",
            CLUSTER,
            f"{CLUSTER}/trustedAccessRoleBindings",
        ),
        (
            "GET",
            f"{CLUSTER}/providers/Microsoft.KubernetesConfiguration/extensions",
            "Microsoft.KubernetesConfiguration/extensions/read",
            CLUSTER,
            f"{CLUSTER}/providers/Microsoft.KubernetesConfiguration/extensions",
        ),
        (
            "POST",
            f"{SUB}/providers/Microsoft.Storage/checkNameAvailability",
            "Microsoft.Storage/checkNameAvailability/read",
            SUB,
            f"{SUB}/providers/Microsoft.Storage",
        ),
    ],
)
def test_what_a_path_says(method: str, path: str, action: str, scope: str, resource_id: str) -> None:
    taken = arm_path(path)
    assert (taken.action(method), taken.scope(), taken.resource_id(method)) == (action, scope, resource_id)


def test_a_group_may_be_called_providers() -> None:
    taken = arm_path(f"{SUB}/resourceGroups/providers/providers/Microsoft.Storage/storageAccounts/a")
    assert (taken.resource_group, taken.namespace, taken.types) == (
        "providers",
        "Microsoft.Storage",
        ("storageAccounts",),
    )


@given(st.text(alphabet="/abprovidersubscriptions.{}-", max_size=80))
def test_no_path_breaks_the_parser(path: str) -> None:
    taken = arm_path(path)
    assert taken.path.startswith(taken.resource_id("POST").rstrip("/"))
    assert taken.scope() == taken.path or taken.path.startswith(taken.scope())


def answer(_: Call) -> Response:
    return Response(200)


def route(method: str, pattern: str, *versions: str) -> Route:
    return Route(method, pattern, frozenset(versions), answer)


def test_patterns_match_in_any_casing_and_keep_the_callers_values() -> None:
    table = RouteTable(
        [
            route("GET", "/subscriptions/{s}/resourceGroups/{g}", "1"),
            route("GET", "{scope*}/providers/My.Space/things/{name}", "1"),
            route("GET", "/files/{rest*}", "1"),
        ]
    )
    (group,) = table.matches("/SUBSCRIPTIONS/Aa/resourcegroups/Bb")
    assert group.params == {"s": "Aa", "g": "Bb"}
    (thing,) = table.matches(f"{CLUSTER}/providers/my.space/THINGS/Tt")
    assert thing.params == {"scope": CLUSTER, "name": "Tt"}
    (root,) = table.matches("/providers/My.Space/things/t")
    assert root.params["scope"] == ""
    (file,) = table.matches("/files/a/b/c")
    assert file.params == {"rest": "a/b/c"}
    assert table.matches("/subscriptions/a/resourceGroups/b/c") == []
    assert table.matches("/providers/My.Space/things/t/more") == []


def test_resource_types_come_from_the_routes_without_the_actions() -> None:
    base = "/subscriptions/{s}/resourceGroups/{g}/providers/My.Space/boxes"
    table = RouteTable(
        [
            route("GET", base, "1", "2"),
            route("PUT", f"{base}/{{b}}", "3"),
            route("GET", f"{base}/{{b}}/lids/{{l}}", "1"),
            route("POST", f"{base}/{{b}}/open", "1"),
        ]
    )
    assert table.resource_types("my.space") == {"boxes": {"1", "2", "3"}, "boxes/lids": {"1"}}
    assert table.namespaces() == ["My.Space"]


@given(count=st.integers(0, 30), size=st.integers(1, 12))
def test_pages_hold_everything_once_and_in_order(count: int, size: int) -> None:
    cloud = ARM.cloud
    query = {"api-version": "1", "$filter": "a b&c"}
    found: list[int] = []
    for _ in range(count + 2):
        request = Request("GET", "/x y", base_url="https://h", query=query)
        body = page(Call(cloud, request, {}, cloud.identity.app, "1", "/x y"), range(count), size).body
        found += body["value"]
        assert len(body["value"]) <= size
        if "nextLink" not in body:
            break
        assert body["nextLink"].startswith("https://h/x%20y?")
        query = {**query, "$skiptoken": body["nextLink"].rpartition("skiptoken=")[2].replace("%3D", "=")}
    assert found == list(range(count))


ARM = ArmCaller()
