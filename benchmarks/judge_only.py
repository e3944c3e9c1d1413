"""A client process that judges a fleet and keeps nothing: the sweep without its report. Prints how many clusters."""

import asyncio
import json
from datetime import UTC, datetime

from cli.azure import signed_in
from cli.configuration import configured, scope_of, settings
from cli.fleet import fleet_reader
from cli.run import collect_rarely
from shared.domain.time import Moment
from shared.judge_fleet import judged_fleet
from shared.plan.compliance.catalogue import CONTROLS


async def main() -> None:
    known = configured(None)
    scale, count, good = settings().loop.time_scale, 0, 0
    async with signed_in() as arm:
        batches = judged_fleet(
            fleet_reader(arm),
            scope_of(known, None, None),
            known.configuration,
            CONTROLS,
            lambda: Moment(datetime.now(UTC), scale),
            {},
        )
        async for batch in batches:
            count += len(batch.clusters)
            good += sum(cluster.restorable == "Yes" for cluster in batch.clusters)
    print(json.dumps({"clusters": count, "restorable": good}))


if __name__ == "__main__":
    collect_rarely()  # as every command
    asyncio.run(main())
