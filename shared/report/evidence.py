"""What a verdict rests on: the facts its control looks at, and the questions to Azure that brought them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain.compliance import FactValue, JudgedCluster
from shared.domain.fleet import Source
from shared.plan.compliance.control import Control
from shared.plan.compliance.facts import FACT_SOURCES

_OWN_QUERY = "own"
"""A control that names no facts is a query of the user's own."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """`sources` are those of the sweep's questions that brought the facts: they have the times and request ids."""

    facts: Mapping[str, FactValue]
    sources: tuple[Source, ...]


def evidence_of(cluster: JudgedCluster, control: Control, sources: Sequence[Source]) -> Evidence:
    """The sweep's questions are about many clusters: this one's answer is among those."""
    facts = {name: cluster.facts.get(name) for name in control.rests_on}
    asked = source_names(control)
    return Evidence(facts, tuple(source for source in sources if source.name in asked))


def source_names(control: Control) -> tuple[str, ...]:
    """Of the questions that bring what the control looks at."""
    return tuple(dict.fromkeys(FACT_SOURCES.get(name, name) for name in control.rests_on)) or (_OWN_QUERY,)
