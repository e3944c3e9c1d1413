"""Role assignments that act only once they have spread, role definitions, locks."""

from uuid import UUID

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.mgmt.authorization.aio import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters

from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.providers.authorization.assignments import LIMIT
from simulator.timings import Timings
from simulator.transport import BASE_URL, AllowHttp, SimulatedCredential, SimulatedTransport
from tests.contract.arm_caller import CONTRIBUTOR, READER, ROLES, SUBSCRIPTION, ArmCaller, code

A, B = "21d6175a-5c3b-417a-8810-1ae81be867a7", "51578d1a-1b8c-41fe-b7b4-da04484739e0"
BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"


@pytest.fixture
def arm() -> ArmCaller:
    return ArmCaller(Timings(role_propagation=120, directory_replication=20))


def custom_role(name: str, actions: list[str], not_actions: list[str] | None = None) -> dict[str, object]:
    permissions = [{"actions": actions, "notActions": not_actions or []}]
    return {"properties": {"roleName": name, "assignableScopes": [SUBSCRIPTION], "permissions": permissions}}


async def test_an_assignment_acts_only_when_it_has_spread(arm: ArmCaller) -> None:
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    assert (await arm.assign(group, READER, person.object_id, A)).status == 201
    listed = await arm.call("GET", f"{group}/providers/Microsoft.Authorization/roleAssignments", version=ROLES)
    assert A in [each["name"] for each in listed.body["value"]]
    await arm.clock.advance(119)
    assert (await arm.call("GET", group, principal=person)).status == 403
    assert not arm.cloud.authorization.has_role(person.object_id, READER, group)
    await arm.clock.advance(1)
    assert (await arm.call("GET", group, principal=person)).status == 200
    assert arm.cloud.authorization.has_role(person.object_id, READER, group)


async def test_how_long_it_takes_can_be_set_for_a_scope(arm: ArmCaller) -> None:
    slow, other = await arm.group("slow"), await arm.group("other")
    await arm.control("POST", "timings", {"role_propagation": 600, "scope": slow.upper()})
    person = arm.cloud.identity.new_principal("person")
    await arm.assign(slow, READER, person.object_id, A)
    await arm.assign(other, READER, person.object_id, B)
    await arm.clock.advance(120)
    assert (await arm.call("GET", other, principal=person)).status == 200
    assert (await arm.call("GET", slow, principal=person)).status == 403
    await arm.clock.advance(480)
    assert (await arm.call("GET", slow, principal=person)).status == 200


async def test_taking_it_away_acts_at_once(arm: ArmCaller) -> None:
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    made = await arm.assign(group, READER, person.object_id, A)
    await arm.clock.advance(120)
    gone = await arm.call("DELETE", made.body["id"], version=ROLES)
    assert (gone.status, gone.body["name"]) == (200, A)
    assert (await arm.call("GET", group, principal=person)).status == 403
    assert (await arm.call("DELETE", made.body["id"], version=ROLES)).status == 204
    missing = await arm.call("GET", made.body["id"], version=ROLES)
    assert (missing.status, code(missing)) == (404, "RoleAssignmentNotFound")


async def test_rights_hold_below_a_scope_and_not_beside_it(arm: ArmCaller) -> None:
    authorization, person = arm.cloud.authorization, arm.cloud.identity.new_principal("person")
    group = f"{SUBSCRIPTION}/resourceGroups/rg"
    authorization.grant(person.object_id, READER, group)
    for scope, holds in (
        (group, True),
        (f"{group.upper()}/providers/X/y/z", True),
        (f"{group}-other", False),
        (SUBSCRIPTION, False),
        ("", False),
    ):
        assert authorization.has_role(person.object_id, READER.upper(), scope) is holds
        assert authorization.allowed(person.object_id, "X/y/read", scope) is holds
    assert not authorization.allowed(person.object_id, "X/y/write", group)


async def test_data_actions_are_apart_from_actions(arm: ArmCaller) -> None:
    authorization, person = arm.cloud.authorization, arm.cloud.identity.new_principal("person")
    authorization.grant(person.object_id, BLOB_CONTRIBUTOR, SUBSCRIPTION)
    assert authorization.allowed(person.object_id, f"{BLOBS}/write", SUBSCRIPTION, data=True)
    assert not authorization.allowed(person.object_id, f"{BLOBS}/write", SUBSCRIPTION)
    assert authorization.allowed(person.object_id, BLOBS.removesuffix("blobs") + "write", SUBSCRIPTION)
    authorization.grant(person.object_id, CONTRIBUTOR, SUBSCRIPTION)
    other = arm.cloud.identity.new_principal("other")
    authorization.grant(other.object_id, CONTRIBUTOR, SUBSCRIPTION)
    assert not authorization.allowed(other.object_id, f"{BLOBS}/read", SUBSCRIPTION, data=True)


async def test_an_exclusion_takes_away_from_its_own_role_only(arm: ArmCaller) -> None:
    person, action = arm.cloud.identity.new_principal("person"), "Microsoft.Authorization/roleAssignments/write"
    arm.cloud.authorization.grant(person.object_id, CONTRIBUTOR, SUBSCRIPTION)
    assert not arm.cloud.authorization.allowed(person.object_id, action, SUBSCRIPTION)
    role_administrator = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
    arm.cloud.authorization.grant(person.object_id, role_administrator, SUBSCRIPTION)
    assert arm.cloud.authorization.allowed(person.object_id, action, SUBSCRIPTION)


async def test_a_fresh_principal_needs_its_type_said(arm: ArmCaller) -> None:
    group, fresh = await arm.group(), arm.cloud.identity.new_principal("fresh")
    early = await arm.assign(group, READER, fresh.object_id, A, kind=None)
    assert (early.status, code(early)) == (400, "PrincipalNotFound")
    assert fresh.object_id.replace("-", "") in early.body["error"]["message"]
    wrong = await arm.assign(group, READER, fresh.object_id, A, kind="User")
    assert (wrong.status, code(wrong)) == (400, "UnmatchedPrincipalType")
    assert (await arm.assign(group, READER, fresh.object_id, A)).status == 201
    await arm.clock.advance(20)
    late = await arm.assign(group, CONTRIBUTOR, fresh.object_id, B, kind=None)
    assert (late.status, late.body["properties"]["principalType"]) == (201, "ServicePrincipal")
    assert (await arm.assign(group, READER, str(UUID(int=5)), str(UUID(int=6)), kind=None)).status == 400


async def test_the_same_again_is_the_same(arm: ArmCaller) -> None:
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    first = await arm.assign(group, READER, person.object_id, A)
    again = await arm.assign(group, READER, person.object_id, A)
    assert (first.status, again.status) == (201, 200)
    assert first.body["id"] == again.body["id"]
    assert len(arm.cloud.authorization.assignments_of(person.object_id)) == 1


async def test_the_same_under_another_name_names_the_one_there(arm: ArmCaller) -> None:
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    await arm.assign(group, READER, person.object_id, A)
    answer = await arm.assign(group.upper(), READER, person.object_id.upper(), B)
    assert (answer.status, code(answer)) == (409, "RoleAssignmentExists")
    assert answer.body["error"]["message"].endswith(f"The ID of the existing role assignment is {A.replace('-', '')}.")


async def test_another_assignment_under_the_same_name_is_refused(arm: ArmCaller) -> None:
    group = await arm.group()
    one, two = arm.cloud.identity.new_principal("one"), arm.cloud.identity.new_principal("two")
    await arm.assign(group, READER, one.object_id, A)
    for role, principal in ((READER, two), (CONTRIBUTOR, one)):
        answer = await arm.assign(group, role, principal.object_id, A)
        assert (answer.status, code(answer)) == (400, "RoleAssignmentUpdateNotPermitted")


@pytest.mark.parametrize(
    ("scope", "role", "name", "status", "said"),
    [
        ("", READER, "not-a-guid", 400, "InvalidRoleAssignmentId"),
        ("", str(UUID(int=9)), A, 404, "RoleDefinitionDoesNotExist"),
        ("none", READER, A, 404, "ResourceGroupNotFound"),
        ("/providers/Microsoft.Storage/storageAccounts/none", READER, A, 404, "ResourceNotFound"),
    ],
)
async def test_what_cannot_be_assigned(
    arm: ArmCaller, scope: str, role: str, name: str, status: int, said: str
) -> None:
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    answer = await arm.assign(group + scope, role, person.object_id, name)
    assert (answer.status, code(answer)) == (status, said)
    assert arm.cloud.authorization.assignments_of(person.object_id) == []


async def test_a_subscription_holds_four_thousand(arm: ArmCaller) -> None:
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    held = arm.cloud.authorization.count_in(FIRST_SUBSCRIPTION)
    for number in range(LIMIT - held):
        arm.cloud.authorization.grant(person.object_id, READER, f"{group}/providers/X/y/z{number}")
    full = await arm.assign(group, READER, person.object_id, A)
    assert (full.status, code(full)) == (400, "RoleAssignmentLimitExceeded")
    arm.cloud.authorization.remove(arm.cloud.authorization.assignments_of(person.object_id)[0])
    assert (await arm.assign(group, READER, person.object_id, A)).status == 201


@pytest.mark.parametrize(
    ("at", "expression", "names"),
    [
        ("group", None, ["above", "at", "below"]),
        ("group", "atScope()", ["above", "at"]),
        ("subscription", "atScope()", ["above"]),
        ("subscription", None, ["above", "at", "below", "beside"]),
        ("group", "principalId eq '{}'", ["above", "at", "below"]),
        ("group", "atScope() and assignedTo('{}')", ["above", "at"]),
        ("resource", "principalId eq '{}'", ["above", "at", "below"]),
    ],
)
async def test_lists_at_a_scope(arm: ArmCaller, at: str, expression: str | None, names: list[str]) -> None:
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    resource = f"{group}/providers/Microsoft.Things/things/t"
    scopes = {"above": SUBSCRIPTION, "at": group, "below": resource, "beside": await arm.group("beside")}
    for scope in scopes.values():
        arm.cloud.authorization.grant(person.object_id, READER, scope)
    place = {"group": group, "subscription": SUBSCRIPTION, "resource": resource}[at]
    path = f"{place}/providers/Microsoft.Authorization/roleAssignments"
    wanted = "" if expression is None else expression.format(person.object_id)
    listed = await arm.call("GET", path, version=ROLES, filter=wanted)
    theirs = [each for each in listed.body["value"] if each["properties"]["principalId"] == person.object_id]
    assert sorted(each["properties"]["scope"] for each in theirs) == sorted(scopes[name] for name in names)


async def test_a_filter_nobody_understands_is_refused(arm: ArmCaller) -> None:
    path = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments"
    answer = await arm.call("GET", path, version=ROLES, filter="scope eq 'x'")
    assert (answer.status, code(answer)) == (400, "UnsupportedQuery")


async def test_a_read_names_the_creator_whom_the_creation_left_out(arm: ArmCaller) -> None:
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    answer = await arm.assign(group, READER, person.object_id, A)
    assert answer.body["properties"]["createdBy"] is None
    read = await arm.call("GET", answer.body["id"], version=ROLES)
    assert read.body["properties"]["createdBy"] == arm.cloud.identity.operator.object_id


async def test_definitions_by_name_and_by_guid(arm: ArmCaller) -> None:
    path = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
    listed = await arm.call("GET", path, version=ROLES, filter="roleName eq 'disk snapshot contributor'")
    (found,) = listed.body["value"]
    assert found["id"] == f"{path}/7efff54f-a5b4-42b5-a1c5-5411624893ce"
    one = await arm.call("GET", f"{path}/{READER}", version=ROLES)
    assert one.body["properties"]["permissions"][0]["actions"] == ["*/read"]
    assert one.body["properties"]["type"] == "BuiltInRole"
    assert (await arm.call("GET", f"{path}/{UUID(int=1)}", version=ROLES)).status == 404
    assert len((await arm.call("GET", path, version=ROLES)).body["value"]) > 25


async def test_a_custom_role_gives_what_it_says(arm: ArmCaller) -> None:
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    path = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{B}"
    body = custom_role("Group toucher", ["Microsoft.Resources/*/resourceGroups/*"], ["*/delete"])
    assert (await arm.call("PUT", path, body, version=ROLES)).status == 201
    same_name = await arm.call("PUT", path.replace(B, A), custom_role("group toucher", []), version=ROLES)
    assert (same_name.status, code(same_name)) == (409, "RoleDefinitionWithSameNameExists")
    built_in = await arm.call("PUT", path.replace(B, READER), body, version=ROLES)
    assert (built_in.status, code(built_in)) == (400, "RoleDefinitionUpdateNotPermitted")
    await arm.assign(group, B, person.object_id, A)
    await arm.clock.advance(120)
    assert (await arm.call("PATCH", group, {"tags": {}}, principal=person)).status == 200
    assert (await arm.call("DELETE", group, principal=person)).status == 403
    in_use = await arm.call("DELETE", path, version=ROLES)
    assert (in_use.status, code(in_use)) == (400, "RoleDefinitionHasAssignments")


@pytest.mark.parametrize(
    ("level", "put", "delete"), [("ReadOnly", "ScopeLocked", "ScopeLocked"), ("CanNotDelete", None, "ScopeLocked")]
)
async def test_locks_stop_changes_here_and_below(arm: ArmCaller, level: str, put: str | None, delete: str) -> None:
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    lock = f"{group}/providers/Microsoft.Authorization/locks/keep"
    made = await arm.call("PUT", lock, {"properties": {"level": level, "notes": "why"}}, version="2016-09-01")
    assert (made.status, made.body["properties"]) == (201, {"level": level, "notes": "why"})
    changed = await arm.call("PATCH", group, {"tags": {"a": "1"}})
    assigned = await arm.assign(group, READER, person.object_id, A)
    deleted = await arm.call("DELETE", group)
    assert (changed.status, assigned.status) == ((409, 409) if put else (200, 201))
    if put:
        assert code(changed) == put
    assert (deleted.status, code(deleted)) == (409, delete)
    assert f"are locked: '{group}'" in deleted.body["error"]["message"]
    assert (await arm.call("GET", group)).status == 200
    assert (await arm.call("DELETE", lock, version="2016-09-01")).status == 200
    assert (await arm.call("DELETE", group)).status == 202


async def test_a_lock_on_a_resource_keeps_its_group(arm: ArmCaller) -> None:
    group = await arm.group()
    lock = f"{group}/providers/X/y/z/providers/Microsoft.Authorization/locks/keep"
    await arm.call("PUT", lock, {"properties": {"level": "CanNotDelete"}}, version="2016-09-01")
    assert code(await arm.call("DELETE", group)) == "ScopeLocked"
    app = arm.cloud.identity.app
    assert (await arm.call("DELETE", lock, version="2016-09-01", principal=app)).status == 403


async def test_the_sdk_assigns_finds_and_removes(arm: ArmCaller) -> None:
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    async with AuthorizationManagementClient(
        SimulatedCredential(arm.cloud),
        FIRST_SUBSCRIPTION,
        base_url=BASE_URL,
        transport=SimulatedTransport(arm.cloud),
        per_call_policies=[AllowHttp()],
    ) as client:
        definition = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{READER}"
        wanted = {
            "role_definition_id": definition,
            "principal_id": person.object_id,
            "principal_type": "ServicePrincipal",
        }
        made = await client.role_assignments.create(group, A, RoleAssignmentCreateParameters(**wanted))
        assert (made.scope, made.name) == (group, A)
        with pytest.raises(ResourceExistsError) as twice:
            await client.role_assignments.create(group, B, RoleAssignmentCreateParameters(**wanted))
        assert twice.value.error is not None
        assert twice.value.error.code == "RoleAssignmentExists"
        found = client.role_assignments.list_for_scope(group, filter=f"principalId eq '{person.object_id}'")
        assert [each.name async for each in found] == [A]
        by_id = await client.role_assignments.get_by_id(str(made.id))
        assert by_id.role_definition_id == definition
        await client.role_assignments.delete(group, A)
    assert arm.cloud.authorization.assignments_of(person.object_id) == []


@pytest.mark.parametrize("namespace", ["Microsoft.Authorization", "microsoft.authorization"])
async def test_nobody_gives_itself_a_role_at_the_tenant_however_it_spells_the_path(
    arm: ArmCaller, namespace: str
) -> None:
    app = arm.cloud.identity.app
    role = "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    body = {"properties": {"roleDefinitionId": role, "principalId": app.object_id, "principalType": "ServicePrincipal"}}
    path = f"/providers/{namespace}/roleAssignments/{A}"
    assert (await arm.call("PUT", path, body, version=ROLES, principal=app)).status == 403
