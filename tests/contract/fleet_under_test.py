"""A simulated Azure with clusters by the handful, and the reader of the fleet as the app's identity or another's. What
Resource Graph answers can be disturbed page by page."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from shared.arm.client import ArmClient
from shared.domain.fleet import FleetBatch, SeenCluster
from shared.domain.ids import ClusterId
from shared.observe.fleet import GraphFleetReader
from simulator.arm.route import Principal
from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.http import Request, Response
from simulator.kql.engine import Engine
from simulator.timings import Timings
from simulator.transport import BASE_URL, SimulatedCredential, SimulatedTransport
from tests.contract.azure_under_test import AzureUnderTest

GRAPH = "/providers/Microsoft.ResourceGraph/resources"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
AKS = "2026-08-01"

_TRANSLATED: dict[tuple[Any, ...], Any] = {}
"""Translating a query costs more than answering it, and every world asks the same ones."""

Before = Callable[[dict[str, Any]], Awaitable[None]]
Change = Callable[[dict[str, Any], Any], Any]


class FleetUnderTest(AzureUnderTest):
    """`before` runs ahead of each question of Resource Graph, `change` makes of its 200 another body, or a Response;
    both get the request's body. Pauses take virtual time."""

    def __init__(self, lag: float = 0) -> None:
        super().__init__()
        self.cloud.timings = Timings(resource_graph_lag=lag)
        share_translations(self.cloud.kql)
        self.fleet = GraphFleetReader(self.arm, self.clock)
        self.before: Before | None = None
        self.change: Change | None = None
        self.asked: list[dict[str, Any]] = []
        self._respond = self.cloud.front_door.respond
        self.cloud.front_door.respond = self._disturbed  # type: ignore[method-assign]

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self.clock.advance(seconds)

    async def _disturbed(self, request: Request) -> Response:
        if request.path != GRAPH:
            return await self._respond(request)
        question = json.loads(request.body)
        self.asked.append(question)
        if self.before is not None:
            await self.before(question)
        response = await self._respond(request)
        if self.change is None or response.status != 200:
            return response
        changed = self.change(question, json.loads(json.dumps(response.body)))
        return changed if isinstance(changed, Response) else Response(200, changed, response.headers)

    def as_seen_by(self, principal: Principal) -> GraphFleetReader:
        arm = ArmClient(
            BASE_URL,
            SimulatedCredential(self.cloud, principal),
            ("https://management.azure.com/.default",),
            quota=self.quota,
            clock=self.clock,
            instance="theirs",
            transport=SimulatedTransport(self.cloud),
            sleep=self._pause,
        )
        return GraphFleetReader(arm, self.clock)

    async def control(self, order: str, /, **body: Any) -> Any:
        answer = await self.call("POST", f"/simulator/{order}", "", json.dumps(body).encode())
        assert answer.status < 300, answer.body
        return answer.body

    async def seed(
        self, count: int, *, subscription: str = FIRST_SUBSCRIPTION, protected: Any = True, **overrides: Any
    ) -> list[str]:
        """Clusters that are there, and protected, for long; their lower-case ids, sorted."""
        if subscription not in {each.id for each in self.cloud.resources.subscriptions()}:
            self.cloud.resources.add_subscription(subscription)
        body = {"count": count, "location": "westeurope", "subscription": subscription, "overrides": overrides}
        made = await self.control("clusters", **body, protected=protected)
        await self.clock.advance(600)
        return sorted(each.lower() for each in made["ids"])

    async def delete(self, cluster: str) -> None:
        await self.call("DELETE", cluster, AKS)
        await self.clock.advance(900)

    async def batch(self, *subscriptions: str) -> FleetBatch:
        return await self.fleet.batch(subscriptions or (FIRST_SUBSCRIPTION,))

    async def seen(self, cluster: ClusterId | str) -> SeenCluster:
        """One cluster of the first subscription."""
        found = {each.cluster_id.arm_id: each for each in (await self.batch()).clusters}
        return found[str(cluster).lower()]


def share_translations(engine: Engine) -> None:
    def translated(text: str, schema: Any) -> Any:
        if (text, schema) not in _TRANSLATED:
            _TRANSLATED[text, schema] = engine._translated(text, schema)
        return _TRANSLATED[text, schema]

    engine._sql = translated  # type: ignore[assignment]


def ids(batch: FleetBatch) -> list[str]:
    return sorted(each.cluster_id.arm_id for each in batch.clusters)


def about(question: dict[str, Any], what: str) -> bool:
    """Whether a question's text has these words."""
    return what in str(question["query"])


def rows_of(body: Any, column: str) -> tuple[int, Sequence[list[Any]]]:
    """Where the column is in an answer in the table format, and its rows."""
    names = [each["name"] for each in body["data"]["columns"]]
    return names.index(column), body["data"]["rows"]
