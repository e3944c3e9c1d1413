"""Conditions of role assignments: what they let through, what is no condition, and how Azure refuses."""

from uuid import UUID

import pytest

from simulator.arm.route import Principal
from simulator.http import Request, Response
from simulator.providers.authorization.conditions import (
    LONGEST,
    PRINCIPAL_ID,
    PRINCIPAL_TYPE,
    ROLE_DEFINITION_ID,
    UNSAID,
    Attributes,
    InvalidCondition,
    parse,
)
from simulator.timings import Timings
from tests.contract.arm_caller import CONTRIBUTOR, READER, ROLES, SUBSCRIPTION, ArmCaller, code

A, B, C, D, E = (str(UUID(int=number)) for number in range(1, 6))
WRITE, DELETE = (f"Microsoft.Authorization/roleAssignments/{verb}" for verb in ("write", "delete"))
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
ROLE_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
ME = "a0000000-0000-0000-0000-00000000000a"


def guarded(source: str, action: str, terms: str) -> str:
    terms = terms.replace("@", f"@{source}[Microsoft.Authorization/roleAssignments:")
    return f"((!(ActionMatches{{'{action}'}})) OR ({terms}))"


TERMS = (
    f"@RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{READER}, {CONTRIBUTOR}}} "
    "AND @PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'} "
    f"AND @PrincipalId] ForAnyOfAllValues:GuidNotEquals {{{ME}}}"
)
CONDITION = f"{guarded('Request', WRITE, TERMS)} AND {guarded('Resource', DELETE, TERMS)}"


def said(role: str = READER, principal: str = A, kind: str | None = "ServicePrincipal") -> dict[str, str]:
    given = {ROLE_DEFINITION_ID: role, PRINCIPAL_ID: principal}
    return given if kind is None else {**given, PRINCIPAL_TYPE: kind}


@pytest.mark.parametrize(
    ("action", "about", "allowed"),
    [
        (WRITE, Attributes(request=said()), True),
        (WRITE.upper(), Attributes(request=said(role=CONTRIBUTOR.upper(), kind="serviceprincipal")), True),
        (WRITE, Attributes(request=said(role=OWNER)), False),
        (WRITE, Attributes(request=said(principal=ME.upper())), False),
        (WRITE, Attributes(request=said(kind="User")), False),
        (WRITE, Attributes(request=said(kind=None)), False),
        (WRITE, Attributes(resource=said()), False),
        (WRITE, UNSAID, False),
        (DELETE, Attributes(resource=said()), True),
        (DELETE, Attributes(resource=said(role=OWNER)), False),
        (DELETE, Attributes(resource=said(principal=ME)), False),
        (DELETE, Attributes(resource=said(kind="Group")), False),
        (DELETE, Attributes(request=said()), False),
        (DELETE, UNSAID, False),
        ("Microsoft.Authorization/roleAssignments/read", UNSAID, True),
        ("Microsoft.Compute/disks/read", UNSAID, True),
    ],
)
def test_what_a_condition_lets_through(action: str, about: Attributes, allowed: bool) -> None:
    assert parse(CONDITION)(action, about) is allowed


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("{} GuidEquals " + READER, True),
        ("{} GuidEquals {{" + READER.upper() + "}}", True),
        ("{} GuidNotEquals " + READER, False),
        ("{} ForAnyOfAnyValues:GuidNotEquals {{" + f"{READER}, {OWNER}" + "}}", True),
        ("{} ForAllOfAnyValues:GuidEquals {{" + f"{READER}, {OWNER}" + "}}", True),
        ("{} ForAnyOfAllValues:GuidNotEquals {{" + f"{READER}, {OWNER}" + "}}", False),
        ("{} ForAllOfAllValues:GuidNotEquals {{" + f"{OWNER}, {CONTRIBUTOR}" + "}}", True),
        ("NOT {} GuidEquals " + READER, False),
        ("!!({} GuidEquals " + READER + ")", True),
        ("{} GuidEquals " + OWNER + " || {} GuidEquals " + READER, True),
        ("{} GuidEquals " + OWNER + " or ({} GuidEquals " + READER + " && ActionMatches{{'X/*'}})", True),
        ("{} GuidEquals " + READER + " and ActionMatches{{'X/y/z'}}", False),
        ("Exists {}", True),
        ("NOT Exists @Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId]", True),
        ("{} GuidEquals @Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId]", False),
        ("{} GuidNotEquals @Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId]", False),
    ],
)
def test_guids_and_how_terms_are_joined(text: str, holds: bool) -> None:
    condition = parse(text.format(*["@request[microsoft.authorization/ROLEASSIGNMENTS:roledefinitionid]"] * 2))
    assert condition("X/y", Attributes(request=said())) is holds


@pytest.mark.parametrize(
    ("terms", "holds"),
    [
        ("StringEquals 'ServicePrincipal'", True),
        ("StringEquals 'serviceprincipal'", False),
        ("StringEqualsIgnoreCase 'serviceprincipal'", True),
        ("StringNotEquals 'serviceprincipal'", True),
        ("StringNotEqualsIgnoreCase 'serviceprincipal'", False),
        ("StringLike 'Service*'", True),
        ("StringLike 'service*'", False),
        ("StringLikeIgnoreCase 'service?rincipal'", True),
        (r"StringLike 'Service\*'", False),
        ("StringNotLike 'Service*'", False),
        ("StringStartsWith 'Serv'", True),
        ("StringNotStartsWithIgnoreCase 'serv'", False),
        ("ForAnyOfAnyValues:StringEquals {'User', 'ServicePrincipal'}", True),
        ("ForAnyOfAnyValues:StringNotEquals {'User', 'ServicePrincipal'}", True),
        ("ForAllOfAllValues:StringNotEquals {'User', 'ServicePrincipal'}", False),
    ],
)
def test_strings(terms: str, holds: bool) -> None:
    condition = parse(f"@Request[{PRINCIPAL_TYPE}] {terms}")
    assert condition(WRITE, Attributes(request=said())) is holds
    assert condition(WRITE, Attributes(request=said(kind=None))) is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(",
        CONDITION + ")",
        CONDITION[:-1],
        "ActionMatches{'a'} AND ActionMatches{'b'} OR ActionMatches{'c'}",
        "ActionMatches{'a'} ActionMatches{'b'}",
        "ActionMatches{a}",
        "ActionMatches{'a}",
        "ActionMatches{}",
        "SubOperationMatches{'Blob.List'}",
        "@Request[Microsoft.Authorization/roleAssignments:RoleDefinition] GuidEquals " + READER,
        "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:A_b] StringEquals 'c'",
        f"@Request[{ROLE_DEFINITION_ID}] GuidEquals '{READER}'",
        f"@Request[{ROLE_DEFINITION_ID}] GuidEquals {READER[:-1]}",
        f"@Request[{ROLE_DEFINITION_ID}] StringEquals '{READER}'",
        f"@Request[{PRINCIPAL_TYPE}] GuidEquals {READER}",
        f"@Request[{PRINCIPAL_TYPE}] StringEquals User",
        f"@Request[{PRINCIPAL_TYPE}] StringEquals {{'User', 'Group'}}",
        f"@Request[{PRINCIPAL_TYPE}] StringSame 'User'",
        f"@Request[{PRINCIPAL_TYPE}] ForSomeOfAnyValues:StringEquals {{'User'}}",
        f"@Request[{PRINCIPAL_TYPE}]",
        f"@Request[{PRINCIPAL_TYPE} StringEquals 'User'",
        "ActionMatches{'a'}" + " " * LONGEST + "AND ActionMatches{'b'}",
    ],
)
async def test_what_is_no_condition_is_refused_with_the_assignment(text: str) -> None:
    with pytest.raises(InvalidCondition):
        parse(text)
    arm = ArmCaller()
    answer = await conditioned(arm, await arm.group(), A, arm.cloud.identity.app, text)
    assert (answer.status, code(answer)) == (400, "InvalidRoleAssignmentCondition")
    assert "The given role assignment condition is invalid." in answer.body["error"]["message"]
    listed = await arm.call("GET", f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments", version=ROLES)
    assert A not in [each["name"] for each in listed.body["value"]]


async def conditioned(
    arm: ArmCaller, scope: str, name: str, to: Principal, condition: str | None, version: str | None = "2.0"
) -> Response:
    properties = {
        "roleDefinitionId": f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ROLE_ADMINISTRATOR}",
        "principalId": to.object_id,
        "principalType": "ServicePrincipal",
        "condition": condition,
        "conditionVersion": version,
    }
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    return await arm.call("PUT", path, {"properties": properties}, version=ROLES)


@pytest.fixture
def arm() -> ArmCaller:
    return ArmCaller(Timings(role_propagation=0, directory_replication=0))


@pytest.fixture
async def guard(arm: ArmCaller) -> Principal:
    """Somebody who may give Reader and Contributor to service principals, but not to itself."""
    guard = arm.cloud.identity.new_principal("guard")
    mine = CONDITION.replace(ME, guard.object_id)
    assert (await conditioned(arm, SUBSCRIPTION, E, guard, mine)).status == 201
    return guard


async def test_who_gives_roles_under_a_condition_gives_those_only(arm: ArmCaller, guard: Principal) -> None:
    group, other = await arm.group(), arm.cloud.identity.new_principal("other")
    assert (await arm.assign(group, READER, other.object_id, A, principal=guard)).status == 201
    for role, whom, kind in (
        (OWNER, other.object_id, "ServicePrincipal"),
        (ROLE_ADMINISTRATOR, other.object_id, "ServicePrincipal"),
        (READER, guard.object_id, "ServicePrincipal"),
        (READER, str(UUID(int=77)), "User"),
        (CONTRIBUTOR, other.object_id, None),
    ):
        refused = await arm.assign(group, role, whom, B, kind=kind, principal=guard)
        assert (refused.status, code(refused)) == (403, "AuthorizationFailed")
        assert (
            f"has an authorization with ABAC condition that is not fulfilled to perform action '{WRITE}'"
            in (refused.body["error"]["message"])
        )
    held = arm.cloud.authorization.assignments_of(other.object_id)
    assert [(each.name, each.role_guid) for each in held] == [(A, READER)]
    assert arm.cloud.authorization.assignments_of(guard.object_id)[0].name == E
    assert len(arm.cloud.authorization.assignments_of(guard.object_id)) == 1


async def test_who_takes_roles_away_under_a_condition_takes_those_only(arm: ArmCaller, guard: Principal) -> None:
    group, other = await arm.group(), arm.cloud.identity.new_principal("other")
    person = arm.cloud.identity.new_principal("person", kind="User")
    await arm.assign(group, READER, other.object_id, A)
    await arm.assign(group, OWNER, other.object_id, B)
    await arm.assign(group, READER, guard.object_id, C)
    await arm.assign(group, READER, person.object_id, D, kind="User")
    path = f"{group}/providers/Microsoft.Authorization/roleAssignments"
    for name in (B, C, D):
        refused = await arm.call("DELETE", f"{path}/{name}", version=ROLES, principal=guard)
        assert (refused.status, code(refused)) == (403, "AuthorizationFailed")
    assert (await arm.call("DELETE", f"{path}/{A}", version=ROLES, principal=guard)).status == 200
    assert [each.name for each in arm.cloud.authorization.assignments_of(other.object_id)] == [B]
    nothing = await arm.call("DELETE", f"{path}/{A}", version=ROLES, principal=guard)
    assert (nothing.status, code(nothing)) == (403, "AuthorizationFailed")


async def test_what_a_condition_does_not_mention_is_given(arm: ArmCaller, guard: Principal) -> None:
    assert (await arm.call("GET", await arm.group(), principal=guard)).status == 200
    listing = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments"
    assert (await arm.call("GET", listing, version=ROLES, principal=guard)).status == 200
    made = await arm.call("PUT", f"{SUBSCRIPTION}/resourceGroups/x", {"location": "westeurope"}, principal=guard)
    assert "does not have authorization to perform action" in made.body["error"]["message"]


async def test_an_assignment_without_condition_beside_it_gives_all(arm: ArmCaller, guard: Principal) -> None:
    group, other = await arm.group(), arm.cloud.identity.new_principal("other")
    assert (await arm.assign(group, OWNER, other.object_id, A, principal=guard)).status == 403
    arm.cloud.authorization.grant(guard.object_id, ROLE_ADMINISTRATOR, group)
    assert (await arm.assign(group, OWNER, other.object_id, A, principal=guard)).status == 201


async def test_two_conditions_give_what_either_gives(arm: ArmCaller, guard: Principal) -> None:
    group, beside = await arm.group(), await arm.group("beside")
    other = arm.cloud.identity.new_principal("other")
    only_owner = f"@Request[{ROLE_DEFINITION_ID}] GuidEquals {OWNER}"
    assert (await conditioned(arm, group, D, guard, only_owner)).status == 201
    assert (await arm.assign(group, OWNER, other.object_id, A, principal=guard)).status == 201
    assert (await arm.assign(group, READER, other.object_id, B, principal=guard)).status == 201
    assert (await arm.assign(beside, OWNER, other.object_id, C, principal=guard)).status == 403


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"properties": []}', b'{"properties": {"roleDefinitionId": 1}}'])
async def test_a_body_that_says_nothing_does_not_meet_a_condition(
    arm: ArmCaller, guard: Principal, body: bytes
) -> None:
    path = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/{A}"
    for caller, status in ((guard, 403), (arm.cloud.identity.operator, 400)):
        headers = {"authorization": f"Bearer {arm.cloud.identity.token(caller)}"}
        request = Request("PUT", path, query={"api-version": ROLES}, headers=headers, body=body)
        assert (await arm.cloud.respond(request)).status == status


@pytest.mark.parametrize(("version", "status"), [(None, 201), ("2.0", 201), ("1.0", 400), ("", 201)])
async def test_the_version_of_a_condition(arm: ArmCaller, version: str | None, status: int) -> None:
    answer = await conditioned(arm, await arm.group(), A, arm.cloud.identity.app, CONDITION, version)
    assert answer.status == status
    if status == 201:
        read = await arm.call("GET", answer.body["id"], version=ROLES)
        assert (read.body["properties"]["condition"], read.body["properties"]["conditionVersion"]) == (CONDITION, "2.0")


async def test_a_condition_is_changed_by_writing_the_assignment_again(arm: ArmCaller, guard: Principal) -> None:
    group, other = await arm.group(), arm.cloud.identity.new_principal("other")
    assert (await arm.assign(group, OWNER, other.object_id, A, principal=guard)).status == 403
    changed = await conditioned(arm, SUBSCRIPTION, E, guard, f"@Request[{ROLE_DEFINITION_ID}] GuidEquals {OWNER}")
    assert (changed.status, changed.body["properties"]["condition"][-36:]) == (200, OWNER)
    assert (await arm.assign(group, READER, other.object_id, A, principal=guard)).status == 403
    assert (await arm.assign(group, OWNER, other.object_id, A, principal=guard)).status == 201
    await conditioned(arm, SUBSCRIPTION, E, guard, None)
    assert (await arm.assign(group, READER, other.object_id, B, principal=guard)).status == 201
