"""Counting: how many clusters, how many of them restorable, and how well they do, by whatever people ask for."""

from collections.abc import Iterable, Mapping

from shared.domain.compliance import JudgedCluster, Tally, VerdictStatus
from shared.domain.sweeps import Sum, Totals

OTHERS = "(others)"
MOST_GROUPS = 1000
"""Teams, subscriptions and so on that are counted by themselves: a tag may hold anything, another in each cluster."""
_LONGEST_NAME = 256


def counted(totals: Totals, clusters: Iterable[JudgedCluster]) -> Totals:
    """The totals with these clusters in them."""
    overall = _Counter(totals.overall)
    groups = [
        ({name: _Counter(known) for name, known in mapping.items()}, name_of)
        for mapping, name_of in (
            (totals.by_team, _team),
            (totals.by_subscription, _subscription),
            (totals.by_location, _location),
            (totals.by_profile, _profile),
        )
    ]
    by_control: dict[str, dict[VerdictStatus, int]] = {c: dict(counts) for c, counts in totals.by_control.items()}
    for judged in clusters:
        overall.add(judged)
        for counters, name_of in groups:
            name = name_of(judged)[:_LONGEST_NAME]
            if name not in counters:
                name = name if len(counters) < MOST_GROUPS else OTHERS
                counters.setdefault(name, _Counter(Sum()))
            counters[name].add(judged)
        for verdict in judged.verdicts:
            counts = by_control.get(verdict.control)
            if counts is None:
                counts = by_control[verdict.control] = {}
            counts[verdict.status] = counts.get(verdict.status, 0) + 1
    by_team, by_subscription, by_location, by_profile = (
        {name: counter.sum() for name, counter in counters.items()} for counters, _ in groups
    )
    return Totals(overall.sum(), by_team, by_subscription, by_location, by_profile, by_control)


def tally_of(total: Sum) -> Tally:
    score = round(total.scores / total.scored, 2) if total.scored else 0.0
    return Tally(total.clusters, total.yes, total.no, total.unknown, total.exempt, score)


def tallies_of(totals: Mapping[str, Sum]) -> dict[str, Tally]:
    return {name: tally_of(total) for name, total in sorted(totals.items())}


class _Counter:
    """A `Sum` that is being added to."""

    def __init__(self, start: Sum) -> None:
        self._clusters, self._exempt = start.clusters, start.exempt
        self._yes, self._no, self._unknown = start.yes, start.no, start.unknown
        self._scores, self._scored = start.scores, start.scored

    def add(self, judged: JudgedCluster) -> None:
        self._clusters += 1
        restorable = judged.restorable
        if restorable == "Exempt":
            self._exempt += 1
            return
        if restorable == "Yes":
            self._yes += 1
        elif restorable == "No":
            self._no += 1
        else:
            self._unknown += 1
        self._scores += judged.score
        self._scored += 1

    def sum(self) -> Sum:
        return Sum(
            self._clusters, self._yes, self._no, self._unknown, self._exempt, round(self._scores, 4), self._scored
        )


def _team(judged: JudgedCluster) -> str:
    return judged.team


def _subscription(judged: JudgedCluster) -> str:
    return judged.subscription_id.lower()


def _location(judged: JudgedCluster) -> str:
    return judged.location.lower()


def _profile(judged: JudgedCluster) -> str:
    return judged.profile
