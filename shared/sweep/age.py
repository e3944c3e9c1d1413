"""How old the newest sweep is, for whoever watches over the app."""

from shared.telemetry import exporting, measure
from shared.telemetry.catalogue import SWEEP_AGE
from shared.world import World


async def measure_age(world: World) -> None:
    """Since its beginning. Nothing is measured before the first sweep is complete. Raises what storage raises."""
    if exporting() and (latest := await world.sweeps.latest()) is not None:
        measure(SWEEP_AGE, (world.clock.now() - latest.started_at).total_seconds())
