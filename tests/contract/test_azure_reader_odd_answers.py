"""Answers that Azure should not give, and some day does."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.errors import GuardError
from shared.domain.ids import ClusterId
from shared.domain.profile import ExtensionResources
from shared.domain.steps import Failed, InstallExtension, StartBackup, ValidateForBackup
from shared.observe.backup_vault import parse_vault
from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.http import Request, Response
from simulator.transport import BASE_URL
from tests.contract.azure_under_test import ACCOUNT, SUBSCRIPTION, AzureUnderTest

CLUSTER = ClusterId.parse(f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/shop")


def saying(monkeypatch: pytest.MonkeyPatch, answer: Callable[[Request], Response]) -> AzureUnderTest:
    """An Azure that answers like this."""
    azure = AzureUnderTest()

    async def respond(request: Request) -> Response:
        return answer(request)

    monkeypatch.setattr(azure.cloud.front_door, "respond", respond)
    return azure


async def listing(azure: AzureUnderTest) -> GuardError:
    with pytest.raises(GuardError) as raised:
        await anext(azure.reader.list_clusters(FIRST_SUBSCRIPTION))
    return raised.value


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"<html>",
        [],
        {},
        {"value": {}},
        {"value": ["text"]},
        {"value": [{}]},
        {"value": [{"id": "/subscriptions/x"}]},
    ],
)
async def test_a_list_that_is_none_raises(monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    error = await listing(saying(monkeypatch, lambda _: Response(200, body)))
    assert (error.kind, error.code) == ("transient", "UnreadableAnswer")


async def test_a_next_page_elsewhere_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    page = {"value": [], "nextLink": "https://evil.example/next"}
    error = await listing(saying(monkeypatch, lambda _: Response(200, page)))
    assert error.code == "ForeignUrl"


async def test_a_list_without_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    page = {"value": [], "nextLink": f"{BASE_URL}{SUBSCRIPTION}/again"}
    plenty = {"x-ms-ratelimit-remaining-subscription-reads": "200"}
    error = await listing(saying(monkeypatch, lambda _: Response(200, page, plenty)))
    assert (error.kind, error.code) == ("blocked", "UnreadableAnswer")


async def test_a_page_that_is_gone_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: Request) -> Response:
        if request.path.endswith("/next"):
            return Response(404, {"error": {"code": "ResourceNotFound", "message": "gone"}})
        return Response(200, {"value": [], "nextLink": f"{BASE_URL}{SUBSCRIPTION}/next"})

    assert (await listing(saying(monkeypatch, answer))).code == "UnreadableAnswer"


async def test_a_subscription_whose_clusters_are_not_listed_is_not_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"error": {"code": "ResourceNotFound", "message": "gone"}}
    assert (await listing(saying(monkeypatch, lambda _: Response(404, gone)))).code == "UnreadableAnswer"


async def test_an_extension_is_not_installed_without_a_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    azure = saying(monkeypatch, lambda _: Response(200, {"subscriptionId": FIRST_SUBSCRIPTION}))
    step = InstallExtension(CLUSTER.arm_id, "c", ACCOUNT, "https://a.blob.core.windows.net/", ExtensionResources())
    outcome = await azure.apply(step, CLUSTER)
    assert isinstance(outcome, Failed)
    assert (outcome.error.kind, outcome.error.code) == ("transient", "NoTenant")
    assert azure.trail.actions == []


async def test_an_operation_without_a_status_url_is_ambiguous_only_where_it_matters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    azure = saying(monkeypatch, lambda _: Response(202))
    body = azure.body_of(CLUSTER)
    started = await azure.apply(StartBackup(body.arm_id, "BackupDaily", "AlwaysOn"), CLUSTER)
    asked = await azure.apply(ValidateForBackup(body), CLUSTER)
    assert isinstance(started, Failed)
    assert isinstance(asked, Failed)
    assert (started.error.kind, asked.error.kind) == ("ambiguous_effect", "transient")


async def test_what_the_trail_holds_is_printable_and_short(monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"error": {"code": "Fehler", "message": "größer\n" * 1000}}
    azure = saying(monkeypatch, lambda _: Response(400, error, {"x-ms-request-id": "r" * 5000}))
    await azure.apply(StartBackup(azure.body_of(CLUSTER).arm_id, "BackupDaily", "AlwaysOn"), CLUSTER)
    line = azure.trail.actions[-1]
    assert (line.outcome, line.request_id) == ("Fehler", "r" * 100)
    assert line.detail.startswith("gr??er?")
    assert len(line.detail) <= 1000


@pytest.mark.parametrize("spelt", ["westeurope", "West Europe", "WestEurope"])
def test_the_region_of_a_vault_is_one_however_it_is_spelt(spelt: str) -> None:
    body = {"id": "/v", "name": "v", "location": spelt, "properties": {"provisioningState": "Succeeded"}}
    assert parse_vault(body).location == "westeurope"
