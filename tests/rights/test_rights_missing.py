"""Where a right is missing, the app says so, goes on with the rest, and needs nobody once it is there."""

from shared.domain.ids import RegionId
from shared.plan import names, roles
from tests.rights.worlds import HOUR, Worlds
from tests.virtual.azure import RESOURCES, SUBSCRIPTION
from tests.virtual.hospital import conditions
from tests.virtual.rights import Rights

SWEDEN = RegionId(SUBSCRIPTION, "swedencentral", "default")


async def test_in_a_region_without_a_snapshot_group_only_contributor_is_missing() -> None:
    """The app makes the group; that a cluster's identity becomes Contributor there takes a deployment."""
    world = Worlds(Rights())()
    world.start_timer()
    group = names.snapshot_group_id(SWEDEN)
    cluster = world.create_cluster("swedencentral", settled=True)
    await world.notice(cluster)
    said = await world.run_until_says(cluster, "RolesAssigned", "AuthorizationFailed", seconds=HOUR)
    assert group.lower() in said.message.lower()
    assert "azd hooks run postprovision" in said.recommended_action
    assert "add swedencentral to it" in said.recommended_action
    assert await world.operator.get(group, RESOURCES) is not None
    given = await world.operator.roles()
    assert (roles.READER, group.lower()) in given
    assert roles.CONTRIBUTOR not in {role for role, _ in given}
    assert not await world.operator.instances(cluster)

    await world.granted.snapshot_group(group, "swedencentral")

    assert await world.run_until_ready(cluster, seconds=3 * HOUR), conditions(world, cluster)
    assert (roles.CONTRIBUTOR, group.lower()) in await world.operator.roles()
