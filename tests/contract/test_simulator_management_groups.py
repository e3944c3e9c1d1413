"""Management groups: the scope of a query, the rows about them, and what is granted at them."""

from typing import Any

import pytest

from simulator.arm.route import Principal
from simulator.http import Response
from tests.contract.arm_caller import CONTRIBUTOR, READER, ROLES, ArmCaller

GRAPH = "/providers/Microsoft.ResourceGraph/resources"
FIRST, SECOND, THIRD = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2, 3))
PLATFORM = "/providers/Microsoft.Management/managementGroups/platform"
NAMES = "resourcecontainers | where type endswith '/resourcegroups' | project name"
CHAINS = "resourcecontainers | where type == 'microsoft.resources/subscriptions' | project subscriptionId, chain"
CHAINS = CHAINS.replace("project", "extend chain = properties.managementGroupAncestorsChain | project")
GROUPS = "resourcecontainers | where type == 'microsoft.management/managementgroups' | order by name asc"
ASSIGNMENTS = "authorizationresources | extend at = tostring(properties.scope) | project id, at | order by at asc"


@pytest.fixture
async def arm() -> ArmCaller:
    """Three subscriptions with a resource group each; `shops` lies below `platform` and has the second."""
    arm = ArmCaller()
    for subscription in (SECOND, THIRD):
        await arm.control("POST", "subscriptions", {"id": subscription})
    for subscription in (FIRST, SECOND, THIRD):
        arm.cloud.resources.add_group(subscription, f"group-{subscription[-1]}", "westeurope")
    await arm.control("POST", "management-groups", {"name": "platform", "subscriptions": [FIRST]})
    order = {"name": "shops", "display_name": "The shops", "parent": "platform", "subscriptions": [SECOND]}
    made = await arm.control("POST", "management-groups", order)
    assert made.body == {
        "id": "/providers/Microsoft.Management/managementGroups/shops",
        "ancestors": ["platform", arm.cloud.identity.tenant_id],
    }
    await arm.clock.advance(arm.cloud.timings.resource_graph_lag)
    return arm


async def asked(
    arm: ArmCaller, query: str, *, principal: Principal | None = None, options: Any = None, **scope: Any
) -> Response:
    body = {"query": query, "options": options or {}, **scope}
    return await arm.call("POST", GRAPH, body, version="2024-04-01", principal=principal)


async def data(arm: ArmCaller, query: str, **said: Any) -> list[dict[str, Any]]:
    answer = await asked(arm, query, **said)
    assert answer.status == 200, answer.body
    rows: list[dict[str, Any]] = answer.body["data"]
    return rows


async def names(arm: ArmCaller, *groups: str) -> set[str]:
    return {row["name"] for row in await data(arm, NAMES, managementGroups=list(groups))}


async def test_a_group_stands_for_all_subscriptions_below_it(arm: ArmCaller) -> None:
    assert await names(arm, "platform") == {"group-1", "group-2"}
    assert await names(arm, "SHOPS") == {"group-2"}
    assert await names(arm, arm.cloud.identity.tenant_id) == {"group-1", "group-2", "group-3"}


async def test_a_subscription_that_moves_is_in_the_new_group_at_once(arm: ArmCaller) -> None:
    await arm.control("POST", "management-groups", {"name": "shops", "subscriptions": [THIRD]})
    assert await names(arm, "shops") == {"group-2", "group-3"}


async def test_rows_of_what_the_caller_may_not_read_are_left_out(arm: ArmCaller) -> None:
    reader = arm.cloud.identity.new_principal("reader")
    arm.cloud.authorization.grant(reader.object_id, READER, f"/subscriptions/{SECOND}")
    assert await data(arm, NAMES, principal=reader, managementGroups=["platform"]) == [{"name": "group-2"}]


async def test_subscriptions_tell_their_chain_from_the_parent_to_the_root(arm: ArmCaller) -> None:
    root = {"displayName": "Tenant Root Group", "name": arm.cloud.identity.tenant_id}
    platform, shops = ({"displayName": text, "name": name} for text, name in _GROUPS)
    found = {row["subscriptionId"]: row["chain"] for row in await data(arm, CHAINS)}
    assert found == {FIRST: [platform, root], SECOND: [shops, platform, root], THIRD: [root]}


_GROUPS = (("platform", "platform"), ("The shops", "shops"))


async def test_groups_are_rows_for_whoever_may_read_them(arm: ArmCaller) -> None:
    assert await data(arm, GROUPS) == []
    arm.cloud.authorization.grant(arm.cloud.identity.operator.object_id, READER, PLATFORM)
    platform, shops = await data(arm, GROUPS)
    assert (platform["name"], shops["name"], shops["id"]) == (
        "platform",
        "shops",
        PLATFORM.replace("platform", "shops"),
    )
    assert shops["properties"]["displayName"] == "The shops"
    details = shops["properties"]["details"]
    assert details["parent"]["name"] == "platform"
    assert [each["name"] for each in details["managementGroupAncestorsChain"]] == [
        "platform",
        arm.cloud.identity.tenant_id,
    ]
    assert [row["name"] for row in await data(arm, GROUPS, managementGroups=["shops"])] == ["shops"]
    assert await data(arm, GROUPS, subscriptions=[SECOND]) == []


async def test_a_role_at_a_group_counts_below_it(arm: ArmCaller) -> None:
    somebody = arm.cloud.identity.new_principal("somebody")
    path = f"/subscriptions/{SECOND}/resourceGroups/group-2"
    assert (await arm.call("GET", path, principal=somebody)).status == 403
    arm.cloud.authorization.grant(somebody.object_id, CONTRIBUTOR, PLATFORM)
    assert (await arm.call("GET", path, principal=somebody)).status == 200
    elsewhere = path.replace(SECOND, THIRD).replace("group-2", "group-3")
    assert (await arm.call("GET", elsewhere, principal=somebody)).status == 403
    listed = await arm.call(
        "GET", f"{path}/providers/Microsoft.Authorization/roleAssignments", version=ROLES, filter="atScope()"
    )
    assert PLATFORM in {each["properties"]["scope"] for each in listed.body["value"]}


async def test_the_graph_tells_of_roles_above_the_scope_when_it_is_asked_to(arm: ArmCaller) -> None:
    somebody = arm.cloud.identity.new_principal("somebody")
    arm.cloud.authorization.grant(somebody.object_id, READER, PLATFORM)
    await arm.clock.advance(2 * arm.cloud.timings.resource_graph_lag)
    own = [row["at"] for row in await data(arm, ASSIGNMENTS, subscriptions=[SECOND])]
    assert set(own) == {f"/subscriptions/{SECOND}"}
    above = {"authorizationScopeFilter": "AtScopeAboveAndBelow"}
    found = [row["at"] for row in await data(arm, ASSIGNMENTS, subscriptions=[SECOND], options=above)]
    assert found == [PLATFORM, *own]
    assert PLATFORM not in {row["at"] for row in await data(arm, ASSIGNMENTS, subscriptions=[THIRD], options=above)}
    exact = {"authorizationScopeFilter": "AtScopeExact"}
    assert (await asked(arm, ASSIGNMENTS, options=exact)).status == 501
    assert (await asked(arm, ASSIGNMENTS, options={"authorizationScopeFilter": "Everywhere"})).status == 400


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ({"managementGroups": ["nowhere"]}, "ManagementGroupsContainInvalidIds"),
        ({"managementGroups": ["shops"], "subscriptions": [FIRST]}, "BadRequest"),
        ({"managementGroups": "shops"}, "BadRequest"),
    ],
)
async def test_scopes_that_are_none(arm: ArmCaller, scope: dict[str, Any], code: str) -> None:
    answer = await asked(arm, NAMES, **scope)
    assert (answer.status, answer.body["error"]["details"][0]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("order", "target"),
    [
        ({"name": "a/b"}, "name"),
        ({"name": "x", "parent": "nowhere"}, "parent"),
        ({"name": "x", "subscriptions": ["00000000-0000-0000-0000-0000000000ff"]}, "subscriptions"),
        ({"name": "platform", "parent": "shops"}, "parent"),
        ({"name": "x", "other": 1}, "other"),
    ],
)
async def test_bad_orders_name_the_field(arm: ArmCaller, order: dict[str, Any], target: str) -> None:
    answer = await arm.control("POST", "management-groups", order)
    assert (answer.status, answer.body["error"]["target"]) == (400, target)


async def test_the_tree_is_six_levels_deep(arm: ArmCaller) -> None:
    above = "platform"
    for number in range(5):
        order = {"name": f"level-{number}", "parent": above}
        assert (await arm.control("POST", "management-groups", order)).status == 200
        above = f"level-{number}"
    assert (await arm.control("POST", "management-groups", {"name": "deeper", "parent": above})).status == 400
