"""Verdicts over clusters that nobody thought of, when something of them can no longer be read."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.controls_world import UNREAD, healthy
from tests.unit.test_controls_verdicts import GOOD, NOT_ASKED, WRONG, Change

CHANGES = [case[1] for case in (*WRONG, *GOOD, *NOT_ASKED)]
UNREADABLE = ["extension", "instances", "jobs", "vaults", "policies", "grants", "diagnostics", "bindings"]


@given(st.lists(st.sampled_from(CHANGES), max_size=4), st.sets(st.sampled_from(UNREADABLE), min_size=1), st.booleans())
def test_what_becomes_unreadable_never_makes_anything_compliant(
    changes: list[Change], unreadable: set[str], adopted: bool
) -> None:
    scene = healthy()
    if adopted:
        scene.adopt()
    for change in changes:
        assert callable(change)
        try:
            change(scene)
        except (AssertionError, ValueError, IndexError):  # another change has taken away what this one changes
            continue
    before = {verdict.control: verdict.status for verdict in scene.judged().verdicts}
    if scene.grants is None:
        scene.grants = scene.needed()
    for name in unreadable - {"bindings"}:
        setattr(scene, name, UNREAD)
    if "bindings" in unreadable and scene.remembered is not None:
        scene.remember(bindings=UNREAD)
    after = scene.judged()
    became = [v.control for v in after.verdicts if v.status == "Compliant" and before.get(v.control) != "Compliant"]
    assert became == []
