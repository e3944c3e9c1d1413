"""What if we crash after this line of a repair? Every effect on its way fails in turn; the same is put back, once."""

import os

import pytest

from tests.virtual.breakages import BREAKAGES
from tests.virtual.drift import HOUR, Fleet, protected, whole
from tests.virtual.effects import Failure, How, When

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
VARIANTS: list[tuple[How, When]] = [("death", "before"), ("death", "after"), ("error", "after")]
NAMED = {breakage.name: breakage for breakage in BREAKAGES}
APART = 1 if DEEP else 8
"""Every so many effects one fails."""


async def put_back(fleet: Fleet, name: str) -> bool:
    """Whether every look says that nothing remains, and the calls that it took were made."""
    records = [fleet.world.record(subject) for subject in (*fleet.clusters, fleet.region)]
    made = await NAMED[name].calls(fleet) <= set(fleet.changes())
    return made and all(record is not None and not record.remaining for record in records)


async def repaired(name: str, failure: Failure | None) -> tuple[Fleet, range]:
    """The fleet after the repair, and the numbers of the effects on its way."""
    fleet = await protected()
    before = await whole(fleet)
    await NAMED[name].do(fleet)
    sent, first = len(fleet.changes()), len(fleet.world.effects.names)
    if failure is not None:
        fleet.world.effects.failure = Failure(first + failure.number, failure.when, failure.how, failure.again)
    await fleet.world.notice(*fleet.clusters)
    await fleet.world.run(lambda: put_back(fleet, name), seconds=HOUR)
    ended = len(fleet.world.effects.names)
    await fleet.world.run(seconds=3 * HOUR)
    after = await whole(fleet)
    assert after == before, (failure, fleet.world.effects.struck)
    made = set(fleet.changes()[sent:])
    assert made == await NAMED[name].calls(fleet), (failure, fleet.world.effects.struck)
    return fleet, range(1, ended - first + 1)


@pytest.mark.parametrize("variant", range(len(VARIANTS)))
@pytest.mark.parametrize(
    "name", ["instance deleted", "backups suspended", "extension in another account", "vault without identity"]
)
async def test_a_repair_survives_whatever_fails_on_its_way(name: str, variant: int) -> None:
    _, effects = await repaired(name, None)
    assert len(effects) > 10
    how, when = VARIANTS[variant]
    for number in effects[variant::APART]:
        await repaired(name, Failure(number, when, how, 1))
