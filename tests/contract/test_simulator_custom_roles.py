"""Custom roles at several scopes: where they may be written, given and listed."""

import pytest

from simulator.timings import Timings
from tests.contract.arm_caller import ROLES, SUBSCRIPTION, ArmCaller, code

A, B = "21d6175a-5c3b-417a-8810-1ae81be867a7", "51578d1a-1b8c-41fe-b7b4-da04484739e0"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
SECOND = "/subscriptions/00000000-0000-0000-0000-000000000002"
PLATFORM, OTHER = (f"/providers/Microsoft.Management/managementGroups/{name}" for name in ("platform", "other"))
DEFINITION = f"providers/Microsoft.Authorization/roleDefinitions/{B}"


@pytest.fixture
async def arm() -> ArmCaller:
    """Two subscriptions, the first one below `platform`."""
    arm = ArmCaller(Timings(role_propagation=0, directory_replication=0))
    await arm.control("POST", "subscriptions", {"id": SECOND.rpartition("/")[2]})
    await arm.control("POST", "management-groups", {"name": "platform", "subscriptions": [SUBSCRIPTION[-36:]]})
    await arm.control("POST", "management-groups", {"name": "other"})
    return arm


def role(*scopes: str) -> dict[str, object]:
    permissions = [{"actions": ["Microsoft.Resources/subscriptions/resourceGroups/read"]}]
    return {"properties": {"roleName": "Looker", "assignableScopes": scopes, "permissions": permissions}}


async def test_a_role_is_given_only_where_it_is_assignable(arm: ArmCaller) -> None:
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    assert (await arm.call("PUT", f"{SUBSCRIPTION}/{DEFINITION}", role(SUBSCRIPTION), version=ROLES)).status == 201
    refused = await arm.assign(SECOND, B, person.object_id, A)
    assert (refused.status, code(refused)) == (400, "RoleAssignmentScopeNotAssignableToRoleDefinition")
    assert refused.body["error"]["message"] == "The role Looker is not available for assignment at the requested scope."
    assert arm.cloud.authorization.assignments_of(person.object_id) == []
    assert (await arm.assign(group, B, person.object_id, A)).status == 201
    assert (await arm.call("GET", group, principal=person)).status == 200
    await arm.call("PUT", f"{SUBSCRIPTION}/{DEFINITION}", role(SUBSCRIPTION, SECOND), version=ROLES)
    assert (await arm.assign(SECOND, B, person.object_id, B)).status == 201


async def test_a_role_of_a_management_group_is_given_at_it_and_below(arm: ArmCaller) -> None:
    operator, person = arm.cloud.identity.operator, arm.cloud.identity.new_principal("person")
    early = await arm.call("PUT", f"{PLATFORM}/{DEFINITION}", role(PLATFORM), version=ROLES)
    assert (early.status, code(early)) == (403, "AuthorizationFailed")
    arm.cloud.authorization.grant(operator.object_id, OWNER, PLATFORM)
    assert (await arm.call("PUT", f"{PLATFORM}/{DEFINITION}", role(PLATFORM), version=ROLES)).status == 201
    beside = await arm.assign(SECOND, B, person.object_id, A)
    assert code(beside) == "RoleAssignmentScopeNotAssignableToRoleDefinition"
    group = await arm.group()
    assert (await arm.call("GET", group, principal=person)).status == 403
    assert (await arm.assign(PLATFORM, B, person.object_id, A)).status == 201
    assert (await arm.call("GET", group, principal=person)).status == 200
    assert (await arm.assign(group, B, person.object_id, B)).status == 201
    for scope, listed in ((PLATFORM, True), (SUBSCRIPTION, True), (SECOND, False)):
        path = f"{scope}/providers/Microsoft.Authorization/roleDefinitions"
        found = await arm.call("GET", path, version=ROLES, filter="type eq 'CustomRole'")
        assert [each["name"] for each in found.body["value"]] == ([B] if listed else [])


@pytest.mark.parametrize("scopes", [("/",), (SUBSCRIPTION, "/"), (PLATFORM, OTHER)])
async def test_scopes_a_custom_role_cannot_have(arm: ArmCaller, scopes: tuple[str, ...]) -> None:
    answer = await arm.call("PUT", f"{SUBSCRIPTION}/{DEFINITION}", role(*scopes), version=ROLES)
    assert (answer.status, code(answer)) == (400, "InvalidRoleDefinition")
    assert (await arm.call("GET", f"{SUBSCRIPTION}/{DEFINITION}", version=ROLES)).status == 404


@pytest.mark.parametrize("scope", [OTHER, "/subscriptions/00000000-0000-0000-0000-00000000000f"])
async def test_who_writes_a_role_needs_the_right_at_all_its_scopes(arm: ArmCaller, scope: str) -> None:
    answer = await arm.call("PUT", f"{SUBSCRIPTION}/{DEFINITION}", role(SUBSCRIPTION, scope), version=ROLES)
    assert (answer.status, code(answer)) == (403, "LinkedAuthorizationFailed")
    assert f"on the linked scope(s) '{scope}'" in answer.body["error"]["message"]


async def test_a_scope_stays_assignable_while_the_role_is_given_there(arm: ArmCaller) -> None:
    person = arm.cloud.identity.new_principal("person")
    await arm.call("PUT", f"{SUBSCRIPTION}/{DEFINITION}", role(SUBSCRIPTION, SECOND), version=ROLES)
    given = await arm.assign(SECOND, B, person.object_id, A)
    fewer = await arm.call("PUT", f"{SUBSCRIPTION}/{DEFINITION}", role(SUBSCRIPTION), version=ROLES)
    assert (fewer.status, code(fewer)) == (400, "RoleScopeBeingRemovedContainsAssignments")
    assert SECOND in fewer.body["error"]["message"]
    await arm.call("DELETE", given.body["id"], version=ROLES)
    assert (await arm.call("PUT", f"{SUBSCRIPTION}/{DEFINITION}", role(SUBSCRIPTION), version=ROLES)).status == 201


BACKUP = "Microsoft.DataProtection"
UNPUBLISHED = f"{BACKUP}/backupInstances/read"


async def written(arm: ArmCaller, actions: list[str], not_actions: list[str] | None = None) -> tuple[int, str]:
    """Status, and what was wrong."""
    body = role(SUBSCRIPTION)
    body["properties"]["permissions"] = [{"actions": actions, "notActions": not_actions or []}]  # type: ignore[index]
    answer = await arm.call("PUT", f"{SUBSCRIPTION}/{DEFINITION}", body, version=ROLES)
    return (answer.status, "" if answer.status == 201 else f"{code(answer)}: {answer.body['error']['message']}")


@pytest.mark.parametrize(
    "action", [UNPUBLISHED, "Microsoft.KubernetesConfiguration/extension/read", f"{BACKUP}/backup*/purge/action"]
)
async def test_one_action_that_nobody_publishes_refuses_the_whole_role(arm: ArmCaller, action: str) -> None:
    said = f"InvalidActionOrNotAction: '{action}' does not match any of the actions supported by the providers."
    assert await written(arm, [f"{BACKUP}/backupVaults/read", action]) == (400, said)
    assert await written(arm, [f"{BACKUP}/*"], [action]) == (400, said)
    assert (await arm.call("GET", f"{SUBSCRIPTION}/{DEFINITION}", version=ROLES)).status == 404


async def test_a_pattern_passes_for_what_it_matches_and_gives_what_is_not_published_too(arm: ArmCaller) -> None:
    person = arm.cloud.identity.new_principal("person").object_id
    assert await written(arm, [f"{BACKUP}/*/read"]) == (201, "")
    await arm.assign(SUBSCRIPTION, B, person, A)
    assert arm.cloud.authorization.allowed(person, UNPUBLISHED, SUBSCRIPTION)
    assert not arm.cloud.authorization.allowed(person, f"{BACKUP}/backupVaults/write", SUBSCRIPTION)


@pytest.mark.parametrize(
    "action", ["*", "*/read", f"{BACKUP}/*", f"{BACKUP}/BACKUPVAULTS/Write", "Microsoft.Other/a/read"]
)
async def test_case_does_not_count_and_namespaces_without_a_list_are_not_looked_at(arm: ArmCaller, action: str) -> None:
    assert await written(arm, [action]) == (201, "")
