"""Every story comes out well with exactly the rights of infra/rights, and with each of them missing one fails."""

import pytest

import tests.rights.scenarios  # noqa: F401 - which fill SCENARIOS
from infra.rights import ACTIONS, WORKSPACE_ACTIONS, Action, called
from tests.rights.worlds import SCENARIOS, Worlds
from tests.virtual.rights import Rights

AUDITS = [name for name in SCENARIOS if name.startswith("audit_")]
NEEDED = [
    each for right in (*ACTIONS, *WORKSPACE_ACTIONS) for each in (right, *right.covers) if each.shown_by is not None
]
"""Each right, a pattern as a whole and each action that it covers."""


def rights_for(scenario: str, without: str = "") -> Rights:
    return Rights("audit" if scenario in AUDITS else "enforce", without)


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in AUDITS])
async def test_with_these_rights_it_comes_out_well(name: str) -> None:
    worlds = Worlds(rights_for(name))
    await SCENARIOS[name](worlds)


async def test_an_app_that_only_looks_needs_its_reads_and_nothing_else() -> None:
    """Its stories come out well, and say themselves that nothing was changed."""
    asked = set()
    for name in AUDITS:
        worlds = Worlds(rights_for(name))
        await SCENARIOS[name](worlds)
        asked |= worlds.allowed
    assert asked == {each.action.lower() for each in called(ACTIONS) if each.audit}


@pytest.mark.parametrize("right", NEEDED, ids=lambda each: each.action)
async def test_without_one_of_them_it_does_not(right: Action) -> None:
    """Every time that the app asked for it, it was refused."""
    assert right.shown_by is not None
    asked = {each.action.lower() for each in called([right])}
    worlds = Worlds(rights_for(right.shown_by, right.action))
    with pytest.raises(AssertionError):
        await SCENARIOS[right.shown_by](worlds)
    assert worlds.refused & asked
    assert not worlds.allowed & asked
