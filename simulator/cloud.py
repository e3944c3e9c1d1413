"""The whole simulated Azure: its clock, its state, and one async function from request to response."""

import random
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from simulator.arm.front_door import FrontDoor
from simulator.arm.operations import Operations
from simulator.clock import Clock
from simulator.control.behaviour import Control
from simulator.eventgrid.behaviour import EventGrid
from simulator.http import Request, Response
from simulator.identity.behaviour import Identity
from simulator.loganalytics.behaviour import LogAnalytics
from simulator.providers.authorization.behaviour import Authorization
from simulator.providers.compute.behaviour import Compute
from simulator.providers.container_service.behaviour import ContainerService
from simulator.providers.data_protection.behaviour import DataProtection
from simulator.providers.insights.diagnostic_settings import Insights
from simulator.providers.key_vault.behaviour import KeyVault
from simulator.providers.kubernetes_configuration.behaviour import KubernetesConfiguration
from simulator.providers.managed_identity.behaviour import ManagedIdentity
from simulator.providers.management.groups import ManagementGroups
from simulator.providers.resource_graph.behaviour import ResourceGraph
from simulator.providers.resources.behaviour import Resources
from simulator.providers.storage.behaviour import Storage
from simulator.providers.web.behaviour import Web
from simulator.timings import Timings

if TYPE_CHECKING:
    from simulator.kql.engine import Engine

FIRST_SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
"""The subscription every simulated Azure starts with."""


class Cloud:
    """One Azure. Providers reach each other through it (`cloud.authorization.allowed(...)`), never each other's
    models."""

    def __init__(self, clock: Clock, *, seed: int = 0, timings: Timings | None = None, schedules: bool = False) -> None:
        """With `schedules` those of the backup policies run by themselves, for ever; without, when they are told to."""
        self.clock = clock
        self.schedules = schedules
        self.timings = timings or Timings()
        self.random = random.Random(seed)
        self.operations = Operations(clock, self.new_uuid)
        self.identity = Identity(self)
        self.management = ManagementGroups(self)
        self.resources = Resources(self)
        self.authorization = Authorization(self)
        self.managed_identity = ManagedIdentity(self)
        self.key_vault = KeyVault(self)
        self.web = Web(self)
        self.compute = Compute(self)
        self.container_service = ContainerService(self)
        self.kubernetes_configuration = KubernetesConfiguration(self)
        self.storage = Storage(self)
        self.data_protection = DataProtection(self)
        self.event_grid = EventGrid(self)
        self.resource_graph = ResourceGraph(self)
        self.insights = Insights(self)
        self.log_analytics = LogAnalytics(self)
        self.control = Control(self)
        self.front_door = FrontDoor(self)
        self.resources.add_subscription(FIRST_SUBSCRIPTION, "Azure in a box")

    @cached_property
    def kql(self) -> "Engine":
        """What queries are answered with: loaded when there is one."""
        from simulator.kql.engine import Engine

        return Engine()

    def new_uuid(self) -> UUID:
        """A fresh id; the same seed gives the same ids in the same order."""
        return UUID(int=self.random.getrandbits(128), version=4)

    async def respond(self, request: Request) -> Response:
        """Answer one request. Raises ConnectionLost when a fault says that the caller gets no answer."""
        return await self.front_door.respond(request)
