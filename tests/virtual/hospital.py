"""A world whose clusters run out of memory, and where that is known."""

from typing import Any

from shared.domain.ids import ClusterId
from shared.domain.jobs import OutOfMemorySign
from shared.hand_on import take_in
from tests.virtual.world import VirtualWorld


class Hospital:
    """A world in which Container insights tells of kills as soon as they happen, unless a test leaves that out."""

    def __init__(self, world: VirtualWorld, *, insights: bool = True) -> None:
        self.world, self.insights = world, insights
        world.start_timer()
        world.start_job_watch()

    async def tell_of_kills(self, cluster: ClusterId) -> None:
        restarts = self.world.cloud.kubernetes_configuration.container_restarts(cluster.arm_id)
        for kill in (each for each in restarts if self.insights and each.reason == "OOMKilled"):
            sign = OutOfMemorySign(cluster, kill.pod, kill.container, kill.finished)
            if not await self.world.history.knows(sign):
                await take_in(sign, self.world.host)

    async def until_healthy(self, cluster: ClusterId, *, seconds: float = 20 * 3600) -> bool:
        async def healthy() -> bool:
            if self.world.effects.failure is None:
                await self.tell_of_kills(cluster)
            record = self.world.record(cluster)
            return self.world.is_ready(cluster) and record is not None and record.memory.in_effect

        return await self.world.run(healthy, seconds=seconds)

    async def until_says(self, cluster: ClusterId, type: str, reason: str, *, seconds: float = 40 * 3600) -> None:
        async def said() -> bool:
            await self.tell_of_kills(cluster)
            record = self.world.record(cluster)
            return record is not None and type in record.conditions and record.conditions[type].reason == reason

        assert await self.world.run(said, seconds=seconds), conditions(self.world, cluster)


def conditions(world: VirtualWorld, cluster: ClusterId) -> Any:
    record = world.record(cluster)
    assert record is not None
    return {c.type: (c.status, c.reason, c.message) for c in record.conditions.values()}
