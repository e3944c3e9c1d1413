"""What the conditions let the app's identity do with roles, and what not: each write and each deletion is sent."""

from dataclasses import dataclass

import pytest

from infra.rights import ASSIGN_CONTRIBUTOR, ASSIGN_ROLES
from shared.plan import roles
from tests.virtual.azure import ROLES, ROOT
from tests.virtual.rights import Rights
from tests.virtual.world import VirtualWorld

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
SNAPSHOTS = f"{ROOT}/resourceGroups/AKSAzureBackupSnapshots_westeurope"
APPS = f"{ROOT}/resourceGroups/apps"
GIVEN_ANYWHERE = (
    roles.READER,
    roles.DISK_SNAPSHOT_CONTRIBUTOR,
    roles.DATA_OPERATOR_FOR_MANAGED_DISKS,
    roles.STORAGE_BLOB_DATA_CONTRIBUTOR,
    roles.STORAGE_BLOB_DATA_READER,
)
REFUSED_EVERYWHERE = (
    OWNER,
    USER_ACCESS_ADMINISTRATOR,
    RBAC_ADMINISTRATOR,
    roles.STORAGE_ACCOUNT_CONTRIBUTOR,
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",  # Storage Blob Data Owner
)


@dataclass
class Try:
    """One world in which the app's identity gives and takes roles by hand."""

    world: VirtualWorld

    def __post_init__(self) -> None:
        self.app = self.world.cloud.identity.app
        self.somebody = self.world.cloud.identity.new_principal("a cluster's identity").object_id
        self.person = self.world.cloud.identity.new_principal("a person", kind="User").object_id

    async def gives(self, role: str, scope: str, to: str = "", type: str | None = "ServicePrincipal") -> int:
        """The status it gets."""
        body = _body(role, to or self.somebody, type)
        return (await self.world.operator.send_by(self.app, "PUT", self._path(scope), ROLES, body)).status

    async def takes(self, role: str, scope: str, from_: str = "", type: str = "ServicePrincipal") -> int:
        """The status of deleting what the operator gave."""
        path = self._path(scope)
        await self.world.operator.do("PUT", path, ROLES, _body(role, from_ or self.somebody, type), wait=0)
        return (await self.world.operator.send_by(self.app, "DELETE", path, ROLES)).status

    def _path(self, scope: str) -> str:
        return f"{scope}/providers/Microsoft.Authorization/roleAssignments/{self.world.cloud.new_uuid()}"


def _body(role: str, principal: str, type: str | None) -> dict[str, object]:
    definition = f"{ROOT}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    properties = {"roleDefinitionId": definition, "principalId": principal}
    return {"properties": properties if type is None else {**properties, "principalType": type}}


@pytest.fixture(params=[False, True], ids=["stand-in", "Role Based Access Control Administrator"])
async def attempt(request: pytest.FixtureRequest) -> Try:
    """With the role that the tests put in its place, and with the real one."""
    world = VirtualWorld(rights=Rights(reads_everything=request.param))
    await world.operator.make_group("apps")
    return Try(world)


@pytest.mark.parametrize("role", GIVEN_ANYWHERE, ids=roles.NAMES.get)
async def test_what_a_backup_needs_can_be_given_and_taken_anywhere(attempt: Try, role: str) -> None:
    for scope in (ROOT, APPS, SNAPSHOTS):
        assert await attempt.gives(role, scope) == 201
    for scope in (ROOT, APPS, SNAPSHOTS):
        assert await attempt.takes(role, scope, attempt.world.cloud.identity.new_principal("x").object_id) == 200


@pytest.mark.parametrize("role", REFUSED_EVERYWHERE)
async def test_no_other_role_can_be_given_or_taken_from_anybody(attempt: Try, role: str) -> None:
    for scope in (ROOT, APPS, SNAPSHOTS):
        assert await attempt.gives(role, scope) == 403
        assert await attempt.takes(role, scope) == 403


async def test_contributor_is_given_and_taken_in_snapshot_groups_alone(attempt: Try) -> None:
    assert await attempt.gives(roles.CONTRIBUTOR, SNAPSHOTS) == 201
    for scope in (ROOT, APPS):
        assert await attempt.gives(roles.CONTRIBUTOR, scope) == 403
        assert await attempt.takes(roles.CONTRIBUTOR, scope) == 403
    another = attempt.world.cloud.identity.new_principal("another").object_id
    assert await attempt.takes(roles.CONTRIBUTOR, SNAPSHOTS, another) == 200


@pytest.mark.parametrize("role", [*GIVEN_ANYWHERE, roles.CONTRIBUTOR, OWNER], ids=str)
async def test_the_app_can_give_itself_nothing_and_take_nothing_from_itself(attempt: Try, role: str) -> None:
    """Not even what it may give to others; nor can it take away the condition that binds it."""
    me = attempt.app.object_id
    for scope in (ROOT, APPS, SNAPSHOTS):
        assert await attempt.gives(role, scope, to=me) == 403
        assert await attempt.gives(role, scope, to=me.upper()) == 403
        assert await attempt.takes(role, scope, from_=me) == 403


async def test_its_own_rights_can_be_neither_deleted_nor_written_anew(attempt: Try) -> None:
    operator, me = attempt.world.operator, attempt.app.object_id
    found = await operator.all_of(f"{ROOT}/providers/Microsoft.Authorization/roleAssignments", ROLES)
    own = [each for each in found if each["properties"]["principalId"] == me]
    assert len(own) == 2 + 3, "the custom role, the giving of roles here, and in the snapshot group of each region"
    for each in own:
        assert (await operator.send_by(attempt.app, "DELETE", each["id"], ROLES)).status == 403
        unbound = {"properties": {**each["properties"], "condition": None, "conditionVersion": None}}
        assert (await operator.send_by(attempt.app, "PUT", each["id"], ROLES, unbound)).status == 403
    definition = next(each["properties"]["roleDefinitionId"] for each in own if not each["properties"]["condition"])
    assert (await operator.send_by(attempt.app, "PUT", definition, ROLES, {"properties": {}})).status == 403


@pytest.mark.parametrize("type", ["User", "Group", None], ids=["a user", "a group", "nobody says what"])
async def test_only_service_principals_are_given_anything(attempt: Try, type: str | None) -> None:
    for role, scope in ((roles.READER, APPS), (roles.CONTRIBUTOR, SNAPSHOTS)):
        to = attempt.person if type == "User" else attempt.somebody
        assert await attempt.gives(role, scope, to=to, type=type) == 403


async def test_nothing_is_taken_from_a_person(attempt: Try) -> None:
    for role, scope in ((roles.READER, APPS), (roles.CONTRIBUTOR, SNAPSHOTS)):
        assert await attempt.takes(role, scope, from_=attempt.person, type="User") == 403


async def test_an_app_that_only_looks_gives_and_takes_nothing() -> None:
    world = VirtualWorld(rights=Rights("audit"))
    await world.operator.make_group("apps")
    attempt = Try(world)
    for role in GIVEN_ANYWHERE:
        assert await attempt.gives(role, APPS) == 403
        assert await attempt.takes(role, APPS) == 403


def test_the_conditions_name_the_roles_that_the_code_gives() -> None:
    for role in GIVEN_ANYWHERE:
        assert ASSIGN_ROLES.count(role) == 2
    assert ASSIGN_CONTRIBUTOR.count(roles.CONTRIBUTOR) == 2
    assert roles.CONTRIBUTOR not in ASSIGN_ROLES
    for text in (ASSIGN_ROLES, ASSIGN_CONTRIBUTOR):
        assert text.count("{appPrincipalId}") == 2
        assert len(text.encode()) < 8 * 1024
