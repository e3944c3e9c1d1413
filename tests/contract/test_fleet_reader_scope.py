"""Whose clusters the reader of the fleet sees: subscriptions, management groups, rights; and what else it is asked."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.errors import BlockedError, GuardError
from shared.domain.facts import value_of
from shared.domain.fleet import Scope
from shared.domain.ids import ClusterId
from shared.domain.observed import Grant
from shared.plan import roles
from simulator.arm.faults import Fault
from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.http import Response
from simulator.providers.authorization.models import RoleDefinition
from tests.contract.azure_under_test import ACCOUNT, SUBSCRIPTION, VAULT
from tests.contract.fleet_under_test import FleetUnderTest, ids

OTHER = "00000000-0000-0000-0000-00000000000f"


async def test_what_is_given_above_stands_where_it_holds() -> None:
    azure = FleetUnderTest()
    await azure.seed(1)
    await azure.seed(1, subscription=OTHER)
    await azure.control("management-groups", name="landing", subscriptions=[OTHER])
    above, root = "b0000000-0000-0000-0000-000000000001", "b0000000-0000-0000-0000-000000000002"
    azure.cloud.authorization.grant(above, roles.READER, "/providers/Microsoft.Management/managementGroups/landing")
    azure.cloud.authorization.grant(root, roles.READER, "")
    await azure.clock.advance(600)
    grants = value_of((await azure.batch(FIRST_SUBSCRIPTION, OTHER)).grants) or frozenset()
    assert {each for each in grants if each.principal_id in (above, root)} == {
        Grant(above, roles.READER, f"/subscriptions/{OTHER}"),
        Grant(root, roles.READER, f"/subscriptions/{OTHER}"),
        Grant(root, roles.READER, SUBSCRIPTION.lower()),
    }


async def test_the_scope_is_what_shows() -> None:
    azure = FleetUnderTest()
    await azure.seed(2)
    await azure.seed(3, subscription=OTHER)
    for scope in (Scope(), Scope((FIRST_SUBSCRIPTION, OTHER.upper()))):
        found = await azure.fleet.scope(scope)
        assert [(each.subscription_id, each.clusters) for each in found.subscriptions] == [
            (FIRST_SUBSCRIPTION, 2),
            (OTHER, 3),
        ]
        assert found.unreadable == ()
    missing = "00000000-0000-0000-0000-00000000dead"
    found = await azure.fleet.scope(Scope((OTHER, missing)))
    assert [each.subscription_id for each in found.subscriptions] == [OTHER]
    assert found.unreadable == (missing,)


async def test_management_groups_mean_the_subscriptions_below_them() -> None:
    azure = FleetUnderTest()
    await azure.seed(1)
    await azure.seed(2, subscription=OTHER)
    await azure.control("management-groups", name="landing", subscriptions=[OTHER])
    await azure.clock.advance(600)
    found = await azure.fleet.scope(Scope((), ("landing", "no-such-group")))
    assert [(each.subscription_id, each.clusters) for each in found.subscriptions] == [(OTHER, 2)]
    assert found.unreadable == ("no-such-group",)
    both = await azure.fleet.scope(Scope((FIRST_SUBSCRIPTION, OTHER), ("landing",)))
    assert [each.subscription_id for each in both.subscriptions] == [FIRST_SUBSCRIPTION, OTHER], "each once"


async def test_what_the_caller_may_not_read_is_unreadable() -> None:
    azure = FleetUnderTest()
    await azure.seed(1)
    hidden = await azure.seed(1, subscription=OTHER)
    somebody = azure.cloud.identity.new_principal("somebody")
    azure.cloud.authorization.grant(somebody.object_id, roles.READER, SUBSCRIPTION)
    reader = azure.as_seen_by(somebody)
    found = await reader.scope(Scope((FIRST_SUBSCRIPTION, OTHER)))
    assert [each.subscription_id for each in found.subscriptions] == [FIRST_SUBSCRIPTION]
    assert found.unreadable == (OTHER,)
    assert list(await reader.cluster_ids([OTHER])) == []
    with pytest.raises(GuardError):
        await reader.exists(ClusterId.parse(hidden[0]))


async def test_assignments_that_may_not_be_read_are_told() -> None:
    azure = FleetUnderTest()
    await azure.seed(1)
    blind = RoleDefinition(
        "c0000000-0000-0000-0000-00000000000c", "Blind", "", ("*/read",), ("Microsoft.Authorization/*",)
    )
    azure.cloud.authorization.definitions[blind.guid] = blind
    somebody = azure.cloud.identity.new_principal("somebody")
    azure.cloud.authorization.grant(somebody.object_id, blind.guid, SUBSCRIPTION)
    (seen,) = (await azure.as_seen_by(somebody).batch([FIRST_SUBSCRIPTION])).clusters
    assert seen.unread_assignments == {FIRST_SUBSCRIPTION}
    (seen,) = (await azure.batch()).clusters
    assert seen.unread_assignments == frozenset()


async def test_grants_of_more_subscriptions_than_one_question_may_have_are_all_there() -> None:
    """Resource Graph answers in lists, whose ids are the same in each question."""
    azure = FleetUnderTest()
    more = [f"00000000-0000-0000-0000-2{number:011}" for number in range(300)]
    for subscription in more:
        azure.cloud.resources.add_subscription(subscription)
    everywhere = [FIRST_SUBSCRIPTION, *more]
    for number, subscription in enumerate(everywhere):
        name = f"c0000000-0000-0000-0000-{number:012}"
        azure.cloud.authorization.grant(name, roles.READER, f"/subscriptions/{subscription}")
    await azure.clock.advance(600)
    batch = await azure.batch(*everywhere)
    grants = value_of(batch.grants) or frozenset()
    assert {each.scope for each in grants if each.principal_id.startswith("c0")} == {
        f"/subscriptions/{each}" for each in everywhere
    }


async def test_no_subscription_is_not_every_subscription() -> None:
    azure = FleetUnderTest()
    await azure.seed(1)
    assert await azure.fleet.batch([]) == await azure.fleet.batch(())
    assert (await azure.fleet.batch([])).clusters == ()
    assert await azure.fleet.cluster_ids([]) == ()
    assert azure.asked == []


async def test_a_users_own_query() -> None:
    azure = FleetUnderTest()
    first, second = await azure.seed(2)
    text = "resources | where type =~ 'microsoft.containerservice/managedclusters' | project id"
    found, source = await azure.fleet.matching(f"{text}, message = 'why'", [FIRST_SUBSCRIPTION])
    assert found == {first: "why", second: "why"}
    assert source.rows == 2
    several = "resources | where type =~ 'microsoft.containerservice/managedclusters' | extend n = 1"
    several += " | union (resources | extend n = 2) | where id contains 'managedclusters' | project id, n"
    assert (await azure.fleet.matching(several, [FIRST_SUBSCRIPTION]))[0] == {first: "", second: ""}
    with pytest.raises(BlockedError):
        await azure.fleet.matching("resources | nonsense", [FIRST_SUBSCRIPTION])
    with pytest.raises(BlockedError):
        await azure.fleet.matching("resources | project name", [FIRST_SUBSCRIPTION])


@pytest.mark.parametrize(
    "query",
    [
        "resources | where type =~ 'microsoft.dataprotection/backupvaults' | project id",
        "resources | project id",
        "resources | where type =~ 'microsoft.containerservice/managedclusters' | project id = properties.nothing",
    ],
)
async def test_a_row_of_a_users_query_that_names_no_cluster_is_an_error(query: str) -> None:
    """Left out it would say that the cluster it means complies."""
    azure = FleetUnderTest()
    await azure.seed(1)
    await azure.region()
    with pytest.raises(BlockedError) as caught:
        await azure.fleet.matching(query, [FIRST_SUBSCRIPTION])
    assert caught.value.code == "InvalidQuery"
    assert "names no cluster" in caught.value.message


async def test_one_subscription_that_does_not_show_hides_no_others() -> None:
    """Of the 301 that are named the last is asked about by itself, and Resource Graph refuses that question."""
    azure = FleetUnderTest()
    await azure.seed(1)
    others = tuple(f"00000000-0000-0000-0000-1{number:011}" for number in range(300))

    def refuses_what_shows_nothing(question: dict[str, Any], answer: Any) -> Any:
        if FIRST_SUBSCRIPTION in question["subscriptions"]:
            return answer
        details = [{"code": "NoValidSubscriptionsInQueryRequest", "message": "There must be at least one."}]
        return Response(400, {"error": {"code": "BadRequest", "message": "Bad.", "details": details}})

    azure.change = refuses_what_shows_nothing
    found = await azure.fleet.scope(Scope((FIRST_SUBSCRIPTION, *others)))
    assert [each.subscription_id for each in found.subscriptions] == [FIRST_SUBSCRIPTION]
    assert set(found.unreadable) == set(others)
    alone = await azure.fleet.scope(Scope(others[:1]))
    assert (alone.subscriptions, alone.unreadable) == ((), others[:1])


async def test_diagnostics_count_wherever_the_jobs_go() -> None:
    azure = FleetUnderTest()
    await azure.region()
    assert not await azure.fleet.diagnosed(VAULT)
    path = f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings/jobs"
    account = {"storageAccountId": ACCOUNT}
    for logs, kept in (("CoreAzureBackup", False), ("AddonAzureBackupJobs", True)):
        properties = {**account, "logs": [{"category": logs, "enabled": True}]}
        answer = await azure.call("PUT", path, "2021-05-01-preview", json.dumps({"properties": properties}).encode())
        assert answer.status < 300, answer.body
        assert await azure.fleet.diagnosed(VAULT) is kept
    azure.cloud.front_door.faults.add(Fault("f", "GET", status=403, code="AuthorizationFailed"))
    with pytest.raises(GuardError):
        await azure.fleet.diagnosed(VAULT)


async def test_who_is_there_takes_one_question() -> None:
    azure = FleetUnderTest()
    known = await azure.seed(3)
    assert [each.arm_id for each in await azure.fleet.cluster_ids([FIRST_SUBSCRIPTION])] == known
    assert len(azure.asked) == 1
    assert await azure.fleet.exists(ClusterId.parse(known[0]))


async def test_changes_show_a_little_later() -> None:
    """What is missing may only be late: that is why nothing is changed on Resource Graph's word."""
    azure = FleetUnderTest(lag=60)
    await azure.seed(1)
    before = ids(await azure.batch())
    new = await azure.control("clusters", count=1, location="westeurope")
    assert ids(await azure.batch()) == before
    await azure.clock.advance(timedelta(minutes=10).total_seconds())
    assert ids(await azure.batch()) == sorted([*before, *(each.lower() for each in new["ids"])])
