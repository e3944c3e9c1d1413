"""The same over a real socket: what only the network and the SDKs' own transport can do."""

import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from shared.act.actor import ArmActor
from shared.arm.client import ArmClient
from shared.domain.errors import AmbiguousEffectError, TransientError
from shared.domain.facts import Absent, Present
from shared.domain.observed import ObservedRegion
from shared.domain.reads import RegionReads
from shared.domain.steps import CreateResourceGroup, Done, Failed
from shared.observe.reader import ArmReader
from simulator.arm.faults import Fault
from simulator.clock import RealClock
from simulator.cloud import FIRST_SUBSCRIPTION, Cloud
from simulator.server import start
from simulator.transport import SimulatedCredential
from tests.contract.azure_under_test import BACKUP_GROUP, REGION, SUBSCRIPTION
from tests.fakes.storage import FakeAuditTrail, FakeQuota

SCOPES = ("https://management.azure.com/.default",)
REGISTER = f"{SUBSCRIPTION}/providers/Microsoft.Storage/register"


@pytest.fixture
async def cloud() -> Cloud:
    return Cloud(RealClock(600))


@pytest.fixture
async def base(cloud: Cloud) -> AsyncIterator[str]:
    runner, base = await start(cloud)
    yield base
    await runner.cleanup()


@pytest.fixture
async def client(cloud: Cloud) -> AsyncIterator[Callable[..., ArmClient]]:
    made: list[ArmClient] = []

    def make(endpoint: str, credential: Any = None) -> ArmClient:
        made.append(
            ArmClient(
                endpoint,
                credential or SimulatedCredential(cloud),
                SCOPES,
                quota=FakeQuota(),
                clock=cloud.clock,
                instance="one",
                sleep=_no_pause,
            )
        )
        return made[-1]

    yield make
    for each in made:
        await each.close()


async def _no_pause(_seconds: float) -> None:
    return None


Make = Callable[..., ArmClient]


async def test_a_group_is_made_and_read(cloud: Cloud, base: str, client: Make) -> None:
    arm, trail = client(base), FakeAuditTrail()
    reader = ArmReader(arm, cloud.clock)
    reads = RegionReads(backup_group_id=BACKUP_GROUP, providers=("Microsoft.DataProtection",))
    before = await reader.read_region(REGION, reads, ObservedRegion())
    assert isinstance(before.observed.backup_group, Absent)
    step = CreateResourceGroup(BACKUP_GROUP, "westeurope", {"team": "größe"})
    assert await ArmActor(arm, trail, cloud.clock).apply(REGION, step) == Done()
    after = await reader.read_region(REGION, reads, ObservedRegion())
    assert isinstance(after.observed.backup_group, Present)
    assert after.errors == ()
    group = cloud.resources.group(FIRST_SUBSCRIPTION, "AKSAzureBackup_westeurope")
    assert group is not None
    assert group.tags == {"team": "größe"}
    assert trail.actions[-1].request_id


@pytest.mark.parametrize("then", [{"reset": True}, {"lose_answer": True}])
async def test_a_cut_connection_leaves_what_must_not_be_repeated_ambiguous(
    cloud: Cloud, base: str, client: Make, then: dict[str, Any]
) -> None:
    cloud.front_door.faults.add(Fault("f", method="POST", path=re.compile("/register$"), **then))
    arm = client(base)
    await arm.get(SUBSCRIPTION, "2022-12-01")  # a connection that is already there may break while it is used
    with pytest.raises(AmbiguousEffectError):
        await arm.post(REGISTER, "2025-04-01", once=True)
    assert len([call for call in cloud.front_door.calls.all() if call.method == "POST"]) == 1


async def test_a_connection_that_never_was_is_not_ambiguous(client: Make) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        arm = client(f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(TransientError):
            await arm.post(REGISTER, "2025-04-01", once=True)


class NoCredential:
    """A managed identity that is not there."""

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        raise ClientAuthenticationError("no managed identity endpoint found")

    async def close(self) -> None:
        return None


async def test_without_a_token_nothing_is_sent_and_a_person_is_told(cloud: Cloud, base: str, client: Make) -> None:
    actor = ArmActor(client(base, NoCredential()), FakeAuditTrail(), cloud.clock)
    outcome = await actor.apply(REGION, CreateResourceGroup(BACKUP_GROUP, "westeurope", {}))
    assert isinstance(outcome, Failed)
    assert (outcome.error.kind, outcome.error.code) == ("transient", "NoToken")
    assert "managed identity" in outcome.error.recommended_action
    assert cloud.front_door.calls.all() == []


async def test_a_refused_token_passes(cloud: Cloud, base: str, client: Make) -> None:
    class Forged(NoCredential):
        async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
            return AccessToken("forged", 2**31)

    with pytest.raises(TransientError):
        await client(base, Forged()).get(SUBSCRIPTION, "2022-12-01")


async def test_a_gateways_page_instead_of_json_is_no_proof_of_absence(client: Make) -> None:
    from aiohttp import web

    async def page(_request: web.Request) -> web.Response:
        return web.Response(status=404, text="<html>not here</html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    arm = client(f"http://{host}:{port}")
    error = await _raised(arm.get(BACKUP_GROUP, "2025-04-01"))
    await runner.cleanup()
    assert "HttpStatus404" in str(error)


async def _raised(call: Awaitable[Any]) -> Exception:
    with pytest.raises(Exception) as raised:
        await call
    return raised.value


@pytest.mark.parametrize("endpoint", ["http://management.azure.com", "http://127.0.0.1.evil.example", "ftp://x", "x"])
def test_a_token_is_never_sent_in_the_clear(client: Make, endpoint: str) -> None:
    with pytest.raises(ValueError, match="https"):
        client(endpoint)


def test_importing_the_adapters_loads_no_sdk() -> None:
    """One failing or slow import would hide or slow every function of the app."""
    code = (
        "import sys, shared.arm.client, shared.observe.reader, shared.act.actor\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('azure', 'aiohttp', 'requests')])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"
