"""Controls of people's own that are a query of Resource Graph in guard.yaml."""

from shared.domain.facts import UNOBSERVED, Unobserved
from shared.domain.profile import KqlControl
from shared.plan.compliance.control import COMPLIANT, Control, Outcome, non_compliant, unknown
from shared.plan.compliance.posture import Posture

MOST_TEXT = 1000
"""Characters of what a query's row says."""


def kql_control(query: KqlControl) -> Control:
    """Clusters that the query's rows name do not comply; every other one does, once the query has been answered."""

    def judge(posture: Posture) -> Outcome:
        found = posture.own.get(query.id, UNOBSERVED)
        if isinstance(found, Unobserved):
            return unknown("Unobserved", f"The query of guard.yaml was not answered: {found.reason}.")
        said = found.get(posture.cluster_id.arm_id)
        if said is None:
            return COMPLIANT
        return non_compliant("FoundByQuery", said[:MOST_TEXT] or "A query of guard.yaml names the cluster.")

    why = "guard.yaml asks for it by a query of Resource Graph."
    return Control(query.id, query.title, why, query.remedy, query.severity, query.essential, (), judge)
