"""The sums are those of an independent count, and hostile tags do not blow them up."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.compliance import JudgedCluster
from shared.domain.sweeps import Totals
from shared.plan.compliance import tally
from shared.plan.compliance.tally import OTHERS, counted, tallies_of, tally_of
from tests.fakes.judged import bad, good, judged, unknown

clusters = st.lists(
    st.builds(
        lambda verdict, restorable, score, team, location: replace(
            judged("shop", verdict), restorable=restorable, score=score, team=team, location=location
        ),
        st.sampled_from([good(), bad(), unknown(), bad("right-scope")]),
        st.sampled_from(["Yes", "No", "Unknown", "Exempt"]),
        st.floats(0, 100),
        st.sampled_from(["red", "blue", ""]),
        st.sampled_from(["westeurope", "WestEurope", "northeurope"]),
    ),
    max_size=30,
)


@given(clusters, st.integers(0, 30))
def test_counting_in_parts_comes_to_what_one_count_comes_to(fleet: list[JudgedCluster], cut: int) -> None:
    totals = counted(counted(Totals(), fleet[:cut]), fleet[cut:])
    overall = tally_of(totals.overall)
    words = Counter(each.restorable for each in fleet)
    assert (overall.clusters, overall.yes, overall.no) == (len(fleet), words["Yes"], words["No"])
    assert (overall.unknown, overall.exempt) == (words["Unknown"], words["Exempt"])
    scores = [each.score for each in fleet if each.restorable != "Exempt"]
    assert abs(overall.score - (sum(scores) / len(scores) if scores else 0)) < 0.01
    assert {name: t.clusters for name, t in tallies_of(totals.by_team).items()} == Counter(e.team for e in fleet)
    assert {n: t.clusters for n, t in totals.by_location.items()} == Counter(e.location.lower() for e in fleet)
    by_control = Counter((v.control, v.status) for each in fleet for v in each.verdicts)
    assert by_control == {(c, s): n for c, counts in totals.by_control.items() for s, n in counts.items()}


def test_a_tag_that_is_another_in_each_cluster_is_counted_under_others() -> None:
    fleet = [judged(f"c{number}", team=f"team {number}" + "x" * 300) for number in range(tally.MOST_GROUPS + 500)]
    by_team = counted(Totals(), fleet).by_team
    assert len(by_team) == tally.MOST_GROUPS + 1
    assert by_team[OTHERS].clusters == 500
    assert max(map(len, by_team)) <= 256
